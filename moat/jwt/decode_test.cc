// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/decode.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "moat/base/encoding.h"
#include "moat/jwt/jwt.h"

namespace moat::jwt {
namespace {

constexpr Time now{std::chrono::seconds(1'800'000'000)};

// What was only read can be taken for what was checked by no conversion.
static_assert(!std::is_convertible_v<Decoded, Verified>);
static_assert(!std::is_constructible_v<Verified, Decoded>);
static_assert(!std::is_constructible_v<Verified, json::Value, Key>);
static_assert(!std::is_default_constructible_v<Decoded>);

std::string token_of(Algorithm algorithm) {
  const Key key = Key::generate(algorithm, system_random()).value();
  const SignOptions options{.issuer = "https://issuer.example", .subject = "ada"};
  return sign({{"n", 7}}, key.with_id("k1"), options, now).value();
}

std::string forged(std::string_view header, std::string_view claims) {
  return base64url_encode(header) + "." + base64url_encode(claims) + ".AAAA";
}

Refusal refusal_of(std::string_view token, std::size_t max_bytes = 8192) {
  const auto decoded = decode(Unverified{token}, max_bytes);
  EXPECT_FALSE(decoded) << token;
  return decoded ? Refusal::weak_key : decoded.error();
}

TEST(Decode, SaysWhatATokenSaysWithoutAKey) {
  const std::string token = token_of(Algorithm::es256);
  const auto decoded = decode(Unverified{token});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->unverified_text("iss"), "https://issuer.example");
  EXPECT_EQ(decoded->unverified_text("sub"), "ada");
  EXPECT_EQ(decoded->unverified_text("n"), "");
  EXPECT_EQ(*decoded->unverified_claims().find("n"), json::Value(7));
  EXPECT_EQ(decoded->unverified_key_id(), "k1");
  EXPECT_EQ(decoded->unverified_algorithm(), "ES256");
  EXPECT_EQ(*decoded->unverified_header().find("typ"), json::Value("JWT"));
}

TEST(Decode, AForgedTokenIsReadAndStillVerifiesNowhere) {
  const std::string token = forged(R"({"alg":"ES256"})", R"({"sub":"admin","aud":"api"})");
  ASSERT_TRUE(decode(Unverified{token}));
  KeySet keys;
  ASSERT_TRUE(keys.add(Key::generate(Algorithm::es256, system_random()).value()));
  EXPECT_FALSE(Verifier(keys, {.audiences = {"api"}}).verify(Unverified{token}, now));
}

TEST(Decode, RefusesWhatNoKeyCouldVerify) {
  EXPECT_EQ(refusal_of(""), Refusal::malformed);
  EXPECT_EQ(refusal_of("a.b"), Refusal::malformed);
  EXPECT_EQ(refusal_of(token_of(Algorithm::hs256) + ".x"), Refusal::malformed);
  EXPECT_EQ(refusal_of(token_of(Algorithm::hs256) + "="), Refusal::malformed);
  EXPECT_EQ(refusal_of(forged(R"({"alg":"nOnE"})", "{}")), Refusal::unsigned_token);
  EXPECT_EQ(refusal_of(forged(R"({"alg":"ES256","crit":["b64"]})", "{}")),
            Refusal::critical_extension);
  EXPECT_EQ(refusal_of(forged(R"({"alg":"ES256"})", "[]")), Refusal::malformed);
  EXPECT_EQ(refusal_of(forged(R"({"alg":"ES256"})", R"({"sub":"a","sub":"b"})")),
            Refusal::malformed);
  EXPECT_EQ(refusal_of(forged(R"({"alg":"ES256","kid":7})", "{}")), Refusal::malformed);
}

TEST(Decode, TheLimitIsInclusive) {
  const std::string token = token_of(Algorithm::hs256);
  EXPECT_TRUE(decode(Unverified{token}, token.size()));
  EXPECT_EQ(refusal_of(token, token.size() - 1), Refusal::too_large);
}

}  // namespace
}  // namespace moat::jwt
