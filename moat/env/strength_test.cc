// SPDX-License-Identifier: Apache-2.0
#include "moat/env/strength.h"

#include <gtest/gtest.h>

#include <string>

#include "moat/base/encoding.h"
#include "moat/base/random.h"

namespace moat::env {
namespace {

std::string weakness(std::string_view secret, std::size_t min_bytes = 32) {
  const auto strong = check_secret_strength(secret, min_bytes);
  return strong ? "" : std::string(to_string(strong.error()));
}

TEST(Strength, RandomKeysPassInEverySpelling) {
  InsecureSeededRandom random(3);
  for (int i = 0; i < 2000; ++i) {
    EXPECT_EQ(weakness(random.bytes(32)), "");
    EXPECT_EQ(weakness(random.token(32)), "");
    EXPECT_EQ(weakness(base64_encode(random.bytes(32))), "");
    EXPECT_EQ(weakness(hex_encode(random.bytes(32))), "");
    EXPECT_EQ(weakness(hex_encode(random.bytes(16))), "");
  }
}

TEST(Strength, LengthIsInclusive) {
  const std::string key = "q8Zr1vXnT5mK0wYcHd3pLb7sUeJ9aGf2";
  ASSERT_EQ(key.size(), 32U);
  EXPECT_EQ(weakness(key), "");
  EXPECT_EQ(weakness(key.substr(1)), "too_short");
  EXPECT_EQ(weakness(key.substr(16), 16), "");
  EXPECT_EQ(weakness("", 0), "too_short");
}

TEST(Strength, WordsOfExamplesAreRefused) {
  for (const char* secret :
       {"a-string-secret-at-least-256-bits-long", "your-256-bit-secret-your-512-bit-secret",
        "your-super-secret-jwt-key-change-this-in-production",
        "changeme-changethis-password-secret", "please_change_this_secret_key_before_production",
        "ThisIsAVerySecretKeyThatShouldBeChanged", "django-insecure-change-me-please-secret-key",
        "my_secret_token_for_development_only_1234", "REPLACE_ME_WITH_A_LONG_RANDOM_STRING_PLEASE"})
    EXPECT_NE(weakness(secret), "") << secret;
  EXPECT_EQ(weakness("changeme", 0), "sample");
  EXPECT_EQ(weakness("secret", 6), "sample");
  EXPECT_EQ(weakness("password", 8), "sample");
  // A word in front of a random key does no harm.
  EXPECT_EQ(weakness("secret-key-q8Zr1vXnT5mK0wYcHd3pLb7sUeJ9aGf2"), "");
}

TEST(Strength, RepeatsAndSequencesAreRefused) {
  EXPECT_EQ(weakness(std::string(64, 'a')), "few_symbols");
  EXPECT_EQ(weakness(std::string(32, '\0')), "few_symbols");
  EXPECT_EQ(weakness("q8Zr1vXnT5mK0wYcq8Zr1vXnT5mK0wYc"), "repetitive");
  EXPECT_EQ(weakness("q8Zr1vXnTq8Zr1vXnTq8Zr1vXnTq8Zr1v"), "repetitive");
  EXPECT_EQ(weakness("abcdefghijklmnopqrstuvwxyz0123456789"), "repetitive");
  EXPECT_EQ(weakness("0123456789abcdef0123456789abcdef"), "repetitive");
  EXPECT_EQ(weakness("qwertyuiopasdfghjklzxcvbnm1234567890"), "repetitive");
  EXPECT_EQ(weakness("aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffgggggggghhhhhhhh"),
            "repetitive");
}

TEST(Strength, LongSecretsAreCheckedInBoundedTime) {
  std::string text;
  for (int i = 0; i < 1000000; ++i) text.push_back(static_cast<char>('a' + i % 23));
  EXPECT_NE(weakness(text), "");
}

TEST(Strength, NamesThatSaySecret) {
  for (const char* name : {"JWT_SECRET", "DB_PASSWORD", "API_KEY", "github_token", "PRIVATE_KEY",
                           "SIGNING_KEY", "SMTP_PASS", "SENTRY_DSN", "PASSWORD_PEPPER", "APIKEY"})
    EXPECT_TRUE(names_secret(name)) << name;
  for (const char* name :
       {"PORT", "HOST", "JWT_SECRET_FILE", "PUBLIC_KEY", "PATH", "KEYBOARD", "HOME"})
    EXPECT_FALSE(names_secret(name)) << name;
}

}  // namespace
}  // namespace moat::env
