// SPDX-License-Identifier: Apache-2.0
#include "moat/store/internal/connection.h"

#include <algorithm>

namespace moat::store {

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Query::check(int code) {
  if (code != SQLITE_OK) connection_.fail(code);
}

void Query::bind(int index, std::string_view text) {
  if (statement_ == nullptr) return;
  // A null pointer would bind NULL, not the empty text.
  const char* data = text.data() == nullptr ? "" : text.data();
  check(sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Query::bind(int index, Blob blob) {
  if (statement_ == nullptr) return;
  const char* data = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  check(sqlite3_bind_blob64(statement_, index, data, blob.bytes.size(), SQLITE_TRANSIENT));
}

void Query::bind_integer(int index, std::int64_t number) {
  if (statement_ == nullptr) return;
  check(sqlite3_bind_int64(statement_, index, number));
}

bool Query::next() {
  if (statement_ == nullptr || connection_.failed()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_.fail(code);
  return false;
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Query::text(int column) const {
  // column_blob gives the bytes of a text as they are, NUL included.
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (size <= 0) return {};
  if (data == nullptr) {
    connection_.fail(SQLITE_NOMEM);
    return {};
  }
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Time Query::time(int column) const { return Time{std::chrono::microseconds{integer(column)}}; }

Digest Query::digest(int column) const {
  Digest digest{};
  const std::string bytes = text(column);
  if (bytes.size() != digest.size()) {
    connection_.fail(SQLITE_CORRUPT);
    return digest;
  }
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

Connection::~Connection() {
  statements_.clear();  // before the handle they belong to
}

bool Connection::open(const std::string& path, int busy_milliseconds) {
  sqlite3* handle = nullptr;
  // No SQLITE_OPEN_CREATE: the file is made beforehand, with its permissions. No URI: a path is a
  // path.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                    SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) {
    fail(code);
    return false;
  }
  sqlite3_busy_timeout(handle, busy_milliseconds);
  // A damaged or planted schema must not make SQLite do more than store rows.
  for (const int option : {SQLITE_DBCONFIG_DEFENSIVE}) {
    if (const int set = sqlite3_db_config(handle, option, 1, nullptr); set != SQLITE_OK) fail(set);
  }
  for (const int option :
       {SQLITE_DBCONFIG_DQS_DDL, SQLITE_DBCONFIG_DQS_DML, SQLITE_DBCONFIG_TRUSTED_SCHEMA,
        SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW}) {
    if (const int set = sqlite3_db_config(handle, option, 0, nullptr); set != SQLITE_OK) fail(set);
  }
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  script(sql::harden);
  return !failed();
}

void Connection::script(const Sql& sql) {
  if (failed()) return;
  const int code = sqlite3_exec(handle_.get(), sql.text(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::string Connection::failure() const { return sqlite3_errstr(code_); }

void Connection::fail(int code) {
  if (code_ == SQLITE_OK) code_ = code;
}

sqlite3_stmt* Connection::prepared(const Sql& sql) {
  if (failed()) return nullptr;
  auto& slot = statements_[sql.text()];
  if (!slot) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql.text(), sql.length(),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    slot.reset(statement);
    if (code != SQLITE_OK) {
      fail(code);
      return nullptr;
    }
  }
  if (sqlite3_stmt_busy(slot.get()) != 0) {  // the same statement inside itself
    fail(SQLITE_MISUSE);
    return nullptr;
  }
  return slot.get();
}

}  // namespace moat::store
