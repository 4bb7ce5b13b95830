// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/next_order.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace moat::gateway {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Ca = NextOrder::Ca;

constexpr hours day{24};

class NextOrderTest : public ::testing::Test {
 protected:
  // How long nobody is asked, after an order that fails; then it is that time.
  Time::duration fail(NextOrder& next, std::optional<Time::duration> limit = std::nullopt) {
    next.begins(now_);
    next.failed(limit ? std::optional<Time>(now_ + *limit) : std::nullopt);
    const Time before = std::exchange(now_, next.not_before().value_or(now_));
    return now_ - before;
  }
  static void within(Time::duration span, minutes least) {
    EXPECT_GE(span, least);
    EXPECT_LE(span, least + least / 4 + seconds{60});
  }
  InsecureSeededRandom random_{3};
  Time now_ = from_unix_seconds(1'795'000'000);
  NextOrder alone_{false, random_}, two_{true, random_};
};

TEST_F(NextOrderTest, OneCaIsAskedLessAndLess) {
  EXPECT_FALSE(alone_.not_before());
  within(fail(alone_), minutes{1});
  within(fail(alone_), minutes{10});
  within(fail(alone_), minutes{100});
  EXPECT_EQ(fail(alone_, 7 * day), 7 * day);
  EXPECT_EQ(alone_.ca(), Ca::first);
  alone_.succeeded();
  EXPECT_FALSE(alone_.not_before());
  within(fail(alone_), minutes{1});
}

TEST_F(NextOrderTest, TheOtherIsAskedSoonAndBothAreOneFailure) {
  EXPECT_EQ(fail(two_), seconds{10});
  EXPECT_EQ(two_.ca(), Ca::fallback);
  within(fail(two_), minutes{1});
  EXPECT_EQ(two_.ca(), Ca::first);
  EXPECT_EQ(fail(two_), seconds{10});
  within(fail(two_), minutes{10});
  two_.succeeded();
  EXPECT_EQ(two_.ca(), Ca::first);
}

TEST_F(NextOrderTest, AFirstCaThatWantsToBeLeftAloneLeavesTheOther) {
  EXPECT_EQ(fail(two_, 7 * day), seconds{10});
  within(fail(two_), minutes{1});
  EXPECT_EQ(two_.ca(), Ca::fallback);
  within(fail(two_), minutes{10});
  EXPECT_EQ(two_.ca(), Ca::fallback);
}

// Nor does the other one's word keep us from the first.
TEST_F(NextOrderTest, AFallbackThatWantsToBeLeftAloneLeavesTheFirst) {
  EXPECT_EQ(fail(two_), seconds{10});
  within(fail(two_, 7 * day), minutes{1});
  EXPECT_EQ(two_.ca(), Ca::first);
  within(fail(two_), minutes{10});
  EXPECT_EQ(two_.ca(), Ca::first);
  // Both: until the first of them may be asked.
  EXPECT_EQ(fail(two_, 2 * day), 2 * day);
  EXPECT_EQ(two_.ca(), Ca::first);
}

TEST_F(NextOrderTest, WhoComesNextGoesOnWhereItWas) {
  two_.begins(now_);
  two_.failed(now_ + hours{5});
  const std::string note = two_.note(now_);
  NextOrder other{true, random_}, without{false, random_};
  EXPECT_TRUE(other.heed(note, now_));
  EXPECT_EQ(other.not_before(), now_ + seconds{10});
  EXPECT_EQ(other.ca(), Ca::fallback) << "the first was asked by the one before";
  EXPECT_TRUE(without.heed(note, now_));
  EXPECT_EQ(without.ca(), Ca::first);
  now_ += seconds{10};
  EXPECT_FALSE(other.heed(note, now_));
  within(fail(other), minutes{1});
  EXPECT_EQ(other.ca(), Ca::fallback) << "the first one's word is known too";
  EXPECT_TRUE(two_.heed(other.note(now_), now_ - seconds{1}));
  within(fail(two_), minutes{10});
}

// Let's Encrypt's guide for integrations, and its limit of five failed proofs an hour: each process
// is ended as soon as it has failed, and one that a keeper starts again and again asks no more.
TEST_F(NextOrderTest, TwoDaysOfFailuresAndStartsAreSixOrdersAtMost) {
  const Time begin = now_;
  std::string note;
  std::vector<Time> asked;
  for (; now_ < begin + 2 * day; now_ += seconds{20}) {
    NextOrder next{false, random_};  // a start every 20 seconds
    if (next.heed(note, now_)) continue;
    asked.push_back(now_);
    next.begins(now_);
    next.failed(std::nullopt);
    note = next.note(now_);
  }
  EXPECT_GE(asked.size(), 5U) << "it does not give up either";
  EXPECT_LE(asked.size(), 6U);
  for (std::size_t i = 0; i + 3 < asked.size(); ++i)
    EXPECT_GT(asked[i + 3] - asked[i], hours{1}) << i;
}

TEST_F(NextOrderTest, ANoteThatIsDamagedOrOfAClockFarAwayIsNone) {
  const auto note_of = [](Time next) {
    return R"({"failures":3,"next":)" + std::to_string(unix_seconds(next)) + "}";
  };
  EXPECT_TRUE(alone_.heed(note_of(now_ + 8 * day), now_));
  for (const std::string& note :
       {std::string(), std::string("x"), std::string("[]"), std::string("{}"),
        std::string(R"({"failures":"3","next":1795000100})"), std::string(R"({"failures":3})"),
        note_of(now_ + 8 * day + seconds{1}), note_of(now_ - 8 * day - seconds{1})}) {
    NextOrder fresh{true, random_};
    EXPECT_FALSE(fresh.heed(note, now_)) << note;
    fresh.begins(now_);
    EXPECT_EQ(fresh.not_before(), now_ + seconds{10}) << note;
    fresh.begins(now_);
    within(*fresh.not_before() - now_, minutes{1});
  }
  NextOrder many{false, random_};
  EXPECT_FALSE(many.heed(R"({"failures":-7,"next":1795000000})", now_));
  within(fail(many), minutes{1});
}

TEST_F(NextOrderTest, AClockThatIsSetBackIsNotWaitedFor) {
  NextOrder next{false, random_};
  next.begins(now_ + 3650 * day);
  next.look_at_clock(now_);
  EXPECT_FALSE(next.not_before());
  next.begins(now_);
  next.failed(now_ + 7 * day);
  next.look_at_clock(now_);
  EXPECT_EQ(next.not_before(), now_ + 7 * day);
}

TEST_F(NextOrderTest, WhatIsNoCasDoingIsTriedAgainToo) {
  for (int i = 0; i < 5; ++i) {
    alone_.hindered(now_);
    EXPECT_EQ(alone_.not_before(), now_ + minutes{1});
  }
  within(fail(alone_), minutes{1});
  alone_.wait_until(now_ + seconds{5});
  EXPECT_EQ(alone_.not_before(), now_ + seconds{5});
}

}  // namespace
}  // namespace moat::gateway
