// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/jwt/key.h"
#include "tests/conform/conform.h"

namespace moat::conform {

std::span<const Operation> jwt_operations();

namespace {

json::Value member(const json::Value& object, std::string_view name) {
  const json::Value* value = object.find(name);
  return value == nullptr ? json::Value() : *value;
}
std::string text(const json::Value& object, std::string_view name) {
  const json::Value value = member(object, name);
  return value.as_string() == nullptr ? std::string() : *value.as_string();
}

// Runs cases of one suite, and holds what differs against docs/deviations.md.
class Suite {
 public:
  explicit Suite(std::string_view name) : deviations_(name) {}

  void run(json::Object request, bool accept, const std::string& name) {
    const auto answer_text =
        answer(jwt_operations(), json::serialize(json::Value(std::move(request))));
    const json::Value got = json::parse(answer_text, corpus_limits()).value();
    ++count_;
    if (member(got, "ok") == json::Value(accept) || deviations_.allows(name)) return;
    ADD_FAILURE() << name << "\nexpected " << (accept ? "accept" : "reject") << ", got "
                  << answer_text;
  }

  void finish(int at_least) const {
    EXPECT_GE(count_, at_least);
    for (const std::string& name : deviations_.unused()) {
      ADD_FAILURE() << "nothing differs in this row of docs/deviations.md: " << name;
    }
  }

 private:
  Deviations deviations_;
  int count_ = 0;
};

class Corpora : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!corpora_folder()) GTEST_SKIP() << "MOAT_CORPORA is not set";
  }
};

TEST_F(Corpora, Jsonwebtoken) {
  Suite suite("jwt");
  for (const json::Value& row : read_corpus("jwt/node_jsonwebtoken_verify.jsonl")) {
    suite.run({{"op", "jwt"},
               {"token", member(row, "token")},
               {"key", member(row, "key")},
               {"options", member(row, "options")},
               {"now", member(row, "now")}},
              text(row, "verdict") == "accept", text(row, "test"));
  }
  suite.finish(100);
}

TEST_F(Corpora, Jose) {
  Suite suite("jose");
  for (const json::Value& row : read_corpus("jwt/jose_verify.jsonl")) {
    const bool is_jwt = text(row, "op") == "jwtVerify";
    if (!is_jwt && text(row, "op").find("Verify") == std::string::npos) continue;
    suite.run({{"op", is_jwt ? "jwt" : "jws"},
               {is_jwt ? "token" : "jws", member(row, "input")},
               {"key", member(row, "key")},
               {"options", member(row, "options")},
               {"now", member(row, "now")}},
              text(row, "verdict") == "accept", text(row, "test"));
  }
  suite.finish(45);
}

TEST_F(Corpora, Wycheproof) {
  Suite suite("wycheproof");
  for (const char* file :
       {"json_web_signature_test", "json_web_key_test", "json_web_crypto_test"}) {
    for (const json::Value& row : read_corpus("wycheproof/" + std::string(file) + ".jsonl")) {
      if (row.find("jws") == nullptr) continue;
      json::Value key = member(member(row, "group"), "public");
      if (key.is_null()) key = member(member(row, "group"), "private");
      suite.run({{"op", "jws"},
                 {"jws", member(row, "jws")},
                 {"key", json::Object{{"type", "jwk"}, {"value", key}}}},
                text(row, "result") == "valid",
                std::string(file) + "#" + std::to_string(*member(row, "tcId").as_integer()) + " " +
                    text(row, "comment"));
    }
  }
  suite.finish(400);
}

TEST_F(Corpora, Rfc7520) {
  Suite suite("rfc7520");
  for (const json::Value& row : read_corpus("jwt/rfc7520_cookbook_jws.jsonl")) {
    for (const char* form : {"compact", "json_flat"}) {
      const json::Value jws = member(member(row, "output"), form);
      if (jws.is_null()) continue;
      suite.run(
          {{"op", "jws"},
           {"jws", jws},
           {"key", json::Object{{"type", "jwk"}, {"value", member(member(row, "input"), "key")}}}},
          true, text(row, "title"));
    }
  }
  suite.finish(15);
}

TEST_F(Corpora, ThumbprintsOfJose) {
  int count = 0;
  for (const json::Value& row : read_corpus("jwt/jose_verify.jsonl")) {
    if (text(row, "op") != "calculateJwkThumbprint") continue;
    const json::Array arguments = *member(row, "args").as_array();
    const bool sha256 = arguments.size() < 2 || arguments[1] == json::Value("sha256");
    const std::string type = text(arguments[0], "kty");
    // Moat gives thumbprints with SHA-256, of public keys, and not of ML-DSA.
    if (!sha256 || (type != "RSA" && type != "EC" && type != "OKP")) continue;
    const bool names_alg = arguments[0].find("alg") != nullptr || type != "RSA";
    const auto key = jwt::Key::from_jwk(
        arguments[0], names_alg ? std::nullopt : std::optional(jwt::Algorithm::ps256));
    EXPECT_EQ(key.has_value(), text(row, "verdict") == "accept") << text(row, "test");
    if (key) {
      EXPECT_EQ(key->thumbprint(), text(row, "result")) << text(row, "test");
    }
    ++count;
  }
  EXPECT_GE(count, 5);
}

}  // namespace
}  // namespace moat::conform
