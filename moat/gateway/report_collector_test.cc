// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/report_collector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace moat::gateway {
namespace {

using std::chrono::seconds;

class Still final : public Clock {
 public:
  Time now() const override { return Time{seconds{1'700'000'000}}; }
  Tick tick() const override { return Tick{}; }
};

class ReportCollectorTest : public testing::Test {
 protected:
  http::BrowserReport report(std::string blocked) {
    http::BrowserReport made;
    made.type = http::ReportType::csp_violation;
    made.directive = "script-src-elem";
    made.disposition = http::Disposition::report;
    made.origin = "https://a.example";
    made.path = "/page";
    made.blocked = std::move(blocked);
    return made;
  }
  void add(const http::BrowserReport& one, std::string_view route = "/*") {
    collector_.add(one, route, {Time{seconds{1'700'000'000}} + now_, Tick{} + now_}, log_);
  }
  std::size_t lines_with(std::string_view text) const {
    std::size_t count = 0;
    for (const std::string& line : lines_) count += line.find(text) != std::string::npos;
    return count;
  }
  bool shows(std::string_view text) const {
    return collector_.table().find(text) != std::string::npos;
  }
  bool counts(std::string_view text) const {
    return collector_.prometheus().find(text) != std::string::npos;
  }

  Still clock_;
  std::vector<std::string> lines_;
  Log log_{clock_, [this](std::string_view line) { lines_.emplace_back(line); }};
  ReportCollector collector_;
  seconds now_{0};
};

TEST_F(ReportCollectorTest, TableIsForPeople) {
  EXPECT_EQ(collector_.table(), "No browser has reported anything since the start.\n");
  http::BrowserReport one = report("https://cdn.example");
  one.source = "https://a.example/app.js";
  one.line = 7;
  add(one);
  now_ = seconds{5};
  add(one);
  add(report("inline"), "/shop/*");
  EXPECT_EQ(
      collector_.table(),
      "COUNT  LAST SEEN             ROUTE    WHAT             BLOCKED              MODE    PAGE   "
      "BY\n"
      "    1  2023-11-14T22:13:25Z  /shop/*  script-src-elem  inline               report  /page  "
      "-\n"
      "    2  2023-11-14T22:13:25Z  /*       script-src-elem  https://cdn.example  report  /page  "
      "https://a.example/app.js:7\n"
      "\nAnybody can send reports: look at what is blocked before a policy allows it (csp_policy "
      "of "
      "a route).\n");
}

TEST_F(ReportCollectorTest, KindsAreToldApartByWhatAPolicyTakes) {
  http::BrowserReport one = report("inline");
  add(one);
  add(one, "/b/*");
  one.disposition = http::Disposition::enforce;
  add(one);
  one.directive = "style-src";
  add(one);
  one.path = "/other";  // and not by page
  add(one);
  const std::string table = collector_.table();
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 4 + 3);
  EXPECT_TRUE(
      shows("    2  2023-11-14T22:13:20Z  /*     style-src        inline   enforce  /other"));
}

TEST_F(ReportCollectorTest, KeepsTheNewestOfManyKinds) {
  for (std::size_t i = 0; i < ReportCollector::most_kept; ++i)
    add(report("https://n" + std::to_string(i) + ".example"));
  EXPECT_TRUE(shows("https://n0.example"));
  add(report("https://n0.example"));  // seen again: n1 is now the oldest
  add(report("https://one-more.example"));
  EXPECT_TRUE(shows("https://n0.example"));
  EXPECT_TRUE(shows("https://n2.example"));
  EXPECT_TRUE(shows("https://one-more.example"));
  EXPECT_FALSE(shows("https://n1.example"));
}

TEST_F(ReportCollectorTest, LogsAKindOnceAMinute) {
  for (int i = 0; i < 5; ++i) add(report("inline"));
  EXPECT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_with(R"("event":"browser_report")"), 1u);
  EXPECT_EQ(lines_with(R"("blocked":"inline")"), 1u);
  now_ = seconds{59};
  add(report("inline"));
  EXPECT_EQ(lines_.size(), 1u);
  now_ = seconds{60};
  add(report("inline"));
  EXPECT_EQ(lines_.size(), 2u);
  EXPECT_EQ(lines_with(R"("times":6)"), 1u);
}

TEST_F(ReportCollectorTest, AFloodOfKindsIsNoFloodOfLines) {
  for (unsigned i = 0; i < 500; ++i) add(report("https://n" + std::to_string(i) + ".example"));
  EXPECT_EQ(lines_.size(), ReportCollector::lines_a_minute);
  now_ = seconds{59};
  add(report("inline"));
  EXPECT_EQ(lines_.size(), ReportCollector::lines_a_minute);
  now_ = seconds{60};
  add(report("inline"));
  EXPECT_EQ(lines_.size(), ReportCollector::lines_a_minute + 1);
  EXPECT_EQ(lines_with(R"("not_logged_before":481)"), 1u);
  EXPECT_TRUE(
      counts("moat_browser_reports_total{type=\"csp-violation\",directive=\"script-src-elem\","
             "disposition=\"report\"} 502\n"));
}

TEST_F(ReportCollectorTest, MetricsHaveNoWordOfAStrangers) {
  http::BrowserReport one = report("https://secret.example");
  one.directive = "other";
  one.disposition = http::Disposition::unknown;
  add(one);
  one.type = http::ReportType::deprecation;
  one.directive = {};
  add(one);
  collector_.add_foreign();
  EXPECT_TRUE(counts("moat_browser_reports_total{type=\"csp-violation\",directive=\"other\"} 1\n"));
  EXPECT_TRUE(counts("moat_browser_reports_total{type=\"deprecation\"} 1\n"));
  EXPECT_TRUE(counts("moat_browser_reports_foreign_total 1\n"));
  EXPECT_FALSE(counts("secret"));
  EXPECT_FALSE(counts("/page"));
}

}  // namespace
}  // namespace moat::gateway
