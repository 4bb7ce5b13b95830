// SPDX-License-Identifier: Apache-2.0
#include "moat/store/internal/sqlite_sessions.h"

namespace moat::store {
namespace {

using session::Record;
using session::Revocation;
using session::RotateOutcome;
using session::StoreError;

// Rows deleted in one transaction; other writers get their turn in between.
constexpr std::int64_t deletion_batch = 500;

Record read_record(const Query& row) {
  Record record;
  record.id = row.text(0);
  record.user_id = row.text(1);
  record.token_hash = row.digest(2);
  record.generation = static_cast<std::uint32_t>(row.integer(3));
  record.started_at = row.time(4);
  record.rotated_at = row.time(5);
  record.expires_at = row.time(6);
  record.ends_at = row.time(7);
  record.idle = std::chrono::seconds{row.integer(8)};
  record.address = row.text(9);
  record.user_agent = row.text(10);
  record.exchanges = row.text(11);
  if (!row.is_null(12)) record.revoked_at = row.time(12);
  record.kind = static_cast<session::Kind>(row.integer(13));  // the table checks it
  record.scopes = row.text(14);
  return record;
}

}  // namespace

Result<void, StoreError> SqliteSessions::create(const Record& record) {
  return database_.write([&](Connection& connection) -> Result<void, StoreError> {
    connection.run(sql::insert_session, record.id, record.user_id, record.token_hash,
                   record.generation, record.started_at, record.rotated_at, record.expires_at,
                   record.ends_at, record.idle.count(), record.address, record.user_agent,
                   record.exchanges, record.revoked_at, static_cast<int>(record.kind),
                   record.scopes);
    return {};
  });
}

Result<std::optional<Record>, StoreError> SqliteSessions::find(std::string_view id) {
  return database_.read([&](Connection& connection) -> Result<std::optional<Record>, StoreError> {
    Query row = connection.query(sql::find_session, id);
    if (!row.next()) return std::optional<Record>{};
    return std::optional<Record>{read_record(row)};
  });
}

Result<RotateOutcome, StoreError> SqliteSessions::rotate(std::string_view id,
                                                         const session::Rotation& rotation) {
  return database_.write([&](Connection& connection) -> Result<RotateOutcome, StoreError> {
    const auto changed =
        connection.run(sql::rotate_session, id, rotation.expected_generation, rotation.token_hash,
                       rotation.rotated_at, rotation.expires_at, rotation.address,
                       rotation.user_agent, rotation.exchanges);
    if (changed == 1) return RotateOutcome::rotated;
    return connection.exists(sql::session_is_live, id) ? RotateOutcome::conflict
                                                       : RotateOutcome::gone;
  });
}

Result<bool, StoreError> SqliteSessions::revoke(std::string_view id, std::string_view user_id,
                                                Time now) {
  return database_.write([&](Connection& connection) -> Result<bool, StoreError> {
    return connection.run(sql::revoke_session, id, user_id, now) == 1;
  });
}

Result<std::vector<std::string>, StoreError> SqliteSessions::revoke_all(std::string_view user_id,
                                                                        std::string_view keep,
                                                                        Time now) {
  return database_.write(
      [&](Connection& connection) -> Result<std::vector<std::string>, StoreError> {
        std::vector<std::string> revoked;
        Query rows = connection.query(sql::revoke_sessions, user_id, keep, now);
        while (rows.next()) revoked.push_back(rows.text(0));
        return revoked;
      });
}

Result<std::vector<Record>, StoreError> SqliteSessions::list(std::string_view user_id, Time now) {
  return database_.read([&](Connection& connection) -> Result<std::vector<Record>, StoreError> {
    std::vector<Record> records;
    Query rows = connection.query(sql::list_sessions, user_id, now);
    while (rows.next()) records.push_back(read_record(rows));
    return records;
  });
}

Result<std::vector<Revocation>, StoreError> SqliteSessions::revocations_since(Time since) {
  return database_.read([&](Connection& connection) -> Result<std::vector<Revocation>, StoreError> {
    std::vector<Revocation> found;
    Query rows = connection.query(sql::revocations_since, since);
    while (rows.next()) found.push_back({rows.text(0), rows.time(1)});
    return found;
  });
}

Result<std::size_t, StoreError> SqliteSessions::delete_expired(Time before) {
  std::size_t total = 0;
  while (true) {
    const auto deleted =
        database_.write([&](Connection& connection) -> Result<std::int64_t, StoreError> {
          return connection.run(sql::delete_expired_sessions, before, deletion_batch);
        });
    if (!deleted) return Error{deleted.error()};
    total += static_cast<std::size_t>(*deleted);
    if (*deleted < deletion_batch) return total;
  }
}

}  // namespace moat::store
