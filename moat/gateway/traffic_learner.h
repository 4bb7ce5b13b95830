// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/openapi/learner.h"

namespace moat::gateway {

// RouteLearner learns what the requests of one route look like. No worker waits for it: it takes a
// sample where there are many, and passes over one that comes while it is busy. Thread-safe.
class RouteLearner final {
 public:
  // Requests a second that are learned from in the long run, and at once after a quiet time. Bodies
  // count by their size, since reading 64 KiB takes as long as hundreds of small ones.
  static constexpr unsigned samples_a_second = 20;
  static constexpr unsigned burst = 1000;
  static constexpr std::size_t bytes_a_sample = 4096;

  RouteLearner() = default;
  RouteLearner(const RouteLearner&) = delete;  // it owns a lock
  RouteLearner& operator=(const RouteLearner&) = delete;

  // Whether a request would be learned now: else nothing of it need be kept. Costs one load.
  bool is_open(Tick now) const;
  // Counts one against the rate. `observation` is parsed by the caller's thread, without the lock.
  void learn(const openapi::Observation& observation, Tick now);
  openapi::Proposal propose() const;
  // That were not learned from: too many at a time.
  std::uint64_t passed_over() const { return passed_over_.load(std::memory_order_relaxed); }
  void pass_over() { passed_over_.fetch_add(1, std::memory_order_relaxed); }

 private:
  bool take(Tick now, std::size_t bytes);

  std::atomic<std::int64_t> used_until_{0};  // GCRA: the time that is paid for, of Tick
  std::atomic<std::uint64_t> passed_over_{0};
  mutable std::mutex mutex_;
  openapi::Learner learner_;
};

// TrafficLearner has the learners of all routes, by their patterns. They last as long as a
// configuration has the route, through reloads. Thread-safe.
class TrafficLearner final {
 public:
  TrafficLearner() = default;
  TrafficLearner(const TrafficLearner&) = delete;  // it owns a lock
  TrafficLearner& operator=(const TrafficLearner&) = delete;

  // Makes it where there is none.
  std::shared_ptr<RouteLearner> of(const std::string& pattern);

  // What `moat schema learn` prints: YAML, or with another status than 200 a sentence. An empty
  // pattern is the route that is learned, where there is one.
  struct Answer {
    int status = 200;
    std::string text;
  };
  Answer propose(std::string_view pattern) const;

 private:
  std::map<std::string, std::shared_ptr<RouteLearner>, std::less<>> live() const;

  mutable std::mutex mutex_;
  std::map<std::string, std::weak_ptr<RouteLearner>, std::less<>> learners_;
};

}  // namespace moat::gateway
