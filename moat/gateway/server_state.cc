// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/server_state.h"

#include <algorithm>

namespace moat::gateway {

bool ServerState::admit(Tick now) {
  if (failures_.load(std::memory_order_relaxed) < most_failures) return true;
  const std::lock_guard lock(mutex_);
  if (!open_) return true;
  if (now < left_alone_until_.load(std::memory_order_relaxed)) return false;
  trial_ = true;
  left_alone_until_.store(now + pause_, std::memory_order_relaxed);
  return true;
}

ServerState::Change ServerState::succeeded() {
  if (failures_.load(std::memory_order_relaxed) == 0) return Change::none;
  const std::lock_guard lock(mutex_);
  const bool was_open = open_;
  failures_.store(0, std::memory_order_relaxed);
  left_alone_until_.store(Tick::min(), std::memory_order_relaxed);
  open_ = trial_ = false;
  pause_ = first_pause;
  return was_open ? Change::up : Change::none;
}

ServerState::Change ServerState::failed(Tick now) {
  const std::lock_guard lock(mutex_);
  if (!open_) {
    const unsigned failures = failures_.load(std::memory_order_relaxed) + 1;
    failures_.store(failures, std::memory_order_relaxed);
    if (failures < most_failures) return Change::none;
    open_ = true;
    pause_ = first_pause;
  } else if (trial_) {
    pause_ = std::min<std::chrono::nanoseconds>(2 * pause_, longest_pause);
  } else {
    return Change::none;  // one of those that were on their way when it opened
  }
  const bool opened = !trial_;
  trial_ = false;
  left_alone_until_.store(now + pause_, std::memory_order_relaxed);
  return opened ? Change::down : Change::none;
}

ServerState::Change ServerState::checked(bool good) {
  const std::lock_guard lock(mutex_);
  bad_checks_ = good ? 0 : bad_checks_ + 1;
  const bool was = healthy_.load(std::memory_order_relaxed);
  const bool is = good || (was && bad_checks_ < most_bad_checks);
  healthy_.store(is, std::memory_order_relaxed);
  if (was == is) return Change::none;
  return is ? Change::up : Change::down;
}

bool ServerState::take_place(Most most) {
  if (requests_->fetch_add(1, std::memory_order_relaxed) < most.value_or(UINT32_MAX)) return true;
  leave_place();
  return false;
}

}  // namespace moat::gateway
