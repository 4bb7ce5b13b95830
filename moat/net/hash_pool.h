// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "moat/net/worker_pool.h"
#include "moat/password/engine.h"

namespace moat::net {

// HashPool runs password work on a WorkerPool: as many hashes at once as it has threads, as many
// waiting as its queue holds, Refusal::busy beyond. The caller's thread waits, so call it from a
// thread that serves no connections.
class HashPool final : public password::Engine {
 public:
  // Both must outlive the pool; `engine` must be safe to use from several threads.
  HashPool(password::Engine& engine, WorkerPool& pool) : engine_(engine), pool_(pool) {}

  using Engine::hash;
  using Engine::verify;
  using Engine::verify_unknown;
  // How many pieces of work were accepted so far: whether it is idle shows from two looks.
  std::uint64_t accepted() const { return accepted_.load(std::memory_order_relaxed); }
  Result<std::string, password::Refusal> hash(std::string_view password) override;
  Result<password::Match, password::Refusal> verify(std::string_view stored,
                                                    std::string_view password) override;
  Result<void, password::Refusal> verify_unknown(std::string_view password) override;

 private:
  template <class T, class F>
  Result<T, password::Refusal> run(F work);
  password::Engine& engine_;
  WorkerPool& pool_;
  std::atomic<std::uint64_t> accepted_{0};
};

}  // namespace moat::net
