// SPDX-License-Identifier: Apache-2.0
#include "moat/store/internal/sqlite_accounts.h"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace moat::store {
namespace {

using accounts::Account;
using accounts::StoreError;

// The rows of the find_account and list_accounts statements: one a role, neighbours where they are
// of one account.
std::vector<Account> read_accounts(Query& rows) {
  std::vector<Account> found;
  while (rows.next()) {
    std::string id = rows.text(0);
    if (found.empty() || found.back().id != id) {
      Account account;
      account.id = std::move(id);
      account.email = rows.text(1);
      account.email_key = rows.text(2);
      account.created_at = rows.time(3);
      account.password_hash = rows.text(4);
      account.password_changed_at = rows.time(5);
      account.disabled = rows.integer(6) != 0;
      found.push_back(std::move(account));
    }
    if (!rows.is_null(7)) found.back().roles.push_back(rows.text(7));
  }
  return found;
}

Result<Account, StoreError> one_account(Connection& connection, const Sql& sql,
                                        std::string_view key) {
  Query rows = connection.query(sql, key);
  std::vector<Account> found = read_accounts(rows);
  if (found.empty()) return Error{StoreError::not_found};
  return std::move(found.front());
}

void insert_roles(Connection& connection, std::string_view id,
                  const std::vector<std::string>& roles) {
  std::int64_t position = 0;
  for (const auto& role : roles) connection.run(sql::insert_role, id, position++, role);
}

Result<void, StoreError> insert_account(Connection& connection, const Account& account) {
  if (connection.exists(sql::email_key_exists, account.email_key)) {
    return Error{StoreError::email_taken};
  }
  const auto added = connection.run(sql::insert_account, account.id, account.email,
                                    account.email_key, account.created_at, account.password_hash,
                                    account.password_changed_at, account.disabled);
  if (added == 0) return Error{StoreError::conflict};
  insert_roles(connection, account.id, account.roles);
  return {};
}

Result<void, StoreError> live_setup_token(Connection& connection, const Digest& token, Time now) {
  if (connection.number(sql::count_admins) > 0) return Error{StoreError::admin_exists};
  if (!connection.exists(sql::live_setup_token, token, now)) return Error{StoreError::not_found};
  return {};
}

// Whether the account is the only one who can administrate.
bool is_last_admin(Connection& connection, std::string_view id) {
  return connection.exists(sql::is_enabled_admin, id) &&
         !connection.exists(sql::other_enabled_admin, id);
}

// Why an update of one account has changed nothing.
StoreError why_unchanged(Connection& connection, std::string_view id) {
  return connection.exists(sql::account_exists, id) ? StoreError::conflict : StoreError::not_found;
}

std::int64_t as_limit(std::size_t count) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(count, most));
}

}  // namespace

Result<void, StoreError> SqliteAccounts::create(const Account& account) {
  return database_.write(
      [&](Connection& connection) { return insert_account(connection, account); });
}

Result<Account, StoreError> SqliteAccounts::find_by_email_key(std::string_view email_key) {
  return database_.read([&](Connection& connection) {
    return one_account(connection, sql::find_account_by_email_key, email_key);
  });
}

Result<Account, StoreError> SqliteAccounts::find_by_id(std::string_view id) {
  return database_.read(
      [&](Connection& connection) { return one_account(connection, sql::find_account_by_id, id); });
}

Result<std::vector<Account>, StoreError> SqliteAccounts::list(std::string_view after_id,
                                                              std::size_t limit) {
  return database_.read([&](Connection& connection) -> Result<std::vector<Account>, StoreError> {
    Query rows = connection.query(sql::list_accounts, after_id, as_limit(limit));
    return read_accounts(rows);
  });
}

Result<void, StoreError> SqliteAccounts::change_password(std::string_view id,
                                                         std::string_view expected,
                                                         std::string_view next, Time changed_at) {
  return database_.write([&](Connection& connection) -> Result<void, StoreError> {
    if (connection.run(sql::change_password, id, expected, next, changed_at) == 0) {
      return Error{why_unchanged(connection, id)};
    }
    connection.run(sql::forget_devices, id);
    return {};
  });
}

