// SPDX-License-Identifier: Apache-2.0
#include "moat/password/hasher.h"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

#include "moat/password/phc.h"

namespace moat::password {
namespace {

static_assert(!std::is_copy_constructible_v<Hasher>);
static_assert(std::is_nothrow_move_constructible_v<Hasher>);

constexpr Params quick{64, 1, 1};
constexpr std::string_view right = "correct horse battery staple";

Pepper pepper(std::string id, char fill) {
  return {std::move(id), Secret::copy_of(std::string(32, fill))};
}

std::vector<Pepper> peppers(std::initializer_list<const char*> ids) {
  std::vector<Pepper> list;
  for (const auto* id : ids) list.push_back(pepper(id, id[0]));
  return list;
}

class HasherTest : public testing::Test {
 protected:
  InsecureSeededRandom random_{7};
  Hasher hasher_ = Hasher::insecure_below_floor(quick, random_);
};

TEST_F(HasherTest, TheRightPasswordMatchesAndEveryOtherDoesNot) {
  const auto stored = hasher_.hash(right);
  ASSERT_TRUE(stored);
  const auto match = hasher_.verify(*stored, right);
  ASSERT_TRUE(match);
  EXPECT_TRUE(match->matches);
  EXPECT_FALSE(match->needs_rehash);
  for (const auto* wrong : {"", "correct horse battery stapl", "Correct horse battery staple",
                            "correct horse battery staple ", " correct horse battery staple"}) {
    const auto refused = hasher_.verify(*stored, std::string_view(wrong));
    ASSERT_TRUE(refused);
    EXPECT_FALSE(refused->matches) << wrong;
    EXPECT_FALSE(refused->needs_rehash) << wrong;
  }
}

TEST_F(HasherTest, BytesBehindANulCount) {
  const std::string one("pass\0word one", 13);
  const std::string two("pass\0word two", 13);
  const auto stored = hasher_.hash(one);
  ASSERT_TRUE(stored);
  EXPECT_TRUE(hasher_.verify(*stored, one)->matches);
  EXPECT_FALSE(hasher_.verify(*stored, two)->matches);
}

TEST_F(HasherTest, SecretsAreTakenToo) {
  const auto stored = hasher_.hash(Secret::copy_of(right));
  ASSERT_TRUE(stored);
  EXPECT_TRUE(hasher_.verify(*stored, Secret::copy_of(right))->matches);
  EXPECT_FALSE(hasher_.verify(*stored, Secret::copy_of("wrong"))->matches);
  EXPECT_TRUE(hasher_.verify_unknown(Secret::copy_of(right)));
}

TEST_F(HasherTest, SaltsDiffer) {
  std::set<std::string> salts;
  for (int i = 0; i < 200; ++i) {
    const auto hash = Argon2Hash::parse(*hasher_.hash(right));
    ASSERT_TRUE(hash);
    EXPECT_EQ(hash->salt.size(), 16u);
    salts.insert(hash->salt);
  }
  EXPECT_EQ(salts.size(), 200u);
}

TEST_F(HasherTest, PasswordsBeyondTheLimitAreRefusedBeforeAnyWork) {
  const std::string longest(1024, 'x');
  const auto stored = hasher_.hash(longest);
  ASSERT_TRUE(stored);
  EXPECT_TRUE(hasher_.verify(*stored, longest)->matches);
  const std::string longer(1025, 'x');
  EXPECT_EQ(hasher_.hash(longer).error(), Refusal::too_long);
  EXPECT_EQ(hasher_.verify(*stored, longer).error(), Refusal::too_long);
  EXPECT_EQ(hasher_.verify_unknown(longer).error(), Refusal::too_long);
}

TEST_F(HasherTest, StoredTextCannotDemandMoreThanTheLimits) {
  const std::string tail = "$c29tZXNhbHRzb21lc2FsdA$tPAla38/iYe0rtvQKVaPv04WYar67QEGlc4fhxU185s";
  for (const auto* costly : {"m=4294967295,t=1,p=1", "m=262145,t=1,p=1", "m=64,t=65,p=1",
                             "m=64,t=4294967295,p=1", "m=512,t=1,p=17", "m=262144,t=5,p=1"}) {
    const auto match = hasher_.verify("$argon2id$v=19$" + std::string(costly) + tail, right);
    ASSERT_FALSE(match) << costly;
    EXPECT_EQ(match.error(), Refusal::too_costly) << costly;
  }
  const auto allowed = hasher_.verify("$argon2id$v=19$m=512,t=64,p=16" + tail, right);
  ASSERT_TRUE(allowed);
  EXPECT_FALSE(allowed->matches);
}

TEST_F(HasherTest, TextThatIsNoHashIsMalformed) {
  for (const auto* stored : {"", "plain", "$", "$1$salt$digest", "$argon2id", "$2b$", "$6$a$b"}) {
    const auto match = hasher_.verify(std::string_view(stored), right);
    ASSERT_FALSE(match) << stored;
    EXPECT_EQ(match.error(), Refusal::malformed) << stored;
  }
}

TEST_F(HasherTest, WhateverHashWouldNotWriteTodayIsFlagged) {
  for (const Params& old : {Params{64, 2, 1}, Params{128, 1, 1}, Params{64, 1, 2}}) {
    auto before = Hasher::insecure_below_floor(old, random_);
    const auto stored = before.hash(right);
    ASSERT_TRUE(stored);
    const auto match = hasher_.verify(*stored, right);
    ASSERT_TRUE(match);
    EXPECT_TRUE(match->matches);
    EXPECT_TRUE(match->needs_rehash);
    // The twin: a wrong password is never a reason to store anything.
    EXPECT_FALSE(hasher_.verify(*stored, std::string_view("wrong"))->needs_rehash);
  }
}

TEST_F(HasherTest, OtherTypesAndVersionsMatchAndAreFlagged) {
  for (const auto type : {Argon2Type::d, Argon2Type::i}) {
    Argon2Hash form;
    form.type = type;
    form.version = 16;
    form.memory_kib = 64;
    form.iterations = 1;
    form.lanes = 1;
    form.salt = "somesaltsomesalt";
    Argon2Input input{form.type, form.version, 64, 1, 1, right, form.salt, {}, {}, 32};
    form.tag = *argon2(input);
    const auto match = hasher_.verify(form.to_string(), right);
    ASSERT_TRUE(match);
    EXPECT_TRUE(match->matches);
    EXPECT_TRUE(match->needs_rehash);
    EXPECT_FALSE(hasher_.verify(form.to_string(), std::string_view("wrong"))->matches);
  }
}

TEST_F(HasherTest, TheDummyLooksLikeAHashAndMatchesNothing) {
  const std::string dummy = hasher_.dummy_hash();
  const auto form = Argon2Hash::parse(dummy);
  ASSERT_TRUE(form);
  EXPECT_EQ(form->memory_kib, quick.memory_kib);
  EXPECT_EQ(form->iterations, quick.iterations);
  EXPECT_EQ(dummy.size(), hasher_.hash(right)->size());
  EXPECT_FALSE(hasher_.verify(dummy, right)->matches);
  EXPECT_FALSE(hasher_.verify(dummy, std::string_view(""))->matches);
  EXPECT_NE(dummy, hasher_.dummy_hash());
}

TEST_F(HasherTest, ReleasedMemoryIsAskedForAgain) {
  const auto stored = hasher_.hash(right);
  hasher_.release_memory();
  EXPECT_TRUE(hasher_.verify(*stored, right)->matches);
}

TEST(HasherParams, OnlyTheRowsOfTheFloorOrStrongerAreTaken) {
  for (const Params& good :
       {Params{}, Params{47104, 1, 1}, Params{12288, 3, 1}, Params{19456, 2, 4},
        Params{65536, 1, 1}, Params{12288, 20, 1}, rfc9106_params})
    EXPECT_TRUE(Hasher::create(good, system_random())) << good.memory_kib << " " << good.iterations;
  for (const Params& weak :
       {Params{19455, 2, 1}, Params{19456, 1, 1}, Params{47103, 1, 1}, Params{12287, 3, 1},
        Params{12288, 2, 1}, Params{8, 1, 1}, Params{19456, 0, 1}, Params{19456, 2, 0}}) {
    const auto hasher = Hasher::create(weak, system_random());
    ASSERT_FALSE(hasher) << weak.memory_kib << " " << weak.iterations;
    EXPECT_EQ(hasher.error(), ParamsRefusal::below_floor);
  }
}

TEST(HasherParams, WhatVerifyWouldRefuseIsNotTaken) {
  for (const Params& big : {Params{262145, 1, 1}, Params{19456, 65, 1}, Params{19456, 2, 17}}) {
    const auto hasher = Hasher::create(big, system_random());
    ASSERT_FALSE(hasher);
    EXPECT_EQ(hasher.error(), ParamsRefusal::above_limits);
  }
}

TEST(HasherParams, TheDefaultWritesOwaspsParameters) {
  auto hasher = Hasher::standard(system_random());
  const auto stored = hasher.hash(right);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->substr(0, 31), "$argon2id$v=19$m=19456,t=2,p=1$");
  EXPECT_EQ(stored->size(), 31u + 22 + 1 + 43);
  EXPECT_TRUE(hasher.verify(*stored, right)->matches);
}

TEST(HasherPepper, TheHashAloneIsOfNoUseAndPeppersRotate) {
  auto plain = Hasher::standard(system_random());
  auto first = Hasher::create({}, system_random(), peppers({"old"}));
  auto both = Hasher::create({}, system_random(), peppers({"new", "old"}));
  ASSERT_TRUE(first && both);
  const auto stored = first->hash(right);
  ASSERT_TRUE(stored);
  EXPECT_NE(stored->find(",keyid=b2xk$"), std::string::npos) << *stored;
  EXPECT_TRUE(first->verify(*stored, right)->matches);
  EXPECT_FALSE(first->verify(*stored, right)->needs_rehash);
  EXPECT_FALSE(first->verify(*stored, std::string_view("wrong"))->matches);

  const auto rotated = both->verify(*stored, right);
  ASSERT_TRUE(rotated);
  EXPECT_TRUE(rotated->matches);
  EXPECT_TRUE(rotated->needs_rehash);

  EXPECT_EQ(plain.verify(*stored, right).error(), Refusal::unknown_pepper);
  // Stripping the id does not help: the password was keyed.
  std::string stripped = *stored;
  stripped.erase(stripped.find(",keyid=b2xk"), 11);
  EXPECT_FALSE(plain.verify(stripped, right)->matches);
  // A hash from before the pepper still matches, and is flagged.
  const auto before = plain.hash(right);
  EXPECT_TRUE(both->verify(*before, right)->matches);
  EXPECT_TRUE(both->verify(*before, right)->needs_rehash);
}

TEST(HasherPepper, WeakOrAmbiguousPeppersAreRefused) {
  const auto refused = [](std::vector<Pepper> list) {
    const auto hasher = Hasher::create({}, system_random(), std::move(list));
    return !hasher && hasher.error() == ParamsRefusal::bad_pepper;
  };
  EXPECT_FALSE(refused(peppers({"a", "b"})));
  EXPECT_TRUE(refused(peppers({"a", "a"})));
  EXPECT_TRUE(refused(peppers({""})));
  EXPECT_TRUE(refused(peppers({"a,b"})));
  EXPECT_TRUE(refused(peppers({"longer-than-16-ch"})));
  std::vector<Pepper> weak;
  weak.push_back({"a", Secret::copy_of(std::string(31, 'k'))});
  EXPECT_TRUE(refused(std::move(weak)));
}

TEST(Bcrypt, AFreshHashVerifiesAndIsFlagged) {
  InsecureSeededRandom random(3);
  auto hasher = Hasher::insecure_below_floor(quick, random);
  const auto stored = bcrypt_hash(right, 10, random);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->substr(0, 7), "$2b$10$");
  EXPECT_EQ(stored->size(), 60u);
  const auto match = hasher.verify(*stored, right);
  ASSERT_TRUE(match);
  EXPECT_TRUE(match->matches);
  EXPECT_TRUE(match->needs_rehash);
  EXPECT_FALSE(hasher.verify(*stored, std::string_view("wrong"))->matches);
  EXPECT_NE(*stored, *bcrypt_hash(right, 10, random));
}

