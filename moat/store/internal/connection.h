// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include "moat/base/clock.h"
#include "moat/base/hash.h"
#include "moat/store/internal/sql.h"

namespace moat::store {

class Connection;

// Bytes that are no text.
struct Blob {
  std::string_view bytes;
};

// Query is one running statement with its values bound. It resets the statement and forgets the
// values when it dies, so that no read transaction and no hash lingers. What goes wrong is
// remembered by the connection (see failed()).
class Query final {
 public:
  // Binds `values` to ?1, ?2, … Their bytes are copied.
  template <class... Values>
  Query(Connection& connection, sqlite3_stmt* statement, const Values&... values)
      : connection_(connection), statement_(statement) {
    [[maybe_unused]] int index = 0;
    (bind(++index, values), ...);
  }
  Query(const Query&) = delete;  // one running statement has one owner
  Query& operator=(const Query&) = delete;
  ~Query();

  // Steps to the next row; false at the end and after any failure.
  [[nodiscard]] bool next();
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string text(int column) const;  // text or blob, all its bytes
  Time time(int column) const;
  // A digest; all zero (and the connection failed) where the column is not 32 bytes.
  Digest digest(int column) const;

 private:
  void bind(int index, std::string_view text);
  void bind(int index, Blob blob);
  void bind(int index, const Digest& digest) { bind(index, Blob{as_bytes(digest)}); }
  void bind(int index, Time time) { bind_integer(index, time.time_since_epoch().count()); }
  template <class Integer, class = std::enable_if_t<std::is_integral_v<Integer>>>
  void bind(int index, Integer number) {
    bind_integer(index, static_cast<std::int64_t>(number));
  }
  // Nothing is bound as NULL, which is what an unbound parameter is.
  template <class Value>
  void bind(int index, const std::optional<Value>& value) {
    if (value) bind(index, *value);
  }
  void bind_integer(int index, std::int64_t number);
  void check(int code);

  Connection& connection_;
  sqlite3_stmt* statement_;
};

// Connection is one open database with its prepared statements. One thread at a time.
//
// Failure is sticky: after the first statement that fails, failed() is true and every further query
// yields nothing, until clear_failure(). So whoever runs several statements looks once, at the end,
// and cannot overlook one.
class Connection final {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;  // owns the handle and its statements
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Opens an existing file for reading and writing and hardens the connection; false with failure()
  // set otherwise.
  [[nodiscard]] bool open(const std::string& path, int busy_milliseconds);

  template <class... Values>
  Query query(const Sql& sql, const Values&... values) {
    return Query(*this, prepared(sql), values...);
  }
  // Runs a statement for its effect; the number of rows it changed.
  template <class... Values>
  std::int64_t run(const Sql& sql, const Values&... values) {
    Query statement(*this, prepared(sql), values...);
    while (statement.next()) {
    }
    return failed() ? 0 : changes();
  }
  // True where the statement yields a row.
  template <class... Values>
  bool exists(const Sql& sql, const Values&... values) {
    Query statement(*this, prepared(sql), values...);
    return statement.next();
  }
  // The number in the first column of the first row; 0 without one.
  template <class... Values>
  std::int64_t number(const Sql& sql, const Values&... values) {
    Query statement(*this, prepared(sql), values...);
    return statement.next() ? statement.integer(0) : 0;
  }
  // Runs a text of several statements without values.
  void script(const Sql& sql);

  bool failed() const { return code_ != SQLITE_OK; }
  // SQLite's words about the first failure, without any value.
  std::string failure() const;
  int failure_code() const { return code_; }
  void clear_failure() { code_ = SQLITE_OK; }
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

 private:
  friend class Query;
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  void fail(int code);
  sqlite3_stmt* prepared(const Sql& sql);
  std::int64_t changes() const { return sqlite3_changes64(handle_.get()); }

  std::unique_ptr<sqlite3, Close> handle_;
  // By the address of the text, a literal of the program: it is never reused for another one.
  std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
  int code_ = SQLITE_OK;
};

}  // namespace moat::store
