// SPDX-License-Identifier: Apache-2.0
#include "moat/session/assertion.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "moat/jwt/jwt.h"

namespace moat::session {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr Time start{seconds(1'800'000'000)};

jwt::KeyRing ring(jwt::Algorithm algorithm = jwt::Algorithm::ed25519) {
  return jwt::KeyRing::create(algorithm, system_random(), start, {}).value();
}
AssertionSigner::Options options() {
  AssertionSigner::Options out;
  out.issuer = "https://example.com";
  return out;
}
Identity identity(std::string_view session = "s1") {
  Identity out;
  out.user_id = "u1";
  out.session_id = session;
  out.email = "ada@example.com";
  out.roles = {"admin"};
  out.started_at = start - seconds(100);
  return out;
}

TEST(Assertion, ABackendVerifiesItWithThePublishedKeys) {
  for (const auto algorithm : {jwt::Algorithm::ed25519, jwt::Algorithm::es256}) {
    AssertionSigner signer(ring(algorithm), options());
    const std::string token(signer.assertion(identity(), "http://localhost:3000", start));
    jwt::Options wanted;
    wanted.audiences = {"http://localhost:3000"};
    wanted.issuers = {"https://example.com"};
    const jwt::Verifier backend(jwt::KeySet::from_jwks(signer.public_jwks()).value(), wanted);
    const auto verified = backend.verify(jwt::Unverified{token}, start);
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->subject(), "u1");
    EXPECT_EQ(verified->text("sid"), "s1");
    EXPECT_EQ(verified->text("email"), "ada@example.com");
    EXPECT_EQ(*verified->claim("roles"), json::Value(json::Array{"admin"}));
    EXPECT_EQ(*verified->claim("auth_time"), json::Value(std::int64_t{1'799'999'900}));
    EXPECT_EQ(verified->expires(), start + seconds(60));
    EXPECT_FALSE(backend.verify(jwt::Unverified{token}, start + seconds(90)));
  }
}

TEST(Assertion, AnotherBackendRefusesIt) {
  AssertionSigner signer(ring(), options());
  const std::string token(signer.assertion(identity(), "a", start));
  jwt::Options wanted;
  wanted.audiences = {"b"};
  const jwt::Verifier backend(jwt::KeySet::from_jwks(signer.public_jwks()).value(), wanted);
  EXPECT_EQ(backend.verify(jwt::Unverified{token}, start).error(), jwt::Refusal::wrong_audience);
}

TEST(Assertion, IsReusedForHalfAMinute) {
  AssertionSigner signer(ring(jwt::Algorithm::es256), options());  // never twice the same signature
  const std::string first(signer.assertion(identity(), "a", start));
  EXPECT_EQ(signer.assertion(identity(), "a", start + seconds(30) - microseconds(1)), first);
  const std::string second(signer.assertion(identity(), "a", start + seconds(30)));
  EXPECT_NE(second, first);
  EXPECT_EQ(signer.assertion(identity(), "a", start + seconds(31)), second);
  EXPECT_NE(signer.assertion(identity(), "a", start + seconds(29)), second);  // a clock gone back
}

TEST(Assertion, IsMadeForOneSessionAndBackend) {
  AssertionSigner signer(ring(), options());
  const std::string first(signer.assertion(identity(), "a", start));
  EXPECT_NE(signer.assertion(identity("s2"), "a", start), first);
  EXPECT_NE(signer.assertion(identity(), "b", start), first);
  EXPECT_EQ(signer.assertion(identity(), "a", start), first);
}

TEST(Assertion, NewRolesMakeANewOne) {
  AssertionSigner signer(ring(), options());
  const std::string first(signer.assertion(identity(), "a", start));
  Identity changed = identity();
  changed.roles = {"reader"};
  const std::string second(signer.assertion(changed, "a", start));
  EXPECT_NE(second, first);
  EXPECT_EQ(signer.assertion(changed, "a", start), second);
}

TEST(Assertion, SaysWhatATokenIsFor) {
  AssertionSigner signer(ring(), options());
  jwt::Options wanted;
  wanted.audiences = {"a"};
  const jwt::Verifier backend(jwt::KeySet::from_jwks(signer.public_jwks()).value(), wanted);
  const auto scope = [&](const Identity& who) {
    const std::string token(signer.assertion(who, "a", start));
    const auto verified = backend.verify(jwt::Unverified{token}, start).value();
    const json::Value* claim = verified.claim("scope");
    return claim == nullptr ? std::string("(none)") : *claim->as_string();
  };
  Identity who = identity();
  EXPECT_EQ(scope(who), "(none)") << "a person at a browser is not limited";
  who.kind = Kind::api;
  who.session_id = "s2";
  EXPECT_EQ(scope(who), "") << "and this token may do nothing that asks for one";
  who.scopes = {"read", "write"};
  EXPECT_EQ(scope(who), "read write") << "the same session's with other scopes is another";
}

TEST(Assertion, TheCacheIsBoundedAndForgetsTheOldest) {
  AssertionSigner::Options small = options();
  small.capacity = 8;
  AssertionSigner signer(ring(jwt::Algorithm::es256), small);
  const std::string first(signer.assertion(identity("first"), "a", start));
  for (int i = 0; i < 3; ++i) signer.assertion(identity(std::to_string(i)), "a", start);
  EXPECT_EQ(signer.assertion(identity("first"), "a", start), first);
  for (int i = 0; i < 8; ++i) signer.assertion(identity("x" + std::to_string(i)), "a", start);
  EXPECT_NE(signer.assertion(identity("first"), "a", start), first);
}

TEST(Assertion, NewKeysSignAtOnce) {
  AssertionSigner signer(ring(), options());
  const std::string first(signer.assertion(identity(), "a", start));
  signer.set_keys(ring());
  EXPECT_NE(signer.assertion(identity(), "a", start), first);
}

TEST(Assertion, BadOptionsAreAMistakeInTheProgram) {
  EXPECT_THROW(AssertionSigner(ring(jwt::Algorithm::hs256), options()), std::invalid_argument);
  EXPECT_THROW(AssertionSigner(ring(), {}), std::invalid_argument);
  AssertionSigner::Options bad = options();
  bad.reuse = bad.lifetime;
  EXPECT_THROW(AssertionSigner(ring(), bad), std::invalid_argument);
}

}  // namespace
}  // namespace moat::session
