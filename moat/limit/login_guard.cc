// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/login_guard.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

#include "moat/limit/client_address.h"
#include "moat/limit/internal/bounded_map.h"

namespace moat::limit {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t most_policies = 4;  // two networks each: Charges::most
constexpr std::size_t least_entries = 1024;
constexpr std::uint64_t account_id = 101;
constexpr std::uint64_t pair_id = 102;
constexpr std::uint64_t device_id = 103;

// Failures in a row, and when the last one was counted.
struct Failures {
  std::int64_t last;
  std::uint32_t count;
};
using Map = internal::BoundedMap<Failures>;

// How failures turn into delays, and when they are forgotten.
class Rules final {
 public:
  explicit Rules(const LoginGuardOptions& options)
      : free_(options.free_failures),
        first_(options.first_delay),
        longest_(options.longest_delay),
        forget_free_(options.forget_free),
        forget_delayed_(options.forget_delayed),
        stop_after_(options.hard_stop_after),
        enforce_stop_(options.hard_stop == HardStop::enforce) {}

  nanoseconds delay(std::uint32_t count) const {
    if (count < free_) return nanoseconds{0};
    nanoseconds out = first_;
    for (std::uint32_t i = free_; i < count && out < longest_; ++i) {
      out = out > longest_ / 2 ? longest_ : out * 2;
    }
    return std::min(out, longest_);
  }
  bool stops(std::uint32_t count) const { return enforce_stop_ && count >= stop_after_; }
  bool reaches_stop(std::uint32_t count) const { return count == stop_after_; }
  nanoseconds longest() const { return longest_; }

  bool expired(const Failures& failures, Tick now) const {
    if (failures.count == 0) return true;
    if (stops(failures.count)) return false;
    const nanoseconds keep = failures.count < free_ ? forget_free_ : forget_delayed_;
    return elapsed(failures, now) >= keep;
  }
  // The rest of the delay; a clock that went back counts as standing still.
  nanoseconds wait(const Failures& failures, Tick now) const {
    const nanoseconds whole = delay(failures.count);
    return whole - std::min(whole, elapsed(failures, now));
  }

 private:
  static nanoseconds elapsed(const Failures& failures, Tick now) {
    const std::int64_t at = now.time_since_epoch().count();
    if (at <= failures.last) return nanoseconds{0};
    std::int64_t out = 0;
    if (__builtin_sub_overflow(at, failures.last, &out)) return nanoseconds::max();
    return nanoseconds{out};
  }

  std::uint32_t free_;
  nanoseconds first_;
  nanoseconds longest_;
  nanoseconds forget_free_;
  nanoseconds forget_delayed_;
  std::uint32_t stop_after_;
  bool enforce_stop_;
};

const LoginGuardOptions& checked(const LoginGuardOptions& options) {
  const bool good =
      !options.per_address.empty() && options.per_address.size() <= most_policies &&
      options.free_failures <= options.hard_stop_after && options.first_delay > nanoseconds{0} &&
      options.longest_delay >= options.first_delay && options.forget_free > nanoseconds{0} &&
      options.forget_delayed >= options.longest_delay;
  if (!good) throw std::invalid_argument("login guard: options that contradict each other");
  return options;
}

Policy known_policy(std::uint32_t count, std::chrono::seconds window) {
  return Policy::make(count, window, count, Subject::ip).value();
}

}  // namespace

LoginGuardOptions::LoginGuardOptions()
    : per_address{known_policy(10, std::chrono::minutes{1}),
                  known_policy(100, std::chrono::hours{1})} {}

LoginGuardOptions LoginGuardOptions::workshop() {
  LoginGuardOptions out;
  out.per_address = {known_policy(30, std::chrono::minutes{1})};
  return out;
}

std::string_view to_string(DelayReason reason) {
  switch (reason) {
    case DelayReason::address:
      return "address";
    case DelayReason::account:
      return "account";
    case DelayReason::device:
      return "device";
    case DelayReason::hard_stop:
      return "hard_stop";
    case DelayReason::table_full:
      return "table_full";
  }
  return "?";
}

