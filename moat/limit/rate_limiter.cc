// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/rate_limiter.h"

#include <stdexcept>
#include <string>

namespace moat::limit {
namespace {

constexpr std::uint64_t only_limit = 1;

Policy policy_of(const RateLimiterOptions& options) {
  auto made =
      Policy::make(options.max, options.window, options.burst.value_or(options.max), Subject::ip);
  if (!made) {
    throw std::invalid_argument("rate limiter: " + std::string(to_string(made.error())));
  }
  return *made;
}

}  // namespace

RateLimiter::RateLimiter(const RateLimiterOptions& options, Random& random)
    : policy_(policy_of(options)), table_(options.entries, random) {}

Decision RateLimiter::check(const IpAddress& address, Tick now) {
  Charges charges;
  charges.add(table_, only_limit, policy_, address);
  return table_.consume(charges, now);
}

Decision RateLimiter::check(std::string_view key, Tick now) {
  return table_.consume(table_.key(only_limit, key), policy_, now);
}

}  // namespace moat::limit
