// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/login_guard.h"

#include <gtest/gtest.h>

#include <atomic>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace moat::limit {

static void PrintTo(DelayReason reason, std::ostream* out) { *out << to_string(reason); }

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

Policy policy(std::string_view text) { return Policy::parse(text).value(); }

// Addresses are as many as wanted, so that limits by address do not stand in the way of the others.
IpAddress address(std::uint32_t number) { return IpAddress::from_v4(0xc6330000U + number); }

struct LoginGuardTest : testing::Test {
  InsecureSeededRandom random{1};
  LoginGuard guard{LoginGuardOptions{}, random};
  Tick now{1h};
  const IpAddress home = IpAddress::from_v4(0xc0000201U);
  std::uint32_t next_address = 0;

  Result<LoginGuard::Permit, Delay> begin(std::string_view account, std::string_view device = "") {
    return guard.begin(account, address(next_address++), device, now);
  }
  // `count` wrong guesses from `count` addresses.
  void fail(std::string_view account, int count) {
    for (int i = 0; i < count; ++i) {
      auto permit = begin(account);
      while (!permit) {
        now += permit.error().retry_after;
        permit = begin(account);
      }
    }
  }
};

TEST_F(LoginGuardTest, FiveFailuresAreFreeThenDelaysDoubleUpToFifteenMinutes) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(begin("alice"));
  nanoseconds expected = 1s;
  for (int i = 0; i < 14; ++i) {
    const auto refused = begin("alice");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, DelayReason::account);
    EXPECT_EQ(refused.error().retry_after, expected);
    now += expected - 1ns;
    EXPECT_FALSE(begin("alice"));
    now += 1ns;
    EXPECT_TRUE(begin("alice"));
    expected = std::min<nanoseconds>(expected * 2, 15min);
  }
  EXPECT_EQ(begin("alice").error().retry_after, nanoseconds{15min});
}

TEST_F(LoginGuardTest, TooEarlyAnAttemptNeitherCountsNorProlongs) {
  fail("alice", 5);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(begin("alice"));
  EXPECT_EQ(guard.failures("alice", now), 5U);
  now += 1s;
  EXPECT_TRUE(begin("alice"));
}

TEST_F(LoginGuardTest, AnAttemptIsReservedSoThatTwoCannotShareTheLastFreeOne) {
  fail("alice", 4);
  const auto first = begin("alice");
  const auto second = begin("alice");
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
}

TEST_F(LoginGuardTest, SuccessForgivesWhatTheSameAddressHadFailed) {
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(guard.begin("alice", home, "", now));
    const auto right = guard.begin("alice", home, "", now);
    ASSERT_TRUE(right);
    guard.succeed(*right, now);
    EXPECT_EQ(guard.failures("alice", now), 0U);
    now += 1min;
  }
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(guard.begin("alice", home, "", now));
}

TEST_F(LoginGuardTest, SuccessDoesNotForgiveWhatOthersHaveFailed) {
  fail("alice", 3);
  EXPECT_TRUE(guard.begin("alice", home, "", now));
  const auto right = guard.begin("alice", home, "", now);
  ASSERT_TRUE(right);
  guard.succeed(*right, now);
  EXPECT_EQ(guard.failures("alice", now), 3U);
  fail("alice", 2);
  EXPECT_FALSE(begin("alice"));
}

TEST_F(LoginGuardTest, AKnownDeviceGetsInWhileTheAccountIsUnderAttack) {
  fail("alice", 20);
  EXPECT_FALSE(guard.begin("alice", home, "", now));
  const auto owner = guard.begin("alice", home, "laptop", now);
  ASSERT_TRUE(owner);
  EXPECT_TRUE(owner->known_device());
  guard.succeed(*owner, now);
  EXPECT_FALSE(begin("alice")) << "the attacker gains nothing by it";
  EXPECT_EQ(guard.failures("alice", now), 20U);
}

