// SPDX-License-Identifier: Apache-2.0
#include "moat/session/memory_store.h"

#include <algorithm>

namespace moat::session {

Result<void, StoreError> MemoryStore::create(const Record& record) {
  const std::lock_guard lock(mutex_);
  records_.insert_or_assign(record.id, record);
  return {};
}

Result<std::optional<Record>, StoreError> MemoryStore::find(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(id);
  if (found == records_.end()) return std::optional<Record>();
  return std::optional<Record>(found->second);
}

Result<RotateOutcome, StoreError> MemoryStore::rotate(std::string_view id,
                                                      const Rotation& rotation) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(id);
  if (found == records_.end() || found->second.revoked_at) return RotateOutcome::gone;
  Record& record = found->second;
  if (record.generation != rotation.expected_generation) return RotateOutcome::conflict;
  ++record.generation;
  record.token_hash = rotation.token_hash;
  record.rotated_at = rotation.rotated_at;
  record.expires_at = rotation.expires_at;
  record.address = rotation.address;
  record.user_agent = rotation.user_agent;
  record.exchanges = rotation.exchanges;
  return RotateOutcome::rotated;
}

Result<bool, StoreError> MemoryStore::revoke(std::string_view id, std::string_view user_id,
                                             Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(id);
  if (found == records_.end() || found->second.user_id != user_id || found->second.revoked_at) {
    return false;
  }
  found->second.revoked_at = now;
  return true;
}

Result<bool, StoreError> MemoryStore::revoke_reused(std::string_view id, std::string_view user_id,
                                                    Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(id);
  if (found == records_.end() || found->second.user_id != user_id || found->second.revoked_at) {
    return false;
  }
  Record& record = found->second;
  record.revoked_at = now;
  std::vector<ReuseNotice>& all = notices_[record.user_id];
  all.insert(all.begin(), {record.id, now, record.address, record.user_agent, record.name});
  if (all.size() > most_notices) all.pop_back();
  return true;
}

Result<std::vector<ReuseNotice>, StoreError> MemoryStore::notices(std::string_view user_id) {
  const std::lock_guard lock(mutex_);
  const auto found = notices_.find(user_id);
  return found == notices_.end() ? std::vector<ReuseNotice>() : found->second;
}

Result<bool, StoreError> MemoryStore::dismiss_notice(std::string_view session_id,
                                                     std::string_view user_id) {
  const std::lock_guard lock(mutex_);
  const auto found = notices_.find(user_id);
  if (found == notices_.end()) return false;
  return std::erase_if(found->second, [&](const ReuseNotice& notice) {
           return notice.session_id == session_id;
         }) > 0;
}

Result<bool, StoreError> MemoryStore::rename(std::string_view id, std::string_view user_id,
                                             std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(id);
  if (found == records_.end() || found->second.user_id != user_id || found->second.revoked_at) {
    return false;
  }
  found->second.name = name;
  return true;
}

Result<std::vector<std::string>, StoreError> MemoryStore::revoke_all(std::string_view user_id,
                                                                     std::string_view keep,
                                                                     Time now) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (auto& [id, record] : records_) {
    if (record.user_id != user_id || id == keep || record.revoked_at) continue;
    record.revoked_at = now;
    out.push_back(id);
  }
  return out;
}

Result<std::vector<Record>, StoreError> MemoryStore::list(std::string_view user_id, Time now) {
  const std::lock_guard lock(mutex_);
  std::vector<Record> out;
  for (const auto& [id, record] : records_) {
    if (record.user_id == user_id && !record.revoked_at && record.expires_at > now) {
      out.push_back(record);
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Record& a, const Record& b) { return a.rotated_at > b.rotated_at; });
  return out;
}

Result<std::vector<Revocation>, StoreError> MemoryStore::revocations_since(Time since) {
  const std::lock_guard lock(mutex_);
  std::vector<Revocation> out;
  for (const auto& [id, record] : records_) {
    if (record.revoked_at && *record.revoked_at >= since) out.push_back({id, *record.revoked_at});
  }
  return out;
}

Result<std::size_t, StoreError> MemoryStore::delete_expired(Time before) {
  const std::lock_guard lock(mutex_);
  return std::erase_if(records_, [before](const auto& entry) {
    const Record& record = entry.second;
    return record.expires_at < before || (record.revoked_at && *record.revoked_at < before);
  });
}

}  // namespace moat::session