Result<void, StoreError> SqliteAccounts::upgrade_hash(std::string_view id,
                                                      std::string_view expected,
                                                      std::string_view next) {
  return database_.write([&](Connection& connection) -> Result<void, StoreError> {
    if (connection.run(sql::upgrade_hash, id, expected, next) == 0) {
      return Error{why_unchanged(connection, id)};
    }
    return {};
  });
}

Result<void, StoreError> SqliteAccounts::set_roles(std::string_view id,
                                                   const std::vector<std::string>& roles) {
  return database_.write([&](Connection& connection) -> Result<void, StoreError> {
    if (!connection.exists(sql::account_exists, id)) return Error{StoreError::not_found};
    const bool stays_admin =
        std::find(roles.begin(), roles.end(), accounts::admin_role) != roles.end();
    if (!stays_admin && is_last_admin(connection, id)) return Error{StoreError::last_admin};
    connection.run(sql::delete_roles, id);
    insert_roles(connection, id, roles);
    return {};
  });
}

Result<void, StoreError> SqliteAccounts::disable(std::string_view id) {
  return database_.write([&](Connection& connection) -> Result<void, StoreError> {
    if (is_last_admin(connection, id)) return Error{StoreError::last_admin};
    if (connection.run(sql::set_disabled, id, true) == 0) return Error{StoreError::not_found};
    return {};
  });
}

Result<void, StoreError> SqliteAccounts::enable(std::string_view id) {
  return database_.write([&](Connection& connection) -> Result<void, StoreError> {
    if (connection.run(sql::set_disabled, id, false) == 0) return Error{StoreError::not_found};
    return {};
  });
}

Result<std::size_t, StoreError> SqliteAccounts::count_admins() {
  return database_.read([](Connection& connection) -> Result<std::size_t, StoreError> {
    return static_cast<std::size_t>(connection.number(sql::count_admins));
  });
}

Result<void, StoreError> SqliteAccounts::put_setup_token(const Digest& token, Time expires_at) {
  return database_.write([&](Connection& connection) -> Result<void, StoreError> {
    if (connection.number(sql::count_admins) > 0) return Error{StoreError::admin_exists};
    connection.run(sql::put_setup_token, token, expires_at);
    return {};
  });
}

Result<void, StoreError> SqliteAccounts::check_setup_token(const Digest& token, Time now) {
  return database_.read(
      [&](Connection& connection) { return live_setup_token(connection, token, now); });
}

Result<void, StoreError> SqliteAccounts::create_first_admin(const Digest& token, Time now,
                                                            const Account& account) {
  return database_.write([&](Connection& connection) -> Result<void, StoreError> {
    if (auto live = live_setup_token(connection, token, now); !live) return live;
    if (auto added = insert_account(connection, account); !added) return added;
    connection.run(sql::delete_setup_token);
    return {};
  });
}

Result<void, StoreError> SqliteAccounts::remember_device(std::string_view account_id,
                                                         const Digest& device, Time expires_at,
                                                         std::size_t most) {
  return database_.write([&](Connection& connection) -> Result<void, StoreError> {
    if (!connection.exists(sql::account_exists, account_id)) return Error{StoreError::not_found};
    connection.run(sql::remember_device, account_id, device, expires_at);
    connection.run(sql::drop_surplus_devices, account_id, as_limit(most));
    return {};
  });
}

Result<bool, StoreError> SqliteAccounts::knows_device(std::string_view account_id,
                                                      const Digest& device, Time now) {
  return database_.read([&](Connection& connection) -> Result<bool, StoreError> {
    return connection.exists(sql::knows_device, account_id, device, now);
  });
}

Result<std::size_t, StoreError> SqliteAccounts::remove_expired(Time now) {
  return database_.write([&](Connection& connection) -> Result<std::size_t, StoreError> {
    const auto tokens = connection.run(sql::delete_expired_setup_token, now);
    const auto devices = connection.run(sql::delete_expired_devices, now);
    return static_cast<std::size_t>(tokens + devices);
  });
}

}  // namespace moat::store
