// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/json.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/jwt/jws.h"
#include "moat/jwt/key.h"

namespace moat::jwt {

namespace internal {
struct KnownHeaders;
}

// Lifetime is written as a duration or as text with its unit: std::chrono::minutes(5), "15m", "1h".
// No bare numbers.
class Lifetime final {
 public:
  template <class Rep, class Period>
  Lifetime(std::chrono::duration<Rep, Period> value) : seconds_(std::chrono::seconds(value)) {}
  Lifetime(std::string_view text);
  Lifetime(const char* text) : Lifetime(std::string_view(text)) {}
  // Nullopt where the text was no duration of whole seconds.
  std::optional<std::chrono::seconds> seconds() const { return seconds_; }

 private:
  std::optional<std::chrono::seconds> seconds_;
};

struct SignOptions {
  Lifetime expires_in = std::chrono::minutes(15);
  // "nbf" is left out when zero.
  std::chrono::seconds not_before_in{0};
  // Each is left out when empty.
  std::string issuer{};
  std::string subject{};
  std::string audience{};
  std::string id{};
  std::string type = "JWT";
  // A longer `expires_in` is refused; verifiers have the same bound.
  std::chrono::seconds max_lifetime = std::chrono::hours(24);
};

enum class SignError {
  cannot_sign,   // a public key only
  bad_lifetime,  // not a duration, not positive, or above max_lifetime
  claim_twice,   // a claim given both in the claims and by an option, or "exp", "iat", "nbf" in the
                 // claims
  weak_key       // the caller's secret is too weak
};
std::string_view to_string(SignError error);

// sign makes a token of `claims` with "iat" and "exp" always set. Times are whole seconds.
[[nodiscard]] Result<std::string, SignError> sign(json::Object claims, const Key& key,
                                                  const SignOptions& options, Time now);

struct Options {
  // Whom the token must be for: one of these must stand in "aud", compared exactly. Empty: a token
  // that names an audience is for somebody else and refused (RFC 7519 section 4.1.3).
  std::vector<std::string> audiences{};
  bool allow_missing_audience = false;
  // Of the keys, only those of these algorithms verify; empty: each key's own. A key is never used
  // with any other.
  std::vector<Algorithm> algorithms{};
  // One of these must be "iss"; not checked when empty. Keys of one issuer belong in one Verifier.
  std::vector<std::string> issuers{};
  // Checked when given. "typ" is compared without case and without a leading "application/" (RFC
  // 7515 section 4.1.9).
  std::optional<std::string> type{};
  std::optional<std::string> subject{};
  std::optional<std::string> id{};
  std::optional<std::string> nonce{};
  std::vector<std::string> required_claims{};
  bool allow_missing_expiration = false;
  // Who takes an expired token (to end its session, say), or one whose "nbf" has not come, looks at
  // the times himself.
  bool allow_expired = false;
  bool allow_not_yet_valid = false;
  // The clocks of issuer and verifier may differ by this: 0 to 60 s. "iat" may always lie up to 60
  // s ahead.
  std::chrono::seconds skew{30};
  // From "iat" (else from now) to "exp".
  std::chrono::seconds max_lifetime = std::chrono::hours(24);
  // When given, "iat" is required and at most this old.
  std::optional<std::chrono::seconds> max_age{};
  bool allow_rsa_pkcs1 = false;
  std::size_t max_bytes = 8192;
};

// A token whose signature, times and audience were checked. Only Verifier::verify makes one.
class Verified final {
 public:
  std::string_view subject() const { return text("sub"); }
  std::string_view issuer() const { return text("iss"); }
  std::string_view id() const { return text("jti"); }
  // Time::max() where allow_missing_expiration let a token through that has none.
  Time expires() const { return expires_; }
  std::optional<Time> issued_at() const { return issued_at_; }
  const json::Value& claims() const { return claims_; }
  const json::Value* claim(std::string_view name) const { return claims_.find(name); }
  // The claim where it is a string, else empty.
  std::string_view text(std::string_view name) const;
  std::string_view key_id() const { return key_.id(); }

 private:
  friend class Verifier;
  Verified(json::Value claims, Key key) : claims_(std::move(claims)), key_(std::move(key)) {}
  json::Value claims_;
  Key key_;
  Time expires_ = Time::max();
  std::optional<Time> issued_at_;
};

// Verifier holds keys and rules. Immutable and safe for concurrent use.
class Verifier final {
 public:
  // Throws std::invalid_argument for options outside their bounds: that is a mistake in the
  // program.
  Verifier(KeySet keys, Options options);
  // Checks `token` at `now`: the signature first, and only then what it says.
  [[nodiscard]] Result<Verified, Refusal> verify(Unverified token, Time now) const;

 private:
  KeySet keys_;
  Options options_;
  std::shared_ptr<const internal::KnownHeaders> known_headers_;
};

// The two-line form, for a service that signs and verifies with a secret of its own (HS256, at
// least 32 random bytes):
//   auto token = jwt::sign({{"userId", 123}}, secret, {.expires_in = "1h"});
//   auto user  = jwt::verify(*token, secret);
// They read the system's clock. A token without "aud" passes here when `audiences` is empty.
[[nodiscard]] Result<std::string, SignError> sign(json::Object claims, const Secret& secret,
                                                  const SignOptions& options = {});
[[nodiscard]] Result<Verified, Refusal> verify(std::string_view token, const Secret& secret,
                                               Options options = {});

}  // namespace moat::jwt
