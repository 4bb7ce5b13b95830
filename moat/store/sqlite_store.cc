// SPDX-License-Identifier: Apache-2.0
#include "moat/store/sqlite_store.h"

#include <utility>

#include "moat/store/internal/database.h"
#include "moat/store/internal/sqlite_accounts.h"
#include "moat/store/internal/sqlite_keys.h"
#include "moat/store/internal/sqlite_sessions.h"

namespace moat::store {

std::string_view to_string(OpenRefusal refusal) {
  switch (refusal) {
    case OpenRefusal::insecure_directory:
      return "insecure_directory";
    case OpenRefusal::insecure_file:
      return "insecure_file";
    case OpenRefusal::foreign_file:
      return "foreign_file";
    case OpenRefusal::newer_schema:
      return "newer_schema";
    case OpenRefusal::damaged:
      return "damaged";
    case OpenRefusal::unavailable:
      return "unavailable";
  }
  return "unknown";
}

struct SqliteStore::Impl {
  explicit Impl(std::unique_ptr<Database> opened)
      : database(std::move(opened)), accounts(*database), sessions(*database), keys(*database) {}
  std::unique_ptr<Database> database;
  SqliteAccounts accounts;
  SqliteSessions sessions;
  SqliteKeys keys;
};

Result<std::unique_ptr<SqliteStore>, OpenError> SqliteStore::open(const std::string& directory,
                                                                  const SqliteOptions& options) {
  MOAT_TRY(std::unique_ptr<Database> database, Database::open(directory, options));
  auto impl = std::make_unique<Impl>(std::move(database));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;

accounts::Store& SqliteStore::accounts() { return impl_->accounts; }
session::Store& SqliteStore::sessions() { return impl_->sessions; }
session::KeyStore& SqliteStore::keys() { return impl_->keys; }

Result<std::size_t, accounts::StoreError> SqliteStore::sweep(Time now,
                                                             std::chrono::seconds keep_sessions) {
  MOAT_TRY(const std::size_t of_accounts, impl_->accounts.remove_expired(now));
  const auto of_sessions = impl_->sessions.delete_expired(now - keep_sessions);
  const auto of_keys = impl_->keys.delete_expired(now - keep_sessions);
  if (!of_sessions || !of_keys) return Error{accounts::StoreError::unavailable};
  return of_accounts + *of_sessions + *of_keys;
}

SqliteStore::Counts SqliteStore::counts() const {
  const auto counts = impl_->database->writer().counts();
  return {counts.transactions, counts.steps};
}

}  // namespace moat::store
