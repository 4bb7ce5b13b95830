// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace moat::gateway {
namespace {

TEST(Metrics, AddUpOverTheWorkers) {
  Metrics first;
  Metrics second;
  first.requests.add();
  second.requests.add(41);
  second.status[4].add(3);
  first.refused_csrf.add(2);
  const std::string text = prometheus({&first, &second}, 7);
  for (const char* line : {"moat_requests_total 42\n", "moat_responses_total{class=\"4xx\"} 3\n",
                           "moat_responses_total{class=\"2xx\"} 0\n",
                           "moat_refused_total{step=\"csrf\"} 2\n", "moat_open_connections 7\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

TEST(Metrics, AreInPrometheusFormat) {
  const Metrics metrics;
  std::istringstream lines(prometheus({&metrics}, 0));
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
    EXPECT_TRUE(samples.insert(first).second) << "twice: " << first;
    EXPECT_TRUE(described.count(first.substr(0, first.find('{')))) << line;
    std::string value;
    words >> value;
    EXPECT_EQ(value, "0");
  }
  EXPECT_GE(samples.size(), 20U);
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
