// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only: what the whole test program has taken from the heap by operator new, which
// checks_cost_test.cc replaces.

#include <atomic>
#include <cstddef>

namespace moat::validate::testing {

extern std::atomic<std::size_t> allocations;

}  // namespace moat::validate::testing
