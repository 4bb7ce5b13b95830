// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "moat/accounts/store.h"

namespace moat::accounts {

// MemoryStore keeps accounts in the process and forgets them with it. For tests, and the plainest
// statement of what a Store does. Not thread-safe.
class MemoryStore final : public Store {
 public:
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
  // Is there an enabled admin beside the account of that id?
  bool has_other_admin(std::string_view id) const;

  std::map<std::string, Account, std::less<>> accounts_;  // by id
  std::map<std::string, std::string, std::less<>> ids_;   // by e-mail key
  std::optional<std::pair<Digest, Time>> setup_token_;
  std::map<std::string, std::map<Digest, Time>, std::less<>> devices_;  // by account id
};

}  // namespace moat::accounts
