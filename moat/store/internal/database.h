// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "moat/base/result.h"
#include "moat/store/internal/connection.h"
#include "moat/store/internal/writer.h"
#include "moat/store/sqlite_store.h"

namespace moat::store {

// Checks or makes the directory and the database file in it; the path of the file.
Result<std::string, OpenError> prepare_files(const std::string& directory);

// Brings the database of a hardened connection to the schema that `versions` make, in one
// transaction. Waits as long as `busy` for another program that has the file locked.
Result<void, OpenError> migrate(Connection& connection, const std::string& path,
                                std::span<const Sql> versions = sql::migrations,
                                std::chrono::milliseconds busy = SqliteOptions{}.busy);

// Database is one open file: the writer and a pool of connections that cannot write.
class Database final {
 public:
  static Result<std::unique_ptr<Database>, OpenError> open(const std::string& directory,
                                                           const SqliteOptions& options);

  // Runs `step(Connection&) -> Result<T, E>` in the writer's transaction. An error takes the step's
  // changes back. The result is handed out only when the transaction is durable; E::unavailable
  // where it is not, or a statement failed.
  template <class Step>
  auto write(Step&& step) -> std::invoke_result_t<Step&, Connection&> {
    using Outcome = std::invoke_result_t<Step&, Connection&>;
    std::optional<Outcome> result;
    const auto outcome = writer_.run([&](Connection& connection) {
      result.emplace(step(connection));
      return result->has_value();
    });
    if (outcome == Writer::Outcome::failed || !result) {
      return Error{Outcome::error_type::unavailable};
    }
    return std::move(*result);
  }

  // Runs `step(Connection&) -> Result<T, E>` on a connection of the pool. Each statement sees one
  // moment; a step of several sees several. E::unavailable where one failed.
  template <class Step>
  auto read(Step&& step) -> std::invoke_result_t<Step&, Connection&> {
    using Outcome = std::invoke_result_t<Step&, Connection&>;
    const Lease lease(*this);
    Outcome result = step(*lease.connection);
    if (lease.connection->failed()) return Error{Outcome::error_type::unavailable};
    return result;
  }

  Writer& writer() { return writer_; }

 private:
  // A connection taken from the pool for the length of a block.
  struct Lease {
    explicit Lease(Database& database);
    Lease(const Lease&) = delete;  // gives the connection back once
    Lease& operator=(const Lease&) = delete;
    ~Lease();
    Database& owner;
    Connection* connection;
  };

  Database(std::unique_ptr<Connection> writing, std::vector<std::unique_ptr<Connection>> readers,
           const SqliteOptions& options);

  std::vector<std::unique_ptr<Connection>> readers_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Connection*> idle_;
  Writer writer_;
};

}  // namespace moat::store
