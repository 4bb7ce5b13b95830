// SPDX-License-Identifier: Apache-2.0
// A policy that was read prints as one that reads the same, and its numbers keep their bounds.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "moat/limit/policy.h"

void fuzz(std::span<const std::uint8_t> input) {
  using namespace moat::limit;
  if (input.size() > 256) return;
  const auto policy = Policy::parse({reinterpret_cast<const char*>(input.data()), input.size()});
  if (!policy) return;
  const auto again = Policy::parse(policy->to_string());
  if (!again || !(*again == *policy)) std::abort();
  if (policy->count() < 1 || policy->burst() < 1 || policy->interval().count() < 1) std::abort();
  if (policy->interval() * policy->count() < policy->window()) std::abort();

  // A burst passes, one more does not, and after retry_after it does.
  moat::Tick now{};
  moat::Tick arrival = moat::Tick::min();
  std::uint32_t passed = 0;
  Step step = take(*policy, arrival, now);
  for (; step.decision.allowed && passed <= 1000; step = take(*policy, arrival, now)) {
    arrival = step.arrival;
    ++passed;
  }
  if (passed != (policy->burst() <= 1000 ? policy->burst() : 1001)) std::abort();
  if (step.decision.allowed) return;
  now += step.decision.retry_after;
  if (!take(*policy, arrival, now).decision.allowed) std::abort();
  now -= std::chrono::nanoseconds{1};
  if (take(*policy, arrival, now).decision.allowed) std::abort();
}