TEST_F(LoginGuardTest, AKnownDeviceHasDelaysOfItsOwn) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(begin("alice", "laptop"));
  const auto refused = begin("alice", "laptop");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, DelayReason::device);
  EXPECT_EQ(refused.error().retry_after, nanoseconds{1s});
  EXPECT_TRUE(begin("alice", "telephone"));
  EXPECT_TRUE(begin("bob", "laptop")) << "of another account it is another device";
  EXPECT_TRUE(begin("alice"));
  EXPECT_EQ(guard.failures("alice", now), 1U);
  now += 1s;
  const auto right = begin("alice", "laptop");
  ASSERT_TRUE(right);
  guard.succeed(*right, now);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(begin("alice", "laptop"));
  EXPECT_FALSE(begin("alice", "laptop"));
}

TEST_F(LoginGuardTest, AnAddressHasTenAttemptsAMinuteWhateverTheAccountAndTheOutcome) {
  for (int i = 0; i < 10; ++i) {
    const auto permit = guard.begin("user" + std::to_string(i), home, "", now);
    ASSERT_TRUE(permit);
    guard.succeed(*permit, now);
  }
  const auto refused = guard.begin("another", home, "", now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, DelayReason::address);
  EXPECT_EQ(refused.error().retry_after, nanoseconds{6s});
  EXPECT_EQ(guard.failures("another", now), 0U) << "refused here, it is counted nowhere";
  EXPECT_FALSE(guard.begin("another", home, "laptop", now));
  EXPECT_TRUE(guard.begin("another", address(1), "", now));
  now += 6s;
  EXPECT_TRUE(guard.begin("another", home, "", now));
}

TEST_F(LoginGuardTest, AnAddressHasAHundredAttemptsAnHour) {
  int passed = 0;
  for (int i = 0; i < 600; ++i) {
    if (guard.begin("user" + std::to_string(i), home, "", now)) ++passed;
    now += 1s;  // ten minutes in all
  }
  EXPECT_EQ(passed, 10 + 599 / 6);
  for (int i = 0; i < 3000; ++i) {
    if (guard.begin("user" + std::to_string(i), home, "", now)) ++passed;
    now += 1s;
  }
  EXPECT_LE(passed, 200);  // a burst of 100 and an hour's 100
  EXPECT_GE(passed, 190);
}

TEST_F(LoginGuardTest, TheWorkshopAllowsThirtyAMinute) {
  LoginGuard workshop(LoginGuardOptions::workshop(), random);
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(workshop.begin("user" + std::to_string(i), home, "", now));
  }
  EXPECT_FALSE(workshop.begin("another", home, "", now));
}

TEST_F(LoginGuardTest, AnAbandonedAttemptDoesNotCount) {
  for (int i = 0; i < 20; ++i) {
    const auto permit = begin("alice", i % 2 == 0 ? "" : "laptop");
    ASSERT_TRUE(permit);
    guard.abandon(*permit, now);
  }
  EXPECT_EQ(guard.failures("alice", now), 0U);
}

TEST_F(LoginGuardTest, UnlockIsForTheAccountOrOneOfItsDevices) {
  fail("alice", 10);
  fail("bob", 10);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(begin("alice", "laptop"));
  guard.unlock("alice");
  EXPECT_TRUE(begin("alice"));
  EXPECT_FALSE(begin("bob"));
  EXPECT_FALSE(begin("alice", "laptop"));
  guard.unlock("alice", "laptop");
  EXPECT_TRUE(begin("alice", "laptop"));
}

TEST_F(LoginGuardTest, FailuresAreForgottenInTime) {
  fail("alice", 4);
  now += 1h - 1ns;
  EXPECT_EQ(guard.failures("alice", now), 4U);
  now += 1ns;
  EXPECT_EQ(guard.failures("alice", now), 0U);
  fail("bob", 5);
  now += 24h - 1ns;
  EXPECT_EQ(guard.failures("bob", now), 5U);
  now += 1ns;
  EXPECT_EQ(guard.failures("bob", now), 0U);
}

