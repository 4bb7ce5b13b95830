// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/base/ip.h"
#include "moat/base/random.h"
#include "moat/limit/policy.h"

namespace moat::limit {

// Key names a bucket: a 128-bit hash under a key that only this process knows, so that nobody can
// aim at a bucket.
struct Key {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const Key&) const = default;
};

// One bucket to be charged, and by which policy.
struct Charge {
  Key key;
  Policy policy;
};

class Table;

// Charges is what one request is charged with: at most `most` buckets. Adding more throws
// std::length_error (a bug).
class Charges final {
 public:
  static constexpr std::size_t most = 8;
  Charges& add(const Charge& charge);
  // `limit_id` tells the buckets of one limit from those of another.
  Charges& add(const Table& table, std::uint64_t limit_id, const Policy& policy,
               std::string_view subject);
  // By address: IPv4 by /32; IPv6 by /64, and by /48 at four times the allowance.
  Charges& add(const Table& table, std::uint64_t limit_id, const Policy& policy,
               const IpAddress& address);
  std::span<const Charge> span() const { return {items_.data(), count_}; }
  std::size_t size() const { return count_; }

 private:
  std::array<Charge, most> items_;
  std::size_t count_ = 0;
};

// Table holds buckets in memory that is fixed at construction: about 32 bytes for each of
// `entries`. A bucket makes room only when it is whole again, so no flood of other keys frees a
// blocked one; when there is no room, new keys are refused with Reason::table_full. Thread-safe:
// shards, each under its own lock, held for one operation.
//
// Buckets that fill slowly (3 an hour) stay for long: give them a table of their own, lest they
// crowd out the others.
class Table final {
 public:
  struct Stats {
    std::size_t used = 0;     // buckets held, those that are whole but not yet swept among them
    std::size_t entries = 0;  // room for so many
    std::uint64_t refused_full = 0;  // requests refused for want of room
  };

  // `entries` is rounded up; at least 1024. `random` gives the key of the hash.
  explicit Table(std::size_t entries = 65536, Random& random = system_random());
  Table(const Table&) = delete;  // it owns locks
  Table& operator=(const Table&) = delete;
  ~Table();

  Key key(std::uint64_t limit_id, std::string_view subject) const;
  Key key(std::uint64_t limit_id, const IpAddress& network, unsigned bits) const;

  // Counts one request. Costs about 0.1 us.
  [[nodiscard]] Decision consume(const Key& key, const Policy& policy, Tick now);
  // All or nothing: a request that one bucket refuses is counted in none. The decision is the
  // tightest one's: when refused the one that has to wait longest, else the one with the least
  // left. No charges: refused (a bug).
  [[nodiscard]] Decision consume(const Charges& charges, Tick now);
  // What `consume` would say; counts nothing.
  [[nodiscard]] Decision peek(const Key& key, const Policy& policy, Tick now);
  [[nodiscard]] Decision peek(const Charges& charges, Tick now);
  // Gives back a request that `consume` counted at `taken`, less what has been earned back since.
  void refund(const Key& key, const Policy& policy, Tick taken, Tick now);
  void refund(const Charges& charges, Tick taken, Tick now);
  // Makes a bucket whole.
  void reset(const Key& key);

  Stats stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Attempt counts what was made rather than what was tried (accounts, not sign-up forms): it takes
// the charges at once, so that parallel attempts cannot overrun the limit, and gives them back when
// nothing came of it. An attempt that is dropped stays counted.
class Attempt final {
 public:
  Attempt(Table& table, const Charges& charges, Tick now);
  const Decision& decision() const { return decision_; }
  // Nothing was made; at most once.
  void give_back(Tick now);

 private:
  Table* table_;
  Charges charges_;
  Tick taken_;
  Decision decision_;
};

}  // namespace moat::limit
