// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/traffic_learner.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace moat::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Tick start{std::chrono::hours{1}};

openapi::Observation get(std::string_view path) {
  openapi::Observation out;
  out.method = "GET";
  out.path = path;
  out.status = 200;
  return out;
}

TEST(RouteLearner, LearnsABurstAndThenASample) {
  RouteLearner learner;
  for (unsigned i = 0; i < RouteLearner::burst; ++i) {
    EXPECT_TRUE(learner.is_open(start)) << i;
    learner.learn(get("/a"), start);
  }
  EXPECT_EQ(learner.propose().requests, RouteLearner::burst);
  EXPECT_FALSE(learner.is_open(start));
  learner.learn(get("/a"), start);
  EXPECT_EQ(learner.propose().requests, RouteLearner::burst);
  EXPECT_EQ(learner.passed_over(), 1u);
  const Tick later = start + milliseconds{1000 / RouteLearner::samples_a_second};
  EXPECT_FALSE(learner.is_open(later - milliseconds{1}));
  EXPECT_TRUE(learner.is_open(later));
  learner.learn(get("/a"), later);
  EXPECT_FALSE(learner.is_open(later));
  EXPECT_EQ(learner.propose().requests, RouteLearner::burst + 1);
}

TEST(RouteLearner, LargeBodiesCountAsSeveral) {
  const std::string body(openapi::LearnLimits::body_bytes, ' ');
  openapi::Observation large = get("/a");
  large.has_body = true;
  large.request_type = "application/json";
  large.request_body = body;
  RouteLearner learner;
  const std::size_t cost = 1 + body.size() / RouteLearner::bytes_a_sample;
  std::size_t taken = 0;
  for (; learner.is_open(start); ++taken) learner.learn(large, start);
  EXPECT_EQ(taken, (RouteLearner::burst + cost - 1) / cost);
  // What is too large to be read costs no more than none.
  const std::string larger = body + " ";
  large.request_body = larger;
  RouteLearner other;
  for (taken = 0; other.is_open(start); ++taken) other.learn(large, start);
  EXPECT_EQ(taken, RouteLearner::burst);
}

TEST(RouteLearner, WhatIsRefusedTakesNobodysPlace) {
  RouteLearner learner;
  openapi::Observation refused = get("/a");
  for (const int status : {0, 199, 300, 404}) {
    refused.status = status;
    for (unsigned i = 0; i < RouteLearner::burst; ++i) learner.learn(refused, start);
  }
  EXPECT_TRUE(learner.is_open(start));
  EXPECT_EQ(learner.propose().requests, 0u);
}

TEST(RouteLearner, SeveralThreadsLearn) {
  RouteLearner learner;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&learner] {
      for (int k = 0; k < 200; ++k) {
        learner.learn(get("/a"), start);
        if (k % 50 == 0) (void)learner.propose();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(learner.propose().requests + learner.passed_over(), 800u);
}

TEST(TrafficLearner, ALearnerLastsAsLongAsARouteHasIt) {
  TrafficLearner all;
  auto before = all.of("/api/*");
  before->learn(get("/api/a"), start);
  auto after = all.of("/api/*");
  EXPECT_EQ(before, after);
  before.reset();
  EXPECT_EQ(all.of("/api/*")->propose().requests, 1u);
  after.reset();
  EXPECT_EQ(all.of("/api/*")->propose().requests, 0u);
}

TEST(TrafficLearner, SaysWhichRouteIsMeant) {
  TrafficLearner all;
  EXPECT_EQ(all.propose("").status, 404);
  const auto api = all.of("/api/*");
  EXPECT_EQ(all.propose("").status, 409);  // too few
  for (int i = 0; i < 3; ++i) api->learn(get("/api/a"), start);
  EXPECT_EQ(all.propose("").status, 200);
  EXPECT_EQ(all.propose("/api/*").text, all.propose("").text);
  EXPECT_NE(all.propose("").text.find("\n  /api/a:\n"), std::string::npos);
  EXPECT_EQ(all.propose("/other").status, 404);
  const auto shop = all.of("/shop/*");
  const auto several = all.propose("");
  EXPECT_EQ(several.status, 409);
  EXPECT_NE(several.text.find("'/api/*', '/shop/*'"), std::string::npos);
}

}  // namespace
}  // namespace moat::gateway
