// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moat/accounts/store.h"
#include "moat/store/internal/database.h"

namespace moat::store {

// The accounts' tables. `database` must outlive it.
class SqliteAccounts final : public accounts::Store {
 public:
  using Account = accounts::Account;
  using StoreError = accounts::StoreError;

  explicit SqliteAccounts(Database& database) : database_(database) {}

  Result<void, StoreError> create(const Account& account) override;
  Result<Account, StoreError> find_by_email_key(std::string_view email_key) override;
  Result<Account, StoreError> find_by_id(std::string_view id) override;
  Result<std::vector<Account>, StoreError> list(std::string_view after_id,
                                                std::size_t limit) override;
  Result<void, StoreError> change_password(std::string_view id, std::string_view expected,
                                           std::string_view next, Time changed_at) override;
  Result<void, StoreError> upgrade_hash(std::string_view id, std::string_view expected,
                                        std::string_view next) override;
  Result<void, StoreError> set_roles(std::string_view id,
                                     const std::vector<std::string>& roles) override;
  Result<void, StoreError> disable(std::string_view id) override;
  Result<void, StoreError> enable(std::string_view id) override;
  Result<std::size_t, StoreError> count_admins() override;
  Result<void, StoreError> put_setup_token(const Digest& token, Time expires_at) override;
  Result<void, StoreError> check_setup_token(const Digest& token, Time now) override;
  Result<void, StoreError> create_first_admin(const Digest& token, Time now,
                                              const Account& account) override;
  Result<void, StoreError> remember_device(std::string_view account_id, const Digest& device,
                                           Time expires_at, std::size_t most) override;
  Result<bool, StoreError> knows_device(std::string_view account_id, const Digest& device,
                                        Time now) override;
  Result<std::size_t, StoreError> remove_expired(Time now) override;

 private:
  Database& database_;
};

}  // namespace moat::store
