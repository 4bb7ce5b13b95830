// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include "moat/base/ip.h"

namespace moat::gateway {

// HeldBytes bounds what all connections together keep of bodies that are looked at as a whole: a
// slow client, or many, must not fill the memory. One address (IPv6: a /64) has an eighth of it at
// most, so that no two of them keep everybody else out, and a /48, which one customer may have
// whole, four times that. Thread-safe.
class HeldBytes final {
 public:
  void set_most(std::uint64_t most) { most_.store(most, std::memory_order_relaxed); }
  // One address has this part of all at most.
  static constexpr std::uint64_t shares = 8;
  static constexpr std::uint64_t site_shares = 2;
  std::uint64_t now() const { return now_.load(std::memory_order_relaxed); }

 private:
  friend class Hold;
  using Bytes = std::map<IpAddress, std::uint64_t>;
  struct Shard {
    std::mutex mutex;
    Bytes networks;
    Bytes sites;  // of IPv6
  };
  static IpAddress network_of(const IpAddress& address) {
    return address.is_v4() ? address : address.prefix(64);
  }
  Shard& shard_of(const IpAddress& network) {
    unsigned sum = 0;
    for (const auto byte : network.bytes()) sum = sum * 31 + byte;
    return shards_[sum % shards_.size()];
  }
  bool take(Bytes Shard::*held, const IpAddress& key, std::size_t bytes, std::uint64_t most) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    std::uint64_t& own = (shard.*held)[key];
    if (own + bytes <= most) {
      own += bytes;
      return true;
    }
    if (own == 0) (shard.*held).erase(key);
    return false;
  }
  void give_back(Bytes Shard::*held, const IpAddress& key, std::size_t bytes) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = (shard.*held).find(key);
    if (found != (shard.*held).end() && (found->second -= bytes) == 0) (shard.*held).erase(found);
  }

  bool take(const IpAddress& network, std::size_t bytes) {
    const std::uint64_t most = most_.load(std::memory_order_relaxed);
    const std::uint64_t before = now_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= most && take(&Shard::networks, network, bytes, most / shares)) {
      if (network.is_v4() || take(&Shard::sites, network.prefix(48), bytes, most / site_shares))
        return true;
      give_back(&Shard::networks, network, bytes);
    }
    now_.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  void give_back(const IpAddress& network, std::size_t bytes) {
    now_.fetch_sub(bytes, std::memory_order_relaxed);
    give_back(&Shard::networks, network, bytes);
    if (!network.is_v4()) give_back(&Shard::sites, network.prefix(48), bytes);
  }

  std::array<Shard, 16> shards_;
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

  // So many bytes in all from now on, for the same address each time; fewer change nothing. False:
  // there is no room, and nothing changes.
  [[nodiscard]] bool grow_to(HeldBytes& all, const IpAddress& address, std::size_t bytes) {
    if (bytes <= bytes_) return true;
    if (all_ == nullptr) network_ = HeldBytes::network_of(address);
    if (!all.take(network_, bytes - bytes_)) return false;
    all_ = &all;
    bytes_ = bytes;
    return true;
  }
  // As few bytes as that, where there are more.
  void shrink_to(std::size_t bytes) {
    if (bytes >= bytes_) return;
    all_->give_back(network_, bytes_ - bytes);
    bytes_ = bytes;
  }
  void release() {
    if (all_ != nullptr) all_->give_back(network_, bytes_);
    all_ = nullptr;
    bytes_ = 0;
  }

 private:
  HeldBytes* all_ = nullptr;
  IpAddress network_;
  std::size_t bytes_ = 0;
};

}  // namespace moat::gateway
