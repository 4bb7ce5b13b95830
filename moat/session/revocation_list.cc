// SPDX-License-Identifier: Apache-2.0
#include "moat/session/revocation_list.h"

#include <algorithm>

namespace moat::session {

void RevocationList::revoke_session(std::string_view session_id, Time at) {
  insert(sessions_, session_id, at);
}

void RevocationList::revoke_user(std::string_view user_id, Time at) { insert(users_, user_id, at); }

void RevocationList::insert(Shards& shards, std::string_view key, Time at) {
  Shard& shard = shards[index_of(key)];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(key);
  if (found != shard.entries.end()) {
    found->second = std::max(found->second, at);
    return;
  }
  if (shard.entries.size() >= shard.cleanup_at) {
    forget(shard, at - keep_);
    shard.cleanup_at = std::max<std::size_t>(64, 2 * shard.entries.size());
  }
  shard.entries.emplace(key, at);
  shard.count.store(shard.entries.size(), std::memory_order_release);
}

bool RevocationList::is_revoked(std::string_view session_id, std::string_view user_id,
                                Time started_at) const {
  const Shard& sessions = sessions_[index_of(session_id)];
  if (sessions.count.load(std::memory_order_acquire) != 0) {
    const std::lock_guard lock(sessions.mutex);
    if (sessions.entries.find(session_id) != sessions.entries.end()) return true;
  }
  const Shard& users = users_[index_of(user_id)];
  if (users.count.load(std::memory_order_acquire) != 0) {
    const std::lock_guard lock(users.mutex);
    const auto found = users.entries.find(user_id);
    if (found != users.entries.end() && started_at < found->second) return true;
  }
  return false;
}

void RevocationList::forget(Shard& shard, Time before) {
  std::erase_if(shard.entries, [before](const auto& entry) { return entry.second < before; });
  shard.count.store(shard.entries.size(), std::memory_order_release);
}

void RevocationList::expire(Time now) {
  for (Shards* shards : {&sessions_, &users_}) {
    for (Shard& shard : *shards) {
      if (shard.count.load(std::memory_order_acquire) == 0) continue;
      const std::lock_guard lock(shard.mutex);
      forget(shard, now - keep_);
    }
  }
}

std::size_t RevocationList::size() const {
  std::size_t out = 0;
  for (const Shards* shards : {&sessions_, &users_}) {
    for (const Shard& shard : *shards) out += shard.count.load(std::memory_order_acquire);
  }
  return out;
}

}  // namespace moat::session