TEST_F(LoginGuardTest, AClockThatWentBackShortensNoDelay) {
  fail("alice", 5);
  now -= 30min;
  const auto refused = begin("alice");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry_after, nanoseconds{1s});
}

TEST_F(LoginGuardTest, TheHardStopIsCountedAndEnforcedOnlyWhenAskedFor) {
  fail("alice", 100);
  EXPECT_EQ(guard.stats().hard_stops, 1U);
  now += 15min;
  EXPECT_TRUE(begin("alice"));

  LoginGuardOptions options;
  options.hard_stop = HardStop::enforce;
  options.hard_stop_after = 10;
  LoginGuard strict(options, random);
  for (std::uint32_t i = 0; i < 10; ++i) {
    now += 15min;
    EXPECT_TRUE(strict.begin("alice", address(i), "", now));
  }
  now += 24h * 365;
  const auto refused = strict.begin("alice", home, "", now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, DelayReason::hard_stop);
  EXPECT_TRUE(strict.begin("alice", home, "laptop", now)) << "never for a known device";
  EXPECT_TRUE(strict.begin("bob", home, "", now));
  strict.unlock("alice");
  EXPECT_TRUE(strict.begin("alice", home, "", now));
}

TEST_F(LoginGuardTest, AFullTableRefusesWhoIsNewButNoKnownDevice) {
  LoginGuardOptions options;
  options.entries = 1024;
  options.per_address = {policy("1000000/s/ip")};
  LoginGuard small(options, random);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(small.begin("victim", home, "", now));
  int refused = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto permit = small.begin("user" + std::to_string(i), home, "", now);
    if (permit) continue;
    EXPECT_EQ(permit.error().reason, DelayReason::table_full);
    ++refused;
  }
  EXPECT_GT(refused, 3000);
  EXPECT_EQ(small.stats().refused_full, static_cast<std::uint64_t>(refused));
  EXPECT_EQ(small.failures("victim", now), 5U) << "the flood has freed nobody";
  EXPECT_FALSE(small.begin("victim", home, "", now));
  EXPECT_TRUE(small.begin("owner", home, "laptop", now));
  now += 1h;
  EXPECT_TRUE(small.begin("somebody new", home, "", now));
}

TEST_F(LoginGuardTest, RefusesOptionsThatContradictEachOther) {
  const auto make = [&](auto change) {
    LoginGuardOptions options;
    change(options);
    LoginGuard made(options, random);
  };
  EXPECT_THROW(make([](LoginGuardOptions& o) { o.per_address.clear(); }), std::invalid_argument);
  EXPECT_THROW(make([](LoginGuardOptions& o) { o.per_address.assign(5, Policy{}); }),
               std::invalid_argument);
  EXPECT_THROW(make([](LoginGuardOptions& o) { o.first_delay = 0s; }), std::invalid_argument);
  EXPECT_THROW(make([](LoginGuardOptions& o) { o.longest_delay = 1ms; }), std::invalid_argument);
  EXPECT_THROW(make([](LoginGuardOptions& o) { o.forget_delayed = 1min; }), std::invalid_argument);
  EXPECT_THROW(make([](LoginGuardOptions& o) { o.hard_stop_after = 4; }), std::invalid_argument);
  EXPECT_NO_THROW(make([](LoginGuardOptions& o) { o.free_failures = 0; }));
}

TEST(LoginGuardThreads, ParallelGuessesGetTheFreeOnesAndNoMore) {
  LoginGuard guard;
  const Tick now{1h};
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < 200; ++i) {
        if (guard.begin("alice", address(t * 1000 + i), "", now)) passed.fetch_add(1);
        const auto own = guard.begin("bob", address(t * 1000 + i), std::to_string(t), now);
        if (own) guard.succeed(*own, now);
        (void)guard.failures("alice", now);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed.load(), 5);
}

}  // namespace
}  // namespace moat::limit
