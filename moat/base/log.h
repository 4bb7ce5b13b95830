// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "moat/base/clock.h"

namespace moat {

class Secret;

enum class Level { debug, info, warn, error };

// Field is one key and value of a log line. A Secret has no way in: the constructor is deleted.
struct Field {
  using Value = std::variant<std::string_view, std::int64_t, double, bool>;
  std::string_view key;
  Value value;
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, std::int64_t v) : key(k), value(v) {}
  Field(std::string_view k, int v) : key(k), value(std::int64_t{v}) {}
  Field(std::string_view k, std::uint64_t v) : key(k), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, const Secret&) = delete;  // secrets are never logged
};

// LineWriter writes whole lines to a descriptor from a thread of its own, so that a reader who does
// not keep up, or a full disk, stops nobody: beyond a mebibyte that waits, and where a write fails,
// lines are dropped and counted. The destructor writes what is left, for at most a second.
// Thread-safe.
class LineWriter final {
 public:
  // Says on standard error itself how many lines it had to drop.
  static std::shared_ptr<LineWriter> to_stderr();
  // Takes `fd` over.
  static std::shared_ptr<LineWriter> to_descriptor(int fd);
  LineWriter(const LineWriter&) = delete;  // one thread
  LineWriter& operator=(const LineWriter&) = delete;
  ~LineWriter();

  void add(std::string_view line);  // newline included
  // What is added from now on goes to `fd`, which it takes over; the old one is closed.
  void replace(int fd);
  std::uint64_t dropped() const;  // lines in all

 private:
  struct State;
  explicit LineWriter(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
  struct Thread;
  std::unique_ptr<Thread> thread_;
};

// Log writes one JSON object a line: {"time":…,"level":…,"event":…, fields}. Control bytes and
// quotes are escaped, so a stranger's text cannot forge a line; keys that name credentials (cookie,
// set-cookie, authorization, password, token, secret, …) come out as "[redacted]"; keys that end in
// "email" are masked (a***@example.com); target, url and referer go through redact_url. Thread-safe
// where the sink is: each line is handed over whole, newline included.
class Log final {
 public:
  using Sink = std::function<void(std::string_view line)>;
  Log(Clock& clock, Sink sink, Level least = Level::info);
  // Writes to standard error from a thread of its own, so that a reader who does not keep up stops
  // nobody: beyond a mebibyte that waits lines are dropped, and the next one says how many. The
  // last copy writes what is left, for at most a second.
  static Log to_stderr(Clock& clock, Level least = Level::info);
  static Log discard();

  void write(Level level, std::string_view event, std::initializer_list<Field> fields = {}) const;
  void debug(std::string_view e, std::initializer_list<Field> f = {}) const {
    write(Level::debug, e, f);
  }
  void info(std::string_view e, std::initializer_list<Field> f = {}) const {
    write(Level::info, e, f);
  }
  void warn(std::string_view e, std::initializer_list<Field> f = {}) const {
    write(Level::warn, e, f);
  }
  void error(std::string_view e, std::initializer_list<Field> f = {}) const {
    write(Level::error, e, f);
  }
  // The same log, from another level on.
  Log at(Level least) const {
    Log copy = *this;
    copy.least_ = least;
    return copy;
  }
  bool enabled(Level level) const { return level >= least_; }
  // Hands over a whole line that somebody else has made safe, newline included, as it is.
  void write_line(std::string_view line) const { sink_(line); }

 private:
  Clock* clock_;
  Sink sink_;
  Level least_;
};

// redact_url hides what a URL may carry: a user name and password before its host, and in query and
// fragment the values of keys such as token, code, password, state.
std::string redact_url(std::string_view target);
std::string mask_email(std::string_view email);

}  // namespace moat
