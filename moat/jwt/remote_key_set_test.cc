// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/remote_key_set.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "moat/jwt/jwt.h"

namespace moat::jwt {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using State = RemoteKeySet::State;

constexpr Tick start{seconds(1000)};
constexpr milliseconds moment{1};

Key es256(std::string_view id) {
  return Key::generate(Algorithm::es256, system_random()).value().with_id(id);
}
std::string set_of(const std::vector<Key>& keys) { return KeySet::of(keys).value().public_jwks(); }

// The text of one JWK of a set that has only that one.
std::string jwk_of(const Key& key) { return json::serialize(*key.public_jwk()); }

struct Asked {
  RemoteKeySet keys;
  explicit Asked(RemoteKeySet::Options options = {}) : keys(std::move(options)) {}
  RemoteKeySet::Answer ask(Tick now, std::optional<std::string_view> id = "a",
                           std::string_view algorithm = "ES256") {
    return keys.look_up(id, algorithm, now);
  }
};

void expect(RemoteKeySet::Answer answer, State state, bool fetch) {
  EXPECT_EQ(answer.state, state);
  EXPECT_EQ(answer.fetch, fetch);
}

TEST(RemoteKeySet, TheFirstWhoAsksFetchesAndTheOthersWait) {
  Asked asked;
  expect(asked.ask(start), State::wait, true);
  expect(asked.ask(start), State::wait, false);
  expect(asked.ask(start + minutes(1), "b"), State::wait, false);
  ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start));
  expect(asked.ask(start), State::ready, false);
}

TEST(RemoteKeySet, WhatItHoldsVerifiesAndNothingElse) {
  const Key own = es256("a");
  Asked asked;
  expect(asked.ask(start), State::wait, true);
  ASSERT_TRUE(asked.keys.fetched(set_of({own}), start));
  const Time now{seconds(1'800'000'000)};
  const Verifier verifier(asked.keys.keys(), {.audiences = {"api"}});
  const std::string good = sign({{"aud", "api"}}, own, {}, now).value();
  const std::string forged = sign({{"aud", "api"}}, es256("a"), {}, now).value();
  EXPECT_TRUE(verifier.verify(Unverified{good}, now));
  EXPECT_EQ(verifier.verify(Unverified{forged}, now).error(), Refusal::bad_signature);
  for (const Key& key : asked.keys.keys().keys()) EXPECT_FALSE(key.can_sign());
}

TEST(RemoteKeySet, AnUnknownKeyIsLookedForOnceACooldown) {
  Asked asked;
  expect(asked.ask(start), State::wait, true);
  ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start));
  expect(asked.ask(start + seconds(30) - moment, "b"), State::unknown, false);
  expect(asked.ask(start + seconds(30), "b"), State::wait, true);
  expect(asked.ask(start + seconds(30), "c"), State::wait, false);
  ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start + seconds(31)));
  expect(asked.ask(start + seconds(31), "b"), State::unknown, false);
  expect(asked.ask(start + seconds(61) - moment, "b"), State::unknown, false);
  expect(asked.ask(start + seconds(61), "b"), State::wait, true);
}

TEST(RemoteKeySet, AFloodOfInventedIdsCausesOneFetchACooldown) {
  Asked asked;
  int fetches = 0;
  for (int i = 0; i < 100'000; ++i) {
    const Tick now = start + milliseconds(i);  // 100 s
    if (!asked.ask(now, "x" + std::to_string(i)).fetch) continue;
    ++fetches;
    ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), now));
  }
  EXPECT_EQ(fetches, 4);
}

// jose counts its cooldown from the last success, so with a dead issuer each token fetches.
TEST(RemoteKeySet, AFloodWhileTheIssuerIsDownCausesOneFetchARetry) {
  Asked asked;
  int fetches = 0;
  for (int i = 0; i < 100'000; ++i) {
    const Tick now = start + milliseconds(i);
    const auto answer = asked.ask(now, "x" + std::to_string(i));
    if (answer.fetch) {
      ++fetches;
      asked.keys.failed(now);
    } else {
      ASSERT_EQ(answer.state, State::unavailable);
    }
  }
  EXPECT_EQ(fetches, 10);
}

TEST(RemoteKeySet, AnAlgorithmThatDoesNotCountIsUnknownAndNeverFetched) {
  Asked asked;
  for (const char* algorithm : {"HS256", "none", "RS256", "es256", "", "ES256K"}) {
    expect(asked.ask(start, "a", algorithm), State::unknown, false);
  }
  expect(asked.ask(start, "a", "PS256"), State::wait, true);
}

TEST(RemoteKeySet, ATokenWithoutAnIdNeedsAKeyOfItsAlgorithm) {
  Asked asked;
  expect(asked.ask(start, std::nullopt), State::wait, true);
  ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start));
  expect(asked.ask(start, std::nullopt), State::ready, false);
  expect(asked.ask(start, std::nullopt, "ES384"), State::unknown, false);
}

