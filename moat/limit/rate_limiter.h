// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/base/ip.h"
#include "moat/base/random.h"
#include "moat/limit/table.h"

namespace moat::limit {

struct RateLimiterOptions {
  std::uint32_t max = 100;
  std::chrono::nanoseconds window = std::chrono::minutes{15};
  std::optional<std::uint32_t> burst = std::nullopt;  // how many at once; absent: max
  std::size_t entries = 65536;
};

// RateLimiter is one limit with its table:
//   limit::RateLimiter limiter({.max = 100, .window = 15min});
//   if (const auto decision = limiter.check(address, clock.tick()); !decision.allowed) …429…
// Thread-safe. The constructor throws std::invalid_argument for numbers that make no Policy.
class RateLimiter final {
 public:
  explicit RateLimiter(const RateLimiterOptions& options = {}, Random& random = system_random());

  // By client address (see client_address): IPv4 /32; IPv6 /64, and /48 at four times the
  // allowance.
  [[nodiscard]] Decision check(const IpAddress& address, Tick now);
  // By anything else: a user's id, an API key.
  [[nodiscard]] Decision check(std::string_view key, Tick now);
  const Policy& policy() const { return policy_; }
  Table& table() { return table_; }

 private:
  Policy policy_;
  Table table_;
};

}  // namespace moat::limit
