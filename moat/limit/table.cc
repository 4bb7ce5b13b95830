// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/table.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "moat/limit/client_address.h"
#include "moat/limit/internal/bounded_map.h"
#include "moat/limit/internal/siphash.h"

namespace moat::limit {
namespace {

using internal::BoundedMap;

constexpr std::size_t least_entries = 1024;

struct Bucket {
  std::int64_t arrival;
};

// A whole bucket is as good as none: its room may be given away.
struct IsWhole {
  Tick now;
  bool operator()(const Bucket& bucket) const {
    return Tick{std::chrono::nanoseconds{bucket.arrival}} <= now;
  }
};

Tick arrival_of(const Bucket* bucket) {
  return bucket ? Tick{std::chrono::nanoseconds{bucket->arrival}} : Tick::min();
}
Bucket bucket_of(Tick arrival) { return Bucket{arrival.time_since_epoch().count()}; }

internal::SipKey random_key(Random& random) {
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  internal::SipKey key;
  std::memcpy(&key.k0, bytes.data(), 8);
  std::memcpy(&key.k1, bytes.data() + 8, 8);
  return key;
}

// The kinds of subject, so that a text never is the same bucket as an address.
constexpr std::uint64_t text_kind = 1;
constexpr std::uint64_t network_kind = 2;

Key to_key(const internal::Hash128& hash) { return Key{hash.first, hash.second}; }

Decision full(const Policy& policy) {
  Decision out;
  out.limit = policy.count();
  out.reset_after = policy.interval();
  out.retry_after = policy.interval();  // a guess: room comes when other buckets are whole again
  out.reason = Reason::table_full;
  return out;
}

// Of two decisions the one the client should hear of.
const Decision& tighter(const Decision& a, const Decision& b) {
  if (a.allowed != b.allowed) return a.allowed ? b : a;
  if (!a.allowed) return b.retry_after > a.retry_after ? b : a;
  if (a.remaining != b.remaining) return b.remaining < a.remaining ? b : a;
  return b.reset_after > a.reset_after ? b : a;
}

Bucket refunded(const Bucket& bucket, const Policy& policy, Tick taken, Tick now) {
  // What was earned back since is not given twice: only the unpaid part of the interval returns.
  const auto elapsed = std::chrono::nanoseconds{now > taken ? now - taken : Tick::duration{0}};
  const auto unpaid = policy.interval() - std::min(policy.interval(), elapsed);
  const std::int64_t back = unpaid.count();
  return bucket.arrival >= std::numeric_limits<std::int64_t>::min() + back
             ? Bucket{bucket.arrival - back}
             : bucket;
}

std::array<Key, Charges::most> keys_of(std::span<const Charge> charges) {
  std::array<Key, Charges::most> keys{};
  for (std::size_t i = 0; i < charges.size(); ++i) keys[i] = charges[i].key;
  return keys;
}

}  // namespace

struct Table::State {
  State(std::size_t entries, Random& random)
      : hash_key(random_key(random)), map(std::max(entries, least_entries)) {}

  Decision refuse_full(const Policy& policy) {
    refused_full.fetch_add(1, std::memory_order_relaxed);
    return full(policy);
  }

