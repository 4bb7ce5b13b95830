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

}  // namespace
}  // namespace moat::gateway
