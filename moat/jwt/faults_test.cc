// SPDX-License-Identifier: Apache-2.0
// The faults that other libraries of tokens had, by the name each is known under: what was accepted
// there is refused here, and beside it stands what must still be accepted.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "moat/base/encoding.h"
#include "moat/base/hash.h"
#include "moat/jwt/jwt.h"

namespace moat::jwt {
namespace {

using std::chrono::seconds;

constexpr Time now{seconds(1'800'000'000)};

// Made for these tests; nobody has kept their private halves.
constexpr std::string_view rsa_2048 =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnm635koCREoqM9FVaji2\n"
    "GtUOrTPGn3fNnSfdSQvuGEMe+J9t//mun/ypILBwq2A2V2qvKmTawG7IrYEL4n+l\n"
    "RkjAI0TabSx0AzHxjyYkfvWXw0lGGnADIMMkw1K2bkp+UkbUpTyfAQUUsMxYhTE8\n"
    "ppNiPjYAP2w4kHrxF8MwMqQL9Gt0wd2wwQgHK2qjZXriNyUco/TQrikrJehnENjf\n"
    "Wk+K1oXBIf6AgsmRjuZMCVTlpLU6SbWfAi/7DKA+FE2owhqXfk2CV5d/u6HGVxCK\n"
    "N9s7vtmPztwGcUsSvpGPEB5uExNvlxnProD24bzQhPh7VZJN8xTrwgJrgl39j58V\n"
    "IQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

constexpr std::string_view rsa_2048_pkcs1 =
    "-----BEGIN RSA PUBLIC KEY-----\n"
    "MIIBCgKCAQEAnm635koCREoqM9FVaji2GtUOrTPGn3fNnSfdSQvuGEMe+J9t//mu\n"
    "n/ypILBwq2A2V2qvKmTawG7IrYEL4n+lRkjAI0TabSx0AzHxjyYkfvWXw0lGGnAD\n"
    "IMMkw1K2bkp+UkbUpTyfAQUUsMxYhTE8ppNiPjYAP2w4kHrxF8MwMqQL9Gt0wd2w\n"
    "wQgHK2qjZXriNyUco/TQrikrJehnENjfWk+K1oXBIf6AgsmRjuZMCVTlpLU6SbWf\n"
    "Ai/7DKA+FE2owhqXfk2CV5d/u6HGVxCKN9s7vtmPztwGcUsSvpGPEB5uExNvlxnP\n"
    "roD24bzQhPh7VZJN8xTrwgJrgl39j58VIQIDAQAB\n"
    "-----END RSA PUBLIC KEY-----\n";

constexpr std::string_view rsa_1024 =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDZknEsYG/kCGNQfCYlsQ69AhCE\n"
    "8xp0OfX1zW6qgXq4oqjESGJNYsluxyi2dnJcFHwS6nMJ589+cIAcE9a/w3bdJCOf\n"
    "IPPnrf3cjzB/qcIEaAO9GnFSxpOT+ANW0ecvn0h6f++vVZfRRkVJeMUSyzfnMEsU\n"
    "qP+BM1hi/EgsYakjFQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

constexpr std::string_view p_384 =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEL5pdVPu2K4ja+gOHNGz2msijHF+AfOmB\n"
    "fNRU0IRBu2oRmq9lGOW1NYf10e7md4v57bUo2WX1rLc4a4mpZaTpopDz3W0a1Jes\n"
    "xOUBNm0Tl9HpLeGRYSBod6l6rhtRsCJI\n"
    "-----END PUBLIC KEY-----\n";

constexpr std::string_view dsa_1024 =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBvjCCATMGByqGSM44BAEwggEmAoGBAMhsAfpy7H5nUDjeT84RQfyec80KZSmE\n"
    "k3fS7gwaCScDXiUnbT+OLETeecGWG9tJqmbOfH4disHst2n4W0IgglakrgPGlMU0\n"
    "+fo4u8DUm99h/Hm9IvEvBoJ09+JyPCvxht907q5tlO6jDE1nQNib/eN0CqxXh0zJ\n"
    "YQlnzbwQJPeLAh0A2snyk18eKvo0G6mS7pyYrVLW/HdEaZjqkPv/EQKBgG/oY3+j\n"
    "0Fr05u4epNzGfTAb664DlXtcD2KXyNGAb1Vk2Ncd2Or1/noXhcF8YdQB55BzzF5u\n"
    "J2C9VoS1pZI+jy0AyNGvbDVag2f+mlgSOTZ8SNDA5WGGlJxgFQYZ1FNfbO7gbih3\n"
    "pPU3ggm4ZTxEVupo0TKAxOC0thV8rTmTkdhcA4GEAAKBgFW5Hewt0JtzdvvDWapF\n"
    "UjE1Ur2V6ScgC0k68OJBS8LlhAnKMMF3VH0MkROLPII7PjH2tzAGK8FQQEYmHea/\n"
    "+BNjFuqmJMMFw0yPk0ynJwvyYUArK1ksh/UjUc4Jz2E+B2e1yoyxArmOzfLZ+dhO\n"
    "tg8mOOUProjQJ68aOpEleHDx\n"
    "-----END PUBLIC KEY-----\n";

Key secret_key(std::string_view id) {
  return Key::generate(Algorithm::hs256, system_random())->with_id(id);
}
KeySet set_of(std::vector<Key> keys) { return KeySet::of(std::move(keys)).value(); }

// A token signed by `key` whatever its header says.
std::string forge(const Key& key, std::string_view header, std::string_view claims) {
  const std::string input = base64url_encode(header) + "." + base64url_encode(claims);
  return input + "." + base64url_encode(key.sign(input).value());
}
// The same under the HMAC of any bytes, which no Key need accept.
std::string forge_hmac(std::string_view secret, std::string_view header, std::string_view claims) {
  const std::string input = base64url_encode(header) + "." + base64url_encode(claims);
  return input + "." + base64url_encode(as_bytes(HmacKey(secret).tag(input)));
}
constexpr std::string_view good_claims = R"({"aud":"us","iss":"i","sub":"u1","exp":1800000060})";

Options for_us() {
  Options options;
  options.audiences = {"us"};
  return options;
}
std::optional<Refusal> refusal(const Verifier& verifier, std::string_view token, Time at = now) {
  const auto result = verifier.verify(Unverified{token}, at);
  if (result) return std::nullopt;
  return result.error();
}
std::optional<KeyError> error_of(const Result<Key, KeyError>& result) {
  if (result) return std::nullopt;
  return result.error();
}

// jsonwebtoken 8.5.1 took a key that was an object with a toString of the attacker's.
TEST(Faults, CVE_2022_23529_AKeyOfAnotherTypeThanText) {
  const std::string bytes = base64url_encode(system_random().bytes(32));
  const auto jwk = [](json::Value k, json::Value kid) {
    return Key::from_jwk(json::Object{
        {"kty", "oct"}, {"alg", "HS256"}, {"k", std::move(k)}, {"kid", std::move(kid)}});
  };
  EXPECT_EQ(error_of(jwk(bytes, "k1")), std::nullopt);
  EXPECT_EQ(error_of(jwk(json::Object{{"toString", bytes}}, "k1")), KeyError::malformed);
  EXPECT_EQ(error_of(jwk(json::Array{bytes}, "k1")), KeyError::malformed);
  EXPECT_EQ(error_of(jwk(nullptr, "k1")), KeyError::malformed);
  EXPECT_EQ(error_of(jwk(bytes, json::Object{})), KeyError::malformed);
}

// jsonwebtoken 8.5.1 verified with keys that do not fit the algorithm, such as DSA under RS256.
TEST(Faults, CVE_2022_23539_AKeyThatDoesNotFitTheAlgorithm) {
  EXPECT_EQ(error_of(Key::from_pem(rsa_2048, Algorithm::rs256)), std::nullopt);
  EXPECT_EQ(error_of(Key::from_pem(p_384, Algorithm::es384)), std::nullopt);
  EXPECT_EQ(error_of(Key::from_pem(dsa_1024, Algorithm::rs256)), KeyError::wrong_algorithm);
  EXPECT_EQ(error_of(Key::from_pem(dsa_1024, Algorithm::es256)), KeyError::wrong_algorithm);
  EXPECT_EQ(error_of(Key::from_pem(p_384, Algorithm::es256)), KeyError::wrong_algorithm);
  EXPECT_EQ(error_of(Key::from_pem(p_384, Algorithm::rs256)), KeyError::wrong_algorithm);
  EXPECT_EQ(error_of(Key::from_pem(p_384, Algorithm::ed25519)), KeyError::wrong_algorithm);
  EXPECT_EQ(error_of(Key::from_pem(rsa_2048, Algorithm::es256)), KeyError::wrong_algorithm);
}

// jsonwebtoken 8.5.1 took an unsigned token where neither a key nor algorithms were given.
TEST(Faults, CVE_2022_23540_NoKeyMeansNoToken) {
  const std::string claims = base64url_encode(good_claims);
  const Key key = secret_key("k1");
  for (const KeySet& keys : {KeySet(), set_of({key})}) {
    const Verifier verifier(keys, for_us());
    for (const std::string_view none : {"none", "None", "NONE", "nOnE"}) {
      const std::string header = base64url_encode(R"({"alg":")" + std::string(none) + R"("})");
      EXPECT_EQ(refusal(verifier, header + "." + claims + "."), Refusal::unsigned_token);
      EXPECT_EQ(refusal(verifier, header + "." + claims + ".AAAA"), Refusal::unsigned_token);
    }
  }
  EXPECT_EQ(refusal(Verifier(KeySet(), for_us()), forge(key, R"({"alg":"HS256"})", good_claims)),
            Refusal::unknown_key);
  EXPECT_EQ(
      refusal(Verifier(set_of({key}), for_us()), forge(key, R"({"alg":"HS256"})", good_claims)),
      std::nullopt);
}

// jsonwebtoken 8.5.1 verified HS256 with an RSA public key that a look-up function had returned.
TEST(Faults, CVE_2022_23541_APublicKeyVerifiesNoHmac) {
  const Verifier verifier(set_of({Key::from_pem(rsa_2048, Algorithm::rs256, "k1").value()}), [] {
    Options options = for_us();
    options.allow_rsa_pkcs1 = true;
    return options;
  }());
  for (const std::string_view header : {R"({"alg":"HS256","kid":"k1"})", R"({"alg":"HS256"})"}) {
    EXPECT_EQ(refusal(verifier, forge_hmac(rsa_2048, header, good_claims)),
              Refusal::wrong_algorithm);
  }
  EXPECT_EQ(KeySet::of({secret_key("k2"), Key::from_pem(rsa_2048, Algorithm::rs256, "k1").value()})
                .error(),
            KeyError::mixed_set);
}

// jws looked the HMAC secret up by what the unverified header said, and skipped the check.
TEST(Faults, CVE_2025_65945_TheHeaderNamesAKeyAndChoosesNothing) {
  const Key guest = secret_key("guest");
  const Key admin = secret_key("admin");
  const Verifier verifier(set_of({guest, admin}), for_us());
  const auto with_id = [](std::string_view id) {
    return R"({"alg":"HS256","kid":")" + std::string(id) + R"("})";
  };
  EXPECT_EQ(refusal(verifier, forge(guest, with_id("guest"), good_claims)), std::nullopt);
  EXPECT_EQ(refusal(verifier, forge(guest, with_id("admin"), good_claims)), Refusal::bad_signature);
  for (const std::string_view id : {"../guest", "guest\\u0000", "__proto__", "", "Guest"}) {
    EXPECT_EQ(refusal(verifier, forge(guest, with_id(id), good_claims)), Refusal::unknown_key)
        << id;
  }
  const std::string bare = base64url_encode(with_id("guest")) + "." + base64url_encode(good_claims);
  EXPECT_EQ(refusal(verifier, bare), Refusal::malformed);
  EXPECT_EQ(refusal(verifier, bare + "."), Refusal::bad_signature);
}

// jose spent as many rounds of PBES2 as the header of a JWE asked for.
TEST(Faults, CVE_2022_36083_NothingIsDecrypted) {
  const Key key = secret_key("k1");
  const Verifier verifier(set_of({key}), for_us());
  const std::string header =
      R"({"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":2000000000,"p2s":"c2FsdHNhbHQ","zip":"DEF"})";
  EXPECT_EQ(refusal(verifier, base64url_encode(header) + ".AAAA.AAAA.AAAA.AAAA"),
            Refusal::malformed);
  EXPECT_EQ(refusal(verifier, forge(key, header, good_claims)), Refusal::wrong_algorithm);
  for (const std::string_view name : {"dir", "A256KW", "A256GCMKW", "ECDH-ES", "RSA-OAEP", "RSA1_5",
                                      "PBES2-HS256+A128KW", "hs256", "HS256 "}) {
    EXPECT_EQ(parse_algorithm(name), std::nullopt) << name;
  }
  EXPECT_EQ(parse_algorithm("HS256"), Algorithm::hs256);
}

// fast-jwt did not know "BEGIN RSA PUBLIC KEY" for a public key, and so took it for a secret.
TEST(Faults, CVE_2023_48223_APublicKeyOfPkcs1IsNoSecret) {
  EXPECT_EQ(error_of(Key::from_pem(rsa_2048_pkcs1, Algorithm::ps256)), std::nullopt);
  EXPECT_EQ(error_of(Key::from_pem(rsa_2048_pkcs1, Algorithm::hs256)), KeyError::wrong_algorithm);
  for (const std::string_view pem : {rsa_2048_pkcs1, rsa_2048, p_384}) {
    EXPECT_EQ(error_of(Key::from_secret(Secret::copy_of(pem))), KeyError::sample_secret);
    EXPECT_EQ(error_of(Key::insecure_allow_short_secret(Secret::copy_of(pem))),
              KeyError::sample_secret);
  }
}

// fast-jwt forgot it again where white space stands in front.
TEST(Faults, CVE_2026_34950_WhiteSpaceInFrontOfAPublicKeyMakesNoSecret) {
  for (const std::string_view front : {"\n", " ", "\t\r\n", "\xef\xbb\xbf", "\v\f", "x\n"}) {
    const std::string pem = std::string(front) + std::string(rsa_2048_pkcs1);
    EXPECT_EQ(error_of(Key::from_secret(Secret::copy_of(pem))), KeyError::sample_secret) << front;
    EXPECT_EQ(error_of(Key::insecure_allow_short_secret(Secret::copy_of(pem))),
              KeyError::sample_secret)
        << front;
    EXPECT_FALSE(Key::from_pem(pem, Algorithm::hs256)) << front;
  }
  EXPECT_EQ(error_of(Key::from_secret(Secret::copy_of(" " + system_random().token(32)))),
            std::nullopt);
}

// fast-jwt took the claims of another token out of its cache when two keys of the cache were equal.
TEST(Faults, GHSA_rp9m_7r4c_75qg_NoTokenGetsTheClaimsOfAnother) {
  const Key key = secret_key("k1");
  const Verifier verifier(set_of({key}), for_us());
  std::vector<std::string> tokens;
  for (int i = 0; i < 200; ++i) {
    SignOptions options;
    options.audience = "us";
    options.subject = "user-" + std::to_string(i);
    tokens.push_back(sign({}, key, options, now).value());
  }
  for (int turn = 0; turn < 2; ++turn) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const auto verified = verifier.verify(Unverified{tokens[i]}, now);
      ASSERT_TRUE(verified);
      EXPECT_EQ(verified->subject(), "user-" + std::to_string(i));
    }
  }
  // Seen before: it still expires, and its parts fit no other token.
  EXPECT_EQ(refusal(verifier, tokens[0], now + std::chrono::hours(1)), Refusal::expired);
  const std::string mixed =
      tokens[0].substr(0, tokens[0].rfind('.')) + tokens[1].substr(tokens[1].rfind('.'));
  EXPECT_EQ(refusal(verifier, mixed), Refusal::bad_signature);
  // Another verifier, with a key of the same id.
  EXPECT_EQ(refusal(Verifier(set_of({secret_key("k1")}), for_us()), tokens[0]),
            Refusal::bad_signature);
}

// fast-jwt verified with the empty secret that `keys[kid] || ''` gives for an unknown id.
TEST(Faults, GHSA_gmvf_9v4p_v8jc_AnEmptySecretIsNoKey) {
  for (const Algorithm algorithm : {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512}) {
    EXPECT_EQ(error_of(Key::from_secret(Secret(), algorithm)), KeyError::too_weak);
    EXPECT_EQ(error_of(Key::insecure_allow_short_secret(Secret(), algorithm)), KeyError::too_weak);
  }
  const json::Object jwk{{"kty", "oct"}, {"alg", "HS256"}, {"k", ""}};
  EXPECT_EQ(error_of(Key::from_jwk(jwk)), KeyError::too_weak);
  const std::string token = forge_hmac("", R"({"alg":"HS256","kid":"unknown"})", good_claims);
  EXPECT_EQ(refusal(Verifier(set_of({secret_key("k1")}), for_us()), token), Refusal::unknown_key);
  EXPECT_EQ(refusal(Verifier(KeySet(), for_us()), token), Refusal::unknown_key);
  EXPECT_FALSE(verify(token, Secret()));
}

// fast-jwt kept the state of a /g expression: every second verification came out otherwise.
TEST(Faults, GHSA_3j8v_cgw4_2g6q_TheSameTokenGetsTheSameAnswer) {
  Options options = for_us();
  options.issuers = {"i"};
  const Key key = secret_key("k1");
  const Verifier verifier(set_of({key}), options);
  const std::string good = forge(key, R"({"alg":"HS256"})", good_claims);
  const std::string bad =
      forge(key, R"({"alg":"HS256"})", R"({"aud":"us","iss":"j","exp":1800000060})");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(refusal(verifier, good), std::nullopt);
    EXPECT_EQ(refusal(verifier, bad), Refusal::wrong_issuer);
  }
}

// fast-jwt's allowedIss and its like are expressions, which a claim can hold up for minutes; jose
// and fast-jwt take /myapp/ for "evil-myapp-x" too. Names are compared exactly here.
TEST(Faults, FastJwt_594_NamesAreComparedAndNotMatched) {
  const Key key = secret_key("k1");
  Options options;
  options.audiences = {"myapp", "(a+)+$"};
  const Verifier verifier(set_of({key}), options);
  const auto for_audience = [&](std::string_view name) {
    return forge(key, R"({"alg":"HS256"})",
                 R"({"exp":1800000060,"aud":")" + std::string(name) + R"("})");
  };
  EXPECT_EQ(refusal(verifier, for_audience("myapp")), std::nullopt);
  EXPECT_EQ(refusal(verifier, for_audience("(a+)+$")), std::nullopt);
  for (const std::string_view name :
       {"evil-myapp-x", "myapp-x", "xmyapp", "MYAPP", "myap", "", "aaaa", ".*"}) {
    EXPECT_EQ(refusal(verifier, for_audience(name)), Refusal::wrong_audience) << name;
  }
  EXPECT_EQ(refusal(verifier, for_audience(std::string(5000, 'a') + "!")), Refusal::wrong_audience);
}

// fast-jwt took a list of issuers where one of them was the allowed one.
TEST(Faults, CVE_2025_30144_AnIssuerIsOneText) {
  Options options = for_us();
  options.issuers = {"i"};
  const Key key = secret_key("k1");
  const Verifier verifier(set_of({key}), options);
  const auto issued_by = [&](std::string_view issuer) {
    return forge(key, R"({"alg":"HS256"})",
                 R"({"aud":"us","exp":1800000060,"iss":)" + std::string(issuer) + "}");
  };
  EXPECT_EQ(refusal(verifier, issued_by(R"("i")")), std::nullopt);
  EXPECT_EQ(refusal(verifier, issued_by(R"(["https://evil.example","i"])")),
            Refusal::malformed_claim);
  EXPECT_EQ(refusal(verifier, issued_by(R"(["i"])")), Refusal::malformed_claim);
}

// jsonwebtoken refuses short RSA keys when it signs only.
TEST(Faults, Jsonwebtoken_RsaOf1024BitsVerifiesNothing) {
  for (const Algorithm algorithm : {Algorithm::rs256, Algorithm::ps256, Algorithm::rs512}) {
    EXPECT_EQ(error_of(Key::from_pem(rsa_2048, algorithm)), std::nullopt);
    EXPECT_EQ(error_of(Key::from_pem(rsa_1024, algorithm)), KeyError::too_weak);
  }
}

// jose leaves the length of an HMAC secret to its user.
TEST(Faults, CVE_2025_45767_AShortSecretIsRefused) {
  EXPECT_EQ(error_of(Key::from_secret(Secret::copy_of(system_random().bytes(31)))),
            KeyError::too_weak);
  EXPECT_EQ(error_of(Key::from_secret(Secret::copy_of(system_random().bytes(32)))), std::nullopt);
}

// jsonwebtoken ignores "crit".
TEST(Faults, Jsonwebtoken_ACriticalExtensionIsNotIgnored) {
  const Key key = secret_key("k1");
  const Verifier verifier(set_of({key}), for_us());
  const auto with = [&](std::string_view more) {
    return forge(key, R"({"alg":"HS256","typ":"JWT","kid":"k1")" + std::string(more) + "}",
                 good_claims);
  };
  EXPECT_EQ(refusal(verifier, with("")), std::nullopt);
  EXPECT_EQ(refusal(verifier, with(R"(,"x-policy":"strict")")), std::nullopt);
  EXPECT_EQ(refusal(verifier, with(R"(,"x-policy":"strict","crit":["x-policy"])")),
            Refusal::critical_extension);
}

// jsonwebtoken reads expiresIn "120" as milliseconds, so that the token is dead when it is made.
TEST(Faults, Jsonwebtoken_ALifetimeWithoutUnitIsRefused) {
  const Key key = secret_key("k1");
  const auto lifetime = [&](std::string_view text) -> std::optional<seconds> {
    SignOptions options;
    options.audience = "us";
    options.expires_in = text;
    const auto token = sign({}, key, options, now);
    if (!token) return std::nullopt;
    const auto verified = Verifier(set_of({key}), for_us()).verify(Unverified{*token}, now);
    if (!verified) return std::nullopt;
    return std::chrono::duration_cast<seconds>(verified->expires() - now);
  };
  EXPECT_EQ(lifetime("120s"), seconds(120));
  EXPECT_EQ(lifetime("2m"), seconds(120));
  for (const std::string_view text :
       {"120", "120ms", "1500ms", "", "-1h", "0s", "1 fortnight", "NaN"}) {
    EXPECT_EQ(lifetime(text), std::nullopt) << text;
  }
}

// All three take a refresh token for an access token where both have the same key and audience.
TEST(Faults, ARefreshTokenIsNoAccessToken) {
  const Key key = secret_key("k1");
  Options options = for_us();
  options.type = "at+jwt";
  const Verifier verifier(set_of({key}), options);
  const auto token = [&](std::string_view type) {
    SignOptions sign_options;
    sign_options.audience = "us";
    sign_options.type = type;
    return sign({}, key, sign_options, now).value();
  };
  EXPECT_EQ(refusal(verifier, token("at+jwt")), std::nullopt);
  EXPECT_EQ(refusal(verifier, token("application/at+jwt")), std::nullopt);
  for (const std::string_view type : {"rt+jwt", "JWT", "", "at+jwt2"}) {
    EXPECT_EQ(refusal(verifier, token(type)), Refusal::wrong_type) << type;
  }
}

}  // namespace
}  // namespace moat::jwt
