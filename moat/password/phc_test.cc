// SPDX-License-Identifier: Apache-2.0
#include "moat/password/phc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "moat/base/encoding.h"
#include "moat/password/internal/workspace.h"

namespace moat::password {
namespace {

constexpr std::string_view salt_and_tag =
    "$c29tZXNhbHRzb21lc2FsdA$tPAla38/iYe0rtvQKVaPv04WYar67QEGlc4fhxU185s";

std::string with(std::string_view front) { return std::string(front) + std::string(salt_and_tag); }

TEST(Phc, ReadsTheUsualForm) {
  const auto hash = Argon2Hash::parse(with("$argon2id$v=19$m=19456,t=2,p=1"));
  ASSERT_TRUE(hash);
  EXPECT_EQ(hash->type, Argon2Type::id);
  EXPECT_EQ(hash->version, 19u);
  EXPECT_EQ(hash->memory_kib, 19456u);
  EXPECT_EQ(hash->iterations, 2u);
  EXPECT_EQ(hash->lanes, 1u);
  EXPECT_EQ(hash->salt, "somesaltsomesalt");
  EXPECT_EQ(hash->tag.size(), 32u);
}

TEST(Phc, ReadsParametersInAnyOrder) {
  const auto usual = Argon2Hash::parse(with("$argon2id$v=19$m=64,t=2,p=4"));
  ASSERT_TRUE(usual);
  for (const auto* order : {"t=2,m=64,p=4", "p=4,t=2,m=64", "t=2,p=4,m=64"}) {
    const auto other = Argon2Hash::parse(with(std::string("$argon2id$v=19$") + order));
    ASSERT_TRUE(other) << order;
    EXPECT_EQ(*other, *usual) << order;
  }
}

TEST(Phc, ReadsTheOldVersionWhereNoneIsNamed) {
  const auto hash = Argon2Hash::parse(with("$argon2i$m=64,t=2,p=1"));
  ASSERT_TRUE(hash);
  EXPECT_EQ(hash->version, 16u);
  EXPECT_EQ(hash->to_string(), with("$argon2i$m=64,t=2,p=1"));
}

TEST(Phc, KeepsThePepperId) {
  const auto hash = Argon2Hash::parse(with("$argon2id$v=19$m=64,t=2,p=1,keyid=azE"));
  ASSERT_TRUE(hash);
  EXPECT_EQ(hash->key_id, "k1");
  EXPECT_EQ(hash->to_string(), with("$argon2id$v=19$m=64,t=2,p=1,keyid=azE"));
}

TEST(Phc, RefusesWhatIsNotExactlyTheForm) {
  for (const auto* front : {"",
                            "argon2id$v=19$m=64,t=2,p=1",
                            "$argon2$v=19$m=64,t=2,p=1",
                            "$argon2idx$v=19$m=64,t=2,p=1",
                            "$argon2id$v=19",
                            "$argon2id$v=19$",
                            "$argon2id$v=$m=64",
                            "$argon2id$v=19$m=64,t=2",
                            "$argon2id$v=19$m=64,t=2,p=0",
                            "$argon2id$v=19$m=64,t=0,p=1",
                            "$argon2id$v=19$m=064,t=2,p=1",
                            "$argon2id$v=19$m=+64,t=2,p=1",
                            "$argon2id$v=19$m=-64,t=2,p=1",
                            "$argon2id$v=19$m= 64,t=2,p=1",
                            "$argon2id$v=19$m=64,t=2,p=1,",
                            "$argon2id$v=19$,m=64,t=2,p=1",
                            "$argon2id$v=19$m=64,m=64,t=2,p=1",
                            "$argon2id$v=19$m=64,t=2,p=1,x=1",
                            "$argon2id$v=19$m=4294967296,t=2,p=1",
                            "$argon2id$v=19$m=64;t=2;p=1",
                            "$argon2id$v=19$m=64,t=2,p=1,keyid=",
                            "$argon2id$v=19$m=31,t=2,p=4",
                            "$argon2id$v=19$m=64,t=2,p=1$"}) {
    const auto hash = Argon2Hash::parse(with(front));
    ASSERT_FALSE(hash) << front;
    EXPECT_EQ(hash.error(), Refusal::malformed) << front;
  }
}

TEST(Phc, RefusesSaltsAndTagsOfOtherLengthsAndSpellings) {
  const std::string front = "$argon2id$v=19$m=64,t=2,p=1$";
  const std::string good = base64_unpadded_encode(std::string(16, 's'));
  const std::string tag = base64_unpadded_encode(std::string(32, 't'));
  EXPECT_TRUE(Argon2Hash::parse(front + good + "$" + tag));
  for (const std::size_t size : {0u, 7u, 65u})
    EXPECT_FALSE(
        Argon2Hash::parse(front + base64_unpadded_encode(std::string(size, 's')) + "$" + tag));
  for (const std::size_t size : {0u, 11u, 129u})
    EXPECT_FALSE(
        Argon2Hash::parse(front + good + "$" + base64_unpadded_encode(std::string(size, 't'))));
  EXPECT_FALSE(Argon2Hash::parse(front + good + "$" + tag + "="));
  EXPECT_FALSE(Argon2Hash::parse(front + good + "$" + tag + "\n"));
  EXPECT_FALSE(Argon2Hash::parse(front + good + "$" + tag + "$"));
  EXPECT_FALSE(Argon2Hash::parse(front + good));
  EXPECT_FALSE(Argon2Hash::parse(front + good + "$" + tag + std::string(512, 'A')));
}

TEST(Phc, SaysThatAnUnknownVersionIsUnsupported) {
  for (const auto* front :
       {"$argon2id$v=20$m=64,t=2,p=1", "$argon2id$v=19$m=64,t=2,p=1,data=azE"}) {
    const auto hash = Argon2Hash::parse(with(front));
    ASSERT_FALSE(hash);
    EXPECT_EQ(hash.error(), Refusal::unsupported);
  }
}

Argon2Input rfc9106_input(Argon2Type type, const std::vector<std::string>& texts) {
  Argon2Input input;
  input.type = type;
  input.memory_kib = 32;
  input.iterations = 3;
  input.lanes = 4;
  input.password = texts[0];
  input.salt = texts[1];
  input.secret = texts[2];
  input.associated_data = texts[3];
  return input;
}

// RFC 9106 section 5.
TEST(Argon2, GivesTheTagsOfTheStandard) {
  const std::vector<std::string> texts = {std::string(32, '\1'), std::string(16, '\2'),
                                          std::string(8, '\3'), std::string(12, '\4')};
  const std::pair<Argon2Type, std::string_view> cases[] = {
      {Argon2Type::d, "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb"},
      {Argon2Type::i, "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8"},
      {Argon2Type::id, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"}};
  for (const auto& [type, expected] : cases) {
    const auto tag = argon2(rfc9106_input(type, texts));
    ASSERT_TRUE(tag);
    EXPECT_EQ(hex_encode(*tag), expected);
  }
}

TEST(Argon2, RefusesWhatTheStandardForbids) {
  const std::vector<std::string> texts = {"password", std::string(16, '\2'), "", ""};
  auto input = rfc9106_input(Argon2Type::id, texts);
  ASSERT_TRUE(argon2(input));
  auto small = input;
  small.memory_kib = 31;
  EXPECT_FALSE(argon2(small));
  auto short_salt = input;
  short_salt.salt = "short";
  EXPECT_FALSE(argon2(short_salt));
  auto short_tag = input;
  short_tag.tag_bytes = 3;
  EXPECT_FALSE(argon2(short_tag));
  auto version = input;
  version.version = 18;
  EXPECT_FALSE(argon2(version));
}

TEST(Argon2, WorkspaceIsWipedAfterAHash) {
  constexpr std::size_t bytes = 32 * 1024;
  internal::Workspaces workspaces(bytes);
  const std::vector<std::string> texts = {"password", std::string(16, '\2'), "", ""};
  ASSERT_TRUE(internal::argon2_in(workspaces, rfc9106_input(Argon2Type::id, texts)));
  auto* block = workspaces.acquire(bytes);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(std::count(block, block + bytes, std::uint8_t{0}), std::ptrdiff_t{bytes});
  // It is the kept block: one that was written to comes back the same.
  block[7] = 42;
  workspaces.give_back(block, bytes);
  EXPECT_EQ(workspaces.acquire(bytes), block);
  workspaces.give_back(block, bytes);
}

}  // namespace
}  // namespace moat::password