TEST(RemoteKeySet, FromHalfOfTheirAgeOnKeysAreFetchedAnewWhileTheyServe) {
  Asked asked;
  expect(asked.ask(start), State::wait, true);
  ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start));
  expect(asked.ask(start + minutes(5) - moment), State::ready, false);
  expect(asked.ask(start + minutes(5)), State::ready, true);
  expect(asked.ask(start + minutes(5)), State::ready, false);  // one fetch at a time
  expect(asked.ask(start + minutes(10) - moment), State::ready, false);
  expect(asked.ask(start + minutes(10)), State::wait, false);
  ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start + minutes(10)));
  expect(asked.ask(start + minutes(15) - moment), State::ready, false);
}

TEST(RemoteKeySet, KeysThatAreTooOldServeNobody) {
  Asked asked;
  expect(asked.ask(start), State::wait, true);
  ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start));
  expect(asked.ask(start + minutes(10)), State::wait, true);
}

TEST(RemoteKeySet, WhileEveryFetchFailsOldKeysServeForABoundedTime) {
  Asked asked;
  expect(asked.ask(start), State::wait, true);
  ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start));
  const Tick late = start + minutes(20);
  expect(asked.ask(late), State::wait, true);
  asked.keys.failed(late);
  expect(asked.ask(late), State::ready, false);
  expect(asked.ask(late + seconds(10) - moment), State::ready, false);
  expect(asked.ask(late + seconds(10)), State::ready, true);  // it is tried again, beside them
  expect(asked.ask(late + seconds(10), "b"), State::wait, false);
  asked.keys.failed(late + seconds(10));
  expect(asked.ask(late + seconds(10), "b"), State::unavailable, false);  // nobody can say

  expect(asked.ask(start + minutes(70) - moment), State::ready, true);
  asked.keys.failed(start + minutes(70) - moment);
  expect(asked.ask(start + minutes(70)), State::unavailable, false);
  expect(asked.ask(start + minutes(71)), State::wait, true);
  ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start + minutes(71)));
  expect(asked.ask(start + minutes(71)), State::ready, false);
}

TEST(RemoteKeySet, AKeyThatVanishedIsOut) {
  const Key old_one = es256("a");
  const Key new_one = es256("b");
  Asked asked;
  expect(asked.ask(start), State::wait, true);
  ASSERT_TRUE(asked.keys.fetched(set_of({old_one, new_one}), start));
  expect(asked.ask(start + minutes(5)), State::ready, true);
  ASSERT_TRUE(asked.keys.fetched(set_of({new_one}), start + minutes(5)));
  expect(asked.ask(start + minutes(5)), State::unknown, false);
  expect(asked.ask(start + minutes(5), "b"), State::ready, false);
}

TEST(RemoteKeySet, AnEmptySetWithdrawsAllKeys) {
  Asked asked;
  expect(asked.ask(start), State::wait, true);
  ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start));
  const auto accepted = asked.keys.fetched(R"({"keys":[]})", start);
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->keys, 0u);
  expect(asked.ask(start), State::unknown, false);
}

TEST(RemoteKeySet, WhatIsNoSetIsAFailedFetchAndTheKeysBeforeStay) {
  const std::string one = jwk_of(es256("a"));
  for (const std::string& body :
       {std::string(), std::string("<html>"), std::string("[]"), std::string(R"({"keys":{}})"), one,
        R"({"keys":[)" + one + "]}x", R"({"keys":[],"keys":[)" + one + "]}",
        R"({"keys":[)" + one + "," + one + "]}"}) {
    Asked asked;
    expect(asked.ask(start), State::wait, true);
    ASSERT_TRUE(asked.keys.fetched(set_of({es256("a")}), start));
    EXPECT_FALSE(asked.keys.fetched(body, start + minutes(5))) << body;
    EXPECT_EQ(asked.keys.keys().keys().size(), 1u);
    expect(asked.ask(start + minutes(5)), State::ready, false);  // the retry is waited for
    expect(asked.ask(start + minutes(5) + seconds(10)), State::ready, true);
  }
}

TEST(RemoteKeySet, TheBoundsOfASetAreInclusive) {
  const std::string body = set_of({es256("a"), es256("b")});
  RemoteKeySet::Options options;
  options.max_bytes = body.size();
  options.max_keys = 2;
  EXPECT_TRUE(RemoteKeySet(options).fetched(body, start));
  options.max_keys = 1;
  EXPECT_EQ(RemoteKeySet(options).fetched(body, start).error(), KeyError::unsupported);
  options.max_keys = 2;
  options.max_bytes = body.size() - 1;
  EXPECT_EQ(RemoteKeySet(options).fetched(body, start).error(), KeyError::malformed);
}

KeyError why_skipped(std::string_view jwk, RemoteKeySet::Options options = {}) {
  RemoteKeySet keys(std::move(options));
  const std::string body = R"({"keys":[)" + std::string(jwk) + "," + jwk_of(es256("good")) + "]}";
  const auto accepted = keys.fetched(body, start);
  if (!accepted || accepted->keys != 1 || accepted->skipped.size() != 1) {
    ADD_FAILURE() << jwk;
    return KeyError::no_usable_key;
  }
  EXPECT_EQ(keys.keys().keys().front().id(), "good");
  return accepted->skipped.front().why;
}

