// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/base/hash.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"

namespace moat::csrf {

// Where a token is looked for, by the names that csurf and csrf-csrf know: a form's field, then the
// first of these headers that came. Never in the query, which ends up in logs. Client libraries
// send X-XSRF-Token by themselves (from a cookie that may be the backend's), so it yields to
// X-CSRF-Token.
inline constexpr std::string_view field_name = "_csrf";
inline constexpr std::array<std::string_view, 4> header_names = {"X-CSRF-Token", "CSRF-Token",
                                                                 "X-XSRF-Token", "XSRF-Token"};
// For FormGuard's cookie: set it with "Secure; HttpOnly; SameSite=Lax; Path=/".
inline constexpr std::string_view cookie_name = "__Host-csrf";

// Why a token was refused. For the log; the client is told only 403.
enum class TokenRefusal {
  missing,    // no token, or nothing that it could be bound to
  malformed,  // not of a token's shape
  wrong,      // made for another session, by another key, or altered
  expired     // or issued in the future
};
std::string_view to_string(TokenRefusal refusal);

// What a token is bound to: a session, or before login the value of a cookie. One is never the
// other.
class Binding final {
 public:
  static Binding session(std::string_view id) { return Binding('s', id); }
  static Binding pre_login(std::string_view cookie) { return Binding('p', cookie); }

 private:
  friend class Tokens;
  Binding(char kind, std::string_view value) : kind_(kind), value_(value) {}
  char kind_;
  std::string_view value_;
};

// A fresh value for the cookie that binds a form before login: 256 random bits, 43 characters.
std::string make_pre_login_value(Random& random);
// Whether a cookie has that shape; any other was not set by us.
[[nodiscard]] bool is_pre_login_value(std::string_view text);

// Tokens issues and verifies form tokens: base64url(nonce, minute of issue, HMAC-SHA-256 over kind,
// length, binding, nonce and minute). Each one looks different, so that compressed pages do not
// leak them (BREACH); nothing is stored. A token lives `life`, and may be used more than once: tabs
// and the back button work. Thread-safe for concurrent use.
class Tokens final {
 public:
  // Keys of at least 32 random bytes. After a rotation `previous` verifies what the old key issued.
  explicit Tokens(HmacKey current, std::optional<HmacKey> previous = std::nullopt,
                  std::chrono::minutes life = std::chrono::hours{24});

  std::string issue(const Binding& binding, Random& random, Time now) const;
  // In constant time for tokens of the right length. An empty binding is refused.
  [[nodiscard]] Result<void, TokenRefusal> verify(const Binding& binding, std::string_view token,
                                                  Time now) const;

 private:
  HmacKey current_;
  std::optional<HmacKey> previous_;
  std::chrono::minutes life_;
};

// FormGuard protects the forms of a site that has no session of Moat's: a cookie and a token that
// belong together.
//   csrf::FormGuard guard(key);
//   const auto [cookie, token] = guard.issue(request_cookie, random, now);   // Set-Cookie, and
//   into the form if (!guard.check(request_cookie, submitted, now)) …403…
// The cookie is signed: only one that this key has issued counts. Once somebody is logged in,
// Tokens with Binding::session is stronger, since such a token cannot be carried over from another
// browser.
class FormGuard final {
 public:
  struct Issued {
    std::string cookie;
    std::string token;
  };
  // `key`: at least 32 random bytes; throws std::invalid_argument for a shorter one.
  explicit FormGuard(const Secret& key);

  // Keeps the browser's cookie when it is a valid one, so that several tabs work; else makes one.
  Issued issue(std::string_view cookie, Random& random, Time now) const;
  [[nodiscard]] Result<void, TokenRefusal> check(std::string_view cookie, std::string_view token,
                                                 Time now) const;

 private:
  bool is_own(std::string_view cookie) const;
  HmacKey cookies_;
  Tokens tokens_;
};

}  // namespace moat::csrf
