// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "moat/session/store.h"

namespace moat::session {

// MemoryStore keeps sessions as long as the process lives: for tests, and for one process whose
// users may be asked to log in again after a restart. It is not durable, which Store asks for.
// Thread-safe by one mutex.
class MemoryStore final : public Store {
 public:
  Result<void, StoreError> create(const Record& record) override;
  Result<std::optional<Record>, StoreError> find(std::string_view id) override;
  Result<RotateOutcome, StoreError> rotate(std::string_view id, const Rotation& rotation) override;
  Result<bool, StoreError> revoke(std::string_view id, std::string_view user_id, Time now) override;
  Result<bool, StoreError> revoke_reused(std::string_view id, std::string_view user_id,
                                         Time now) override;
  Result<std::vector<ReuseNotice>, StoreError> notices(std::string_view user_id) override;
  Result<bool, StoreError> dismiss_notice(std::string_view session_id,
                                          std::string_view user_id) override;
  Result<bool, StoreError> rename(std::string_view id, std::string_view user_id,
                                  std::string_view name) override;
  Result<std::vector<std::string>, StoreError> revoke_all(std::string_view user_id,
                                                          std::string_view keep, Time now) override;
  Result<std::vector<Record>, StoreError> list(std::string_view user_id, Time now) override;
  Result<std::vector<Revocation>, StoreError> revocations_since(Time since) override;
  Result<std::size_t, StoreError> delete_expired(Time before) override;

 private:
  std::mutex mutex_;
  std::map<std::string, Record, std::less<>> records_;
  std::map<std::string, std::vector<ReuseNotice>, std::less<>> notices_;  // by user; latest first
};

}  // namespace moat::session
