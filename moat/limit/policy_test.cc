// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/policy.h"

#include <gtest/gtest.h>

#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

namespace moat::limit {

static void PrintTo(PolicyRefusal refusal, std::ostream* out) { *out << to_string(refusal); }

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

Policy policy(std::string_view text) { return Policy::parse(text).value(); }
Tick at(std::int64_t count) { return Tick{nanoseconds{count}}; }
const Tick start = Tick{1h};

TEST(Policy, ReadsCountUnitAndSubject) {
  const Policy general = policy("600/min/ip burst 100");
  EXPECT_EQ(general.count(), 600U);
  EXPECT_EQ(general.window(), nanoseconds{1min});
  EXPECT_EQ(general.burst(), 100U);
  EXPECT_EQ(general.subject(), Subject::ip);
  EXPECT_EQ(general.interval(), nanoseconds{100ms});
  EXPECT_EQ(general, Policy{});
  EXPECT_EQ(policy("3/hour/account").burst(), 3U);
  EXPECT_EQ(policy("5/s/user").window(), nanoseconds{1s});
  EXPECT_EQ(policy("5/sec/user"), policy("5/s/user"));
  EXPECT_EQ(policy("5/h/account+ip"), policy("5/hour/account+ip"));
  EXPECT_EQ(policy("5/d/ip"), policy("5/day/ip"));
  EXPECT_EQ(policy("1000000/day/ip").count(), 1'000'000U);
}

TEST(Policy, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string_view, PolicyRefusal>> rows{
      {"", PolicyRefusal::syntax},
      {"600", PolicyRefusal::syntax},
      {"600/min", PolicyRefusal::syntax},
      {"0/min/ip", PolicyRefusal::bad_count},
      {"-1/min/ip", PolicyRefusal::bad_count},
      {"+1/min/ip", PolicyRefusal::bad_count},
      {"01/min/ip", PolicyRefusal::bad_count},
      {"1.5/min/ip", PolicyRefusal::bad_count},
      {"/min/ip", PolicyRefusal::bad_count},
      {" 1/min/ip", PolicyRefusal::syntax},
      {"1000001/min/ip", PolicyRefusal::bad_count},
      {"99999999999999999999/min/ip", PolicyRefusal::bad_count},
      {"1/m/ip", PolicyRefusal::unknown_unit},
      {"1/Min/ip", PolicyRefusal::unknown_unit},
      {"1/week/ip", PolicyRefusal::unknown_unit},
      {"1//ip", PolicyRefusal::unknown_unit},
      {"1/min/", PolicyRefusal::unknown_subject},
      {"1/min/IP", PolicyRefusal::unknown_subject},
      {"1/min/ip/user", PolicyRefusal::unknown_subject},
      {"1/min/ip+account", PolicyRefusal::unknown_subject},
      {"1/min/ip ", PolicyRefusal::syntax},
      {"1/min/ip  burst 5", PolicyRefusal::syntax},
      {"1/min/ip burst", PolicyRefusal::syntax},
      {"1/min/ip burst ", PolicyRefusal::bad_burst},
      {"1/min/ip burst 0", PolicyRefusal::bad_burst},
      {"1/min/ip burst 5 ", PolicyRefusal::bad_burst},
      {"1/min/ip burst 1000001", PolicyRefusal::bad_burst},
      {"1/day/ip burst 367", PolicyRefusal::too_long}};
  for (const auto& row : rows) {
    const auto parsed = Policy::parse(row.first);
    ASSERT_FALSE(parsed) << row.first;
    EXPECT_EQ(parsed.error(), row.second) << row.first;
  }
  EXPECT_TRUE(Policy::parse("1/day/ip burst 366"));
}

TEST(Policy, MakeChecksWindowsThatTheSyntaxCannotName) {
  EXPECT_TRUE(Policy::make(1, 1s, 1, Subject::ip));
  EXPECT_FALSE(Policy::make(1, 1s - 1ns, 1, Subject::ip));
  EXPECT_FALSE(Policy::make(1, -1s, 1, Subject::ip));
  EXPECT_FALSE(Policy::make(1, nanoseconds::max(), 1, Subject::ip));
  EXPECT_FALSE(Policy::make(0, 1s, 1, Subject::ip));
  EXPECT_FALSE(Policy::make(1, 1s, 0, Subject::ip));
}

TEST(Policy, PrintsWhatItReads) {
  for (const std::string_view text : {"600/min/ip burst 100", "3/hour/account", "7/s/user",
                                      "20/day/account+ip", "1/min/ip burst 1000"}) {
    EXPECT_EQ(policy(text).to_string(), text);
  }
}

TEST(Policy, AnIntervalIsRoundedUpSoThatTheRateIsNeverExceeded) {
  EXPECT_EQ(policy("3/s/ip").interval(), 333333334ns);
  EXPECT_EQ(policy("7/min/ip").interval(), 8571428572ns);
  EXPECT_EQ(policy("2/s/ip").interval(), 500000000ns);
}

TEST(Policy, TimesFourIsFourTimesTheRateAndTheBurst) {
  const Policy four = policy("10/min/ip burst 5").times(4);
  EXPECT_EQ(four.count(), 40U);
  EXPECT_EQ(four.burst(), 20U);
  EXPECT_EQ(four.interval(), nanoseconds{1500ms});
}

TEST(Gcra, TheDefaultDecisionRefuses) { EXPECT_FALSE(Decision{}.allowed); }

TEST(Gcra, ABurstPassesAndNotOneMore) {
  const Policy p = policy("60/min/ip burst 3");
  Tick arrival = Tick::min();
  for (std::uint32_t left : {2U, 1U, 0U}) {
    const Step step = take(p, arrival, start);
    EXPECT_TRUE(step.decision.allowed);
    EXPECT_EQ(step.decision.limit, 60U);
    EXPECT_EQ(step.decision.remaining, left);
    EXPECT_EQ(step.decision.reset_after, nanoseconds{1s} * (3 - left));
    EXPECT_EQ(step.decision.retry_after, 0ns);
    arrival = step.arrival;
  }
  const Step refused = take(p, arrival, start);
  EXPECT_FALSE(refused.decision.allowed);
  EXPECT_EQ(refused.decision.reason, Reason::over_limit);
  EXPECT_EQ(refused.decision.remaining, 0U);
  EXPECT_EQ(refused.decision.retry_after, nanoseconds{1s});
  EXPECT_EQ(refused.decision.reset_after, nanoseconds{3s});
  EXPECT_EQ(refused.arrival, arrival) << "a refused request costs nothing";
}

TEST(Gcra, RetryAfterIsExactToTheNanosecond) {
  const Policy p = policy("3/s/ip burst 1");
  const Step first = take(p, Tick::min(), start);
  const nanoseconds wait = take(p, first.arrival, start).decision.retry_after;
  EXPECT_EQ(wait, 333333334ns);
  EXPECT_FALSE(take(p, first.arrival, start + wait - 1ns).decision.allowed);
  EXPECT_TRUE(take(p, first.arrival, start + wait).decision.allowed);
}

TEST(Gcra, LookSaysWhatTakeWouldAndTakesNothing) {
  const Policy p = policy("60/min/ip burst 2");
  EXPECT_EQ(look(p, Tick::min(), start).remaining, 2U);
  const Step one = take(p, Tick::min(), start);
  EXPECT_EQ(look(p, one.arrival, start).remaining, 1U);
  EXPECT_TRUE(look(p, one.arrival, start).allowed);
  const Step two = take(p, one.arrival, start);
  EXPECT_FALSE(look(p, two.arrival, start).allowed);
  EXPECT_EQ(look(p, two.arrival, start).retry_after, nanoseconds{1s});
}

TEST(Gcra, AClockThatWentBackGrantsNothingUntilItHasCaughtUp) {
  const Policy p = policy("60/min/ip burst 3");
  const Tick arrival = take(p, Tick::min(), start).arrival;
  for (const nanoseconds back : {nanoseconds{30min}, nanoseconds{10min}, nanoseconds{3s}}) {
    const Step step = take(p, arrival, start - back);
    EXPECT_FALSE(step.decision.allowed);
    EXPECT_EQ(step.arrival, arrival);
    EXPECT_LE(step.decision.retry_after, p.capacity());
    EXPECT_LE(step.decision.reset_after, p.capacity());
  }
  EXPECT_TRUE(take(p, arrival, start).decision.allowed);
}

TEST(Gcra, TheEndsOfTimeDoNotOverflow) {
  constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t first = std::numeric_limits<std::int64_t>::min();
  for (const Policy& p : {policy("1/day/ip burst 366"), policy("1000000/s/ip"), Policy{}}) {
    for (const std::int64_t now :
         {first, first + 1, std::int64_t{-1}, std::int64_t{0}, last - 1, last}) {
      for (const std::int64_t arrival : {first, first + 1, std::int64_t{0}, last - 1, last}) {
        const Step step = take(p, at(arrival), at(now));
        EXPECT_GE(step.decision.retry_after, 0ns);
        EXPECT_LE(step.decision.retry_after, p.capacity());
        EXPECT_LE(step.decision.reset_after, p.capacity());
        EXPECT_TRUE(!step.decision.allowed || step.arrival > at(now));
      }
    }
    EXPECT_FALSE(take(p, Tick::min(), at(last)).decision.allowed) << "no time left to count in";
    EXPECT_TRUE(take(p, Tick::min(), at(first)).decision.allowed);
  }
}

// In any span of time w at most burst + w / interval requests pass, whatever the pattern; and no
// fewer than that for a client that never lets up.
TEST(Gcra, NoSpanOfTimeLetsMoreThanBurstAndRatePass) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 60; ++round) {
    const auto count = static_cast<std::uint32_t>(1 + random() % 50);
    const auto burst = static_cast<std::uint32_t>(1 + random() % 20);
    const Policy p = Policy::make(count, 1s, burst, Subject::ip).value();
    const auto step_limit = static_cast<std::uint64_t>(p.interval().count()) * (1 + random() % 3);
    Tick arrival = Tick::min();
    Tick now = start;
    std::vector<Tick> passed;
    for (int i = 0; i < 600; ++i) {
      now += nanoseconds{static_cast<std::int64_t>(random() % step_limit)};
      const int tries = random() % 8 == 0 ? 25 : 1;
      for (int j = 0; j < tries; ++j) {
        const Step step = take(p, arrival, now);
        if (step.decision.allowed) passed.push_back(now);
        arrival = step.arrival;
      }
    }
    for (std::size_t i = 0; i < passed.size(); ++i) {
      for (std::size_t j = i; j < passed.size(); ++j) {
        const auto most = burst + (passed[j] - passed[i]) / p.interval();
        ASSERT_LE(static_cast<std::int64_t>(j - i + 1), most);
      }
    }
    EXPECT_GE(passed.size(), burst);
  }
}

TEST(Gcra, AClientThatNeverLetsUpGetsExactlyBurstAndRate) {
  const Policy p = policy("10/s/ip burst 4");
  Tick arrival = Tick::min();
  int passed = 0;
  for (int i = 0; i <= 10'000; ++i) {  // 10 s in steps of a millisecond
    const Step step = take(p, arrival, start + nanoseconds{1ms} * i);
    arrival = step.arrival;
    if (step.decision.allowed) ++passed;
  }
  EXPECT_EQ(passed, 4 + 100);
}

}  // namespace
}  // namespace moat::limit