  const internal::SipKey hash_key;
  BoundedMap<Bucket> map;
  std::atomic<std::uint64_t> refused_full{0};
};

Charges& Charges::add(const Charge& charge) {
  if (count_ == most) throw std::length_error("a request is charged to too many buckets");
  items_[count_++] = charge;
  return *this;
}

Charges& Charges::add(const Table& table, std::uint64_t limit_id, const Policy& policy,
                      std::string_view subject) {
  return add(Charge{table.key(limit_id, subject), policy});
}

Charges& Charges::add(const Table& table, std::uint64_t limit_id, const Policy& policy,
                      const IpAddress& address) {
  for (const LimitKey& network : limit_keys(address)) {
    add(Charge{table.key(limit_id, network.network, network.bits),
               network.allowance == 1 ? policy : policy.times(network.allowance)});
  }
  return *this;
}

Table::Table(std::size_t entries, Random& random)
    : state_(std::make_unique<State>(entries, random)) {}
Table::~Table() = default;

Key Table::key(std::uint64_t limit_id, std::string_view subject) const {
  internal::SipHash hash(state_->hash_key);
  hash.word(limit_id);
  hash.word(text_kind);
  return to_key(hash.finish(subject));
}

Key Table::key(std::uint64_t limit_id, const IpAddress& network, unsigned bits) const {
  internal::SipHash hash(state_->hash_key);
  hash.word(limit_id);
  hash.word(network_kind | (std::uint64_t{bits} << 8) | (std::uint64_t{network.is_v4()} << 16));
  const auto& bytes = network.bytes();
  return to_key(hash.finish({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

Decision Table::consume(const Key& key, const Policy& policy, Tick now) {
  const BoundedMap<Bucket>::Lock lock(state_->map, key);
  Bucket* const bucket = state_->map.find(key);
  const Step step = take(policy, arrival_of(bucket), now);
  if (!step.decision.allowed) return step.decision;
  if (bucket) {
    *bucket = bucket_of(step.arrival);
  } else if (!state_->map.set(key, bucket_of(step.arrival), IsWhole{now})) {
    return state_->refuse_full(policy);
  }
  return step.decision;
}

Decision Table::consume(const Charges& charges, Tick now) {
  const std::span<const Charge> items = charges.span();
  if (items.size() == 1) return consume(items[0].key, items[0].policy, now);
  if (items.empty()) return Decision{};
  auto& map = state_->map;
  const auto keys = keys_of(items);
  const BoundedMap<Bucket>::Lock lock(map, std::span(keys).first(items.size()));

  std::array<Tick, Charges::most> before{};
  std::array<Tick, Charges::most> after{};
  Decision tightest;
  for (std::size_t i = 0; i < items.size(); ++i) {
    before[i] = arrival_of(map.find(keys[i]));
    for (std::size_t j = 0; j < i; ++j) {
      if (keys[j] == keys[i]) before[i] = after[j];  // charged twice, counted twice
    }
    const Step step = take(items[i].policy, before[i], now);
    after[i] = step.arrival;
    tightest = i == 0 ? step.decision : tighter(tightest, step.decision);
  }
  if (!tightest.allowed) return tightest;

  for (std::size_t i = 0; i < items.size(); ++i) {
    if (map.set(keys[i], bucket_of(after[i]), IsWhole{now})) continue;
    for (std::size_t j = i; j-- > 0;) {
      Bucket* const bucket = map.find(keys[j]);
      if (bucket) *bucket = bucket_of(before[j]);
    }
    return state_->refuse_full(items[i].policy);
  }
  return tightest;
}

Decision Table::peek(const Key& key, const Policy& policy, Tick now) {
  const BoundedMap<Bucket>::Lock lock(state_->map, key);
  const Bucket* const bucket = state_->map.find(key);
  if (!bucket && !state_->map.has_room(key, IsWhole{now})) return full(policy);
  return look(policy, arrival_of(bucket), now);
}

Decision Table::peek(const Charges& charges, Tick now) {
  Decision tightest;
  bool first = true;
  for (const Charge& charge : charges.span()) {
    const Decision decision = peek(charge.key, charge.policy, now);
    tightest = first ? decision : tighter(tightest, decision);
    first = false;
  }
  return tightest;
}

void Table::refund(const Key& key, const Policy& policy, Tick taken, Tick now) {
  const BoundedMap<Bucket>::Lock lock(state_->map, key);
  if (Bucket* const bucket = state_->map.find(key)) {
    *bucket = refunded(*bucket, policy, taken, now);
  }
}

void Table::refund(const Charges& charges, Tick taken, Tick now) {
  for (const Charge& charge : charges.span()) refund(charge.key, charge.policy, taken, now);
}

void Table::reset(const Key& key) {
  const BoundedMap<Bucket>::Lock lock(state_->map, key);
  state_->map.erase(key);
}

Table::Stats Table::stats() const {
  Stats out;
  out.used = state_->map.used();
  out.entries = state_->map.entries();
  out.refused_full = state_->refused_full.load(std::memory_order_relaxed);
  return out;
}

Attempt::Attempt(Table& table, const Charges& charges, Tick now)
    : table_(&table), charges_(charges), taken_(now), decision_(table.consume(charges, now)) {}

void Attempt::give_back(Tick now) {
  if (table_ && decision_.allowed) table_->refund(charges_, taken_, now);
  table_ = nullptr;
}

}  // namespace moat::limit
