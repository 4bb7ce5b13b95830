// SPDX-License-Identifier: Apache-2.0
#include "moat/session/memory_key_store.h"

#include <algorithm>

namespace moat::session {

namespace {

bool is_live(const KeyRecord& record, std::string_view user_id, Time now) {
  return record.user_id == user_id && !record.revoked_at && record.expires_at > now;
}

}  // namespace

Result<bool, StoreError> MemoryKeyStore::create(const KeyRecord& record, std::size_t most,
                                                Time now) {
  const std::lock_guard lock(mutex_);
  const auto live = std::count_if(records_.begin(), records_.end(), [&](const auto& entry) {
    return is_live(entry.second, record.user_id, now);
  });
  if (static_cast<std::size_t>(live) >= most) return false;
  records_.insert_or_assign(record.id, record);
  return true;
}

Result<std::optional<KeyRecord>, StoreError> MemoryKeyStore::find(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(id);
  if (found == records_.end()) return std::optional<KeyRecord>();
  return std::optional<KeyRecord>(found->second);
}

Result<std::vector<KeyRecord>, StoreError> MemoryKeyStore::list(std::string_view user_id,
                                                                Time now) {
  const std::lock_guard lock(mutex_);
  std::vector<KeyRecord> out;
  for (const auto& [id, record] : records_) {
    if (is_live(record, user_id, now)) out.push_back(record);
  }
  std::stable_sort(out.begin(), out.end(), [](const KeyRecord& a, const KeyRecord& b) {
    return a.created_at > b.created_at;
  });
  return out;
}

Result<bool, StoreError> MemoryKeyStore::revoke(std::string_view id, std::string_view user_id,
                                                Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(id);
  if (found == records_.end() || found->second.user_id != user_id || found->second.revoked_at) {
    return false;
  }
  found->second.revoked_at = now;
  return true;
}

Result<std::vector<std::string>, StoreError> MemoryKeyStore::revoke_all(std::string_view user_id,
                                                                        Time now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (auto& [id, record] : records_) {
    if (record.user_id != user_id || record.revoked_at) continue;
    record.revoked_at = now;
    out.push_back(id);
  }
  return out;
}

Result<std::vector<Revocation>, StoreError> MemoryKeyStore::revocations_since(Time since) {
  const std::lock_guard lock(mutex_);
  std::vector<Revocation> out;
  for (const auto& [id, record] : records_) {
    if (record.revoked_at && *record.revoked_at >= since) out.push_back({id, *record.revoked_at});
  }
  return out;
}

Result<void, StoreError> MemoryKeyStore::note_uses(std::span<const KeyUse> uses) {
  const std::lock_guard lock(mutex_);
  for (const KeyUse& use : uses) {
    const auto found = records_.find(use.id);
    if (found == records_.end()) continue;
    std::optional<Time>& last = found->second.last_used_at;
    last = last ? std::max(*last, use.at) : use.at;
  }
  return {};
}

Result<std::size_t, StoreError> MemoryKeyStore::delete_expired(Time before) {
  const std::lock_guard lock(mutex_);
  return std::erase_if(records_, [before](const auto& entry) {
    const KeyRecord& record = entry.second;
    return record.expires_at < before || (record.revoked_at && *record.revoked_at < before);
  });
}

}  // namespace moat::session
