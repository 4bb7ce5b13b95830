// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "moat/base/clock.h"

namespace moat::session {

// RevocationList knows the sessions whose access tokens must no longer pass although their time is
// not up: those revoked within the longest life of an access token. Looked up on every request, so
// it is in memory: sixteen shards, each behind a mutex that is not even touched while the shard is
// empty. Entries die by themselves; an attacker can make none without owning a session.
// Thread-safe.
class RevocationList final {
 public:
  // `keep` is the longest life of an access token plus the skew of the clocks.
  explicit RevocationList(std::chrono::seconds keep) : keep_(keep) {}

  void revoke_session(std::string_view session_id, Time at);
  // Voids every session of that user that was started before `at`.
  void revoke_user(std::string_view user_id, Time at);

  [[nodiscard]] bool is_revoked(std::string_view session_id, std::string_view user_id,
                                Time started_at) const;

  // Forgets what is older than `keep`; revoking does it too, for a shard that has grown.
  void expire(Time now);
  std::size_t size() const;
  std::chrono::seconds keep() const { return keep_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Shard {
    mutable std::mutex mutex;
    std::atomic<std::size_t> count{0};
    std::unordered_map<std::string, Time, Hash, std::equal_to<>> entries;
    std::size_t cleanup_at = 64;  // entries, at which old ones are looked for
  };
  using Shards = std::array<Shard, 16>;
  static std::size_t index_of(std::string_view key) { return Hash{}(key) % 16; }
  void insert(Shards& shards, std::string_view key, Time at);
  static void forget(Shard& shard, Time before);

  std::chrono::seconds keep_;
  Shards sessions_;
  Shards users_;
};

}  // namespace moat::session
