// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/hash.h"
#include "moat/base/random.h"
#include "moat/base/secret.h"
#include "moat/jwt/key_ring.h"

namespace moat::session::internal {

// RefreshToken is 72 bytes, 96 characters of base64url in the cookie:
//   family 16 | generation 4 | key 4 | secret 32 | tag 16
// The tag is an HMAC over what stands before it, so a made-up token is refused without asking the
// store, and an old one is known to have been genuine when it comes back. `key` marks the server
// key the family was begun under; all its successors are derived under it, so every node derives
// the same ones through a key rotation.
class RefreshToken final {
 public:
  std::string family() const;  // 22 characters: the session's id
  std::uint32_t generation() const;
  std::uint32_t key() const;
  std::string_view secret() const { return bytes_.reveal().substr(24, 32); }
  // The cookie's value.
  Secret text() const;
  // What the store holds of it: SHA-256 of the cookie's value.
  Digest hash() const;

 private:
  friend class RefreshKeys;
  explicit RefreshToken(Secret bytes) : bytes_(std::move(bytes)) {}
  Secret bytes_;
};

// RefreshKeys makes, checks and derives refresh tokens. Immutable; safe for concurrent use.
class RefreshKeys final {
 public:
  explicit RefreshKeys(const jwt::KeyRing& ring);

  // The first token of a new family, under the key of that id.
  RefreshToken begin(std::string_view key_id, Random& random) const;
  // Nullopt for anything that is no token of ours, or was made under a key that is gone.
  std::optional<RefreshToken> parse(std::string_view text) const;
  // The one token that follows.
  RefreshToken successor(const RefreshToken& token) const;

 private:
  struct One {
    std::uint32_t mark;
    HmacKey derive;
    HmacKey seal;
  };
  const One* find(std::uint32_t mark) const;
  static Secret sealed(std::string& body, const One& key);

  std::vector<One> keys_;
};

}  // namespace moat::session::internal
