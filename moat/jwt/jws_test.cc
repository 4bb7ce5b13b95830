// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/jws.h"

#include <gtest/gtest.h>

#include "moat/base/encoding.h"

namespace moat::jwt {
namespace {

Key key_of(std::string_view jwk, std::optional<Algorithm> algorithm = std::nullopt) {
  return Key::from_jwk(json::parse(jwk).value(), algorithm).value();
}
KeySet set_of(Key key) {
  KeySet set;
  EXPECT_TRUE(set.add(std::move(key)));
  return set;
}
Refusal refusal_of(std::string_view token, const KeySet& keys, const JwsOptions& options = {}) {
  const auto result = verify_jws(Unverified{token}, keys, options);
  EXPECT_FALSE(result.has_value()) << token;
  return result ? Refusal::weak_key : result.error();
}

const Key& hs_key() {
  static const Key key = Key::generate(Algorithm::hs256, system_random())->with_id("k1");
  return key;
}
// A token signed by `key` whatever its header says.
std::string forge(const Key& key, std::string_view header, std::string_view payload = "{}") {
  std::string out = base64url_encode(header) + "." + base64url_encode(payload);
  const std::string signature = base64url_encode(key.sign(out).value());
  return out + "." + signature;
}

// RFC 7515 appendix A.1; its key is made of random bytes.
constexpr std::string_view a1_key =
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";
constexpr std::string_view a1_token =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0"
    "dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
// RFC 7515 appendix A.3.
constexpr std::string_view a3_key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",)"
    R"("d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})";
constexpr std::string_view a3_token =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxf"
    "KTUJqPP3-Kg6NU1Q";
// RFC 8037 appendix A.4.
constexpr std::string_view ed_key =
    R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",)"
    R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
constexpr std::string_view ed_token =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg"
    "3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

TEST(Jws, VectorsOfTheRfcsVerify) {
  EXPECT_EQ(verify_jws(Unverified{a1_token}, set_of(key_of(a1_key, Algorithm::hs256)))->payload,
            "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");
  EXPECT_TRUE(verify_jws(Unverified{a3_token}, set_of(key_of(a3_key))));
  EXPECT_EQ(verify_jws(Unverified{ed_token}, set_of(key_of(ed_key)))->payload,
            "Example of Ed25519 signing");
}

TEST(Jws, AnyChangedCharacterOfTheVectorsIsRefused) {
  const std::pair<std::string_view, KeySet> cases[] = {
      {a1_token, set_of(key_of(a1_key, Algorithm::hs256))},
      {ed_token, set_of(key_of(ed_key))},
      {a3_token, set_of(key_of(a3_key))}};
  for (const auto& [token, keys] : cases) {
    for (std::size_t i = 0; i < token.size(); ++i) {
      std::string changed(token);
      changed[i] = changed[i] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(verify_jws(Unverified{changed}, keys)) << i;
    }
  }
}

TEST(Jws, Ed25519SignsAsInRfc8037) {
  EXPECT_EQ(sign_jws("Example of Ed25519 signing", key_of(ed_key, Algorithm::eddsa)), ed_token);
}

TEST(Jws, BothNamesOfEd25519AreOneAlgorithm) {
  const Key old_name = key_of(ed_key, Algorithm::eddsa);
  const Key new_name = key_of(ed_key);
  EXPECT_TRUE(verify_jws(Unverified{sign_jws("x", old_name).value()}, set_of(new_name)));
  EXPECT_TRUE(verify_jws(Unverified{sign_jws("x", new_name).value()}, set_of(old_name)));
}

TEST(Jws, OnlyThreePartsOfCanonicalBase64urlAreRead) {
  const KeySet keys = set_of(hs_key());
  const std::string good = sign_jws("{}", hs_key()).value();
  ASSERT_TRUE(verify_jws(Unverified{good}, keys));
  for (const std::string& bad :
       {good + "=", good + ".", good + "\n", " " + good, good + "A", "." + good, good + ".A",
        good.substr(0, good.rfind('.')), std::string(), std::string(".."), std::string("."),
        std::string("a.b.c"), good.substr(0, good.size() - 1)}) {
    EXPECT_FALSE(verify_jws(Unverified{bad}, keys)) << bad;
  }
  // 32 bytes leave two unused bits in the last character: only one of four spellings is taken.
  int accepted = 0;
  for (const char c :
       std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")) {
    if (verify_jws(Unverified{good.substr(0, good.size() - 1) + c}, keys)) ++accepted;
  }
  EXPECT_EQ(accepted, 1);
}

