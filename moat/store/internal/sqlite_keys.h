// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moat/session/key_store.h"
#include "moat/store/internal/database.h"

namespace moat::store {

// API keys in the database.
class SqliteKeys final : public session::KeyStore {
 public:
  using StoreError = session::StoreError;

  explicit SqliteKeys(Database& database) : database_(database) {}

  Result<bool, StoreError> create(const session::KeyRecord& record, std::size_t most,
                                  Time now) override;
  Result<std::optional<session::KeyRecord>, StoreError> find(std::string_view id) override;
  Result<std::vector<session::KeyRecord>, StoreError> list(std::string_view user_id,
                                                           Time now) override;
  Result<bool, StoreError> revoke(std::string_view id, std::string_view user_id, Time now) override;
  Result<std::vector<std::string>, StoreError> revoke_all(std::string_view user_id,
                                                          Time now) override;
  Result<std::vector<session::Revocation>, StoreError> revocations_since(Time since) override;
  Result<void, StoreError> note_uses(std::span<const session::KeyUse> uses) override;
  Result<std::size_t, StoreError> delete_expired(Time before) override;

 private:
  Database& database_;
};

}  // namespace moat::store
