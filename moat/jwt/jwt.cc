// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/jwt.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "moat/base/encoding.h"
#include "moat/jwt/internal/material.h"
#include "moat/jwt/internal/parts.h"

namespace moat::jwt {

namespace {

using std::chrono::seconds;

// The most that clocks may differ, and what "iat" may lie ahead whatever the skew is set to: it
// bounds nothing.
constexpr seconds max_skew{60};
constexpr std::int64_t last_second = 253402300799;  // of the year 9999

const std::string* text_of(const json::Value* claim) {
  return claim == nullptr ? nullptr : claim->as_string();
}

// The registered claims (RFC 7519 section 4.1) and the nonce; null for what is not there.
struct Registered {
  const json::Value* issuer = nullptr;
  const json::Value* subject = nullptr;
  const json::Value* audience = nullptr;
  const json::Value* expires = nullptr;
  const json::Value* not_before = nullptr;
  const json::Value* issued_at = nullptr;
  const json::Value* id = nullptr;
  const json::Value* nonce = nullptr;
};

Registered registered_claims(const json::Object& claims) {
  Registered out;
  for (const json::Member& member : claims) {
    const std::string_view name = member.first;
    const json::Value* const value = &member.second;
    if (name == "iss") {
      out.issuer = value;
    } else if (name == "sub") {
      out.subject = value;
    } else if (name == "aud") {
      out.audience = value;
    } else if (name == "exp") {
      out.expires = value;
    } else if (name == "nbf") {
      out.not_before = value;
    } else if (name == "iat") {
      out.issued_at = value;
    } else if (name == "jti") {
      out.id = value;
    } else if (name == "nonce") {
      out.nonce = value;
    }
  }
  return out;
}

// RFC 7519 section 2, NumericDate: seconds since the epoch, perhaps with a fraction.
Result<std::optional<Time>, Refusal> read_date(const json::Value* claim) {
  if (claim == nullptr) return std::optional<Time>();
  if (const std::int64_t* whole = claim->as_integer()) {
    if (*whole < 0 || *whole > last_second) return Error{Refusal::malformed_claim};
    return std::optional<Time>(from_unix_seconds(*whole));
  }
  const std::optional<double> number = claim->as_number();
  if (!number || !(*number >= 0 && *number <= static_cast<double>(last_second))) {
    return Error{Refusal::malformed_claim};
  }
  const auto micros = static_cast<std::int64_t>(std::floor(*number * 1e6));
  return std::optional<Time>(Time(std::chrono::microseconds(micros)));
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::optional<Refusal> check_audience(const json::Value* audience, const Options& options) {
  if (audience == nullptr) {
    if (options.allow_missing_audience) return std::nullopt;
    return Refusal::missing_audience;
  }
  if (const std::string* one = audience->as_string()) {
    if (contains(options.audiences, *one)) return std::nullopt;
    return Refusal::wrong_audience;
  }
  if (audience->as_array() == nullptr) return Refusal::malformed_claim;
  bool found = false;
  for (const json::Value& element : *audience->as_array()) {
    if (element.as_string() == nullptr) return Refusal::malformed_claim;
    found = found || contains(options.audiences, *element.as_string());
  }
  if (found) return std::nullopt;
  return Refusal::wrong_audience;
}

std::optional<Refusal> check_names(const Registered& claims, const Options& options) {
  for (const json::Value* claim : {claims.issuer, claims.subject, claims.id}) {
    if (claim != nullptr && claim->as_string() == nullptr) return Refusal::malformed_claim;
  }
  const std::string* issuer = text_of(claims.issuer);
  if (!options.issuers.empty() && (issuer == nullptr || !contains(options.issuers, *issuer))) {
    return Refusal::wrong_issuer;
  }
  const auto differs = [](const json::Value* claim, const std::optional<std::string>& wanted) {
    const std::string* text = text_of(claim);
    return wanted && (text == nullptr || *text != *wanted);
  };
  if (differs(claims.subject, options.subject)) return Refusal::wrong_subject;
  if (differs(claims.id, options.id) || differs(claims.nonce, options.nonce)) {
    return Refusal::wrong_claim;
  }
  return std::nullopt;
}

bool has_all(const json::Value& claims, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return claims.find(name) != nullptr; });
}

struct Dates {
  std::optional<Time> expires;
  std::optional<Time> not_before;
  std::optional<Time> issued_at;
};

std::optional<Refusal> check_dates(const Dates& dates, const Options& options, Time now) {
  if (!dates.expires && !options.allow_missing_expiration) return Refusal::missing_expiration;
  // RFC 7519 section 4.1.4: "on or after which the JWT MUST NOT be accepted".
  if (!options.allow_expired && dates.expires && now >= *dates.expires + options.skew) {
    return Refusal::expired;
  }
  if (!options.allow_not_yet_valid && dates.not_before && now + options.skew < *dates.not_before) {
    return Refusal::not_yet_valid;
  }
  if (dates.issued_at && *dates.issued_at > now + max_skew) return Refusal::issued_in_future;
  if (dates.expires && *dates.expires - dates.issued_at.value_or(now) > options.max_lifetime) {
    return Refusal::lifetime_too_long;
  }
  if (options.max_age) {
    if (!dates.issued_at) return Refusal::too_old;
    if (*dates.issued_at > now + options.skew) return Refusal::issued_in_future;
    if (now - *dates.issued_at >= *options.max_age + options.skew) return Refusal::too_old;
  }
  return std::nullopt;
}

// RFC 7515 section 4.1.9: media types, where a name without '/' is meant to have "application/" in
// front.
bool same_type(std::string_view a, std::string_view b) {
  const auto strip = [](std::string_view type) {
    constexpr std::string_view prefix = "application/";
    return type.size() > prefix.size() && ascii_iequals(type.substr(0, prefix.size()), prefix)
               ? type.substr(prefix.size())
               : type;
  };
  return ascii_iequals(strip(a), strip(b));
}

bool may_use(const std::vector<Algorithm>& accepted, std::optional<Algorithm> named) {
  return accepted.empty() ||
         (named && std::any_of(accepted.begin(), accepted.end(), [&](Algorithm algorithm) {
            return internal::same_algorithm(algorithm, *named);
          }));
}

std::optional<SignError> add_claims(json::Object& claims, const SignOptions& options, seconds life,
                                    Time now) {
  const auto has = [&claims](std::string_view name) {
    return std::any_of(claims.begin(), claims.end(),
                       [&](const json::Member& member) { return member.first == name; });
  };
  for (const std::string_view name : {"iat", "exp", "nbf"}) {
    if (has(name)) return SignError::claim_twice;
  }
  for (std::size_t i = 0; i < claims.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (claims[i].first == claims[j].first) return SignError::claim_twice;
    }
  }
  const std::pair<const char*, const std::string*> given[] = {{"iss", &options.issuer},
                                                              {"sub", &options.subject},
                                                              {"aud", &options.audience},
                                                              {"jti", &options.id}};
  for (const auto& [name, value] : given) {
    if (value->empty()) continue;
    if (has(name)) return SignError::claim_twice;
    claims.emplace_back(name, *value);
  }
  const std::int64_t issued = unix_seconds(now);
  claims.emplace_back("iat", issued);
  if (options.not_before_in.count() != 0) {
    claims.emplace_back("nbf", issued + options.not_before_in.count());
  }
  claims.emplace_back("exp", issued + life.count());
  return std::nullopt;
}

}  // namespace

