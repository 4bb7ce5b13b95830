// SPDX-License-Identifier: Apache-2.0
#include "moat/store/internal/sqlite_keys.h"

#include <algorithm>

namespace moat::store {
namespace {

using session::KeyRecord;
using session::KeyUse;
using session::Revocation;
using session::StoreError;

// Uses noted in one transaction, rows deleted in one; other writers get their turn in between.
constexpr std::size_t batch = 500;

KeyRecord read_key(const Query& row) {
  KeyRecord record;
  record.id = row.text(0);
  record.user_id = row.text(1);
  record.key_hash = row.digest(2);
  record.name = row.text(3);
  record.scopes = row.text(4);
  record.created_at = row.time(5);
  record.expires_at = row.time(6);
  if (!row.is_null(7)) record.last_used_at = row.time(7);
  if (!row.is_null(8)) record.revoked_at = row.time(8);
  return record;
}

}  // namespace

Result<bool, StoreError> SqliteKeys::create(const KeyRecord& record, std::size_t most, Time now) {
  return database_.write([&](Connection& connection) -> Result<bool, StoreError> {
    const auto live = connection.number(sql::count_live_keys, record.user_id, now);
    if (live < 0 || static_cast<std::size_t>(live) >= most) return false;
    connection.run(sql::insert_key, record.id, record.user_id, record.key_hash, record.name,
                   record.scopes, record.created_at, record.expires_at, record.last_used_at,
                   record.revoked_at);
    return true;
  });
}

Result<std::optional<KeyRecord>, StoreError> SqliteKeys::find(std::string_view id) {
  return database_.read(
      [&](Connection& connection) -> Result<std::optional<KeyRecord>, StoreError> {
        Query row = connection.query(sql::find_key, id);
        if (!row.next()) return std::optional<KeyRecord>{};
        return std::optional<KeyRecord>{read_key(row)};
      });
}

Result<std::vector<KeyRecord>, StoreError> SqliteKeys::list(std::string_view user_id, Time now) {
  return database_.read([&](Connection& connection) -> Result<std::vector<KeyRecord>, StoreError> {
    std::vector<KeyRecord> records;
    Query rows = connection.query(sql::list_keys, user_id, now);
    while (rows.next()) records.push_back(read_key(rows));
    return records;
  });
}

Result<bool, StoreError> SqliteKeys::revoke(std::string_view id, std::string_view user_id,
                                            Time now) {
  return database_.write([&](Connection& connection) -> Result<bool, StoreError> {
    return connection.run(sql::revoke_key, id, user_id, now) == 1;
  });
}

Result<std::vector<std::string>, StoreError> SqliteKeys::revoke_all(std::string_view user_id,
                                                                    Time now) {
  return database_.write(
      [&](Connection& connection) -> Result<std::vector<std::string>, StoreError> {
        std::vector<std::string> revoked;
        Query rows = connection.query(sql::revoke_keys, user_id, now);
        while (rows.next()) revoked.push_back(rows.text(0));
        return revoked;
      });
}

Result<std::vector<Revocation>, StoreError> SqliteKeys::revocations_since(Time since) {
  return database_.read([&](Connection& connection) -> Result<std::vector<Revocation>, StoreError> {
    std::vector<Revocation> found;
    Query rows = connection.query(sql::key_revocations_since, since);
    while (rows.next()) found.push_back({rows.text(0), rows.time(1)});
    return found;
  });
}

Result<void, StoreError> SqliteKeys::note_uses(std::span<const KeyUse> uses) {
  while (!uses.empty()) {
    const auto some = uses.subspan(0, std::min(batch, uses.size()));
    auto noted = database_.write([&](Connection& connection) -> Result<void, StoreError> {
      for (const KeyUse& use : some) connection.run(sql::note_key_use, use.id, use.at);
      return {};
    });
    if (!noted) return noted;
    uses = uses.subspan(some.size());
  }
  return {};
}

Result<std::size_t, StoreError> SqliteKeys::delete_expired(Time before) {
  std::size_t total = 0;
  while (true) {
    const auto deleted =
        database_.write([&](Connection& connection) -> Result<std::int64_t, StoreError> {
          return connection.run(sql::delete_expired_keys, before, batch);
        });
    if (!deleted) return Error{deleted.error()};
    total += static_cast<std::size_t>(*deleted);
    if (static_cast<std::size_t>(*deleted) < batch) return total;
  }
}

}  // namespace moat::store
