// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/traffic_learner.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace moat::gateway {

namespace {

constexpr std::int64_t one_sample =
    std::int64_t{1'000'000'000} / static_cast<std::int64_t>(RouteLearner::samples_a_second);
constexpr std::int64_t most_ahead = one_sample * (RouteLearner::burst - 1);

std::int64_t nanoseconds(Tick tick) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(tick.time_since_epoch()).count();
}

}  // namespace

bool RouteLearner::is_open(Tick now) const {
  return used_until_.load(std::memory_order_relaxed) <= nanoseconds(now) + most_ahead;
}

// What is larger than the rest of the burst is let through, and paid for by those behind it.
bool RouteLearner::take(Tick now, std::size_t bytes) {
  const std::int64_t at = nanoseconds(now);
  const auto cost = one_sample * static_cast<std::int64_t>(1 + bytes / bytes_a_sample);
  std::int64_t until = used_until_.load(std::memory_order_relaxed);
  do {
    if (until > at + most_ahead) return false;
  } while (!used_until_.compare_exchange_weak(until, std::max(until, at) + cost,
                                              std::memory_order_relaxed));
  return true;
}

void RouteLearner::learn(const openapi::Observation& observation, Tick now) {
  if (observation.status < 200 || observation.status > 299)
    return;  // costs nothing, counts nothing
  std::size_t bytes = 0;
  for (const auto& body : {observation.request_body, observation.response_body}) {
    if (body && body->size() <= openapi::LearnLimits::body_bytes) bytes += body->size();
  }
  if (!take(now, bytes)) return pass_over();
  const auto sample = openapi::Sample::read(observation);
  if (!sample) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return pass_over();
  learner_.add(*sample);
}

openapi::Proposal RouteLearner::propose() const {
  const std::lock_guard lock(mutex_);
  return learner_.propose();
}

std::shared_ptr<RouteLearner> TrafficLearner::of(const std::string& pattern) {
  const std::lock_guard lock(mutex_);
  std::erase_if(learners_, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<RouteLearner>& place = learners_[pattern];
  std::shared_ptr<RouteLearner> learner = place.lock();
  if (learner == nullptr) {
    learner = std::make_shared<RouteLearner>();
    place = learner;
  }
  return learner;
}

std::map<std::string, std::shared_ptr<RouteLearner>, std::less<>> TrafficLearner::live() const {
  std::map<std::string, std::shared_ptr<RouteLearner>, std::less<>> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [pattern, learner] : learners_) {
    if (auto held = learner.lock()) out.emplace(pattern, std::move(held));
  }
  return out;
}

TrafficLearner::Answer TrafficLearner::propose(std::string_view pattern) const {
  const auto learners = live();
  if (learners.empty())
    return {404,
            "no route is learned from: give one schema_learn = true, or a schema with "
            "schema_mode = \"shadow\"\n"};
  std::string names;
  for (const auto& [name, learner] : learners)
    names += std::string(names.empty() ? "" : ", ") + "'" + name + "'";
  if (pattern.empty() && learners.size() > 1)
    return {409, "several routes are learned from: say --route with one of " + names + "\n"};
  const auto at = pattern.empty() ? learners.begin() : learners.find(pattern);
  if (at == learners.end())
    return {404, "that route is not learned from; these are: " + names + "\n"};
  const openapi::Proposal proposal = at->second->propose();
  if (proposal.operations == 0)
    return {409, "nothing has been seen often enough yet: " + std::to_string(proposal.requests) +
                     " requests were learned from, and an operation counts from " +
                     std::to_string(openapi::Learner::least_count) + " on\n"};
  std::string text = "# Route '" + at->first + "'.\n" + proposal.to_yaml();
  const std::uint64_t passed_over = at->second->passed_over();
  if (passed_over > 0)
    text = "# " + std::to_string(passed_over) +
           " more requests were not learned from: a sample is.\n" + text;
  return {200, std::move(text)};
}

}  // namespace moat::gateway
