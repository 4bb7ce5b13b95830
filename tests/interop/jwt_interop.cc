// SPDX-License-Identifier: Apache-2.0
// Moat's side of tests/e2e/jwt_interop.mjs. One JSON object a line:
//   {"op":"generate","alg":A}                                      {"private":JWK,"public":JWK}
//   {"op":"sign","key":JWK,"claims":{…},"audience":…,"issuer":…}   {"token":…}
//   {"op":"verify","key":JWK,"token":…,"audience":…,"issuer":…}    {"claims":{…}} or {"refusal":…}
// "public" is the whole key where it is a secret. What cannot be done is {"error":…}.
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>

#include "moat/base/clock.h"
#include "moat/base/random.h"
#include "moat/jwt/jwt.h"

namespace {

using namespace moat;

const json::Value& member(const json::Value& object, std::string_view name) {
  const json::Value* found = object.find(name);
  if (found == nullptr) throw std::invalid_argument("no " + std::string(name));
  return *found;
}

const std::string& text(const json::Value& object, std::string_view name) {
  const std::string* found = member(object, name).as_string();
  if (found == nullptr) throw std::invalid_argument(std::string(name) + " is no text");
  return *found;
}

jwt::Key key_of(const json::Value& request) {
  auto key = jwt::Key::from_jwk(member(request, "key"));
  if (!key) throw std::invalid_argument("key: " + std::string(to_string(key.error())));
  return *std::move(key);
}

json::Object generate(const json::Value& request) {
  const auto algorithm = jwt::parse_algorithm(text(request, "alg"));
  if (!algorithm) throw std::invalid_argument("unknown algorithm");
  const auto key = jwt::Key::generate(*algorithm, system_random());
  if (!key) throw std::invalid_argument(std::string(to_string(key.error())));
  json::Value whole = json::parse(key->private_jwk().reveal()).value();
  json::Value half = key->public_jwk().value_or(whole);
  return {{"private", std::move(whole)}, {"public", std::move(half)}};
}

json::Object sign(const json::Value& request) {
  const json::Object* claims = member(request, "claims").as_object();
  if (claims == nullptr) throw std::invalid_argument("claims are no object");
  jwt::SignOptions options;
  options.audience = text(request, "audience");
  options.issuer = text(request, "issuer");
  const auto token = jwt::sign(*claims, key_of(request), options, system_clock().now());
  if (!token) throw std::invalid_argument(std::string(to_string(token.error())));
  return {{"token", *token}};
}

json::Object verify(const json::Value& request) {
  auto keys = jwt::KeySet::of({key_of(request)});
  if (!keys) throw std::invalid_argument(std::string(to_string(keys.error())));
  jwt::Options options;
  options.audiences = {text(request, "audience")};
  options.issuers = {text(request, "issuer")};
  options.allow_rsa_pkcs1 = true;
  const auto verified = jwt::Verifier(*std::move(keys), std::move(options))
                            .verify(jwt::Unverified{text(request, "token")}, system_clock().now());
  if (!verified) return {{"refusal", to_string(verified.error())}};
  return {{"claims", verified->claims()}};
}

json::Object answer(const std::string& line) {
  try {
    const auto request = json::parse(line);
    if (!request) throw std::invalid_argument("no JSON");
    const std::string& operation = text(*request, "op");
    if (operation == "generate") return generate(*request);
    if (operation == "sign") return sign(*request);
    if (operation == "verify") return verify(*request);
    throw std::invalid_argument("unknown operation");
  } catch (const std::invalid_argument& error) {
    return {{"error", error.what()}};
  }
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << json::serialize(json::Value(answer(line))) << std::endl;
  }
  return 0;
}
