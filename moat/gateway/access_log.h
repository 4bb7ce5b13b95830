// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/gateway/config.h"

namespace moat::gateway {

// Access is one request that is over. The texts are as they came: the log makes them safe.
struct Access {
  Time begun{};
  std::chrono::nanoseconds took{};
  std::chrono::nanoseconds backend_took{-1};  // to the first byte of its answer; negative: none
  int status = 0;                             // 499: the client left before there was an answer
  bool complete = false;                      // the answer left whole
  std::string_view method;
  std::string_view target;
  bool hide_query = false;      // it may carry a secret whatever its keys are called
  std::string_view protocol;    // HTTP/1.1
  std::string_view tls;         // TLSv1.3; empty on the plain port
  std::string client;           // the canonical address
  std::string_view user;        // an id
  std::string_view route;       // the pattern that served it, or a name in parentheses
  std::string_view backend;     // host:port
  std::uint64_t bytes_in = 0;   // of the request's body
  std::uint64_t bytes_out = 0;  // of the answer's body, as far as the connection took them
  std::string_view request_id;
  std::string_view trace_id;
  std::string_view code;  // why it was refused
  std::string_view referer;
  std::string_view user_agent;
};

// Appends a line in Apache's "combined" format. Quotes, backslashes, control bytes and what is not
// ASCII come out as \xHH, so a stranger's text neither ends a field nor begins a line.
void append_combined(const Access& access, std::string& out);
// Writes the same as JSON, with all fields, through `log`.
void log_json(const Access& access, const Log& log);

// AccessLog writes a line for each request, to a file or beside the log. Thread-safe.
class AccessLog final {
 public:
  // `log.access` says how, `log.access_path` where. The error is a sentence.
  [[nodiscard]] static Result<std::unique_ptr<AccessLog>, std::string> open(const Config& config,
                                                                            Clock& clock,
                                                                            const Log& log);
  bool enabled() const { return format_ != AccessFormat::off; }
  void write(const Access& access) const;
  // Opens the file again, which has been moved away meanwhile; on an error it goes on in the old
  // one.
  [[nodiscard]] Result<void, std::string> reopen();
  std::uint64_t dropped() const { return writer_ == nullptr ? 0 : writer_->dropped(); }

 private:
  AccessLog(AccessFormat format, std::string path, std::shared_ptr<LineWriter> writer, Log log)
      : format_(format), path_(std::move(path)), writer_(std::move(writer)), log_(std::move(log)) {}
  AccessFormat format_;
  std::string path_;
  std::shared_ptr<LineWriter> writer_;  // null beside the log
  Log log_;
};

}  // namespace moat::gateway
