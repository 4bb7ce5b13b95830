// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/session/store.h"
#include "moat/store/internal/database.h"

namespace moat::store {

// The sessions' table. `database` must outlive it.
class SqliteSessions final : public session::Store {
 public:
  using Record = session::Record;
  using StoreError = session::StoreError;

  explicit SqliteSessions(Database& database) : database_(database) {}

  Result<void, StoreError> create(const Record& record) override;
  Result<std::optional<Record>, StoreError> find(std::string_view id) override;
  Result<session::RotateOutcome, StoreError> rotate(std::string_view id,
                                                    const session::Rotation& rotation) override;
  Result<bool, StoreError> revoke(std::string_view id, std::string_view user_id, Time now) override;
  Result<bool, StoreError> revoke_reused(std::string_view id, std::string_view user_id,
                                         Time now) override;
  Result<std::vector<session::ReuseNotice>, StoreError> notices(std::string_view user_id) override;
  Result<bool, StoreError> dismiss_notice(std::string_view session_id,
                                          std::string_view user_id) override;
  Result<bool, StoreError> rename(std::string_view id, std::string_view user_id,
                                  std::string_view name) override;
  Result<std::vector<std::string>, StoreError> revoke_all(std::string_view user_id,
                                                          std::string_view keep, Time now) override;
  Result<std::vector<Record>, StoreError> list(std::string_view user_id, Time now) override;
  Result<std::vector<session::Revocation>, StoreError> revocations_since(Time since) override;
  Result<std::size_t, StoreError> delete_expired(Time before) override;

 private:
  Database& database_;
};

}  // namespace moat::store
