// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "moat/store/internal/connection.h"

namespace moat::store {

// Writer owns the one connection that writes and the one thread that uses it (group commit): the
// steps that wait when a transaction begins go into it together and share its one fsync. A caller
// waits until the transaction with its step is durable.
class Writer final {
 public:
  enum class Outcome {
    committed,  // kept, and durable
    refused,    // the step said no; it changed nothing
    failed      // not run, or its effects are not known to be durable
  };
  struct Limits {
    std::size_t queue = 1024;  // steps waiting; one more has failed at once
    std::size_t batch = 256;   // steps in one transaction
  };

  Writer(std::unique_ptr<Connection> connection, const Limits& limits);
  Writer(const Writer&) = delete;  // owns a thread
  Writer& operator=(const Writer&) = delete;
  ~Writer();  // runs what is queued, then stops; nobody may call run() any more

  // Runs `step(Connection&) -> bool` inside a transaction and waits. False takes back what the step
  // itself has changed, and so does a statement that fails; other callers' steps are not touched. A
  // step runs at most once.
  template <class Step>
  [[nodiscard]] Outcome run(Step&& step) {
    Job job;
    job.context = const_cast<void*>(static_cast<const void*>(std::addressof(step)));
    job.call = [](void* context, Connection& connection) {
      return static_cast<bool>((*static_cast<std::remove_reference_t<Step>*>(context))(connection));
    };
    return submit(job);
  }

  struct Counts {
    std::uint64_t transactions = 0;
    std::uint64_t steps = 0;
  };
  Counts counts() const;
  std::size_t waiting() const;  // steps queued, without those being run

 private:
  // Lives on the stack of the caller, who waits for it.
  struct Job {
    void* context = nullptr;
    bool (*call)(void*, Connection&) = nullptr;
    Outcome outcome = Outcome::failed;
    bool done = false;
    std::mutex mutex;
    std::condition_variable finished;
  };

  Outcome submit(Job& job);
  void work();
  void run_batch(std::vector<Job*>& batch);
  bool run_step(Job& job);
  static void finish(Job& job);

  std::unique_ptr<Connection> connection_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable waiting_;
  std::deque<Job*> queue_;
  bool stopping_ = false;
  Counts counts_;
  std::thread thread_;  // last: begins when all the others are there
};

}  // namespace moat::store
