// SPDX-License-Identifier: Apache-2.0
#include "moat/store/internal/database.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace moat::store {
namespace {

// 'Moat' in ASCII, as sql::set_application_id writes it.
constexpr std::int64_t moat_application_id = 1299144052;

OpenError broken(const Connection& connection, const std::string& path) {
  const int primary = connection.failure_code() & 0xff;
  const bool damaged = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
  return {damaged ? OpenRefusal::damaged : OpenRefusal::unavailable,
          path + ": " + connection.failure()};
}

Result<std::unique_ptr<Connection>, OpenError> connect(const std::string& path,
                                                       const SqliteOptions& options) {
  auto connection = std::make_unique<Connection>();
  if (!connection->open(path, static_cast<int>(options.busy.count()))) {
    return Error{broken(*connection, path)};
  }
  return connection;
}

// Looks before anything is written: the file may be somebody else's.
Result<void, OpenError> recognise(Connection& connection, const std::string& path) {
  Query identity = connection.query(sql::identity);
  if (!identity.next()) return Error{broken(connection, path)};
  const std::int64_t id = identity.integer(0);
  const std::int64_t objects = identity.integer(1);
  if (id == moat_application_id || (id == 0 && objects == 0)) return {};
  return Error{OpenError{OpenRefusal::foreign_file, path + " is a database of another program"}};
}

// SQLite waits for other programs everywhere but here: who asks for the other journal while another
// program does the same, or has begun to write, is told at once that the file is locked.
Result<void, OpenError> use_write_ahead_log(Connection& connection, const std::string& path,
                                            std::chrono::milliseconds busy) {
  const auto give_up = std::chrono::steady_clock::now() + busy;
  for (;;) {
    {
      Query mode = connection.query(sql::use_wal);
      if (mode.next()) {
        if (mode.text(0) == "wal") return {};
        return Error{OpenError{OpenRefusal::unavailable, path + ": no write-ahead log here"}};
      }
    }
    const bool locked = (connection.failure_code() & 0xff) == SQLITE_BUSY;
    if (!locked || std::chrono::steady_clock::now() >= give_up) {
      return Error{broken(connection, path)};
    }
    connection.clear_failure();
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

// Inside a transaction: two processes that start together must not both migrate.
Result<void, OpenError> apply_migrations(Connection& connection, const std::string& path,
                                         std::span<const Sql> versions) {
  connection.run(sql::create_schema_version);
  const std::int64_t found = connection.number(sql::schema_version);
  if (connection.failed()) return Error{broken(connection, path)};
  const auto known = static_cast<std::int64_t>(versions.size());
  if (found > known) {
    return Error{OpenError{OpenRefusal::newer_schema,
                           path + " has schema " + std::to_string(found) +
                               ", this program knows up to " + std::to_string(known)}};
  }
  for (std::int64_t version = found + 1; version <= known; ++version) {
    connection.script(versions[static_cast<std::size_t>(version - 1)]);
    connection.run(sql::insert_schema_version, version);
  }
  connection.run(sql::set_application_id);
  if (connection.failed()) return Error{broken(connection, path)};
  return {};
}

}  // namespace

Result<void, OpenError> migrate(Connection& connection, const std::string& path,
                                std::span<const Sql> versions, std::chrono::milliseconds busy) {
  if (auto ours = recognise(connection, path); !ours) return ours;
  if (auto logged = use_write_ahead_log(connection, path, busy); !logged) return logged;
  connection.run(sql::limit_wal);
  connection.run(sql::begin_write);
  if (connection.failed()) return Error{broken(connection, path)};
  auto done = apply_migrations(connection, path, versions);
  if (done) {
    connection.run(sql::commit);
    if (!connection.failed()) return {};
    done = Error{broken(connection, path)};
  }
  connection.clear_failure();
  if (connection.in_transaction()) connection.run(sql::rollback);
  return done;
}

Result<std::unique_ptr<Database>, OpenError> Database::open(const std::string& directory,
                                                            const SqliteOptions& options) {
  if (sqlite3_threadsafe() == 0) {
    return Error{
        OpenError{OpenRefusal::unavailable, directory + ": SQLite is built without threads"}};
  }
  MOAT_TRY(const std::string path, prepare_files(directory));
  MOAT_TRY(std::unique_ptr<Connection> writing, connect(path, options));
  if (auto current = migrate(*writing, path, sql::migrations, options.busy); !current)
    return Error{std::move(current).error()};
  std::vector<std::unique_ptr<Connection>> readers;
  for (std::size_t i = 0; i < std::max<std::size_t>(options.readers, 1); ++i) {
    MOAT_TRY(std::unique_ptr<Connection> reading, connect(path, options));
    reading->run(sql::query_only);
    if (reading->failed()) return Error{broken(*reading, path)};
    readers.push_back(std::move(reading));
  }
  return std::unique_ptr<Database>(new Database(std::move(writing), std::move(readers), options));
}

Database::Database(std::unique_ptr<Connection> writing,
                   std::vector<std::unique_ptr<Connection>> readers, const SqliteOptions& options)
    : readers_(std::move(readers)),
      writer_(std::move(writing), {std::max<std::size_t>(options.write_queue, 1), 256}) {
  for (const auto& reader : readers_) idle_.push_back(reader.get());
}

Database::Lease::Lease(Database& database) : owner(database) {
  std::unique_lock lock(owner.mutex_);
  owner.returned_.wait(lock, [this] { return !owner.idle_.empty(); });
  connection = owner.idle_.back();
  owner.idle_.pop_back();
  connection->clear_failure();
}

Database::Lease::~Lease() {
  {
    const std::lock_guard lock(owner.mutex_);
    owner.idle_.push_back(connection);
  }
  owner.returned_.notify_one();
}

}  // namespace moat::store
