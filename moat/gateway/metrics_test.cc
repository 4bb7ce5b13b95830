// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <thread>

namespace moat::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

bool has(const std::string& text, std::string_view line) {
  return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

TEST(Metrics, AddUpOverTheWorkers) {
  RouteLabels labels;
  const std::size_t api = labels.number_of("/api/*");
  Metrics first;
  Metrics second;
  first.connections.add();
  second.connections.add(41);
  first.routes.of(api).status[4].add(2);
  second.routes.of(api).status[4].add();
  first.routes.of(api).refusals.add("csrf", "cross_site");
  second.routes.of(api).refusals.add("csrf", "cross_site");
  second.routes.of(RouteLabels::none).refusals.add("canonical", "bad_host");
  const std::string text = prometheus({&first, &second}, labels, {7, 8, 9});
  for (const char* line :
       {"moat_connections_total 42", "moat_requests_total{route=\"/api/*\",code=\"4xx\"} 3",
        "moat_requests_total{route=\"/api/*\",code=\"2xx\"} 0",
        "moat_refused_total{route=\"/api/*\",practice=\"6\",step=\"csrf\",code=\"cross_site\"} 2",
        "moat_refused_total{route=\"(none)\",practice=\"2\",step=\"canonical\",code=\"bad_host\"} "
        "1",
        "moat_access_log_dropped_total 9", "moat_open_connections 7", "moat_held_body_bytes 8"}) {
    EXPECT_TRUE(has(text, line)) << line << "\n" << text;
  }
}

TEST(Metrics, WhatBelongsToNoPracticeSaysNone) {
  RouteLabels labels;
  Metrics metrics;
  metrics.routes.of(RouteLabels::own).refusals.add("backend", "backend_failed");
  const std::string text = prometheus({&metrics}, labels, {});
  EXPECT_TRUE(
      has(text, "moat_refused_total{route=\"(moat)\",step=\"backend\",code=\"backend_failed\"} 1"))
      << text;
}

TEST(Metrics, WhatCsrfWouldHaveRefusedIsCountedByReason) {
  RouteLabels labels;
  const std::size_t api = labels.number_of("/api/*");
  Metrics first;
  Metrics second;
  const auto at = static_cast<std::size_t>(csrf::Reason::cross_site);
  first.routes.of(api).csrf_would_refuse[at].add();
  second.routes.of(api).csrf_would_refuse[at].add(2);
  const std::string text = prometheus({&first, &second}, labels, {});
  EXPECT_TRUE(has(text, "moat_csrf_would_refuse_total{route=\"/api/*\",reason=\"cross_site\"} 3"))
      << text;
  EXPECT_EQ(text.find("no_evidence"), std::string::npos) << text;
}

TEST(Metrics, ARouteWithoutRequestsTakesNoLine) {
  RouteLabels labels;
  labels.number_of("/quiet");
  const Metrics metrics;
  EXPECT_EQ(prometheus({&metrics}, labels, {}).find("quiet"), std::string::npos);
}

TEST(Metrics, DurationsFallIntoTheBucketOfTheirBoundInclusive) {
  RouteLabels labels;
  Metrics metrics;
  RouteMetrics& route = metrics.routes.of(RouteLabels::own);
  route.count_duration(milliseconds{-1});  // a clock that was set back counts as nothing
  route.count_duration(milliseconds{1});
  route.count_duration(milliseconds{1} + nanoseconds{1});
  route.count_duration(milliseconds{10'000});
  route.count_duration(milliseconds{10'000} + nanoseconds{1});
  const std::string text = prometheus({&metrics}, labels, {});
  const std::string name = "moat_request_duration_seconds";
  for (const std::string& line :
       {name + "_bucket{route=\"(moat)\",le=\"0.001\"} 2",
        name + "_bucket{route=\"(moat)\",le=\"0.002\"} 3",
        name + "_bucket{route=\"(moat)\",le=\"0.25\"} 3",
        name + "_bucket{route=\"(moat)\",le=\"10\"} 4",
        name + "_bucket{route=\"(moat)\",le=\"+Inf\"} 5", name + "_count{route=\"(moat)\"} 5",
        name + "_sum{route=\"(moat)\"} 20.002000002"}) {
    EXPECT_TRUE(has(text, line)) << line << "\n" << text;
  }
}

TEST(Metrics, LabelsAreEscaped) {
  RouteLabels labels;
  Metrics metrics;
  metrics.routes.of(labels.number_of("/a\"b\\c\nd/*")).status[2].add();
  const std::string text = prometheus({&metrics}, labels, {});
  EXPECT_TRUE(has(text, "moat_requests_total{route=\"/a\\\"b\\\\c\\nd/*\",code=\"2xx\"} 1"));
}

TEST(RouteLabels, KeepTheirNumbersAndAreBounded) {
  RouteLabels labels;
  EXPECT_EQ(labels.number_of("(none)"), RouteLabels::none);
  EXPECT_EQ(labels.number_of("(moat)"), RouteLabels::own);
  EXPECT_EQ(labels.number_of("(redirect)"), RouteLabels::redirect);
  const std::size_t first = labels.number_of("/a");
  for (std::size_t i = labels.all().size(); i < RouteLabels::most; ++i)
    EXPECT_EQ(labels.number_of("/" + std::to_string(i)), i);
  EXPECT_EQ(labels.number_of("/one more"), RouteLabels::other);
  EXPECT_EQ(labels.number_of("/a"), first);
  EXPECT_EQ(labels.all().size(), RouteLabels::most);
}

TEST(RouteTable, ANumberThatIsNoneIsTheOther) {
  RouteTable table;
  EXPECT_EQ(&table.of(RouteLabels::most), &table.of(RouteLabels::other));
  EXPECT_EQ(&table.of(5), &table.of(5));
  EXPECT_EQ(table.find(6), nullptr);
  EXPECT_EQ(table.find(RouteLabels::most), nullptr);
}

TEST(Refusals, WhatDoesNotFitIsCountedAsOther) {
  Refusals refusals;
  for (int i = 0; i < 100; ++i) refusals.add("canonical", "code_" + std::to_string(i));
  refusals.add("canonical", "code_0");
  const auto all = refusals.all();
  ASSERT_EQ(all.size(), 64U);
  EXPECT_EQ(all.front().code, "code_0");
  EXPECT_EQ(all.front().count, 2U);
  EXPECT_EQ(all.back().code, "other");
  EXPECT_EQ(all.back().count, 37U);
}

TEST(Refusals, TheSameCodeOfAnotherStepIsAnother) {
  Refusals refusals;
  refusals.add("limit", "x");
  refusals.add("login", "x");
  refusals.add("login", std::string(100, 'y'));
  refusals.add("login", std::string(99, 'y'));
  ASSERT_EQ(refusals.all().size(), 3U);
  EXPECT_EQ(refusals.all()[2].code, std::string(40, 'y'));
}

TEST(Metrics, MayBeReadWhileTheyAreWritten) {
  RouteLabels labels;
  Metrics metrics;
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) {
      RouteMetrics& route = metrics.routes.of(labels.number_of("/" + std::to_string(i % 50)));
      route.status[2].add();
      route.refusals.add("csrf", "code_" + std::to_string(i % 30));
    }
  });
  std::uint64_t reads = 0;
  do ++reads;
  while (!has(prometheus({&metrics}, labels, {}),
              "moat_requests_total{route=\"/49\",code=\"2xx\"} 40"));
  writer.join();
  EXPECT_GT(reads, 0U);
}

TEST(Metrics, AreInPrometheusFormat) {
  RouteLabels labels;
  Metrics metrics;
  metrics.routes.of(labels.number_of("/a b")).refusals.add("csrf", "cross_site");
  std::istringstream lines(prometheus({&metrics}, labels, {}));
  std::set<std::string> described;
  std::set<std::string> samples;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "#") {
      std::string kind;
      std::string name;
      words >> kind >> name;
      if (kind == "TYPE") {
        EXPECT_TRUE(described.insert(name).second) << name;
      }
      continue;
    }
    const std::string sample = line.substr(0, line.rfind(' '));
    EXPECT_TRUE(samples.insert(sample).second) << "twice: " << sample;
    std::string family = sample.substr(0, sample.find('{'));
    for (const char* part : {"_bucket", "_sum", "_count"}) {
      const std::string_view ending(part);
      if (family.size() > ending.size() &&
          family.compare(family.size() - ending.size(), ending.size(), ending) == 0)
        family.resize(family.size() - ending.size());
    }
    EXPECT_TRUE(described.count(family)) << line;
    EXPECT_EQ(line.substr(line.rfind(' ') + 1),
              sample.find("refused_total{") == sample.npos ? "0" : "1");
  }
  EXPECT_GE(samples.size(), 30U);
}

TEST(Metrics, TellOfEachBackend) {
  std::vector<BackendMetrics> backends(3);
  backends[0].server = "http://a:1";
  backends[0].requests = 2;
  backends[1].server = "unix:/a\"b\\c\n";
  backends[1].up = false;
  backends[2].server = "http://a:1";  // under other settings
  backends[2].requests = 3;
  const std::string text = prometheus(backends);
  EXPECT_NE(text.find("moat_backend_up{server=\"http://a:1\"} 1\n"), text.npos);
  EXPECT_NE(text.find("moat_backend_requests{server=\"http://a:1\"} 5\n"), text.npos);
  EXPECT_NE(text.find("moat_backend_up{server=\"unix:/a\\\"b\\\\c\\n\"} 0\n"), text.npos);
  EXPECT_EQ(prometheus(std::vector<BackendMetrics>()), "");
}

}  // namespace
}  // namespace moat::gateway
