// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/key_ring.h"

#include <gtest/gtest.h>

#include "moat/jwt/jwt.h"

namespace moat::jwt {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time start{seconds(1'800'000'000)};

KeyRing ring(Algorithm algorithm, KeyRing::Options options = {}) {
  return KeyRing::create(algorithm, system_random(), start, options).value();
}

TEST(KeyRing, AKeyIsReplacedAfterNinetyDays) {
  KeyRing keys = ring(Algorithm::hs256);
  const std::string first(keys.current(start).id());
  EXPECT_FALSE(keys.due(start + hours(24 * 90) - seconds(1)));
  EXPECT_FALSE(keys.maintain(system_random(), start + hours(24 * 90) - seconds(1)));
  EXPECT_TRUE(keys.due(start + hours(24 * 90)));
  EXPECT_TRUE(keys.maintain(system_random(), start + hours(24 * 90)));
  EXPECT_EQ(keys.entries().size(), 2u);
  EXPECT_NE(keys.current(start + hours(24 * 90)).id(), first);
  EXPECT_NE(keys.find(first), nullptr);
  EXPECT_FALSE(keys.due(start + hours(24 * 90)));
}

TEST(KeyRing, TheOldKeyVerifiesUntilTheOverlapIsOver) {
  KeyRing keys = ring(Algorithm::hs256);
  const Time changed = start + hours(24 * 90);
  const std::string token = sign({}, keys.current(changed), {.expires_in = "24h"}, changed).value();
  keys.maintain(system_random(), changed);
  Options options;
  options.allow_missing_audience = true;
  const auto verify_at = [&](Time at) {
    return Verifier(keys.verification_keys(), options).verify(Unverified{token}, at).has_value();
  };
  EXPECT_FALSE(keys.maintain(system_random(), changed + hours(24) - seconds(1)));
  EXPECT_TRUE(verify_at(changed + hours(24) - seconds(1)));
  EXPECT_TRUE(keys.maintain(system_random(), changed + hours(24)));
  EXPECT_EQ(keys.entries().size(), 1u);
  EXPECT_FALSE(verify_at(changed + hours(1)));
}

TEST(KeyRing, ANewKeyIsPublishedBeforeItSigns) {
  KeyRing::Options options;
  options.publish_ahead = minutes(15);
  KeyRing keys = ring(Algorithm::ed25519, options);
  const std::string first(keys.current(start).id());
  const Time changed = start + hours(24 * 90);
  keys.maintain(system_random(), changed);
  EXPECT_EQ(keys.verification_keys().keys().size(), 2u);
  EXPECT_EQ(keys.current(changed + minutes(15) - seconds(1)).id(), first);
  EXPECT_NE(keys.current(changed + minutes(15)).id(), first);
}

TEST(KeyRing, ItComesBackFromItsText) {
  for (const Algorithm algorithm : {Algorithm::hs256, Algorithm::es256, Algorithm::ed25519}) {
    KeyRing keys = ring(algorithm);
    keys.rotate(system_random(), start + seconds(5));
    const KeyRing back = KeyRing::from_json(keys.to_json(), {}).value();
    ASSERT_EQ(back.entries().size(), 2u);
    EXPECT_EQ(back.algorithm(), algorithm);
    EXPECT_EQ(back.entries()[1].created_at, start + seconds(5));
    EXPECT_TRUE(back.current(start + seconds(5))
                    .verify("m", keys.current(start + seconds(5)).sign("m").value()));
  }
}

TEST(KeyRing, ABrokenTextIsRefused) {
  const auto error = [](std::string_view text) {
    const auto result = KeyRing::from_json(Secret::copy_of(text), {});
    return result ? std::nullopt : std::optional(result.error());
  };
  const std::string good(ring(Algorithm::hs256).to_json().reveal());
  EXPECT_EQ(error(good), std::nullopt);
  EXPECT_EQ(error(""), KeyError::malformed);
  EXPECT_EQ(error(good.substr(0, good.size() - 1)), KeyError::malformed);
  EXPECT_EQ(error(R"({"version":1,"keys":[]})"), KeyError::no_usable_key);
  EXPECT_EQ(error(R"({"version":2,"keys":[]})"), KeyError::malformed);
  EXPECT_EQ(error(R"({"version":1,"keys":[{"created_at":-1,"jwk":{}}]})"), KeyError::malformed);
  EXPECT_EQ(error(R"({"version":1,"keys":[{"created_at":9000000000000000000,"jwk":{}}]})"),
            KeyError::malformed);
  EXPECT_EQ(error(R"({"version":1,"keys":[{"created_at":1}]})"), KeyError::malformed);
  // One key twice, and keys of two algorithms.
  const std::string element = good.substr(good.find('[') + 1, good.rfind(']') - good.find('[') - 1);
  EXPECT_EQ(error(R"({"version":1,"keys":[)" + element + "," + element + "]}"),
            KeyError::duplicate_key_id);
  const std::string es(ring(Algorithm::es256).to_json().reveal());
  const std::string other = es.substr(es.find('[') + 1, es.rfind(']') - es.find('[') - 1);
  EXPECT_EQ(error(R"({"version":1,"keys":[)" + element + "," + other + "]}"),
            KeyError::wrong_algorithm);
}

TEST(KeyRing, PublishedKeysAreThePublicHalves) {
  EXPECT_EQ(ring(Algorithm::hs256).public_jwks(), R"({"keys":[]})");
  const std::string text = ring(Algorithm::ed25519).public_jwks();
  EXPECT_NE(text.find(R"("alg":"Ed25519")"), std::string::npos);
  EXPECT_EQ(text.find(R"("d":)"), std::string::npos);
}

TEST(KeyRing, ALeakedKeyCanBeDroppedAtOnce) {
  KeyRing keys = ring(Algorithm::hs256);
  const std::string leaked(keys.current(start).id());
  keys.rotate(system_random(), start + seconds(9));
  keys.drop_before(start + seconds(9));
  EXPECT_EQ(keys.find(leaked), nullptr);
  EXPECT_EQ(keys.entries().size(), 1u);
  keys.drop_before(start + hours(9));
  EXPECT_EQ(keys.entries().size(), 1u);
}

TEST(KeyRing, AClockThatGoesBackKeepsTheOrder) {
  KeyRing keys = ring(Algorithm::hs256);
  keys.rotate(system_random(), start - hours(1));
  EXPECT_EQ(keys.entries()[1].created_at, start);
  EXPECT_TRUE(KeyRing::from_json(keys.to_json(), {}));
}

TEST(KeyRing, RsaIsNotGenerated) {
  EXPECT_EQ(KeyRing::create(Algorithm::ps256, system_random(), start, {}).error(),
            KeyError::unsupported);
}

}  // namespace
}  // namespace moat::jwt
