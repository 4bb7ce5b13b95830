// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/connection_limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace moat::gateway {
namespace {

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

TEST(ConnectionLimits, CountsAnAddress) {
  ConnectionLimits limits(100, 2);
  EXPECT_TRUE(limits.open(address("192.0.2.1")));
  EXPECT_TRUE(limits.open(address("192.0.2.1")));
  EXPECT_FALSE(limits.open(address("192.0.2.1")));
  EXPECT_FALSE(limits.open(address("::ffff:192.0.2.1")));
  EXPECT_TRUE(limits.open(address("192.0.2.2")));
  EXPECT_EQ(limits.open_now(), 3U);
  limits.close(address("192.0.2.1"));
  EXPECT_TRUE(limits.open(address("192.0.2.1")));
}

TEST(ConnectionLimits, AnIpv6NetworkIsOneAddress) {
  ConnectionLimits limits(100, 1);
  EXPECT_TRUE(limits.open(address("2001:db8:1:2::1")));
  EXPECT_FALSE(limits.open(address("2001:db8:1:2:ffff::9")));
  EXPECT_TRUE(limits.open(address("2001:db8:1:3::1")));
  limits.close(address("2001:db8:1:2::77"));
  EXPECT_TRUE(limits.open(address("2001:db8:1:2::1")));
}

TEST(ConnectionLimits, AllTogetherHaveALimit) {
  ConnectionLimits limits(2, 2);
  EXPECT_TRUE(limits.open(address("192.0.2.1")));
  EXPECT_TRUE(limits.open(address("192.0.2.2")));
  EXPECT_FALSE(limits.open(address("192.0.2.3")));
  EXPECT_EQ(limits.open_now(), 2U);
  limits.close(address("192.0.2.2"));
  EXPECT_TRUE(limits.open(address("192.0.2.3")));
}

TEST(ConnectionLimits, NewLimitsHoldForThoseThatCome) {
  const IpAddress address = *IpAddress::parse("192.0.2.1");
  ConnectionLimits limits(10, 2);
  EXPECT_TRUE(limits.open(address));
  EXPECT_TRUE(limits.open(address));
  limits.set(10, 3);
  EXPECT_TRUE(limits.open(address));
  limits.set(10, 1);
  EXPECT_FALSE(limits.open(address));
  limits.close(address);
  limits.close(address);
  EXPECT_FALSE(limits.open(address)) << "one is still open";
  limits.close(address);
  EXPECT_TRUE(limits.open(address));
}

TEST(ConnectionLimits, ARefusedConnectionIsNotCounted) {
  ConnectionLimits limits(3, 1);
  EXPECT_TRUE(limits.open(address("192.0.2.1")));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(limits.open(address("192.0.2.1")));
  EXPECT_TRUE(limits.open(address("192.0.2.2")));
  EXPECT_TRUE(limits.open(address("192.0.2.3")));
}

TEST(ConnectionLimits, AnAddressBehindAProxyIsCountedByItself) {
  ConnectionLimits limits(100, 2);
  EXPECT_TRUE(limits.open_any());
  EXPECT_TRUE(limits.open_address(address("192.0.2.1")));
  EXPECT_EQ(limits.open_now(), 1U);
  EXPECT_TRUE(limits.open(address("192.0.2.1")));
  EXPECT_FALSE(limits.open_address(address("192.0.2.1")));
  limits.close_address(address("192.0.2.1"));
  limits.close_any();
  EXPECT_EQ(limits.open_now(), 1U);
  EXPECT_TRUE(limits.open_address(address("192.0.2.1")));
  EXPECT_FALSE(limits.open_address(address("192.0.2.1")));
}

TEST(ConnectionLimits, NeverCountsWrongUnderThreads) {
  ConnectionLimits limits(64, 8);
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        if (!limits.open(address("192.0.2.1"))) continue;
        ++passed;
        limits.close(address("192.0.2.1"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(passed, 0);
  EXPECT_EQ(limits.open_now(), 0U);
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(limits.open(address("192.0.2.1")));
  EXPECT_FALSE(limits.open(address("192.0.2.1")));
}

}  // namespace
}  // namespace moat::gateway