TEST(Bcrypt, PasswordsThatItWouldCutAreRefused) {
  InsecureSeededRandom random(3);
  auto hasher = Hasher::insecure_below_floor(quick, random);
  const std::string longest(72, 'x');
  const auto stored = bcrypt_hash(longest, 10, random);
  ASSERT_TRUE(stored);
  EXPECT_TRUE(hasher.verify(*stored, longest)->matches);
  EXPECT_EQ(hasher.verify(*stored, longest + "x").error(), Refusal::too_long);
  EXPECT_EQ(bcrypt_hash(longest + "x", 10, random).error(), Refusal::too_long);
  const std::string with_nul("pass\0word", 9);
  EXPECT_EQ(bcrypt_hash(with_nul, 10, random).error(), Refusal::contains_nul);
  EXPECT_EQ(hasher.verify(*stored, with_nul).error(), Refusal::contains_nul);
}

// A right hash of "\xff\xff\xa3" (Openwall's test vector for the bug of 2011).
TEST(Bcrypt, PasswordsBeyondAsciiVerifyUnderEveryName) {
  InsecureSeededRandom random(3);
  auto hasher = Hasher::insecure_below_floor(quick, random);
  const std::string tail = "05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e";
  for (const auto* name : {"$2a$", "$2b$", "$2y$"}) {
    EXPECT_TRUE(hasher.verify(name + tail, std::string_view("\xff\xff\xa3"))->matches) << name;
    EXPECT_FALSE(hasher.verify(name + tail, std::string_view("\xff\xa3"))->matches) << name;
  }
}

