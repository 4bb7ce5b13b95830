// SPDX-License-Identifier: Apache-2.0
#include "moat/net/hash_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace moat::net {
namespace {

// An engine whose hashes take as long as the test wants.
class SlowEngine final : public password::Engine {
 public:
  std::atomic<bool> go = false;
  std::atomic<int> at_once = 0;
  std::atomic<int> most_at_once = 0;
  Result<std::string, password::Refusal> hash(std::string_view password) override {
    most_at_once = std::max(most_at_once.load(), ++at_once);
    while (!go) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    --at_once;
    return "hash of " + std::string(password);
  }
  Result<password::Match, password::Refusal> verify(std::string_view stored,
                                                    std::string_view password) override {
    return password::Match{stored == "hash of " + std::string(password), false};
  }
  Result<void, password::Refusal> verify_unknown(std::string_view) override { return {}; }
};

TEST(HashPool, HashesOnItsThreads) {
  SlowEngine engine;
  engine.go = true;
  WorkerPool pool({});
  HashPool hashes(engine, pool);
  EXPECT_EQ(hashes.hash("x").value(), "hash of x");
  EXPECT_TRUE(hashes.verify("hash of x", "x")->matches);
  EXPECT_FALSE(hashes.verify("hash of x", "y")->matches);
  EXPECT_TRUE(hashes.verify_unknown("x").has_value());
  EXPECT_EQ(hashes.accepted(), 4U);
}

TEST(HashPool, SaysBusyBeyondItsQueueAndNeverRunsMoreThanItsThreads) {
  SlowEngine engine;
  WorkerPool::Options options;
  options.threads = 2;
  options.queue = 2;
  WorkerPool pool(options);
  HashPool hashes(engine, pool);
  std::atomic<int> busy = 0;
  std::atomic<int> good = 0;
  std::vector<std::thread> callers;
  const auto call = [&] {
    const auto result = hashes.hash("x");
    if (result) {
      ++good;
    } else if (result.error() == password::Refusal::busy) {
      ++busy;
    }
  };
  // Both threads are at work before the flood, so exactly the queue's two are taken of it.
  for (int i = 0; i < 2; ++i) callers.emplace_back(call);
  while (engine.at_once < 2) std::this_thread::yield();
  for (int i = 0; i < 10; ++i) callers.emplace_back(call);
  while (busy < 8) std::this_thread::yield();
  engine.go = true;
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(good, 4);
  EXPECT_EQ(busy, 8);
  EXPECT_LE(engine.most_at_once, 2);
}

}  // namespace
}  // namespace moat::net