Lifetime::Lifetime(std::string_view text) {
  const std::optional<std::chrono::milliseconds> parsed = parse_duration(text);
  if (parsed && parsed->count() % 1000 == 0) {
    seconds_ = std::chrono::duration_cast<std::chrono::seconds>(*parsed);
  }
}

std::string_view to_string(SignError error) {
  switch (error) {
    case SignError::cannot_sign:
      return "cannot_sign";
    case SignError::bad_lifetime:
      return "bad_lifetime";
    case SignError::claim_twice:
      return "claim_twice";
    case SignError::weak_key:
      return "weak_key";
  }
  return {};
}

Result<std::string, SignError> sign(json::Object claims, const Key& key, const SignOptions& options,
                                    Time now) {
  if (!key.can_sign()) return Error{SignError::cannot_sign};
  const std::optional<seconds> life = options.expires_in.seconds();
  if (!life || life->count() <= 0 || *life > options.max_lifetime ||
      options.not_before_in.count() < 0) {
    return Error{SignError::bad_lifetime};
  }
  if (const auto error = add_claims(claims, options, *life, now)) return Error{*error};
  json::Object header;
  if (!options.type.empty()) header.emplace_back("typ", options.type);
  std::optional<std::string> token =
      sign_jws(json::serialize(json::Value(std::move(claims))), key, header);
  if (!token) return Error{SignError::cannot_sign};
  return *std::move(token);
}