// Locks are taken in this order: accounts, devices, addresses (inside Table).
struct LoginGuard::State {
  State(const LoginGuardOptions& options, Random& random)
      : rules(checked(options)),
        per_address(options.per_address),
        addresses(options.entries, random),
        accounts(std::max(options.entries, least_entries)),
        devices(std::max(options.entries / 4, least_entries)) {}

  Key account_key(std::string_view account) const { return addresses.key(account_id, account); }
  // A key for a part of an account. The account's own key is uniformly random and of fixed length,
  // so that no other account and part give the same bytes.
  Key part_key(std::uint64_t id, const Key& account, std::string_view part) const {
    std::string bytes(2 * sizeof(std::uint64_t), '\0');
    std::memcpy(bytes.data(), &account.high, sizeof account.high);
    std::memcpy(bytes.data() + sizeof account.high, &account.low, sizeof account.low);
    bytes += part;
    return addresses.key(id, bytes);
  }
  Key pair_key(const Key& account, const IpAddress& address) const {
    const LimitKey network = *limit_keys(address).begin();
    const auto& bytes = network.network.bytes();
    return part_key(pair_id, account, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  Charges address_charges(const IpAddress& address) const {
    Charges charges;
    for (std::size_t i = 0; i < per_address.size(); ++i) {
      charges.add(addresses, i + 1, per_address[i], address);
    }
    return charges;
  }

  Failures current(Map& map, const Key& key, Tick now) const {
    const Failures* const found = map.find(key);
    const Failures none{std::numeric_limits<std::int64_t>::min(), 0};
    return found && !rules.expired(*found, now) ? *found : none;
  }
  // Counts one failure more; false when there is no room.
  bool count(Map& map, const Key& key, Tick now) {
    Failures failures = current(map, key, now);
    if (failures.count < std::numeric_limits<std::uint32_t>::max()) ++failures.count;
    failures.last = now.time_since_epoch().count();
    return map.set(key, failures, [&](const Failures& f) { return rules.expired(f, now); });
  }
  void forgive(Map& map, const Key& key, std::uint32_t how_many) {
    Failures* const found = map.find(key);
    if (!found) return;
    if (found->count <= how_many) return map.erase(key);
    found->count -= how_many;
  }
  // What stands in the way of one more attempt.
  std::optional<Delay> hindrance(const Failures& failures, DelayReason reason, Tick now) {
    if (reason == DelayReason::account && rules.stops(failures.count)) {
      delayed.fetch_add(1, std::memory_order_relaxed);
      return Delay{rules.longest(), DelayReason::hard_stop};
    }
    const nanoseconds wait = rules.wait(failures, now);
    if (wait <= nanoseconds{0}) return std::nullopt;
    delayed.fetch_add(1, std::memory_order_relaxed);
    return Delay{wait, reason};
  }
  std::optional<Delay> charge_address(const Charges& charges, Tick now) {
    const Decision decision = addresses.consume(charges, now);
    if (decision.allowed) return std::nullopt;
    if (decision.reason == Reason::table_full) return full();
    limited.fetch_add(1, std::memory_order_relaxed);
    return Delay{decision.retry_after, DelayReason::address};
  }
  Delay full() {
    refused_full.fetch_add(1, std::memory_order_relaxed);
    return Delay{rules.longest(), DelayReason::table_full};
  }

  const Rules rules;
  const std::vector<Policy> per_address;
  Table addresses;
  Map accounts;  // accounts, and accounts from an address
  Map devices;
  std::atomic<std::uint64_t> delayed{0};
  std::atomic<std::uint64_t> limited{0};
  std::atomic<std::uint64_t> refused_full{0};
  std::atomic<std::uint64_t> hard_stops{0};
};

LoginGuard::LoginGuard(const LoginGuardOptions& options, Random& random)
    : state_(std::make_unique<State>(options, random)) {}
LoginGuard::~LoginGuard() = default;

Result<LoginGuard::Permit, Delay> LoginGuard::begin(std::string_view account,
                                                    const IpAddress& address,
                                                    std::string_view known_device, Tick now) {
  State& state = *state_;
  Permit permit;
  permit.account_ = state.account_key(account);
  permit.pair_ = state.pair_key(permit.account_, address);
  permit.known_device_ = !known_device.empty();
  const Charges charges = state.address_charges(address);

  if (permit.known_device_) {
    permit.device_ = state.part_key(device_id, permit.account_, known_device);
    const Map::Lock lock(state.devices, permit.device_);
    const Failures failures = state.current(state.devices, permit.device_, now);
    if (const auto delay = state.hindrance(failures, DelayReason::device, now)) {
      return Error{*delay};
    }
    if (const auto delay = state.charge_address(charges, now)) return Error{*delay};
    if (state.count(state.devices, permit.device_, now)) return permit;
    state.addresses.refund(charges, now, now);
    return Error{state.full()};
  }

  const std::array<Key, 2> keys{permit.account_, permit.pair_};
  const Map::Lock lock(state.accounts, keys);
  const Failures failures = state.current(state.accounts, permit.account_, now);
  if (const auto delay = state.hindrance(failures, DelayReason::account, now)) {
    return Error{*delay};
  }
  if (const auto delay = state.charge_address(charges, now)) return Error{*delay};
  if (!state.count(state.accounts, permit.account_, now)) {
    state.addresses.refund(charges, now, now);
    return Error{state.full()};
  }
  if (!state.count(state.accounts, permit.pair_, now)) {
    state.forgive(state.accounts, permit.account_, 1);
    state.addresses.refund(charges, now, now);
    return Error{state.full()};
  }
  if (state.rules.reaches_stop(failures.count + 1)) {
    state.hard_stops.fetch_add(1, std::memory_order_relaxed);
  }
  return permit;
}

void LoginGuard::succeed(const Permit& permit, Tick now) {
  State& state = *state_;
  const std::array<Key, 2> keys{permit.account_, permit.pair_};
  const Map::Lock lock(state.accounts, keys);
  const std::uint32_t own = state.current(state.accounts, permit.pair_, now).count;
  state.forgive(state.accounts, permit.account_, own);
  state.accounts.erase(permit.pair_);
  if (permit.known_device_) {
    const Map::Lock device_lock(state.devices, permit.device_);
    state.devices.erase(permit.device_);
  }
}

void LoginGuard::abandon(const Permit& permit, Tick) {
  State& state = *state_;
  if (permit.known_device_) {
    const Map::Lock lock(state.devices, permit.device_);
    return state.forgive(state.devices, permit.device_, 1);
  }
  const std::array<Key, 2> keys{permit.account_, permit.pair_};
  const Map::Lock lock(state.accounts, keys);
  state.forgive(state.accounts, permit.account_, 1);
  state.forgive(state.accounts, permit.pair_, 1);
}

void LoginGuard::unlock(std::string_view account) {
  const Key key = state_->account_key(account);
  const Map::Lock lock(state_->accounts, key);
  state_->accounts.erase(key);
}

void LoginGuard::unlock(std::string_view account, std::string_view device) {
  const Key key = state_->part_key(device_id, state_->account_key(account), device);
  const Map::Lock lock(state_->devices, key);
  state_->devices.erase(key);
}

std::uint32_t LoginGuard::failures(std::string_view account, Tick now) const {
  const Key key = state_->account_key(account);
  const Map::Lock lock(state_->accounts, key);
  return state_->current(state_->accounts, key, now).count;
}

LoginGuard::Stats LoginGuard::stats() const {
  Stats out;
  out.delayed = state_->delayed.load(std::memory_order_relaxed);
  out.limited = state_->limited.load(std::memory_order_relaxed);
  out.refused_full = state_->refused_full.load(std::memory_order_relaxed);
  out.hard_stops = state_->hard_stops.load(std::memory_order_relaxed);
  return out;
}

}  // namespace moat::limit
