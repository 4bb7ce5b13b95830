// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "moat/net/loop.h"

namespace moat::net {

// WorkerPool runs blocking work on threads of its own, with a bounded queue: work beyond the bound
// is refused at once, so a flood costs no memory and an accepted piece waits a bounded time.
class WorkerPool final {
 public:
  struct Options {
    std::size_t threads = 1;
    std::size_t queue = 4;  // waiting, beside those running
    int nice = 0;           // added to the threads' priority value, so that the loops go first
    const char* name = "worker";
  };
  explicit WorkerPool(const Options& options);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();  // finishes what was accepted

  // False: the queue is full (or the pool is ending), `work` was not taken.
  [[nodiscard]] bool submit(std::function<void()> work);
  std::size_t waiting() const;

  // co_await pool.run(loop, f): runs `f()` on a worker and comes back to `loop` with its value;
  // nullopt when the queue is full. `f` must live until then (name it in the awaiting frame).
  template <class F>
  auto run(Loop& loop, F& f) {
    return Run<F, decltype(f())>{*this, loop, f};
  }

 private:
  template <class F, class T>
  struct Run {
    WorkerPool& pool;
    Loop& loop;
    F& f;
    std::optional<T> value = std::nullopt;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> handle) {
      return pool.submit([this, handle] {
        value.emplace(f());
        loop.post([handle] { handle.resume(); });
      });
    }
    std::optional<T> await_resume() { return std::move(value); }
  };

  void work();
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace moat::net
