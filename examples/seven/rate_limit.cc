// SPDX-License-Identifier: Apache-2.0
// 5. Rate limits. In Node: app.use(rateLimit({windowMs: 15 * 60 * 1000, max: 100})).
#include <cstdio>
#include <string>

#include "moat/limit/limit.h"

using namespace moat;
using std::chrono::minutes;

struct Answer {
  int status;
  std::string retry_after;
};

Answer handle(limit::RateLimiter& limiter, const IpAddress& peer) {
  // [readme 2]
  const limit::Decision decision = limiter.check(peer, system_clock().tick());
  if (!decision.allowed)
    return {429, std::to_string(limit::retry_after_seconds(decision.retry_after))};
  return {200, ""};
  // [/readme]
}

int main() {
  // [readme]
  limit::RateLimiter limiter({.max = 100, .window = minutes{15}});  // by address, in fixed memory
  // [/readme]
  // Whoever stands behind a proxy is found by limit::client_address, not by believing a header.
  const IpAddress one = *IpAddress::parse("192.0.2.1");
  const IpAddress other = *IpAddress::parse("192.0.2.2");
  Answer answer{};
  for (int i = 0; i < 100; ++i) answer = handle(limiter, one);
  std::printf("request 100: %d\n", answer.status);
  answer = handle(limiter, one);
  std::printf("request 101: %d, Retry-After: %s\n", answer.status, answer.retry_after.c_str());
  std::printf("another address: %d\n", handle(limiter, other).status);
}
