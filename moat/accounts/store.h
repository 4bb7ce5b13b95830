// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "moat/accounts/account.h"
#include "moat/base/clock.h"
#include "moat/base/hash.h"
#include "moat/base/result.h"

namespace moat::accounts {

enum class StoreError {
  email_taken,   // another account has this e-mail key
  not_found,     // no such account, or no such live set-up token
  conflict,      // the stored hash is not the expected one: somebody changed it in between
  admin_exists,  // the first admin has been set up already
  last_admin,    // it would leave nobody who can administrate
  unavailable    // full queue, full disk, broken file; nothing is known to have been stored
};
std::string_view to_string(StoreError error);

// Store keeps accounts, the set-up token and the known devices. Each method is one atomic step, and
// what it changed is durable when it returns success. Implementations used by a server are safe to
// call from any thread and may block.
class Store {
 public:
  virtual ~Store() = default;

  // create adds the account unless its e-mail key is taken (or, never seen in practice, its id:
  // conflict).
  virtual Result<void, StoreError> create(const Account& account) = 0;
  virtual Result<Account, StoreError> find_by_email_key(std::string_view email_key) = 0;
  virtual Result<Account, StoreError> find_by_id(std::string_view id) = 0;
  // Up to `limit` accounts in the order of their ids, those behind `after_id`; "" begins.
  virtual Result<std::vector<Account>, StoreError> list(std::string_view after_id,
                                                        std::size_t limit) = 0;

  // Puts `next` where `expected` is still stored, so that two changes cannot undo each other.
  // change_password also sets password_changed_at and forgets the account's devices; upgrade_hash
  // (same password, better parameters) leaves both alone.
  virtual Result<void, StoreError> change_password(std::string_view id, std::string_view expected,
                                                   std::string_view next, Time changed_at) = 0;
  virtual Result<void, StoreError> upgrade_hash(std::string_view id, std::string_view expected,
                                                std::string_view next) = 0;

  // set_roles and disable refuse with last_admin what would take the role or the access from the
  // last enabled admin.
  virtual Result<void, StoreError> set_roles(std::string_view id,
                                             const std::vector<std::string>& roles) = 0;
  virtual Result<void, StoreError> disable(std::string_view id) = 0;
  virtual Result<void, StoreError> enable(std::string_view id) = 0;
  // Accounts with the admin role, disabled ones too.
  virtual Result<std::size_t, StoreError> count_admins() = 0;

  // There is one set-up token at most: put replaces the one before. Refused with admin_exists once
  // there is an admin.
  virtual Result<void, StoreError> put_setup_token(const Digest& token, Time expires_at) = 0;
  // Success where that token is stored and expires after `now`, and no admin exists.
  virtual Result<void, StoreError> check_setup_token(const Digest& token, Time now) = 0;
  // Creates the account and removes the token in one step; on any refusal neither happens.
  virtual Result<void, StoreError> create_first_admin(const Digest& token, Time now,
                                                      const Account& account) = 0;

  // Remembers a device until `expires_at`; beyond `most` devices those that expire first are
  // dropped.
  virtual Result<void, StoreError> remember_device(std::string_view account_id,
                                                   const Digest& device, Time expires_at,
                                                   std::size_t most) = 0;
  virtual Result<bool, StoreError> knows_device(std::string_view account_id, const Digest& device,
                                                Time now) = 0;

  // Removes set-up tokens and devices that expired at or before `now`; says how many.
  virtual Result<std::size_t, StoreError> remove_expired(Time now) = 0;
};

}  // namespace moat::accounts
