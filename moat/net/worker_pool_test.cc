// SPDX-License-Identifier: Apache-2.0
#include "moat/net/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "moat/net/loop.h"
#include "moat/net/task.h"

namespace moat::net {
namespace {

using std::chrono::milliseconds;

TEST(WorkerPool, RefusesWhatItsQueueCannotHold) {
  WorkerPool::Options options;
  options.threads = 1;
  options.queue = 1;
  std::atomic<bool> go = false;
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(options);
    const auto work = [&] {
      while (!go) std::this_thread::yield();
      ++ran;
    };
    int accepted = 0;
    // At first the one thread may still be on its way to idling: it takes one, the queue one more.
    for (int i = 0; i < 100 && accepted < 2; ++i) {
      if (pool.submit(work)) ++accepted;
      std::this_thread::sleep_for(milliseconds{1});
    }
    EXPECT_EQ(accepted, 2);
    EXPECT_FALSE(pool.submit(work));
    go = true;
  }
  EXPECT_EQ(ran, 2);
}

Task<void> run_on_pool(Loop& loop, WorkerPool& pool, int& out, std::thread::id& where) {
  auto work = [&where] {
    where = std::this_thread::get_id();
    return 42;
  };
  const std::optional<int> value = co_await pool.run(loop, work);
  out = value.value_or(-1);
  loop.stop();
}

TEST(WorkerPool, ComesBackToTheLoopWithTheValue) {
  Loop loop;
  WorkerPool pool({});
  int out = 0;
  std::thread::id where;
  spawn(run_on_pool(loop, pool, out, where));
  loop.run();
  EXPECT_EQ(out, 42);
  EXPECT_NE(where, std::this_thread::get_id());
}

}  // namespace
}  // namespace moat::net
