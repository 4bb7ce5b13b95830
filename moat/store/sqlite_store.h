// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "moat/accounts/store.h"
#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/session/key_store.h"
#include "moat/session/store.h"

namespace moat::store {

// Why the database was not opened. All but `unavailable` need the operator.
enum class OpenRefusal {
  insecure_directory,  // not a directory of this user with mode 0700
  insecure_file,       // not a regular file of this user with mode 0600
  foreign_file,        // a database, but not one of Moat's
  newer_schema,        // written by a newer Moat
  damaged,             // no database at all, or a broken one
  unavailable          // disk full, locked by another process for too long, no permission
};
std::string_view to_string(OpenRefusal refusal);

struct OpenError {
  OpenRefusal reason;
  std::string detail;  // for the operator, names the path
};

struct SqliteOptions {
  std::size_t readers = 4;               // connections; a read waits when all are in use
  std::size_t write_queue = 1024;        // writes waiting; one more is refused as unavailable
  std::chrono::milliseconds busy{5000};  // how long another process may hold the write lock
};

// SqliteStore keeps accounts, sessions and API keys in one SQLite database, moat.db, in a directory
// of its own. What a method changed has been synced to the disk when it returns success; concurrent
// writers share one sync (group commit). Reads do not wait for writers. Thread-safe. Methods block:
// call them from worker threads, never from an event loop.
//
// Several processes of one host may open the same directory; a network file system will not do.
class SqliteStore final {
 public:
  // Opens or makes the database. A missing directory is made with mode 0700, the files with 0600;
  // what is there with looser modes or another owner is refused, not repaired. Older schemas are
  // migrated in one transaction.
  static Result<std::unique_ptr<SqliteStore>, OpenError> open(const std::string& directory,
                                                              const SqliteOptions& options = {});
  ~SqliteStore();  // waits for the writes in flight; no method may be called any more
  SqliteStore(const SqliteStore&) = delete;  // owns a thread and connections
  SqliteStore& operator=(const SqliteStore&) = delete;

  accounts::Store& accounts();
  session::Store& sessions();
  session::KeyStore& keys();

  // Deletes what is over: set-up tokens and devices that have expired, and sessions and API keys
  // that expired or were revoked more than `keep_sessions` ago (keep them longer than an access
  // token lives). In small transactions, so that others get their turn. What was deleted before an
  // error stays deleted.
  Result<std::size_t, accounts::StoreError> sweep(
      Time now, std::chrono::seconds keep_sessions = std::chrono::hours{24});

  struct Counts {
    std::uint64_t transactions = 0;  // syncs, at most
    std::uint64_t writes = 0;
  };
  Counts counts() const;

 private:
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace moat::store