TEST(Jws, TheSizeLimitIsInclusive) {
  const KeySet keys = set_of(hs_key());
  const std::string token = sign_jws(std::string(3000, 'x'), hs_key()).value();
  EXPECT_TRUE(verify_jws(Unverified{token}, keys, {.max_bytes = token.size()}));
  EXPECT_EQ(refusal_of(token, keys, {.max_bytes = token.size() - 1}), Refusal::too_large);
}

TEST(Jws, UnsignedTokensAreRefusedInAnySpelling) {
  const KeySet keys = set_of(hs_key());
  for (const std::string_view name : {"none", "None", "NONE", "nOnE"}) {
    const std::string header = R"({"alg":")" + std::string(name) + "\"}";
    EXPECT_EQ(refusal_of(base64url_encode(header) + ".e30.", keys), Refusal::unsigned_token);
    EXPECT_EQ(refusal_of(forge(hs_key(), header), keys), Refusal::unsigned_token);
  }
}

TEST(Jws, TheHeaderDoesNotChooseTheAlgorithm) {
  const KeySet keys = set_of(hs_key());
  EXPECT_TRUE(verify_jws(Unverified{forge(hs_key(), R"({"alg":"HS256"})")}, keys));
  for (const std::string_view header :
       {R"({"alg":"HS512"})", R"({"alg":"hs256"})", R"({"alg":"ES256"})", R"({"alg":""})"}) {
    EXPECT_EQ(refusal_of(forge(hs_key(), header), keys), Refusal::wrong_algorithm) << header;
  }
  for (const std::string_view header : {R"({"alg":null})", R"({"alg":["HS256"]})", R"({})", "[]",
                                        R"({"alg":"HS256","alg":"HS256"})", "", "{"}) {
    EXPECT_EQ(refusal_of(forge(hs_key(), header), keys), Refusal::malformed) << header;
  }
}

TEST(Jws, APublicKeyUsedAsHmacSecretIsRefused) {
  const Key signer = key_of(a3_key);
  const std::string jwk = json::serialize(signer.public_jwk().value());
  const Key attacker = Key::insecure_allow_short_secret(Secret::copy_of(jwk)).value();
  EXPECT_EQ(refusal_of(sign_jws("{}", attacker).value(), set_of(signer)), Refusal::wrong_algorithm);
}

TEST(Jws, CriticalHeadersAreRefused) {
  const KeySet keys = set_of(hs_key());
  for (const std::string_view header :
       {R"({"alg":"HS256","crit":["exp"],"exp":1})", R"({"alg":"HS256","crit":["b64"],"b64":true})",
        R"({"alg":"HS256","crit":[]})", R"({"alg":"HS256","crit":null})"}) {
    EXPECT_EQ(refusal_of(forge(hs_key(), header), keys), Refusal::critical_extension) << header;
  }
}

