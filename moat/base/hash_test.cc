// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/base/hash.h"
#include "moat/base/random.h"

namespace moat {
namespace {

// RFC 4231 test cases 1, 2 and 6.
TEST(Hash, HmacGivesThePublishedTags) {
  const auto tag = [](std::string_view key, std::string_view message) {
    return hex_encode(as_bytes(HmacKey(key).tag(message)));
  };
  EXPECT_EQ(tag(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(tag("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(tag(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, VerifyRefusesAnotherTag) {
  const HmacKey key("key");
  const Digest tag = key.tag("message");
  EXPECT_TRUE(key.verify("message", as_bytes(tag)));
  EXPECT_FALSE(key.verify("messagf", as_bytes(tag)));
  EXPECT_FALSE(key.verify("message", as_bytes(tag).substr(1)));
  EXPECT_FALSE(key.verify("message", ""));
}

TEST(Hash, Sha256OfAbc) {
  EXPECT_EQ(hex_encode(as_bytes(sha256("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// RFC 4231 test cases 3, 4 and 7.
TEST(Hash, HmacGivesTheOtherPublishedTags) {
  const auto tag = [](std::string_view key, std::string_view message) {
    return hex_encode(as_bytes(HmacKey(key).tag(message)));
  };
  EXPECT_EQ(tag(std::string(20, '\xaa'), std::string(50, '\xdd')),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(tag(*hex_decode("0102030405060708090a0b0c0d0e0f10111213141516171819"),
                std::string(50, '\xcd')),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(tag(std::string(131, '\xaa'),
                "This is a test using a larger than block-size key and a larger than block-size "
                "data. The key needs to be hashed before being used by the HMAC algorithm."),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(Hash, AKeyGivesTheSameTagAgainAndAfterAMove) {
  HmacKey key("key");
  const Digest first = key.tag("message");
  EXPECT_EQ(key.tag("message"), first);
  EXPECT_NE(key.tag("messagf"), first);
  const HmacKey moved = std::move(key);
  EXPECT_EQ(moved.tag("message"), first);
  EXPECT_NE(HmacKey("kez").tag("message"), first);
}

// FIPS 180-4 examples: the empty text and one of two blocks.
TEST(Hash, Sha256OfOtherLengths) {
  EXPECT_EQ(hex_encode(as_bytes(sha256(""))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(
      hex_encode(as_bytes(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Random, TokensDifferAndHaveTheirLength) {
  EXPECT_EQ(system_random().token().size(), 43U);
  EXPECT_NE(system_random().token(), system_random().token());
  InsecureSeededRandom a(1);
  InsecureSeededRandom b(1);
  InsecureSeededRandom c(2);
  const std::string first = a.bytes(32);
  EXPECT_EQ(first, b.bytes(32));
  EXPECT_NE(first, c.bytes(32));
}

TEST(Random, FillsNothingAndMuch) {
  system_random().fill({});
  const std::string much = system_random().bytes((1 << 20) + 5);
  EXPECT_EQ(much.size(), (1U << 20) + 5);
  // 32 zero bytes at the end of a random text would mean that it was not filled.
  EXPECT_NE(much.substr(much.size() - 32), std::string(32, '\0'));
}

TEST(Random, ManyTokensAreAllDifferent) {
  std::set<std::string> seen;
  for (int i = 0; i < 10000; ++i) EXPECT_TRUE(seen.insert(system_random().token(16)).second);
  EXPECT_EQ(seen.begin()->size(), 22U);
}

}  // namespace
}  // namespace moat
