// SPDX-License-Identifier: Apache-2.0
#include "moat/password/policy.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::password {
namespace {

std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

// "ok", or the code of the refusal.
std::string verdict(std::string_view password, const Context& context = {},
                    SecondFactor factor = SecondFactor::none) {
  const auto result = Policy().check(password, context, factor);
  return result ? "ok" : std::string(to_string(result.error()));
}

TEST(Policy, LengthIsCountedInCodePoints) {
  const std::string grin = "\xF0\x9F\x98\x80";
  EXPECT_EQ(verdict(repeat(grin, 14)), "too_short");
  EXPECT_EQ(verdict(repeat(grin, 15)), "ok");
  EXPECT_EQ(verdict(repeat(grin, 64)), "ok");
  EXPECT_EQ(verdict("vexing-gnu-oak"), "too_short");
  EXPECT_EQ(verdict("vexing-gnu-oaks"), "ok");
}

TEST(Policy, ASecondFactorAllowsShorterOnesButNotBelowEight) {
  EXPECT_EQ(verdict("9vKq#2Lx", {}, SecondFactor::enforced), "ok");
  EXPECT_EQ(verdict("9vKq#2L", {}, SecondFactor::enforced), "too_short");
  EXPECT_EQ(verdict("9vKq#2Lx"), "too_short");
}

TEST(Policy, TooLongIsSaidOfBytes) {
  std::string text;
  while (text.size() < 1024) text += "vexing gnu oak ";
  text.resize(1024);
  text[0] = 'X';
  EXPECT_EQ(verdict(text), "ok");
  EXPECT_EQ(verdict(text + "x"), "too_long");
}

TEST(Policy, InvalidUtf8IsRefused) {
  EXPECT_EQ(verdict("vexing gnu oak st\xC3\xA9p"), "ok");
  EXPECT_EQ(verdict("vexing gnu oak st\xE9p"), "invalid_utf8");
  EXPECT_EQ(verdict("vexing gnu oak st\xC0\x80p"), "invalid_utf8");
}

TEST(Policy, NoCompositionIsAsked) {
  for (const auto* good :
       {"correct horse battery staple", "correcthorsebatterystaple", "tiramisu ankert schief",
        "\xD0\xBF\xD0\xB0\xD1\x80\xD0\xBE\xD0\xBB\xD1\x8C \xD0\xB8\xD0\xB7 "
        "\xD1\x81\xD0\xBB\xD0\xBE\xD0\xB2 +",
        "  spaces   count too  ", "83920174650192847", "KJHWQZPMVXNTRLS"})
    EXPECT_EQ(verdict(good), "ok") << good;
}

TEST(Policy, CommonPasswordsAreRefusedHoweverTheyAreDressed) {
  for (const auto* bad :
       {"passwordpassword", "PasswordPassword", "password1234567", "Password123456!",
        "p@ssw0rd1234567", "P4$$w0rd!!!!!!!", "123456password!", "iloveyou iloveyou",
        "iloveyou1234567", "dragon2024!!!!!", "manchesterunited", "sunshine-sunshine",
        "letmein12345678", "dragondragondragon", "administrator123", "watermelon12345"})
    EXPECT_EQ(verdict(bad), "common") << bad;
}

TEST(Policy, TheSameWordWithRandomCharactersIsAccepted) {
  EXPECT_EQ(verdict("passwordk8#Qz1vM4x"), "ok");
  EXPECT_EQ(verdict("password7203918465"), "ok");
  EXPECT_EQ(verdict("dragon plum xylitol"), "ok");
}

TEST(Policy, ShortCommonPasswordsAreRefusedBehindASecondFactor) {
  for (const auto* bad : {"password", "PASSWORD", "baseball", "passw0rd", "tiger123", "monkey12"})
    EXPECT_EQ(verdict(bad, {}, SecondFactor::enforced), "common") << bad;
}

TEST(Policy, RepetitionIsRefused) {
  for (const auto* bad :
       {"kkkkkkkkkkkkkkkkkk", "aaaaaaaaaaaaaab", "abababababababab", "xk3xk3xk3xk3xk3xk3",
        "q9zq9zq9zq9zq9z", "...............", "               "})
    EXPECT_EQ(verdict(bad), "repetitive") << bad;
  EXPECT_EQ(verdict("aaaaaaaaa brzo kvet"), "ok");
}

TEST(Policy, SequencesAndKeyboardWalksAreRefused) {
  for (const auto* bad :
       {"123456789012345", "098765432109876", "abcdefghijklmno", "zyxwvutsrqponml",
        "qwertyuiop12345", "1qaz2wsx3edc4rfv", "qwertyuiopasdfghjkl", "asdfghjkl;'1234",
        "QWERTYUIOPASDFG", "qwertzuiop12345", "azertyuiop12345", "abcdefgh12345678"})
    EXPECT_TRUE(verdict(bad) == "sequence" || verdict(bad) == "common") << bad << verdict(bad);
  EXPECT_EQ(verdict("abcdefgh klopt niet"), "ok");
}

TEST(Policy, TheUsersAndTheSitesOwnWordsAreRefused) {
  const std::string_view words[] = {"Moat Example", "brackwater", "Quorvex"};
  const Context context{"Alice.Smithson@mail.fenwick-co.example", words};
  for (const auto* bad :
       {"alice.smithson@mail.fenwick-co.example", "AliceSmithson12", "alice.smithson1",
        "smithson2024!!!", "brackwater12345", "Br4ckw4ter12345", "brackwater-2025",
        "moatexample1234", "Moat Example 1!", "fenwick12345678", "brackwaterpassword",
        "1234brackwater!", "quorvex12345678"})
    EXPECT_EQ(verdict(bad, context), "context") << bad;
  // The twin: without the context, or with enough besides it, they are taken.
  EXPECT_EQ(verdict("quorvex12345678"), "ok");
  EXPECT_EQ(verdict("brackwater 93kd2mx", context), "ok");
  EXPECT_EQ(verdict("correct horse battery staple", context), "ok");
}

TEST(Policy, AContextOfBareFragmentsDoesNoHarm) {
  const std::string_view words[] = {"", "a", "it"};
  EXPECT_EQ(verdict("correct horse battery staple", {"", words}), "ok");
  EXPECT_EQ(verdict("correct horse battery staple", {"@", words}), "ok");
  EXPECT_EQ(verdict("correct horse battery staple", {"a@b.c", words}), "ok");
  EXPECT_EQ(verdict("correct horse battery staple", {"no at sign", words}), "ok");
}

TEST(Policy, OptionsBelowTheFloorAreRefused) {
  EXPECT_TRUE(Policy::create({}));
  EXPECT_TRUE(Policy::create({8, 8, 256}));
  EXPECT_EQ(Policy::create({7, 8, 1024}).error(), OptionsRefusal::min_below_floor);
  EXPECT_EQ(Policy::create({15, 7, 1024}).error(), OptionsRefusal::min_below_floor);
  EXPECT_EQ(Policy::create({15, 8, 255}).error(), OptionsRefusal::max_below_floor);
  EXPECT_EQ(Policy::create({65, 8, 256}).error(), OptionsRefusal::max_below_floor);
  const auto shorter = Policy::create({10, 8, 1024});
  ASSERT_TRUE(shorter);
  EXPECT_TRUE(shorter->check("9vKq#2LxTw"));
  EXPECT_FALSE(shorter->check("9vKq#2LxT"));
}

TEST(Policy, EverySentenceAdvisesAndTheLengthIsTheOneThatApplies) {
  const Policy policy;
  for (const auto refusal :
       {PolicyRefusal::too_short, PolicyRefusal::too_long, PolicyRefusal::invalid_utf8,
        PolicyRefusal::common, PolicyRefusal::context, PolicyRefusal::repetitive,
        PolicyRefusal::sequence}) {
    const std::string sentence = policy.sentence(refusal);
    EXPECT_GT(sentence.size(), 20u);
    EXPECT_EQ(sentence.back(), '.');
  }
  EXPECT_NE(policy.sentence(PolicyRefusal::too_short).find("15"), std::string::npos);
  EXPECT_NE(policy.sentence(PolicyRefusal::too_short, SecondFactor::enforced).find(" 8 "),
            std::string::npos);
}

TEST(CommonPasswords, TheListIsLongAndLooksUpWholeEntries) {
  EXPECT_GE(common_password_count(), 100000u);
  for (const auto* listed : {"password", "123456", "qwerty", "letmein", "LetMeIn", "iloveyou"})
    EXPECT_TRUE(is_common_password(listed)) << listed;
  for (const auto* other : {"", "abc", "passwordk8#Qz1v", "correct horse battery staple"})
    EXPECT_FALSE(is_common_password(other)) << other;
}

TEST(CommonPasswords, TextOffTheListIsHardlyEverTakenForOneOnIt) {
  int found = 0;
  for (int i = 0; i < 200000; ++i)
    found += is_common_password("no such entry " + std::to_string(i));
  EXPECT_LE(found, 2);
}

}  // namespace
}  // namespace moat::password