TEST(Jws, KeysInTheHeaderAreIgnored) {
  const Key attacker = Key::generate(Algorithm::es256, system_random()).value();
  const std::string jwk = json::serialize(attacker.public_jwk().value());
  const std::string token =
      forge(attacker, R"({"alg":"ES256","jwk":)" + jwk +
                          R"(,"jku":"https://evil.example/jwks","x5u":"https://evil.example/"})");
  EXPECT_EQ(refusal_of(token, set_of(key_of(a3_key))), Refusal::bad_signature);
}

TEST(Jws, TheKeyIsFoundById) {
  const Key other = Key::generate(Algorithm::hs256, system_random())->with_id("k2");
  KeySet keys = set_of(hs_key());
  ASSERT_TRUE(keys.add(other));
  EXPECT_EQ(verify_jws(Unverified{sign_jws("{}", other).value()}, keys)->key.id(), "k2");
  EXPECT_EQ(refusal_of(forge(other, R"({"alg":"HS256","kid":"k1"})"), keys),
            Refusal::bad_signature);
  EXPECT_EQ(refusal_of(forge(other, R"({"alg":"HS256","kid":"k3"})"), keys), Refusal::unknown_key);
  EXPECT_EQ(refusal_of(forge(other, R"({"alg":"HS256","kid":"../../k2"})"), keys),
            Refusal::unknown_key);
  EXPECT_EQ(refusal_of(forge(other, R"({"alg":"HS256","kid":2})"), keys), Refusal::malformed);
  EXPECT_TRUE(verify_jws(Unverified{forge(other, R"({"alg":"HS256"})")}, keys));
  EXPECT_EQ(refusal_of(forge(other, R"({"alg":"HS256"})"), KeySet()), Refusal::unknown_key);
}

TEST(Jws, Pkcs1SignaturesNeedToBeAllowed) {
  // An RSA key without its private half: what matters is which refusal comes first.
  const Key key =
      Key::from_jwk(
          json::Value(json::Object{{"kty", "RSA"},
                                   {"e", "AQAB"},
                                   {"n",
                                    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbf"
                                    "AAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
                                    "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65"
                                    "YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
                                    "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lF"
                                    "d2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
                                    "nqDKgw"}}),
          Algorithm::rs256)
          .value();
  const std::string token = base64url_encode(R"({"alg":"RS256"})") + ".e30.AAAA";
  EXPECT_EQ(refusal_of(token, set_of(key)), Refusal::wrong_algorithm);
  JwsOptions options;
  options.allow_rsa_pkcs1 = true;
  EXPECT_EQ(refusal_of(token, set_of(key), options), Refusal::bad_signature);
}

TEST(Jws, SigningDoesNotLetTheCallerNameTheAlgorithm) {
  EXPECT_FALSE(sign_jws("{}", hs_key(), {{"alg", "none"}}));
  EXPECT_FALSE(sign_jws("{}", hs_key(), {{"crit", json::Array{}}}));
  const auto signed_text = sign_jws("{}", hs_key(), {{"typ", "x"}});
  ASSERT_TRUE(signed_text);
  EXPECT_EQ(base64url_decode(signed_text->substr(0, signed_text->find('.'))),
            R"({"alg":"HS256","typ":"x","kid":"k1"})");
}

TEST(Jws, TheFlattenedFormComesBack) {
  const Key key = key_of(a3_key);
  const std::string text =
      sign_flattened_jws("payload", key, {{"nonce", "n"}, {"url", "https://x.example/"}}).value();
  const auto back = verify_flattened_jws(Unverified{text}, set_of(key));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->payload, "payload");
  EXPECT_EQ(*back->header.find("nonce"), json::Value("n"));
}

TEST(Jws, TheUnprotectedHeaderIsNotBelieved) {
  const std::string compact = sign_jws("p", hs_key()).value();
  const std::size_t first = compact.find('.');
  const std::size_t second = compact.rfind('.');
  const auto flattened = [&](json::Value header) {
    return json::serialize(
        json::Value(json::Object{{"protected", compact.substr(0, first)},
                                 {"payload", compact.substr(first + 1, second - first - 1)},
                                 {"signature", compact.substr(second + 1)},
                                 {"header", std::move(header)}}));
  };
  const KeySet keys = set_of(hs_key());
  EXPECT_TRUE(verify_flattened_jws(Unverified{flattened(json::Object{{"x", 1}})}, keys));
  EXPECT_FALSE(verify_flattened_jws(Unverified{flattened(json::Object{{"alg", "HS256"}})}, keys));
  EXPECT_FALSE(verify_flattened_jws(Unverified{flattened(json::Object{{"kid", "k9"}})}, keys));
  EXPECT_FALSE(
      verify_flattened_jws(Unverified{flattened(json::Object{{"crit", json::Array{}}})}, keys));
  EXPECT_FALSE(verify_flattened_jws(Unverified{flattened("x")}, keys));
  EXPECT_FALSE(verify_flattened_jws(Unverified{"{}"}, keys));
  EXPECT_FALSE(verify_flattened_jws(Unverified{compact}, keys));
}

}  // namespace
}  // namespace moat::jwt
