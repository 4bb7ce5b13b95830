// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/ip.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/limit/policy.h"
#include "moat/limit/table.h"

namespace moat::limit {

// What becomes of a password after `hard_stop_after` failures in a row.
enum class HardStop { count_only, enforce };

struct LoginGuardOptions {
  // On the attempts of one address, right or wrong; one to four. Default: 10/min/ip and 100/h/ip.
  std::vector<Policy> per_address;
  std::uint32_t free_failures = 5;  // of one account (or one known device), before delays begin
  std::chrono::nanoseconds first_delay = std::chrono::seconds{1};  // doubles with each failure
  std::chrono::nanoseconds longest_delay = std::chrono::minutes{15};
  std::uint32_t hard_stop_after = 100;
  HardStop hard_stop = HardStop::count_only;
  // Failures are forgotten so long after the last one: within the free ones, and beyond.
  std::chrono::nanoseconds forget_free = std::chrono::hours{1};
  std::chrono::nanoseconds forget_delayed = std::chrono::hours{24};
  // Accounts and their addresses; about 90 bytes for each in all, 12 MB, which the system gives as
  // it is used.
  std::size_t entries = 131072;

  LoginGuardOptions();
  // For localhost: 30 attempts a minute an address.
  static LoginGuardOptions workshop();
};

// Why a login has to wait. For the log; the client is told only that it has to.
enum class DelayReason { address, account, device, hard_stop, table_full };
std::string_view to_string(DelayReason reason);

struct Delay {
  std::chrono::nanoseconds retry_after{
      0};  // of a hard_stop: longest_delay, though it will not help
  DelayReason reason = DelayReason::account;
};

// LoginGuard slows guessing down without letting strangers lock the owner out. Attempts are counted
// by address (all of them), by account (failures from anywhere), and by account and known device (a
// bucket of its own, which failures from elsewhere do not touch, so that the owner gets in while
// the account is under attack). A success forgives what the same device, and the same account from
// the same address, had failed; not what others did.
//
// begin() counts the attempt as a failure at once, so that parallel guesses cannot share the last
// free one; succeed() takes that back. Accounts that do not exist are counted alike. Memory is
// fixed: full tables refuse who is new, while known devices have a table of their own. Counts live
// in memory, and end with the process. Thread-safe.
class LoginGuard final {
 public:
  // Permit is the right to check one password. Dropped, it stays a failure.
  class Permit final {
   public:
    bool known_device() const { return known_device_; }

   private:
    friend class LoginGuard;
    Key account_;
    Key pair_;
    Key device_;
    bool known_device_ = false;
  };
  struct Stats {
    std::uint64_t delayed = 0;       // attempts refused by account or device
    std::uint64_t limited = 0;       // by address
    std::uint64_t refused_full = 0;  // for want of room
    std::uint64_t hard_stops = 0;    // times an account reached hard_stop_after, enforced or not
  };

  explicit LoginGuard(const LoginGuardOptions& options = {}, Random& random = system_random());
  LoginGuard(const LoginGuard&) = delete;  // it owns locks
  LoginGuard& operator=(const LoginGuard&) = delete;
  ~LoginGuard();

  // `account` must be the canonical name, the one the store looks up, or one account has many
  // buckets. `known_device` is the id of a device that the owner of this very account has logged in
  // from, verified by the caller; empty: none.
  [[nodiscard]] Result<Permit, Delay> begin(std::string_view account, const IpAddress& address,
                                            std::string_view known_device, Tick now);
  // The password was right.
  void succeed(const Permit& permit, Tick now);
  // No password was checked (the server was busy): the attempt does not count. The address's count
  // stays.
  void abandon(const Permit& permit, Tick now);

  // For the owner who has proved to be one otherwise, or an administrator.
  void unlock(std::string_view account);
  void unlock(std::string_view account, std::string_view device);
  // Failures in a row, those of known devices aside.
  std::uint32_t failures(std::string_view account, Tick now) const;
  Stats stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moat::limit
