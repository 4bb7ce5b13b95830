// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "moat/base/clock.h"
#include "moat/jwt/key_ring.h"
#include "moat/session/session.h"

namespace moat::session {

// AssertionSigner tells a backend who the user is: a JWT of 60 s for that backend's audience, which
// it can verify with the public keys of the ring. One is made per session and backend and reused
// for 30 s, so a busy session costs no signature per request. Not thread-safe: one for each worker.
class AssertionSigner final {
 public:
  struct Options {
    std::string issuer;  // Moat's own origin, such as https://example.com
    std::chrono::seconds lifetime{60};
    std::chrono::seconds reuse{30};  // shorter than `lifetime`
    std::size_t capacity = 8192;     // assertions kept; about 700 bytes each
  };

  // Throws std::invalid_argument for a ring of secrets or a `reuse` that is not shorter than
  // `lifetime`.
  AssertionSigner(jwt::KeyRing keys, Options options);

  // The assertion for that user at `backend`. The view is valid until the next call. Claims: iss,
  // aud, sub, sid, email, roles, auth_time, iat, exp; of a token or API key also scope.
  std::string_view assertion(const Identity& identity, std::string_view backend, Time now);

  // Takes a ring that has changed; assertions are made anew.
  void set_keys(jwt::KeyRing keys);
  std::string public_jwks() const { return keys_.public_jwks(); }

 private:
  struct Entry {
    std::string token;
    Time made_at{};
    std::string email;
    std::vector<std::string> roles;
    Scopes scopes;
  };
  using Cache = std::unordered_map<std::string, Entry>;
  Entry make(const Identity& identity, std::string_view backend, Time now) const;

  jwt::KeyRing keys_;
  Options options_;
  // Two generations: when the young one is half of `capacity`, the old one is dropped.
  Cache young_;
  Cache old_;
  std::string cache_key_;
};

}  // namespace moat::session
