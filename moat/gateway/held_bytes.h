// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace moat::gateway {

// HeldBytes bounds what all connections together keep of bodies that are looked at as a whole: a
// slow client, or many, must not fill the memory. Thread-safe.
class HeldBytes final {
 public:
  void set_most(std::uint64_t most) { most_.store(most, std::memory_order_relaxed); }
  std::uint64_t now() const { return now_.load(std::memory_order_relaxed); }

 private:
  friend class Hold;
  bool take(std::size_t bytes) {
    const std::uint64_t before = now_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= most_.load(std::memory_order_relaxed)) return true;
    give_back(bytes);
    return false;
  }
  void give_back(std::size_t bytes) { now_.fetch_sub(bytes, std::memory_order_relaxed); }

  std::atomic<std::uint64_t> now_{0};
  std::atomic<std::uint64_t> most_{256 * 1024 * 1024};
};

// Hold is one request's part of it. It is given back with the object, or by release().
class Hold final {
 public:
  Hold() = default;
  Hold(const Hold&) = delete;  // it would be given back twice
  Hold& operator=(const Hold&) = delete;
  ~Hold() { release(); }

  // So many bytes in all from now on; never fewer. False: there is no room, and nothing changes.
  [[nodiscard]] bool grow_to(HeldBytes& all, std::size_t bytes) {
    if (bytes <= bytes_) return true;
    if (!all.take(bytes - bytes_)) return false;
    all_ = &all;
    bytes_ = bytes;
    return true;
  }
  void release() {
    if (all_ != nullptr) all_->give_back(bytes_);
    all_ = nullptr;
    bytes_ = 0;
  }

 private:
  HeldBytes* all_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace moat::gateway
