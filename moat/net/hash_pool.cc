// SPDX-License-Identifier: Apache-2.0
#include "moat/net/hash_pool.h"

#include <future>

namespace moat::net {

// The work refers to the caller's frame, which waits for it.
template <class T, class F>
Result<T, password::Refusal> HashPool::run(F work) {
  std::packaged_task<Result<T, password::Refusal>()> task(std::move(work));
  auto done = task.get_future();
  if (!pool_.submit([&task] { task(); })) return Error{password::Refusal::busy};
  accepted_.fetch_add(1, std::memory_order_relaxed);
  return done.get();
}

Result<std::string, password::Refusal> HashPool::hash(std::string_view password) {
  return run<std::string>([&] { return engine_.hash(password); });
}
Result<password::Match, password::Refusal> HashPool::verify(std::string_view stored,
                                                            std::string_view password) {
  return run<password::Match>([&] { return engine_.verify(stored, password); });
}
Result<void, password::Refusal> HashPool::verify_unknown(std::string_view password) {
  return run<void>([&] { return engine_.verify_unknown(password); });
}

}  // namespace moat::net
