// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/jwt.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <type_traits>

#include "moat/base/encoding.h"

namespace moat::jwt {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

constexpr Time now{seconds(1'800'000'000)};
constexpr std::int64_t now_s = 1'800'000'000;

const Key& key() {
  static const Key made = Key::generate(Algorithm::hs256, system_random()).value();
  return made;
}
Verifier verifier(Options options) {
  KeySet keys;
  EXPECT_TRUE(keys.add(key()));
  return Verifier(std::move(keys), std::move(options));
}
Options for_us() {
  Options options;
  options.audiences = {"us"};
  return options;
}
// A signed token whose claims are this text, to the letter.
std::string token_of(std::string_view claims) { return sign_jws(claims, key()).value(); }
std::string with_times(std::string_view more) {
  return token_of(R"({"aud":"us","iat":1800000000,"exp":1800000060)" + std::string(more) + "}");
}
std::optional<Refusal> refusal(std::string_view token, const Options& options = for_us(),
                               Time at = now) {
  const auto result = verifier(options).verify(Unverified{token}, at);
  if (result) return std::nullopt;
  return result.error();
}

static_assert(!std::is_default_constructible_v<Verified>);

TEST(Jwt, WhatWasSignedIsVerified) {
  SignOptions options;
  options.issuer = "https://issuer.example";
  options.audience = "us";
  options.subject = "u1";
  options.id = "j1";
  const std::string token = sign({{"role", "admin"}}, key(), options, now).value();
  const auto verified = verifier(for_us()).verify(Unverified{token}, now);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->subject(), "u1");
  EXPECT_EQ(verified->issuer(), "https://issuer.example");
  EXPECT_EQ(verified->id(), "j1");
  EXPECT_EQ(verified->text("role"), "admin");
  EXPECT_EQ(verified->text("iat"), "");
  EXPECT_EQ(verified->expires(), now + std::chrono::minutes(15));
  EXPECT_EQ(verified->issued_at(), now);
  EXPECT_EQ(verified->key_id(), key().id());
}

TEST(Jwt, ExpiryEqualToNowPlusSkewIsExpired) {
  const std::string token = token_of(R"({"aud":"us","exp":1800000000})");
  EXPECT_EQ(refusal(token, for_us(), now + seconds(30) - microseconds(1)), std::nullopt);
  EXPECT_EQ(refusal(token, for_us(), now + seconds(30)), Refusal::expired);
  Options strict = for_us();
  strict.skew = seconds(0);
  EXPECT_EQ(refusal(token, strict, now - microseconds(1)), std::nullopt);
  EXPECT_EQ(refusal(token, strict, now), Refusal::expired);
}

TEST(Jwt, NotBeforeIsKept) {
  const std::string token = with_times(R"(,"nbf":1800000040)");
  EXPECT_EQ(refusal(token, for_us(), now + seconds(10)), std::nullopt);
  EXPECT_EQ(refusal(token, for_us(), now + seconds(10) - microseconds(1)), Refusal::not_yet_valid);
}

TEST(Jwt, AnExpiredOrEarlyTokenPassesWhereThatIsAllowedAndNothingElseDoes) {
  const std::string over = token_of(R"({"aud":"us","iat":1799990000,"exp":1799990060})");
  Options options = for_us();
  EXPECT_EQ(refusal(over, options), Refusal::expired);
  options.allow_expired = true;
  EXPECT_EQ(refusal(over, options), std::nullopt);
  EXPECT_EQ(refusal(token_of(R"({"aud":"them","exp":1799990060})"), options),
            Refusal::wrong_audience);
  EXPECT_EQ(refusal(token_of(R"({"aud":"us"})"), options), Refusal::missing_expiration);

  const std::string early = with_times(R"(,"nbf":1800000050)");
  EXPECT_EQ(refusal(early, options), Refusal::not_yet_valid);
  options.allow_expired = false;
  options.allow_not_yet_valid = true;
  EXPECT_EQ(refusal(early, options), std::nullopt);
  EXPECT_EQ(refusal(over, options), Refusal::expired);
}

TEST(Jwt, OfTheKeysOnlyThoseOfTheListedAlgorithmsVerify) {
  const std::string token = with_times("");
  Options options = for_us();
  options.algorithms = {Algorithm::es256, Algorithm::hs512};
  EXPECT_EQ(refusal(token, options), Refusal::wrong_algorithm);
  options.algorithms.push_back(Algorithm::hs256);
  EXPECT_EQ(refusal(token, options), std::nullopt);

  // Ed25519 has two names and is one algorithm.
  const Key eddsa = Key::generate(Algorithm::eddsa, system_random()).value();
  KeySet keys;
  ASSERT_TRUE(keys.add(eddsa));
  const std::string signed_so = sign({{"aud", "us"}}, eddsa, {}, now).value();
  options.algorithms = {Algorithm::ed25519};
  EXPECT_TRUE(Verifier(keys, options).verify(Unverified{signed_so}, now));
}

TEST(Jwt, ATokenFromTheFutureIsRefused) {
  EXPECT_EQ(refusal(token_of(R"({"aud":"us","iat":1800000060,"exp":1800000090})")), std::nullopt);
  EXPECT_EQ(refusal(token_of(R"({"aud":"us","iat":1800000061,"exp":1800000090})")),
            Refusal::issued_in_future);
}

TEST(Jwt, AnExpiryIsRequired) {
  const std::string token = token_of(R"({"aud":"us"})");
  EXPECT_EQ(refusal(token), Refusal::missing_expiration);
  Options options = for_us();
  options.allow_missing_expiration = true;
  EXPECT_EQ(refusal(token, options), std::nullopt);
  EXPECT_EQ(refusal(token_of(R"({"aud":"us","exp":1})"), options), Refusal::expired);
}

TEST(Jwt, ALongLifetimeIsRefused) {
  EXPECT_EQ(refusal(token_of(R"({"aud":"us","iat":1800000000,"exp":1800086400})")), std::nullopt);
  EXPECT_EQ(refusal(token_of(R"({"aud":"us","iat":1800000000,"exp":1800086401})")),
            Refusal::lifetime_too_long);
  EXPECT_EQ(refusal(token_of(R"({"aud":"us","exp":1800086401})")), Refusal::lifetime_too_long);
}

TEST(Jwt, MaxAgeCountsFromTheIssue) {
  Options options = for_us();
  options.skew = seconds(0);
  options.max_age = seconds(10);
  const std::string token = with_times("");
  EXPECT_EQ(refusal(token, options, now + seconds(9)), std::nullopt);
  EXPECT_EQ(refusal(token, options, now + seconds(10)), Refusal::too_old);
  EXPECT_EQ(refusal(token, options, now - seconds(1)), Refusal::issued_in_future);
  EXPECT_EQ(refusal(token_of(R"({"aud":"us","exp":1800000060})"), options), Refusal::too_old);
}

TEST(Jwt, TheAudienceMustBeOursExactly) {
  EXPECT_EQ(refusal(token_of(R"({"aud":["them","us"],"exp":1800000060})")), std::nullopt);
  EXPECT_EQ(refusal(token_of(R"({"aud":"them","exp":1800000060})")), Refusal::wrong_audience);
  EXPECT_EQ(refusal(token_of(R"({"aud":"usa","exp":1800000060})")), Refusal::wrong_audience);
  EXPECT_EQ(refusal(token_of(R"({"aud":"US","exp":1800000060})")), Refusal::wrong_audience);
  EXPECT_EQ(refusal(token_of(R"({"aud":[],"exp":1800000060})")), Refusal::wrong_audience);
  EXPECT_EQ(refusal(token_of(R"({"aud":["us",1],"exp":1800000060})")), Refusal::malformed_claim);
  EXPECT_EQ(refusal(token_of(R"({"aud":1,"exp":1800000060})")), Refusal::malformed_claim);
  EXPECT_EQ(refusal(token_of(R"({"exp":1800000060})")), Refusal::missing_audience);
}

TEST(Jwt, ATokenForSomebodyElseIsRefusedEvenWhereNoAudienceIsNeeded) {
  Options options;
  options.allow_missing_audience = true;
  EXPECT_EQ(refusal(token_of(R"({"exp":1800000060})"), options), std::nullopt);
  EXPECT_EQ(refusal(token_of(R"({"aud":"them","exp":1800000060})"), options),
            Refusal::wrong_audience);
}

TEST(Jwt, IssuerSubjectIdAndNonceAreCheckedWhenGiven) {
  const std::string token = with_times(R"(,"iss":"a","sub":"b","jti":"c","nonce":"d")");
  Options options = for_us();
  options.issuers = {"z", "a"};
  options.subject = "b";
  options.id = "c";
  options.nonce = "d";
  options.required_claims = {"exp", "nonce"};
  EXPECT_EQ(refusal(token, options), std::nullopt);
  Options other = options;
  other.issuers = {"z"};
  EXPECT_EQ(refusal(token, other), Refusal::wrong_issuer);
  EXPECT_EQ(refusal(with_times(""), other), Refusal::wrong_issuer);
  other = options;
  other.subject = "x";
  EXPECT_EQ(refusal(token, other), Refusal::wrong_subject);
  other = options;
  other.id = "x";
  EXPECT_EQ(refusal(token, other), Refusal::wrong_claim);
  other = options;
  other.nonce = "x";
  EXPECT_EQ(refusal(token, other), Refusal::wrong_claim);
  other = options;
  other.required_claims = {"scope"};
  EXPECT_EQ(refusal(token, other), Refusal::wrong_claim);
}

TEST(Jwt, TheTypeIsCheckedWhenAsked) {
  Options options = for_us();
  options.type = "at+jwt";
  const std::string claims = R"({"aud":"us","exp":1800000060})";
  for (const char* type : {"at+jwt", "AT+JWT", "application/at+jwt"}) {
    EXPECT_EQ(refusal(sign_jws(claims, key(), {{"typ", type}}).value(), options), std::nullopt);
  }
  for (const char* type : {"JWT", "refresh+jwt", "application/", ""}) {
    EXPECT_EQ(refusal(sign_jws(claims, key(), {{"typ", type}}).value(), options),
              Refusal::wrong_type);
  }
  EXPECT_EQ(refusal(token_of(claims), options), Refusal::wrong_type);
}

TEST(Jwt, ClaimsMustBeOneStrictJsonObject) {
  for (const char* claims :
       {"", "hello", "1", "[]", "null", R"({"sub":"a","sub":"admin","aud":"us","exp":1800000060})",
        R"({"aud":"us","exp":1800000060,})",
        R"({"aud":"us","exp":1800000060} )"
        "x"}) {
    EXPECT_EQ(refusal(token_of(claims)), Refusal::malformed) << claims;
  }
}

TEST(Jwt, RegisteredClaimsMustHaveTheirTypes) {
  for (const char* claims :
       {R"({"aud":"us","exp":"1800000060"})", R"({"aud":"us","exp":true})",
        R"({"aud":"us","exp":null})", R"({"aud":"us","exp":-1})", R"({"aud":"us","exp":1e300})",
        R"({"aud":"us","exp":9223372036854775807})", R"({"aud":"us","exp":1800000060,"iat":[]})",
        R"({"aud":"us","exp":1800000060,"nbf":{}})", R"({"aud":"us","exp":1800000060,"sub":1})",
        R"({"aud":"us","exp":1800000060,"iss":null})",
        R"({"aud":"us","exp":1800000060,"jti":[]})"}) {
    EXPECT_EQ(refusal(token_of(claims)), Refusal::malformed_claim) << claims;
  }
  EXPECT_EQ(refusal(token_of(R"({"aud":"us","exp":1800000060.5})")), std::nullopt);
}

TEST(Jwt, TheSignatureIsCheckedBeforeTheClaims) {
  std::string token = token_of("not JSON");
  const std::size_t dot = token.rfind('.');
  token[dot + 1] = token[dot + 1] == 'A' ? 'B' : 'A';
  EXPECT_EQ(refusal(token), Refusal::bad_signature);
}

TEST(Jwt, BadOptionsAreAMistakeInTheProgram) {
  Options options;
  options.skew = seconds(61);
  EXPECT_THROW(verifier(options), std::invalid_argument);
  options.skew = seconds(-1);
  EXPECT_THROW(verifier(options), std::invalid_argument);
  options.skew = seconds(60);
  options.max_lifetime = seconds(0);
  EXPECT_THROW(verifier(options), std::invalid_argument);
}

TEST(Jwt, SigningRefusesWhatVerifiersWouldRefuse) {
  const auto error = [](json::Object claims, SignOptions options) {
    const auto result = sign(std::move(claims), key(), options, now);
    return result ? std::nullopt : std::optional(result.error());
  };
  EXPECT_EQ(error({}, {.expires_in = "24h"}), std::nullopt);
  EXPECT_EQ(error({}, {.expires_in = "25h"}), SignError::bad_lifetime);
  EXPECT_EQ(error({}, {.expires_in = "0s"}), SignError::bad_lifetime);
  EXPECT_EQ(error({}, {.expires_in = "120"}), SignError::bad_lifetime);
  EXPECT_EQ(error({}, {.expires_in = "1500ms"}), SignError::bad_lifetime);
  EXPECT_EQ(error({}, {.expires_in = seconds(-5)}), SignError::bad_lifetime);
  EXPECT_EQ(error({{"exp", now_s + 5}}, {}), SignError::claim_twice);
  EXPECT_EQ(error({{"sub", "a"}}, {.subject = "b"}), SignError::claim_twice);
  EXPECT_EQ(error({{"x", 1}, {"x", 2}}, {}), SignError::claim_twice);
  const Key reader =
      Key::from_jwk(Key::generate(Algorithm::es256, system_random())->public_jwk().value()).value();
  EXPECT_EQ(sign({}, reader, {}, now).error(), SignError::cannot_sign);
}

TEST(Jwt, TheTwoLineForm) {
  std::string bytes = system_random().bytes(32);
  const Secret secret = Secret::take(bytes);
  const auto token = sign({{"userId", 123}}, secret, {.expires_in = "1h"});
  ASSERT_TRUE(token);
  const auto user = verify(*token, secret);
  ASSERT_TRUE(user);
  EXPECT_EQ(*user->claim("userId"), json::Value(123));
}

TEST(Jwt, TheTwoLineFormRefuses) {
  std::string bytes = system_random().bytes(32);
  const Secret secret = Secret::take(bytes);
  bytes = system_random().bytes(32);
  const Secret other = Secret::take(bytes);
  const std::string token = sign({{"userId", 123}}, secret, {.expires_in = "1h"}).value();
  EXPECT_EQ(verify(token, other).error(), Refusal::bad_signature);
  EXPECT_EQ(verify(token + "=", secret).error(), Refusal::malformed);
  const std::string foreign = sign({}, secret, {.audience = "them"}).value();
  EXPECT_EQ(verify(foreign, secret).error(), Refusal::wrong_audience);
  EXPECT_TRUE(verify(foreign, secret, {.audiences = {"them"}}));
  EXPECT_EQ(verify(token, secret, {.audiences = {"us"}}).error(), Refusal::missing_audience);
  const Secret weak = Secret::copy_of("secret");
  EXPECT_EQ(sign({}, weak).error(), SignError::weak_key);
  EXPECT_EQ(verify(token, weak).error(), Refusal::weak_key);
}

// The header that Moat itself writes is known by its text; all others are read.
TEST(Jwt, AHeaderCountsAsWhatItSaysHoweverItIsWritten) {
  const auto with_header = [](std::string_view header, const Key& signer) {
    const std::string claims = R"({"aud":"us","exp":1800000060})";
    std::string token = base64url_encode(header) + "." + base64url_encode(claims);
    return token + "." + base64url_encode(signer.sign(token).value());
  };
  const std::string id(key().id());
  const std::string known = R"({"alg":"HS256","typ":"JWT","kid":")" + id + R"("})";
  ASSERT_EQ(with_times("").substr(0, 8), with_header(known, key()).substr(0, 8));
  EXPECT_EQ(refusal(with_header(known, key())), std::nullopt);
  EXPECT_EQ(refusal(with_header(R"({"kid":")" + id + R"(", "typ":"JWT","alg":"HS256"})", key())),
            std::nullopt);
  const Key other = Key::generate(Algorithm::hs256, system_random()).value();
  EXPECT_EQ(refusal(with_header(known, other)), Refusal::bad_signature);
  EXPECT_EQ(refusal(with_header(R"({"alg":"HS256","typ":"JWT","kid":"k9"})", key())),
            Refusal::unknown_key);
  EXPECT_EQ(refusal(with_header(R"({"alg":"HS384","typ":"JWT","kid":")" + id + R"("})", key())),
            Refusal::wrong_algorithm);
  Options typed = for_us();
  typed.type = "at+jwt";
  EXPECT_EQ(refusal(with_header(known, key()), typed), Refusal::wrong_type);
  EXPECT_EQ(
      refusal(with_header(R"({"alg":"HS256","typ":"at+jwt","kid":")" + id + R"("})", key()), typed),
      std::nullopt);
}

TEST(Jwt, ASignatureLongerThanAnyKeysIsRefused) {
  const std::string token = with_times("");
  const std::string front = token.substr(0, token.rfind('.') + 1);
  EXPECT_EQ(refusal(front + base64url_encode(std::string(1024, 'x'))), Refusal::bad_signature);
  EXPECT_EQ(refusal(front + base64url_encode(std::string(1025, 'x'))), Refusal::malformed);
}

}  // namespace
}  // namespace moat::jwt
