// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "moat/accounts/store.h"
#include "moat/session/session.h"

namespace moat::shield {

// The user of a session as the accounts know it.
inline session::User session_user(const accounts::Account& account) {
  return session::User{account.id, account.email, account.roles};
}

// AccountUsers lets sessions look their users up among the accounts.
class AccountUsers final : public session::UserSource {
 public:
  explicit AccountUsers(accounts::Store& store) : store_(store) {}

  Result<std::optional<session::User>, session::StoreError> find_active(
      std::string_view user_id) override {
    auto account = store_.find_by_id(user_id);
    if (account) {
      if (account->disabled) return std::optional<session::User>();
      return std::optional<session::User>(session_user(*account));
    }
    if (account.error() == accounts::StoreError::not_found) return std::optional<session::User>();
    return Error{session::StoreError::unavailable};
  }

 private:
  accounts::Store& store_;
};

}  // namespace moat::shield
