// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/fields.h"

#include <gtest/gtest.h>

#include <set>

namespace moat::limit {
namespace {

using namespace std::chrono_literals;

TEST(Fields, ThePolicyIsQuotaAndWindow) {
  EXPECT_EQ(rate_limit_policy_field("default", Policy{}), "\"default\";q=600;w=60");
  EXPECT_EQ(rate_limit_policy_field("up", Policy::make(5, 1500ms, 5, Subject::ip).value()),
            "\"up\";q=5;w=2");
}

TEST(Fields, TheLimitIsWhatIsLeftAndUntilWhen) {
  Decision decision;
  decision.allowed = true;
  decision.remaining = 42;
  decision.reset_after = 5001ms;
  EXPECT_EQ(rate_limit_field("default", decision), "\"default\";r=42;t=6");
  decision.reset_after = 5s;
  EXPECT_EQ(rate_limit_field("default", decision), "\"default\";r=42;t=5");
}

TEST(Fields, RetryAfterIsNeverEarlierThanT) {
  Decision decision;
  decision.remaining = 7;
  decision.reset_after = 60s;
  decision.retry_after = 1001ms;
  EXPECT_EQ(rate_limit_field("default", decision), "\"default\";r=0;t=2");
  EXPECT_EQ(retry_after_seconds(decision.retry_after), 2);
}

TEST(Fields, NamesAreStructuredFieldStrings) {
  EXPECT_EQ(rate_limit_policy_field("a\"b\\c\r\nd\xc3\xa9", Policy{}),
            "\"a\\\"b\\\\cd\";q=600;w=60");
}

TEST(Fields, RetryAfterIsRoundedUpToWholeSeconds) {
  EXPECT_EQ(retry_after_seconds(1ns), 1);
  EXPECT_EQ(retry_after_seconds(1s), 1);
  EXPECT_EQ(retry_after_seconds(1s + 1ns), 2);
  EXPECT_EQ(retry_after_seconds(0s), 1);
  EXPECT_EQ(retry_after_seconds(-5s), 1);
  EXPECT_EQ(retry_after_seconds(std::chrono::nanoseconds::max()), 9223372037);
}

TEST(Fields, JitterOnlyAddsAndNoMoreThanAQuarter) {
  InsecureSeededRandom random(1);
  std::set<std::int64_t> seen;
  for (int i = 0; i < 2000; ++i) seen.insert(retry_after_seconds(20s, random));
  EXPECT_EQ(*seen.begin(), 20);
  EXPECT_EQ(*seen.rbegin(), 25);
  EXPECT_EQ(seen.size(), 6U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(retry_after_seconds(1h, random), 3660);
    EXPECT_GE(retry_after_seconds(1ns, random), 1);
  }
}

}  // namespace
}  // namespace moat::limit
