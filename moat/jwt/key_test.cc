// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/key.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "moat/base/encoding.h"

namespace moat::jwt {
namespace {

// RFC 7638 section 3.1.
constexpr std::string_view rfc7638_n =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPeb"
    "WKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368Q"
    "QMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2"
    "NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

json::Value parse(std::string_view text) { return json::parse(text).value(); }

json::Value rsa_jwk(std::string_view n, std::string_view e) {
  return json::Object{{"kty", "RSA"}, {"n", n}, {"e", e}, {"alg", "PS256"}};
}

Secret random_secret(std::size_t size) {
  std::string bytes = system_random().bytes(size);
  return Secret::take(bytes);
}

KeyError error_of(Result<Key, KeyError> result) {
  EXPECT_FALSE(result.has_value());
  return result ? KeyError::no_usable_key : result.error();
}

TEST(Key, ASecretOfHashSizeIsAccepted) {
  EXPECT_TRUE(Key::from_secret(random_secret(32)));
  EXPECT_TRUE(Key::from_secret(random_secret(48), Algorithm::hs384));
  EXPECT_TRUE(Key::from_secret(random_secret(64), Algorithm::hs512));
}

TEST(Key, ASecretOneByteShortIsRefused) {
  EXPECT_EQ(error_of(Key::from_secret(random_secret(31))), KeyError::too_weak);
  EXPECT_EQ(error_of(Key::from_secret(random_secret(47), Algorithm::hs384)), KeyError::too_weak);
  EXPECT_EQ(error_of(Key::from_secret(random_secret(63), Algorithm::hs512)), KeyError::too_weak);
  EXPECT_EQ(error_of(Key::from_secret(Secret())), KeyError::too_weak);
}

TEST(Key, SamplesAndPatternsAreRefused) {
  for (const std::string_view text :
       {"your-256-bit-secret-your-256-bit-", "this is my Secret for the jwt signing",
        "changeme-changeme-changeme-changeme!", "0123456789012345678901234567890123",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "abcdefghijklmnopqrstuvwxyz123456",
        "Passw0rd-password-for-production", "0101010101010101010101010101010101"}) {
    EXPECT_EQ(error_of(Key::from_secret(Secret::copy_of(text))), KeyError::sample_secret) << text;
  }
  EXPECT_EQ(error_of(Key::from_secret(Secret::copy_of(std::string(32, '\0')))),
            KeyError::sample_secret);
  std::string steps;
  for (char c = 0; c < 32; ++c) steps += c;
  EXPECT_EQ(error_of(Key::from_secret(Secret::copy_of(steps))), KeyError::sample_secret);
}

TEST(Key, RandomTextIsNoSample) {
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(Key::from_secret(Secret::copy_of(system_random().token())));
    EXPECT_TRUE(Key::from_secret(Secret::copy_of(hex_encode(system_random().bytes(32)))));
  }
}

TEST(Key, APublicKeyIsNoSecretEvenThroughTheInsecureDoor) {
  const Secret pem = Secret::copy_of("\n -----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZI");
  EXPECT_EQ(error_of(Key::from_secret(pem)), KeyError::sample_secret);
  EXPECT_EQ(error_of(Key::insecure_allow_short_secret(pem)), KeyError::sample_secret);
  EXPECT_EQ(error_of(Key::insecure_allow_short_secret(Secret())), KeyError::too_weak);
  EXPECT_TRUE(Key::insecure_allow_short_secret(Secret::copy_of("x")));
}

TEST(Key, EveryGeneratedKeyVerifiesWhatItSigned) {
  for (const Algorithm algorithm :
       {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512, Algorithm::es256, Algorithm::es384,
        Algorithm::es512, Algorithm::ed25519, Algorithm::eddsa}) {
    const Key key = Key::generate(algorithm, system_random()).value();
    EXPECT_FALSE(key.id().empty());
    const std::string signature = key.sign("message").value();
    EXPECT_TRUE(key.verify("message", signature)) << to_string(algorithm);
    EXPECT_FALSE(key.verify("messagf", signature)) << to_string(algorithm);
    EXPECT_FALSE(key.verify("message", signature + '\0')) << to_string(algorithm);
    EXPECT_FALSE(key.verify("message", signature.substr(1))) << to_string(algorithm);
    EXPECT_FALSE(key.verify("message", "")) << to_string(algorithm);
    const Key other = Key::generate(algorithm, system_random()).value();
    EXPECT_FALSE(other.verify("message", signature)) << to_string(algorithm);
  }
  EXPECT_EQ(error_of(Key::generate(Algorithm::ps256, system_random())), KeyError::unsupported);
}

TEST(Key, AllZeroSignaturesOfEcdsaAreRefused) {
  const Key key = Key::generate(Algorithm::es256, system_random()).value();
  EXPECT_FALSE(key.verify("message", std::string(64, '\0')));  // CVE-2022-21449
}

TEST(Key, AStoredKeyComesBackTheSame) {
  for (const Algorithm algorithm : {Algorithm::hs256, Algorithm::hs512, Algorithm::es256,
                                    Algorithm::es512, Algorithm::ed25519}) {
    const Key key = Key::generate(algorithm, system_random()).value();
    const Secret text = key.private_jwk();
    const Key back = Key::from_jwk(parse(text.reveal())).value();
    EXPECT_EQ(back.algorithm(), algorithm);
    EXPECT_EQ(back.id(), key.id());
    EXPECT_TRUE(key.verify("m", back.sign("m").value()));
  }
}

TEST(Key, ThePublicHalfHasNoPrivateMember) {
  const Key key = Key::generate(Algorithm::es256, system_random()).value();
  const json::Value jwk = key.public_jwk().value();
  EXPECT_EQ(jwk.find("d"), nullptr);
  EXPECT_EQ(*jwk.find("use"), json::Value("sig"));
  EXPECT_EQ(*jwk.find("alg"), json::Value("ES256"));
  EXPECT_EQ(*jwk.find("kid"), json::Value(key.thumbprint()));
  const Key reader = Key::from_jwk(jwk).value();
  EXPECT_FALSE(reader.can_sign());
  EXPECT_FALSE(reader.sign("m").has_value());
  EXPECT_TRUE(reader.private_jwk().empty());
  EXPECT_TRUE(reader.verify("m", key.sign("m").value()));
}

TEST(Key, ASecretHasNoPublicHalf) {
  const Key key = Key::generate(Algorithm::hs256, system_random()).value();
  EXPECT_FALSE(key.public_jwk().has_value());
  EXPECT_TRUE(key.thumbprint().empty());
}

TEST(Key, ThumbprintOfRfc7638) {
  const Key key = Key::from_jwk(rsa_jwk(rfc7638_n, "AQAB")).value();
  EXPECT_EQ(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(Key, ThumbprintOfRfc8037) {
  const Key key = Key::from_jwk(parse(R"({"kty":"OKP","crv":"Ed25519",
                              "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"))
                      .value();
  EXPECT_EQ(key.algorithm(), Algorithm::ed25519);
  EXPECT_EQ(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(Key, AnEd25519PairMustBelongTogether) {
  json::Object jwk{{"kty", "OKP"},
                   {"crv", "Ed25519"},
                   {"d", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"},
                   {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}};
  EXPECT_TRUE(Key::from_jwk(jwk)->can_sign());
  jwk[3].second = *Key::generate(Algorithm::ed25519, system_random())->public_jwk()->find("x");
  EXPECT_EQ(error_of(Key::from_jwk(jwk)), KeyError::malformed);
}

TEST(Key, WeakRsaIsRefused) {
  const std::string n = base64url_decode(rfc7638_n).value();
  EXPECT_TRUE(Key::from_jwk(rsa_jwk(rfc7638_n, "AQAB")));
  EXPECT_EQ(error_of(Key::from_jwk(rsa_jwk(base64url_encode(n.substr(0, 128)), "AQAB"))),
            KeyError::too_weak);
  EXPECT_EQ(error_of(Key::from_jwk(rsa_jwk(rfc7638_n, "AQ"))), KeyError::too_weak);     // 1
  EXPECT_EQ(error_of(Key::from_jwk(rsa_jwk(rfc7638_n, "Aw"))), KeyError::too_weak);     // 3
  EXPECT_EQ(error_of(Key::from_jwk(rsa_jwk(rfc7638_n, "AQAA"))), KeyError::malformed);  // even
  std::string huge = n + n + n + n + n;
  EXPECT_EQ(error_of(Key::from_jwk(rsa_jwk(base64url_encode(huge), "AQAB"))),
            KeyError::unsupported);
}

TEST(Key, AJwkThatContradictsItselfIsRefused) {
  const Key key = Key::generate(Algorithm::es256, system_random()).value();
  const Key other = Key::generate(Algorithm::es256, system_random()).value();
  const json::Object good = *key.public_jwk()->as_object();
  const auto with = [&](std::string_view name, json::Value value) {
    json::Object members = good;
    for (json::Member& member : members) {
      if (member.first == name) member.second = value;
    }
    if (json::Value(members).find(name) == nullptr) members.emplace_back(name, value);
    return Key::from_jwk(members);
  };
  EXPECT_TRUE(with("kid", "another"));
  EXPECT_EQ(error_of(with("alg", "ES384")), KeyError::wrong_algorithm);
  EXPECT_EQ(error_of(with("alg", "RS256")), KeyError::wrong_algorithm);
  EXPECT_EQ(error_of(with("alg", "es256")), KeyError::unsupported);
  EXPECT_EQ(error_of(with("alg", "none")), KeyError::unsupported);
  EXPECT_EQ(error_of(with("kty", "oct")), KeyError::wrong_algorithm);
  EXPECT_EQ(error_of(with("kty", "AKP")), KeyError::unsupported);
  EXPECT_EQ(error_of(with("crv", "P-384")), KeyError::wrong_algorithm);
  EXPECT_EQ(error_of(with("use", "enc")), KeyError::wrong_use);
  EXPECT_EQ(error_of(with("key_ops", json::Array{"encrypt"})), KeyError::wrong_use);
  EXPECT_EQ(error_of(with("kid", 7)), KeyError::malformed);
  EXPECT_EQ(error_of(with("kid", std::string(257, 'k'))), KeyError::malformed);
  EXPECT_EQ(error_of(with("x", *other.public_jwk()->find("x"))), KeyError::malformed);
  EXPECT_EQ(error_of(with("x", *good[2].second.as_string() + "=")), KeyError::malformed);
  EXPECT_EQ(error_of(with("d", base64url_encode(std::string(31, '\0') + '\1'))),
            KeyError::malformed);  // not the private half of this point
}

TEST(Key, AnAlgorithmIsNeededWhereTheKeyDoesNotNameOne) {
  const json::Value bare = json::Object{{"kty", "RSA"}, {"n", rfc7638_n}, {"e", "AQAB"}};
  EXPECT_EQ(error_of(Key::from_jwk(bare)), KeyError::wrong_algorithm);
  EXPECT_TRUE(Key::from_jwk(bare, Algorithm::ps256));
  EXPECT_EQ(error_of(Key::from_jwk(bare, Algorithm::es256)), KeyError::wrong_algorithm);
  EXPECT_EQ(error_of(Key::from_jwk(rsa_jwk(rfc7638_n, "AQAB"), Algorithm::rs256)),
            KeyError::wrong_algorithm);
}

TEST(KeySet, SecretsAndPublicKeysDoNotMix) {
  KeySet set;
  EXPECT_TRUE(set.add(Key::generate(Algorithm::es256, system_random()).value()));
  EXPECT_TRUE(set.add(Key::generate(Algorithm::ed25519, system_random()).value()));
  const auto mixed = set.add(Key::generate(Algorithm::hs256, system_random()).value());
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error(), KeyError::mixed_set);
}

TEST(KeySet, OneIdIsForOneKey) {
  const Key key = Key::generate(Algorithm::es256, system_random()).value();
  KeySet set;
  EXPECT_TRUE(set.add(key));
  const auto twice = set.add(Key::generate(Algorithm::es256, system_random())->with_id(key.id()));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error(), KeyError::duplicate_key_id);
}

TEST(KeySet, AJwksIsReadBackAndUnknownKindsArePassedOver) {
  KeySet set;
  ASSERT_TRUE(set.add(Key::generate(Algorithm::es256, system_random()).value()));
  std::string text = set.public_jwks();
  EXPECT_EQ(text.find("\"d\""), std::string::npos);
  EXPECT_EQ(KeySet::from_jwks(text)->keys().size(), 1u);
  text.insert(text.find('[') + 1, R"({"kty":"FUTURE"},{"kty":"EC","use":"enc"},{"kty":"EC"},)");
  EXPECT_EQ(KeySet::from_jwks(text)->keys().size(), 1u);
}

TEST(KeySet, AJwksThatNamesAnIdTwiceIsRefusedWhole) {
  const Key key = Key::generate(Algorithm::es256, system_random()).value();
  KeySet set;
  ASSERT_TRUE(set.add(key));
  std::string text = set.public_jwks();
  // Even where the second of them cannot be read.
  text.insert(text.find('[') + 1, R"({"kty":"EC","kid":")" + std::string(key.id()) + "\"},");
  EXPECT_EQ(KeySet::from_jwks(text).error(), KeyError::duplicate_key_id);
}

TEST(KeySet, AJwksWithoutAnyUsableKeyIsAnError) {
  EXPECT_EQ(KeySet::from_jwks(R"({"keys":[]})").error(), KeyError::no_usable_key);
  EXPECT_EQ(KeySet::from_jwks(R"({"keys":{}})").error(), KeyError::malformed);
  EXPECT_EQ(KeySet::from_jwks("[]").error(), KeyError::malformed);
  EXPECT_EQ(KeySet::from_jwks("{").error(), KeyError::malformed);
}

TEST(Key, DerivedSecretsDifferByLabelAndKey) {
  const Key key = Key::generate(Algorithm::hs256, system_random()).value();
  const Key other = Key::generate(Algorithm::hs256, system_random()).value();
  EXPECT_EQ(key.derive("a").size(), 32u);
  EXPECT_TRUE(key.derive("a").equals(key.derive("a").reveal()));
  EXPECT_FALSE(key.derive("a").equals(key.derive("b").reveal()));
  EXPECT_FALSE(key.derive("a").equals(other.derive("a").reveal()));
  EXPECT_TRUE(Key::generate(Algorithm::es256, system_random())->derive("a").empty());
}

}  // namespace
}  // namespace moat::jwt