std::string_view Verified::text(std::string_view name) const {
  const std::string* claim = text_of(claims_.find(name));
  return claim == nullptr ? std::string_view() : std::string_view(*claim);
}

Verifier::Verifier(KeySet keys, Options options)
    : keys_(std::move(keys)), options_(std::move(options)) {
  if (options_.skew < seconds(0) || options_.skew > max_skew) {
    throw std::invalid_argument("jwt: skew must be 0 to 60 seconds");
  }
  if (options_.max_lifetime <= seconds(0) || (options_.max_age && *options_.max_age < seconds(0))) {
    throw std::invalid_argument("jwt: a lifetime must be positive");
  }
  known_headers_ =
      std::make_shared<const internal::KnownHeaders>(keys_, options_.type.value_or("JWT"));
}

Result<Verified, Refusal> Verifier::verify(Unverified token, Time now) const {
  if (token.text.size() > options_.max_bytes) return Error{Refusal::too_large};
  const std::optional<internal::Parts> parts = internal::split(token.text);
  if (!parts) return Error{Refusal::malformed};
  std::optional<internal::Header> read;
  const internal::Header* header = known_headers_->find(parts->header);
  if (header == nullptr) {
    MOAT_TRY(read, internal::read_header(parts->header));
    header = &*read;
  }
  if (!may_use(options_.algorithms, header->algorithm)) return Error{Refusal::wrong_algorithm};
  MOAT_TRY(const Key* key, internal::find_key(*header, *parts, keys_, options_.allow_rsa_pkcs1));
  const std::optional<std::string> payload = base64url_decode(parts->payload);
  if (!payload) return Error{Refusal::malformed};
  if (options_.type) {
    const std::string* type = text_of(header->members.find("typ"));
    if (type == nullptr || !same_type(*type, *options_.type)) return Error{Refusal::wrong_type};
  }
  auto claims = json::parse(*payload);
  // RFC 7519 section 7.2 step 10: the claims set is a JSON object; its names are unique, by
  // section 4.
  if (!claims || claims->as_object() == nullptr) return Error{Refusal::malformed};
  const Registered registered = registered_claims(*claims->as_object());
  Dates dates;
  MOAT_TRY(dates.expires, read_date(registered.expires));
  MOAT_TRY(dates.not_before, read_date(registered.not_before));
  MOAT_TRY(dates.issued_at, read_date(registered.issued_at));
  if (const auto refusal = check_dates(dates, options_, now)) return Error{*refusal};
  if (const auto refusal = check_audience(registered.audience, options_)) return Error{*refusal};
  if (const auto refusal = check_names(registered, options_)) return Error{*refusal};
  if (!has_all(*claims, options_.required_claims)) return Error{Refusal::wrong_claim};
  Verified out(*std::move(claims), *key);
  if (dates.expires) out.expires_ = *dates.expires;
  out.issued_at_ = dates.issued_at;
  return out;
}

Result<std::string, SignError> sign(json::Object claims, const Secret& secret,
                                    const SignOptions& options) {
  const auto key = Key::from_secret(secret);
  if (!key) return Error{SignError::weak_key};
  return sign(std::move(claims), *key, options, system_clock().now());
}

Result<Verified, Refusal> verify(std::string_view token, const Secret& secret, Options options) {
  auto key = Key::from_secret(secret);
  if (!key) return Error{Refusal::weak_key};
  KeySet keys;
  if (!keys.add(*std::move(key))) return Error{Refusal::weak_key};
  options.allow_missing_audience = options.allow_missing_audience || options.audiences.empty();
  return Verifier(std::move(keys), std::move(options))
      .verify(Unverified{token}, system_clock().now());
}

}  // namespace moat::jwt
