// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <type_traits>

#include "moat/limit/table.h"

namespace moat::limit::internal {

// BoundedMap is a hash table of fixed size from Key to a small plain Value: shards by the key's
// upper word, linear probing by its lower one, at most three quarters full, deletion by shifting
// back, so that chains stay short for ever. Entries leave only when the caller calls them expired;
// a few slots are swept with each insertion. Keys must be uniformly random (a keyed hash). All
// operations need the lock of the key's shard.
template <class Value>
class BoundedMap final {
  static_assert(std::is_trivial_v<Value>, "slots begin as zero bytes");

 public:
  static constexpr std::size_t most_locks = 8;

  explicit BoundedMap(std::size_t entries)
      : shard_bits_(entries >= 65536 ? 6 : 4),
        slots_per_shard_(std::max<std::size_t>(64, (entries >> shard_bits_) * 4 / 3 + 2)),
        most_used_(slots_per_shard_ * 3 / 4) {
    // calloc leaves large tables untouched until they are used; one slab, so that it is large.
    slots_.reset(static_cast<Slot*>(std::calloc(slots_per_shard_ << shard_bits_, sizeof(Slot))));
    if (!slots_) throw std::bad_alloc();
  }

  // Locks the shards of up to most_locks keys, in one order everywhere.
  class Lock final {
   public:
    Lock(BoundedMap& map, std::span<const Key> keys) : map_(&map) {
      for (const Key& key : keys.first(std::min(keys.size(), most_locks))) {
        indices_[count_++] = map.shard_index(key);
      }
      const auto end = indices_.begin() + static_cast<std::ptrdiff_t>(count_);
      std::sort(indices_.begin(), end);
      count_ = static_cast<std::size_t>(std::unique(indices_.begin(), end) - indices_.begin());
      for (std::size_t i = 0; i < count_; ++i) map.shards_[indices_[i]].mutex.lock();
    }
    Lock(BoundedMap& map, const Key& key) : Lock(map, std::span<const Key>(&key, 1)) {}
    Lock(const Lock&) = delete;  // it holds locks
    Lock& operator=(const Lock&) = delete;
    ~Lock() {
      while (count_ > 0) map_->shards_[indices_[--count_]].mutex.unlock();
    }

   private:
    BoundedMap* map_;
    std::array<std::size_t, most_locks> indices_{};
    std::size_t count_ = 0;
  };

  // Valid until the next insert or erase in that shard.
  Value* find(const Key& key) {
    const std::size_t at = locate(key);
    return at < slots_per_shard_ ? &slots_of(shard_index(key))[at].value : nullptr;
  }

  // Whether a new key would find room; sweeps for it.
  template <class Expired>
  bool has_room(const Key& key, const Expired& expired) {
    const std::size_t index = shard_index(key);
    if (shards_[index].used >= most_used_) sweep(index, sweep_when_full, expired);
    return shards_[index].used < most_used_;
  }

  // Sets the key's value; false when it is new and there is no room.
  template <class Expired>
  bool set(const Key& key, const Value& value, const Expired& expired) {
    if (Value* const found = find(key)) {
      *found = value;
      return true;
    }
    const std::size_t index = shard_index(key);
    sweep(index, sweep_always, expired);
    if (!has_room(key, expired)) return false;
    Slot* const slots = slots_of(index);
    const std::uint64_t low = key.low | 1;
    std::size_t at = home(low);
    while (slots[at].low != 0) at = next(at);
    slots[at] = Slot{key.high, low, value};
    ++shards_[index].used;
    return true;
  }

  void erase(const Key& key) {
    const std::size_t at = locate(key);
    if (at < slots_per_shard_) erase_at(shard_index(key), at);
  }

  std::size_t entries() const { return most_used_ << shard_bits_; }
  std::size_t used() {
    std::size_t total = 0;
    for (std::size_t i = 0; i < (std::size_t{1} << shard_bits_); ++i) {
      const std::lock_guard<std::mutex> lock(shards_[i].mutex);
      total += shards_[i].used;
    }
    return total;
  }

 private:
  static constexpr std::size_t sweep_always = 4;
  static constexpr std::size_t sweep_when_full = 64;

  struct Slot {
    std::uint64_t high;
    std::uint64_t low;  // zero: the slot is free; of a key always odd
    Value value;
  };
  struct alignas(64) Shard {  // a cache line each, lest one's lock slows its neighbour
    std::mutex mutex;
    std::size_t used = 0;
    std::size_t cursor = 0;
  };
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };

  std::size_t shard_index(const Key& key) const {
    return static_cast<std::size_t>(key.high >> (64 - shard_bits_));
  }
  Slot* slots_of(std::size_t index) { return slots_.get() + index * slots_per_shard_; }
  std::size_t home(std::uint64_t low) const {
    return static_cast<std::size_t>(((low >> 32) * slots_per_shard_) >> 32);
  }
  std::size_t next(std::size_t at) const { return at + 1 == slots_per_shard_ ? 0 : at + 1; }
  std::size_t distance(std::size_t from, std::size_t to) const {
    return to >= from ? to - from : to + slots_per_shard_ - from;
  }

  // The slot of a key, or slots_per_shard_. A quarter of the slots is free, so every chain ends.
  std::size_t locate(const Key& key) {
    Slot* const slots = slots_of(shard_index(key));
    const std::uint64_t low = key.low | 1;
    for (std::size_t at = home(low); slots[at].low != 0; at = next(at)) {
      if (slots[at].low == low && slots[at].high == key.high) return at;
    }
    return slots_per_shard_;
  }

  void erase_at(std::size_t index, std::size_t hole) {
    Slot* const slots = slots_of(index);
    for (std::size_t at = next(hole); slots[at].low != 0; at = next(at)) {
      // What may stand in the hole without being cut off from its home moves there.
      if (distance(home(slots[at].low), at) >= distance(hole, at)) {
        slots[hole] = slots[at];
        hole = at;
      }
    }
    slots[hole] = Slot{};
    --shards_[index].used;
  }

  template <class Expired>
  void sweep(std::size_t index, std::size_t steps, const Expired& expired) {
    Slot* const slots = slots_of(index);
    std::size_t& cursor = shards_[index].cursor;
    for (; steps > 0; --steps) {
      if (slots[cursor].low != 0 && expired(slots[cursor].value)) {
        erase_at(index, cursor);
      } else {
        cursor = next(cursor);
      }
    }
  }

  const unsigned shard_bits_;
  const std::size_t slots_per_shard_;
  const std::size_t most_used_;
  std::unique_ptr<Slot[], Free> slots_;
  std::array<Shard, 64> shards_;
};

}  // namespace moat::limit::internal