TEST(Bcrypt, CostsAreBoundedAtBothEnds) {
  InsecureSeededRandom random(3);
  auto hasher = Hasher::insecure_below_floor(quick, random);
  EXPECT_EQ(bcrypt_hash(right, 9, random).error(), Refusal::unsupported);
  EXPECT_EQ(bcrypt_hash(right, 15, random).error(), Refusal::too_costly);
  const std::string tail = "$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
  EXPECT_TRUE(hasher.verify("$2a$05" + tail, std::string_view("U*U"))->matches);
  EXPECT_FALSE(hasher.verify("$2a$05" + tail, std::string_view("U*V"))->matches);
  EXPECT_EQ(hasher.verify("$2a$15" + tail, right).error(), Refusal::too_costly);
  EXPECT_EQ(hasher.verify("$2a$31" + tail, right).error(), Refusal::too_costly);
  for (const auto* bad : {"$2a$03", "$2a$32", "$2a$5$", "$2x$05", "$2$05$", "$2c$05", "$2a$+5"})
    EXPECT_EQ(hasher.verify(bad + tail, right).error(), Refusal::malformed) << bad;
  EXPECT_EQ(hasher.verify("$2a$05" + tail + "A", right).error(), Refusal::malformed);
  EXPECT_EQ(
      hasher.verify("$2a$05$CCCCCCCCCCCCCCCCCCCCC:E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", right).error(),
      Refusal::malformed);
}

}  // namespace
}  // namespace moat::password