TEST(RemoteKeySet, SecretAndPrivateKeysNeverCount) {
  EXPECT_EQ(why_skipped(R"({"kty":"oct","alg":"HS256","kid":"a",
      "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})"),
            KeyError::not_public);
  EXPECT_EQ(why_skipped(R"({"kty":"oct","kid":"a"})"), KeyError::not_public);
  EXPECT_EQ(why_skipped(es256("a").private_jwk().reveal()), KeyError::not_public);
  std::string both = jwk_of(es256("a"));
  both.insert(1, R"("k":"AAAA",)");
  EXPECT_EQ(why_skipped(both), KeyError::not_public);
}

TEST(RemoteKeySet, KeysForOtherThingsAreSkippedAndNamed) {
  const auto with = [](std::string_view member) {
    json::Value jwk = *es256("a").public_jwk();
    std::string text = "{";
    for (const json::Member& one : *jwk.as_object()) {
      if (one.first == "use") continue;
      text += "\"" + one.first + "\":" + json::serialize(one.second) + ",";
    }
    return text + std::string(member) + "}";
  };
  EXPECT_EQ(why_skipped(with(R"("use":"enc")")), KeyError::wrong_use);
  EXPECT_EQ(why_skipped(with(R"("key_ops":["encrypt"])")), KeyError::wrong_use);
  EXPECT_EQ(why_skipped(R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})"),
            KeyError::unsupported);
  EXPECT_EQ(why_skipped(R"({"kty":"OKP","crv":"X25519","x":"AA","kid":"a"})"),
            KeyError::unsupported);
  EXPECT_EQ(why_skipped("7"), KeyError::malformed);
  RemoteKeySet::Options only_eddsa;
  only_eddsa.algorithms = {Algorithm::eddsa, Algorithm::es256};
  EXPECT_EQ(
      why_skipped(jwk_of(Key::generate(Algorithm::es384, system_random()).value()), only_eddsa),
      KeyError::wrong_algorithm);
}

// RFC 7638 section 3.1, 2048 bits.
constexpr std::string_view rsa_n =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPeb"
    "WKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368Q"
    "QMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2"
    "NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

std::string rsa(std::string_view more, std::string_view n = rsa_n) {
  return R"({"kty":"RSA","e":"AQAB","kid":"a","n":")" + std::string(n) + "\"" + std::string(more) +
         "}";
}

TEST(RemoteKeySet, Pkcs1CountsOnlyWhereItIsNamed) {
  EXPECT_EQ(why_skipped(rsa(R"(,"alg":"RS256")")), KeyError::wrong_algorithm);
  RemoteKeySet::Options options;
  options.algorithms = {Algorithm::rs256};
  RemoteKeySet keys(options);
  ASSERT_TRUE(keys.fetched(R"({"keys":[)" + rsa(R"(,"alg":"RS256")") + "]}", start));
  expect(keys.look_up("a", "RS256", start), State::ready, false);
  expect(keys.look_up("a", "RS512", start), State::unknown, false);
}

TEST(RemoteKeySet, AnRsaKeyWithoutAnAlgorithmIsForTheOneOfTheList) {
  EXPECT_EQ(why_skipped(rsa("")), KeyError::wrong_algorithm);  // which of the three?
  RemoteKeySet::Options options;
  options.algorithms = {Algorithm::rs256, Algorithm::es256};
  RemoteKeySet keys(options);
  ASSERT_TRUE(keys.fetched(R"({"keys":[)" + rsa("") + "]}", start));
  ASSERT_EQ(keys.keys().keys().size(), 1u);
  EXPECT_EQ(keys.keys().keys().front().algorithm(), Algorithm::rs256);
}

TEST(RemoteKeySet, WeakKeysAreSkipped) {
  EXPECT_EQ(why_skipped(rsa(R"(,"alg":"PS256")", rsa_n.substr(0, 172))), KeyError::too_weak);
}

TEST(RemoteKeySet, ContradictingOptionsAreAMistakeInTheProgram) {
  const auto made = [](auto change) {
    RemoteKeySet::Options options;
    change(options);
    return RemoteKeySet(options);
  };
  using Options = RemoteKeySet::Options;
  EXPECT_THROW(made([](Options& o) { o.algorithms = {Algorithm::hs256}; }), std::invalid_argument);
  EXPECT_THROW(made([](Options& o) { o.algorithms.clear(); }), std::invalid_argument);
  EXPECT_THROW(made([](Options& o) { o.cooldown = seconds(301); }), std::invalid_argument);
  EXPECT_THROW(made([](Options& o) { o.cooldown = seconds(0); }), std::invalid_argument);
  EXPECT_THROW(made([](Options& o) { o.retry = seconds(0); }), std::invalid_argument);
  EXPECT_THROW(made([](Options& o) { o.max_keys = 65; }), std::invalid_argument);
  EXPECT_NO_THROW(made([](Options& o) { o.cooldown = seconds(300); }));
}

}  // namespace
}  // namespace moat::jwt
