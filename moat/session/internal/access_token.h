// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/secret.h"
#include "moat/jwt/key_ring.h"
#include "moat/session/session.h"

namespace moat::session::internal {

// AccessTokens makes and checks the access JWTs of one kind of session: HS256 under a key that only
// Moat has, audience "moat", or "moat-api" under another key. All of ours begin with the same
// header, so checking one is a comparison, one HMAC over the text as it came, and only then a look
// inside. Immutable; safe for concurrent use.
class AccessTokens final {
 public:
  AccessTokens(jwt::KeyRing ring, Kind kind);  // browser or api

  // `identity.issued_at` and `expires` go in as whole seconds.
  Secret make(const Identity& identity, Time now) const;
  // Checks the MAC and reads the claims; the times are the caller's to judge.
  std::optional<Identity> parse(std::string_view token) const;
  // Whether it begins as those of either kind do.
  bool looks_like_one(std::string_view token) const;

 private:
  struct One {
    jwt::Key key;
    std::string header;  // encoded, with its dot
  };
  const One& current(Time now) const;

  jwt::KeyRing ring_;
  Kind kind_;
  std::vector<One> keys_;
};

}  // namespace moat::session::internal
