// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only: what the whole test program has taken from the heap by operator new, which
// checks_cost_test.cc replaces. A sanitizer has one of its own: there nothing is counted.

#include <atomic>
#include <cstddef>

#define MOAT_COUNTS 1
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef MOAT_COUNTS
#define MOAT_COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef MOAT_COUNTS
#define MOAT_COUNTS 0
#endif
#endif

namespace moat::validate::testing {

extern std::atomic<std::size_t> allocations;

}  // namespace moat::validate::testing
