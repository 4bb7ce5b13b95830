// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "moat/base/clock.h"

namespace moat::gateway {

// ServerState is what all workers know of one backend server: whether it may be asked, and how many
// requests it has. Thread-safe.
//
// Failures in a row open its circuit: it is left alone for a second, then one request tries it;
// each trial that fails doubles the time, up to half a minute, and whatever succeeds ends it. Apart
// from that, questions for its health may mark it as down.
class ServerState final {
 public:
  static constexpr unsigned most_failures = 3;  // in a row
  static constexpr std::chrono::seconds first_pause{1};
  static constexpr std::chrono::seconds longest_pause{30};
  // Answers in a row that are not what was expected, before a server is down; one good one brings
  // it back.
  static constexpr unsigned most_bad_checks = 2;

  // What a report has changed, for the log.
  enum class Change { none, down, up };

  ServerState() = default;
  // The same server under settings by which what is known of it may be wrong: nothing is known, and
  // its requests are counted with those of `before`.
  explicit ServerState(const ServerState& before) : requests_(before.requests_) {}
  ServerState& operator=(const ServerState&) = delete;  // shared while it is used

  // Whether a request may be sent. A trial counts as sent with `begin_trial`.
  bool may_be_asked(Tick now) const {
    return now >= left_alone_until_.load(std::memory_order_relaxed);
  }
  // True: this request is to be sent. Of several that ask for the trial at once, one is told so; if
  // it never ends, another follows after the same pause.
  [[nodiscard]] bool admit(Tick now);
  Change succeeded();
  Change failed(Tick now);

  bool healthy() const { return healthy_.load(std::memory_order_relaxed); }
  Change checked(bool good);

  // Requests in flight, of which there may be `most` at a time; without, as many as come. False: it
  // has as many as it may have.
  using Most = std::optional<std::uint32_t>;
  [[nodiscard]] bool take_place(Most most);
  void leave_place() { requests_->fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t requests() const { return requests_->load(std::memory_order_relaxed); }
  bool full(Most most) const { return most && requests() >= *most; }

 private:
  const std::shared_ptr<std::atomic<std::uint32_t>> requests_ =
      std::make_shared<std::atomic<std::uint32_t>>(0);
  std::atomic<bool> healthy_{true};
  std::atomic<Tick> left_alone_until_{Tick::min()};
  std::atomic<unsigned> failures_{0};
  std::mutex mutex_;  // guards the rest, and changes of the two above
  bool open_ = false;
  bool trial_ = false;
  std::chrono::nanoseconds pause_{first_pause};
  unsigned bad_checks_ = 0;
};

}  // namespace moat::gateway
