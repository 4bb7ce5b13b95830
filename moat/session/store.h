// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/hash.h"
#include "moat/base/result.h"

namespace moat::session {

// What stands behind a request. Nothing of one kind passes for another's.
enum class Kind : std::uint8_t {
  browser = 0,  // a session whose tokens are cookies
  api = 1,      // a session of a program, whose tokens are bearer tokens
  key = 2       // a personal API key, which is no session
};

enum class StoreError {
  unavailable  // the store could not answer; whether a write happened is unknown
};

// Record is one session: a family of refresh tokens of which exactly one is live. It holds no
// token, only the SHA-256 of the live one, so a copy of the store opens no session.
struct Record {
  Kind kind = Kind::browser;  // or api
  std::string id;             // 22 characters of base64url; no secret
  std::string user_id;        // at most 128 bytes
  Digest token_hash{};
  std::uint32_t generation = 0;  // of the live token; the first is 0
  Time started_at{};
  Time rotated_at{};  // when the live token was made
  Time expires_at{};  // idle or absolute end, whichever comes first
  Time ends_at{};     // absolute end; never moves
  std::chrono::seconds idle{};
  std::string address;     // of the client, as last seen; at most 64 bytes
  std::string user_agent;  // as last seen; at most 256 bytes of printable ASCII
  std::string exchanges;   // opaque to the store; at most 512 bytes of ASCII
  std::string scopes;      // of kind api: see scopes.h
  std::optional<Time> revoked_at;
};

// What changes when the live token is exchanged for its successor.
struct Rotation {
  std::uint32_t expected_generation = 0;
  Digest token_hash{};  // of the successor, whose generation is expected_generation + 1
  Time rotated_at{};
  Time expires_at{};
  std::string address;
  std::string user_agent;
  std::string exchanges;
};

enum class RotateOutcome {
  rotated,
  conflict,  // the record has another generation by now; nothing was changed
  gone       // there is no such record, or it is revoked; nothing was changed
};

struct Revocation {
  std::string session_id;
  Time at;
};

// Store keeps the records. Each call is atomic, and durable when it returns success: a crash right
// behind it loses nothing. Calls may block and may come from several threads at once.
class Store {
 public:
  virtual ~Store() = default;

  // Adds a record; its id is new.
  virtual Result<void, StoreError> create(const Record& record) = 0;
  // The record of that id, also when it is revoked or expired; nullopt when there is none.
  virtual Result<std::optional<Record>, StoreError> find(std::string_view id) = 0;
  // Applies `rotation` if the record's generation is `expected_generation` and it is not revoked:
  // one atomic compare-and-set, whoever else tries.
  virtual Result<RotateOutcome, StoreError> rotate(std::string_view id,
                                                   const Rotation& rotation) = 0;
  // Marks one session of that user revoked at `now`. False when there is none, it is another user's
  // or it was revoked before (the first time stays).
  virtual Result<bool, StoreError> revoke(std::string_view id, std::string_view user_id,
                                          Time now) = 0;
  // Marks all sessions of that user revoked except `keep` (may be empty). The ids of those that
  // were not before.
  virtual Result<std::vector<std::string>, StoreError> revoke_all(std::string_view user_id,
                                                                  std::string_view keep,
                                                                  Time now) = 0;
  // The user's sessions that are not revoked and whose expires_at is after `now`; latest rotated_at
  // first.
  virtual Result<std::vector<Record>, StoreError> list(std::string_view user_id, Time now) = 0;
  // All revocations at or after `since`.
  virtual Result<std::vector<Revocation>, StoreError> revocations_since(Time since) = 0;
  // Deletes records whose expires_at or revoked_at is before `before`; how many.
  virtual Result<std::size_t, StoreError> delete_expired(Time before) = 0;
};

}  // namespace moat::session
