// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/server_state.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace moat::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Change = ServerState::Change;

const Tick start = Tick{} + seconds{1000};

void open_circuit(ServerState& state, Tick now) {
  for (unsigned i = 1; i < ServerState::most_failures; ++i)
    EXPECT_EQ(state.failed(now), Change::none);
  EXPECT_EQ(state.failed(now), Change::down);
}

TEST(Circuit, OpensAfterThreeFailuresInARow) {
  ServerState state;
  EXPECT_EQ(state.failed(start), Change::none);
  EXPECT_EQ(state.failed(start), Change::none);
  EXPECT_TRUE(state.may_be_asked(start));
  EXPECT_TRUE(state.admit(start));
  EXPECT_EQ(state.failed(start), Change::down);
  EXPECT_FALSE(state.may_be_asked(start));
  EXPECT_FALSE(state.admit(start));
}

TEST(Circuit, ASuccessBetweenFailuresStartsOver) {
  ServerState state;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(state.failed(start), Change::none);
    EXPECT_EQ(state.failed(start), Change::none);
    EXPECT_EQ(state.succeeded(), Change::none);
  }
  EXPECT_TRUE(state.may_be_asked(start));
}

TEST(Circuit, OneTrialIsAdmittedAfterASecond) {
  ServerState state;
  open_circuit(state, start);
  EXPECT_FALSE(state.admit(start + milliseconds{999}));
  EXPECT_TRUE(state.admit(start + seconds{1}));
  EXPECT_FALSE(state.admit(start + seconds{1}));
  EXPECT_FALSE(state.may_be_asked(start + milliseconds{1999}));
  // The trial never ended: another follows.
  EXPECT_TRUE(state.admit(start + seconds{2}));
}

TEST(Circuit, ASuccessClosesIt) {
  ServerState state;
  open_circuit(state, start);
  EXPECT_TRUE(state.admit(start + seconds{1}));
  EXPECT_EQ(state.succeeded(), Change::up);
  EXPECT_TRUE(state.admit(start + seconds{1}));
  EXPECT_TRUE(state.admit(start + seconds{1}));
  EXPECT_EQ(state.failed(start + seconds{1}), Change::none);  // and it starts over
}

TEST(Circuit, EachFailedTrialDoublesThePauseUpToHalfAMinute) {
  ServerState state;
  open_circuit(state, start);
  Tick now = start;
  for (const int pause : {1, 2, 4, 8, 16, 30, 30, 30}) {
    EXPECT_FALSE(state.admit(now + seconds{pause} - milliseconds{1})) << pause;
    now += seconds{pause};
    EXPECT_TRUE(state.admit(now)) << pause;
    EXPECT_EQ(state.failed(now), Change::none);  // it is known to be down
  }
}

TEST(Circuit, FailuresOfRequestsOnTheirWayDoNotLengthenThePause) {
  ServerState state;
  open_circuit(state, start);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(state.failed(start), Change::none);
  EXPECT_TRUE(state.admit(start + seconds{1}));
}

TEST(Health, TwoBadAnswersTakeAServerOutAndOneGoodOneBringsItBack) {
  ServerState state;
  EXPECT_TRUE(state.healthy());
  EXPECT_EQ(state.checked(false), Change::none);
  EXPECT_EQ(state.checked(true), Change::none);
  EXPECT_EQ(state.checked(false), Change::none);
  EXPECT_TRUE(state.healthy());
  EXPECT_EQ(state.checked(false), Change::down);
  EXPECT_FALSE(state.healthy());
  EXPECT_EQ(state.checked(false), Change::none);
  EXPECT_EQ(state.checked(true), Change::up);
  EXPECT_TRUE(state.healthy());
  EXPECT_EQ(state.checked(true), Change::none);
}

TEST(Places, AreAsManyAsThereMayBe) {
  ServerState state;
  EXPECT_TRUE(state.take_place(2));
  EXPECT_FALSE(state.full(2));
  EXPECT_TRUE(state.take_place(2));
  EXPECT_TRUE(state.full(2));
  EXPECT_FALSE(state.take_place(2));
  EXPECT_EQ(state.requests(), 2U);
  state.leave_place();
  EXPECT_TRUE(state.take_place(2));
  ServerState unbounded;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(unbounded.take_place({}));
  EXPECT_FALSE(unbounded.full({}));
}

TEST(Places, AreCountedTogetherWithThoseOfTheStateBefore) {
  auto before = std::make_unique<ServerState>();
  EXPECT_TRUE(before->take_place(2));
  ServerState after(*before);
  EXPECT_EQ(after.requests(), 1U);
  EXPECT_TRUE(after.take_place(2));
  EXPECT_FALSE(after.take_place(2));
  EXPECT_FALSE(before->take_place(2));
  before->leave_place();
  EXPECT_TRUE(after.take_place(2));
  after.leave_place();
  after.leave_place();
  before.reset();
  EXPECT_EQ(after.requests(), 0U);
}

TEST(Health, IsUnknownUnderOtherSettings) {
  ServerState before;
  open_circuit(before, start);
  EXPECT_EQ(before.checked(false), Change::none);
  EXPECT_EQ(before.checked(false), Change::down);
  ServerState after(before);
  EXPECT_TRUE(after.healthy());
  EXPECT_TRUE(after.may_be_asked(start));
  EXPECT_FALSE(before.healthy());
}

TEST(ServerState, MayBeUsedByManyThreads) {
  ServerState state;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        if (!state.take_place(3)) continue;
        const int now = ++inside;
        int seen = most.load();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        if (state.admit(start)) (i % 7 == 0) ? state.failed(start) : state.succeeded();
        --inside;
        state.leave_place();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 3);
  EXPECT_EQ(state.requests(), 0U);
}

}  // namespace
}  // namespace moat::gateway
