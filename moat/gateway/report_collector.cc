// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/report_collector.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace moat::gateway {

namespace {

constexpr std::chrono::minutes between_lines{1};

// "app.js:7", as an editor takes it.
std::string place_of(const http::BrowserReport& report) {
  if (report.source.empty()) return {};
  std::string out = report.source;
  if (report.line > 0) out += ":" + std::to_string(report.line);
  if (report.line > 0 && report.column > 0) out += ":" + std::to_string(report.column);
  return out;
}

std::string or_dash(std::string_view text) { return std::string(text.empty() ? "-" : text); }

using Row = std::array<std::string, 8>;

// Columns as wide as their widest cell; numbers to the right.
std::string aligned(const std::vector<Row>& rows) {
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line(widths[0] - row[0].size(), ' ');
    line += row[0];
    for (std::size_t i = 1; i < row.size(); ++i) {
      line += "  " + row[i];
      line.append(widths[i] - row[i].size(), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace

void ReportCollector::add_foreign() {
  const std::lock_guard lock(mutex_);
  ++foreign_;
}

void ReportCollector::add(const http::BrowserReport& report, std::string_view route, Moment now,
                          const Log& log) {
  const std::lock_guard lock(mutex_);
  ++counts_[{report.type, report.directive, report.disposition}];
  Entry& entry = entry_of(
      Kind{report.type, report.directive, report.disposition, std::string(route), report.blocked},
      now);
  ++entry.count;
  entry.last = now.time;
  entry.newest = report;
  log_entry(entry, now.tick, log);
}

// Found or made, and moved to the front.
ReportCollector::Entry& ReportCollector::entry_of(Kind kind, Moment now) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.kind == kind; });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    return entries_.front();
  }
  if (entries_.size() == most_kept) entries_.pop_back();
  Entry& entry = entries_.emplace_front();
  entry.kind = std::move(kind);
  entry.first = now.time;
  return entry;
}

void ReportCollector::log_entry(Entry& entry, Tick now, const Log& log) {
  if (entry.logged > 0 && now - entry.last_line < between_lines) return;
  if (lines_ == 0 || now - lines_since_ >= between_lines) {
    lines_since_ = now;
    lines_ = 0;
  }
  // Reports that are all different must not become a flood of lines either.
  if (lines_ == lines_a_minute) {
    ++passed_over_;
    return;
  }
  ++lines_;
  const http::BrowserReport& report = entry.newest;
  const std::string place = place_of(report);
  log.info("browser_report", {{"type", http::to_string(entry.kind.type)},
                              {"route", entry.kind.route},
                              {"directive", entry.kind.directive},
                              {"blocked", entry.kind.blocked},
                              {"disposition", http::to_string(entry.kind.disposition)},
                              {"document", report.path},
                              {"source", place},
                              {"times", entry.count - entry.logged},
                              {"not_logged_before", passed_over_}});
  entry.logged = entry.count;
  entry.last_line = now;
  passed_over_ = 0;
}

std::string ReportCollector::table() const {
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) return "No browser has reported anything since the start.\n";
  std::vector<Row> rows{{"COUNT", "LAST SEEN", "ROUTE", "WHAT", "BLOCKED", "MODE", "PAGE", "BY"}};
  for (const Entry& entry : entries_) {
    const http::BrowserReport& report = entry.newest;
    const std::string_view what =
        entry.kind.directive.empty() ? http::to_string(entry.kind.type) : entry.kind.directive;
    rows.push_back({std::to_string(entry.count), format_rfc3339(entry.last), entry.kind.route,
                    std::string(what), or_dash(entry.kind.blocked),
                    std::string(http::to_string(entry.kind.disposition)), or_dash(report.path),
                    or_dash(place_of(report))});
  }
  return aligned(rows) +
         "\nAnybody can send reports: look at what is blocked before a policy allows it "
         "(csp_policy of a route).\n";
}

std::string ReportCollector::prometheus() const {
  const std::lock_guard lock(mutex_);
  std::string out =
      "# HELP moat_browser_reports_total Reports of browsers, by type, and of a policy's "
      "violations "
      "by directive and by whether it was enforced.\n"
      "# TYPE moat_browser_reports_total counter\n";
  for (const auto& [what, count] : counts_) {
    const auto& [type, directive, disposition] = what;
    out.append("moat_browser_reports_total{type=\"").append(http::to_string(type)).append("\"");
    if (!directive.empty()) out.append(",directive=\"").append(directive).append("\"");
    if (disposition != http::Disposition::unknown)
      out.append(",disposition=\"").append(http::to_string(disposition)).append("\"");
    out.append("} ").append(std::to_string(count)).append("\n");
  }
  out +=
      "# HELP moat_browser_reports_foreign_total Reports of documents that are not served here.\n"
      "# TYPE moat_browser_reports_foreign_total counter\n"
      "moat_browser_reports_foreign_total " +
      std::to_string(foreign_) + "\n";
  return out;
}

}  // namespace moat::gateway
