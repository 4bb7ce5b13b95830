// SPDX-License-Identifier: Apache-2.0
#include "moat/store/internal/writer.h"

#include <algorithm>
#include <utility>

namespace moat::store {

Writer::Writer(std::unique_ptr<Connection> connection, const Limits& limits)
    : connection_(std::move(connection)), limits_(limits), thread_([this] { work(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  waiting_.notify_all();
  thread_.join();
}

Writer::Counts Writer::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::size_t Writer::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

Writer::Outcome Writer::submit(Job& job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= limits_.queue) return Outcome::failed;
    queue_.push_back(&job);
  }
  waiting_.notify_one();
  std::unique_lock lock(job.mutex);
  job.finished.wait(lock, [&job] { return job.done; });
  return job.outcome;
}

void Writer::work() {
  std::vector<Job*> batch;
  while (true) {
    batch.clear();
    {
      std::unique_lock lock(mutex_);
      waiting_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const auto count = std::min(queue_.size(), std::max<std::size_t>(limits_.batch, 1));
      const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
      batch.assign(queue_.begin(), end);
      queue_.erase(queue_.begin(), end);
      ++counts_.transactions;
      counts_.steps += count;
    }
    run_batch(batch);
    for (Job* job : batch) finish(*job);
  }
}

void Writer::run_batch(std::vector<Job*>& batch) {
  Connection& connection = *connection_;
  connection.clear_failure();
  connection.run(sql::begin_write);
  bool sound = !connection.failed();
  for (Job* job : batch) {
    if (!sound) break;
    sound = run_step(*job);
  }
  if (sound) {
    connection.run(sql::commit);
    sound = !connection.failed();
  }
  if (sound) return;
  // The transaction is lost, and with it what its steps have seen of each other: a refusal
  // ("taken") may rest on a row that was never stored. So nobody is told anything but that it
  // failed.
  for (Job* job : batch) job->outcome = Outcome::failed;
  connection.clear_failure();
  if (connection.in_transaction()) connection.run(sql::rollback);
}

// False where the whole transaction is lost.
bool Writer::run_step(Job& job) {
  Connection& connection = *connection_;
  connection.run(sql::savepoint);
  if (connection.failed()) return false;
  const bool kept = job.call(job.context, connection);
  const bool failed = connection.failed();
  job.outcome = failed ? Outcome::failed : kept ? Outcome::committed : Outcome::refused;
  connection.clear_failure();
  // Some failures (a full disk, no memory) make SQLite roll the transaction back by itself.
  if (!connection.in_transaction()) return false;
  if (job.outcome != Outcome::committed) connection.run(sql::rollback_to);
  connection.run(sql::release);
  return !connection.failed();
}

void Writer::finish(Job& job) {
  // Under the lock: as soon as it is free, the caller may return and the job is gone.
  const std::lock_guard lock(job.mutex);
  job.done = true;
  job.finished.notify_one();
}

}  // namespace moat::store
