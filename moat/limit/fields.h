// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "moat/base/random.h"
#include "moat/limit/policy.h"

namespace moat::limit {

// The values of RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10 sections 3
// and 4), structured fields of one item each: "default";q=600;w=60 and "default";r=99;t=1. Not for
// /auth/*, where a guesser would read how far it may go. `name` keeps its printable ASCII only.
std::string rate_limit_policy_field(std::string_view name, const Policy& policy);
// When refused, t is the time until one request passes, so that Retry-After is never earlier than
// t.
std::string rate_limit_field(std::string_view name, const Decision& decision);

// Retry-After in seconds, rounded up, at least 1 (RFC 9110 section 10.2.3).
std::int64_t retry_after_seconds(std::chrono::nanoseconds wait);
// The same with up to a quarter more (at least up to one second, at most a minute), so that those
// who were refused together do not come back together, and so that the exact state of a bucket does
// not show.
std::int64_t retry_after_seconds(std::chrono::nanoseconds wait, Random& random);

}  // namespace moat::limit
