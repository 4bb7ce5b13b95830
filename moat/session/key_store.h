// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/hash.h"
#include "moat/base/result.h"
#include "moat/session/store.h"

namespace moat::session {

// KeyRecord is one personal API key. Of the key itself it holds the SHA-256 only, so a copy of the
// store opens nothing.
struct KeyRecord {
  std::string id;       // 16 characters of base64url; no secret
  std::string user_id;  // at most 128 bytes
  Digest key_hash{};
  std::string name;    // in its owner's words: 1 to 64 bytes of UTF-8
  std::string scopes;  // see scopes.h
  Time created_at{};
  Time expires_at{};
  std::optional<Time> last_used_at;
  std::optional<Time> revoked_at;
};

struct KeyUse {
  std::string id;
  Time at{};
};

// KeyStore keeps the API keys. Each call is atomic, and durable when it returns success. Calls may
// block and may come from several threads at once.
class KeyStore {
 public:
  virtual ~KeyStore() = default;

  // Adds a record, whose id is new, unless its user has `most` live keys at `now`: false.
  virtual Result<bool, StoreError> create(const KeyRecord& record, std::size_t most, Time now) = 0;
  // The record of that id, also when it is revoked or expired; nullopt when there is none.
  virtual Result<std::optional<KeyRecord>, StoreError> find(std::string_view id) = 0;
  // The user's keys that are neither revoked nor expired; the newest first.
  virtual Result<std::vector<KeyRecord>, StoreError> list(std::string_view user_id, Time now) = 0;
  // Marks one key of that user revoked at `now`. False when there is none, it is another user's or
  // it was revoked before (the first time stays).
  virtual Result<bool, StoreError> revoke(std::string_view id, std::string_view user_id,
                                          Time now) = 0;
  // The same for all keys of that user; the ids of those that were not revoked before.
  virtual Result<std::vector<std::string>, StoreError> revoke_all(std::string_view user_id,
                                                                  Time now) = 0;
  // All revocations at or after `since`.
  virtual Result<std::vector<Revocation>, StoreError> revocations_since(Time since) = 0;
  // Notes when keys were used; an earlier time than the one that stands there changes nothing.
  virtual Result<void, StoreError> note_uses(std::span<const KeyUse> uses) = 0;
  // Deletes records whose expires_at or revoked_at is before `before`; how many.
  virtual Result<std::size_t, StoreError> delete_expired(Time before) = 0;
};

}  // namespace moat::session
