// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/http/browser_report.h"

namespace moat::gateway {

// Where browsers send reports to. Moat answers it itself, with accounts or without.
inline constexpr std::string_view reports_path = "/.well-known/moat/reports";

// ReportCollector counts what browsers report and keeps the newest different ones, so that a
// developer sees what a policy would block before he enforces it. It lasts as long as the process.
// Its memory is bounded whatever is sent: anybody can send reports. Thread-safe.
class ReportCollector final {
 public:
  // Different reports that are kept; the one that was seen last the longest ago makes room.
  static constexpr std::size_t most_kept = 64;
  // Each is logged when it comes and then once a minute, and of all no more than that a minute.
  static constexpr unsigned lines_a_minute = 20;

  ReportCollector() = default;
  ReportCollector(const ReportCollector&) = delete;  // it owns a lock
  ReportCollector& operator=(const ReportCollector&) = delete;

  struct Moment {
    Time time;
    Tick tick;
  };
  // `route` is the pattern of a route, or a name of ours: never a stranger's words.
  void add(const http::BrowserReport& report, std::string_view route, Moment now, const Log& log);
  // One of a document that is not served here. It is counted alone.
  void add_foreign();

  // For people: one line each, the newest first, below a head.
  std::string table() const;
  // The counts in the text format of Prometheus.
  std::string prometheus() const;

 private:
  // What tells one report from another.
  struct Kind {
    http::ReportType type;
    std::string_view directive;
    http::Disposition disposition;
    std::string route;
    std::string blocked;
    bool operator==(const Kind&) const = default;
  };
  struct Entry {
    Kind kind;
    std::uint64_t count = 0;
    std::uint64_t logged = 0;  // of `count`
    Tick last_line{};
    Time first;
    Time last;
    http::BrowserReport newest;
  };
  Entry& entry_of(Kind kind, Moment now);
  void log_entry(Entry& entry, Tick now, const Log& log);

  mutable std::mutex mutex_;
  // Of words of ours only, so there are at most a few hundred.
  std::map<std::tuple<http::ReportType, std::string_view, http::Disposition>, std::uint64_t>
      counts_;
  std::uint64_t foreign_ = 0;
  std::list<Entry> entries_;  // the newest first
  Tick lines_since_{};
  unsigned lines_ = 0;
  std::uint64_t passed_over_ = 0;
};

}  // namespace moat::gateway
