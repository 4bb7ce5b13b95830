// SPDX-License-Identifier: Apache-2.0
// The operations "jwt" and "jws". Options have the names of jsonwebtoken and jose. Loosened is only
// what those suites cannot do without: short secrets, no "exp", no "aud", a long lifetime; RS256
// counts as asked for where a key is RSA.
#include <array>
#include <cmath>

#include "moat/base/encoding.h"
#include "moat/jwt/jwt.h"
#include "tests/conform/conform.h"

namespace moat::conform {

std::span<const Operation> jwt_operations();

namespace {

using jwt::Algorithm;
using std::chrono::seconds;

constexpr std::array hmac_algorithms{Algorithm::hs256, Algorithm::hs384, Algorithm::hs512};
constexpr std::array rsa_algorithms{Algorithm::ps256, Algorithm::ps384, Algorithm::ps512,
                                    Algorithm::rs256, Algorithm::rs384, Algorithm::rs512};
constexpr std::array pem_algorithms{
    Algorithm::ps256, Algorithm::ps384, Algorithm::ps512, Algorithm::rs256, Algorithm::rs384,
    Algorithm::rs512, Algorithm::es256, Algorithm::es384, Algorithm::es512, Algorithm::ed25519};

json::Object refuse(std::string_view code) { return {{"ok", false}, {"code", code}}; }

// An option that is there and not {"$undefined": true}.
const json::Value* option(const json::Value& options, std::string_view name) {
  const json::Value* value = options.find(name);
  return value == nullptr || value->find("$undefined") != nullptr ? nullptr : value;
}

bool is_allowed(Algorithm algorithm, const std::optional<std::vector<Algorithm>>& allowed) {
  if (!allowed) return true;
  for (const Algorithm one : *allowed) {
    if (one == algorithm) return true;
  }
  return false;
}

// A JWK as it stands there. A secret that is long enough but a sample (all zeros, 00 01 02 …) goes
// by the insecure door.
Result<jwt::Key, jwt::KeyError> key_of_jwk(const json::Value& jwk) {
  auto made = jwt::Key::from_jwk(jwk);
  if (made || made.error() != jwt::KeyError::sample_secret) return made;
  const json::Value* id = jwk.find("kid");
  std::optional<std::string> bytes = base64url_decode(*jwk.find("k")->as_string());
  return jwt::Key::insecure_allow_short_secret(
      Secret::take(*bytes), *jwt::parse_algorithm(*jwk.find("alg")->as_string()),
      id == nullptr ? std::string_view() : std::string_view(*id->as_string()));
}

// One key of the case, under each algorithm it may be used with.
std::optional<jwt::KeySet> keys_of(const json::Value& key,
                                   const std::optional<std::vector<Algorithm>>& allowed) {
  const json::Value* type = key.find("type");
  const json::Value* value = key.find("value");
  if (type == nullptr || type->as_string() == nullptr || value == nullptr) return std::nullopt;
  jwt::KeySet set;
  const auto add = [&](Result<jwt::Key, jwt::KeyError> made) {
    // The ids are dropped so that one RSA or "oct" key can stand there under several algorithms.
    if (made && is_allowed(made->algorithm(), allowed)) static_cast<void>(set.add(*made));
  };
  const std::string* text = value->as_string();
  if (*type->as_string() == "utf8" || *type->as_string() == "hex") {
    if (text == nullptr) return std::nullopt;
    std::optional<std::string> bytes = *text;
    if (*type->as_string() == "hex") bytes = hex_decode(*text);
    if (!bytes) return std::nullopt;
    const Secret secret = Secret::take(*bytes);
    for (const Algorithm algorithm : hmac_algorithms) {
      add(jwt::Key::insecure_allow_short_secret(secret, algorithm));
    }
  } else if (*type->as_string() == "pem") {
    if (text == nullptr) return std::nullopt;
    for (const Algorithm algorithm : pem_algorithms) add(jwt::Key::from_pem(*text, algorithm));
  } else if (value->find("keys") != nullptr) {
    auto parsed = jwt::KeySet::from_jwks(json::serialize(*value));
    if (parsed) return *parsed;
    if (parsed.error() != jwt::KeyError::no_usable_key) return std::nullopt;
    for (const json::Value& jwk : *value->find("keys")->as_array()) add(key_of_jwk(jwk));
  } else if (value->find("alg") != nullptr || value->find("crv") != nullptr) {
    add(key_of_jwk(*value));
  } else {
    const auto without_id = [&](Algorithm algorithm) {
      auto made = jwt::Key::from_jwk(*value, algorithm);
      if (made) made = made->with_id("");
      add(std::move(made));
    };
    for (const Algorithm algorithm : hmac_algorithms) without_id(algorithm);
    for (const Algorithm algorithm : rsa_algorithms) without_id(algorithm);
  }
  return set;
}

// Seconds from a number or from text such as "30s", "1 min", "2h", "1000y".
std::optional<double> duration_of(const json::Value& value) {
  if (const auto number = value.as_number()) return number;
  const std::string* text = value.as_string();
  if (text == nullptr) return std::nullopt;
  std::size_t end = 0;
  const bool negative = !text->empty() && (*text)[0] == '-';
  if (negative) ++end;
  double count = 0;
  const std::size_t first = end;
  while (end < text->size() && (*text)[end] >= '0' && (*text)[end] <= '9') {
    count = count * 10 + ((*text)[end++] - '0');
  }
  if (end == first) return std::nullopt;
  const std::string_view unit = trim(std::string_view(*text).substr(end));
  constexpr std::pair<std::string_view, double> units[] = {
      {"s", 1},     {"sec", 1},      {"seconds", 1}, {"m", 60},
      {"min", 60},  {"minutes", 60}, {"h", 3600},    {"hours", 3600},
      {"d", 86400}, {"days", 86400}, {"w", 604800},  {"y", 31557600}};
  for (const auto& [name, factor] : units) {
    if (unit == name) return (negative ? -count : count) * factor;
  }
  return std::nullopt;
}

// Text or an array of texts; false where it is neither (regular expressions among them).
bool read_list(const json::Value* value, std::vector<std::string>& out) {
  if (value == nullptr) return true;
  if (value->as_string() != nullptr) {
    out.push_back(*value->as_string());
    return true;
  }
  if (value->as_array() == nullptr) return false;
  for (const json::Value& element : *value->as_array()) {
    if (element.as_string() == nullptr) return false;
    out.push_back(*element.as_string());
  }
  return true;
}

bool read_text(const json::Value* value, std::optional<std::string>& out) {
  if (value == nullptr) return true;
  if (value->as_string() == nullptr || trim(*value->as_string()).empty()) return false;
  out = *value->as_string();
  return true;
}

bool is_true(const json::Value* value) {
  return value != nullptr && value->as_bool() != nullptr && *value->as_bool();
}

bool read_times(const json::Value& options, jwt::Options& out, double& now) {
  if (const json::Value* timestamp = option(options, "clockTimestamp")) {
    const auto number = timestamp->as_number();
    if (!number) return false;
    now = *number;
  }
  // The cases that give jose a date of their own give it something that is none.
  if (option(options, "currentDate") != nullptr) return false;
  if (const json::Value* tolerance = option(options, "clockTolerance")) {
    const auto number = duration_of(*tolerance);
    if (!number || !(*number >= 0 && *number <= 60)) return false;
    out.skew = seconds(static_cast<std::int64_t>(*number));
  }
  for (const char* name : {"maxAge", "maxTokenAge"}) {
    if (const json::Value* age = option(options, name)) {
      const auto number = duration_of(*age);
      if (!number || !(*number >= 0 && *number < 1e12)) return false;
      out.max_age = seconds(static_cast<std::int64_t>(*number));
    }
  }
  return true;
}

bool read_options(const json::Value& options, jwt::Options& out, double& now) {
  out.allow_missing_audience = true;
  out.allow_missing_expiration = true;
  out.allow_rsa_pkcs1 = true;
  out.max_lifetime = std::chrono::hours(24 * 365 * 2000);
  out.skew = seconds(0);
  // jsonwebtoken's switches that turn a check off have no counterpart.
  if (is_true(option(options, "ignoreExpiration")) || is_true(option(options, "ignoreNotBefore"))) {
    return false;
  }
  if (const json::Value* audience = option(options, "audience")) {
    out.allow_missing_audience = false;
    if (!read_list(audience, out.audiences)) return false;
  }
  return read_list(option(options, "issuer"), out.issuers) &&
         read_list(option(options, "requiredClaims"), out.required_claims) &&
         read_text(option(options, "subject"), out.subject) &&
         read_text(option(options, "jwtid"), out.id) &&
         read_text(option(options, "nonce"), out.nonce) &&
         read_text(option(options, "typ"), out.type) && read_times(options, out, now);
}

// False when "algorithms" is there and no list of names.
bool read_algorithms(const json::Value& options, std::optional<std::vector<Algorithm>>& out) {
  const json::Value* list = option(options, "algorithms");
  if (list == nullptr) return true;
  std::vector<std::string> texts;
  if (list->as_array() == nullptr || !read_list(list, texts)) return false;
  out.emplace();
  for (const std::string& text : texts) {
    if (const auto algorithm = jwt::parse_algorithm(text)) out->push_back(*algorithm);
  }
  return true;
}

json::Object answer_jwt(const json::Value& request) {
  const json::Value nothing{json::Object{}};
  const json::Value* token = request.find("token");
  const json::Value* key = request.find("key");
  const json::Value* options = request.find("options");
  const json::Value* at = request.find("now");
  if (token == nullptr || token->as_string() == nullptr || key == nullptr || at == nullptr) {
    return refuse("invalid_request");
  }
  if (options == nullptr) options = &nothing;
  double now = at->as_number().value_or(0);
  jwt::Options settings;
  std::optional<std::vector<Algorithm>> algorithms;
  if (!read_options(*options, settings, now) || !read_algorithms(*options, algorithms)) {
    return refuse("unsupported_option");
  }
  const auto keys = keys_of(*key, algorithms);
  if (!keys) return refuse("unusable_key");
  const Time time{std::chrono::microseconds(static_cast<std::int64_t>(now * 1e6))};
  const auto verified =
      jwt::Verifier(*keys, settings).verify(jwt::Unverified{*token->as_string()}, time);
  if (!verified) return refuse(to_string(verified.error()));
  return {{"ok", true}};
}

json::Object answer_jws(const json::Value& request) {
  const json::Value* jws = request.find("jws");
  const json::Value* key = request.find("key");
  const json::Value* options = request.find("options");
  if (jws == nullptr || key == nullptr) return refuse("invalid_request");
  std::optional<std::vector<Algorithm>> algorithms;
  if (options != nullptr && !read_algorithms(*options, algorithms)) {
    return refuse("unsupported_option");
  }
  const auto keys = keys_of(*key, algorithms);
  if (!keys) return refuse("unusable_key");
  jwt::JwsOptions settings;
  settings.allow_rsa_pkcs1 = true;
  const bool compact = jws->as_string() != nullptr;
  const std::string text = compact ? *jws->as_string() : json::serialize(*jws);
  const auto verified = compact ? jwt::verify_jws(jwt::Unverified{text}, *keys, settings)
                                : jwt::verify_flattened_jws(jwt::Unverified{text}, *keys, settings);
  if (!verified) return refuse(to_string(verified.error()));
  return {{"ok", true}, {"payload", base64url_encode(verified->payload)}};
}

}  // namespace

std::span<const Operation> jwt_operations() {
  static constexpr std::array<Operation, 2> operations{{{"jwt", answer_jwt}, {"jws", answer_jws}}};
  return operations;
}

}  // namespace moat::conform
