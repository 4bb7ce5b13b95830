// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>

#include "moat/base/ip.h"
#include "moat/gateway/held_bytes.h"

namespace moat::gateway {

// ConnectionLimits counts open connections, in all and by address (IPv6: by /64). Thread-safe.
class ConnectionLimits final {
 public:
  ConnectionLimits(std::uint32_t most, std::uint32_t most_per_address)
      : most_(most), most_per_address_(most_per_address) {}
  // For those that come; what is open stays open.
  void set(std::uint32_t most, std::uint32_t most_per_address) {
    most_.store(most, std::memory_order_relaxed);
    most_per_address_.store(most_per_address, std::memory_order_relaxed);
  }

  // The limit in all alone. True: to be given back with `close_any`.
  [[nodiscard]] bool open_any() {
    if (open_.fetch_add(1, std::memory_order_relaxed) < most_.load(std::memory_order_relaxed))
      return true;
    open_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  void close_any() { open_.fetch_sub(1, std::memory_order_relaxed); }

  // True: counted, and to be given back with `close`.
  [[nodiscard]] bool open(const IpAddress& address) {
    if (!open_any()) return false;
    if (open_address(address)) return true;
    close_any();
    return false;
  }
  void close(const IpAddress& address) {
    close_any();
    close_address(address);
  }

  // The limit by address alone, for a connection that is counted in all already. True: to be given
  // back with `close_address`.
  [[nodiscard]] bool open_address(const IpAddress& address) {
    const IpAddress network = network_of(address);
    Shard& shard = shard_of(network);
    const std::lock_guard lock(shard.mutex);
    std::uint32_t& count = shard.counts[network];
    if (count >= most_per_address_.load(std::memory_order_relaxed)) return false;
    ++count;
    return true;
  }
  void close_address(const IpAddress& address) {
    const IpAddress network = network_of(address);
    Shard& shard = shard_of(network);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.counts.find(network);
    if (found != shard.counts.end() && --found->second == 0) shard.counts.erase(found);
  }
  // Of bodies, for all connections.
  HeldBytes& held() { return held_; }
  std::uint32_t open_now() const { return open_.load(std::memory_order_relaxed); }

 private:
  struct Shard {
    std::mutex mutex;
    std::map<IpAddress, std::uint32_t> counts;
  };
  static IpAddress network_of(const IpAddress& address) {
    return address.is_v4() ? address : address.prefix(64);
  }
  Shard& shard_of(const IpAddress& network) {
    unsigned sum = 0;
    for (const auto byte : network.bytes()) sum = sum * 31 + byte;
    return shards_[sum % shards_.size()];
  }

  std::atomic<std::uint32_t> most_;
  std::atomic<std::uint32_t> most_per_address_;
  std::atomic<std::uint32_t> open_{0};
  std::array<Shard, 16> shards_;
  HeldBytes held_;
};

}  // namespace moat::gateway
