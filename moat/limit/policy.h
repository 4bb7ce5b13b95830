// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/base/result.h"

namespace moat::limit {

// What a limit counts by.
enum class Subject { ip, user, account, account_and_ip };
std::string_view to_string(Subject subject);

// Why a policy's text or numbers were refused.
enum class PolicyRefusal {
  syntax,           // not of the form count/unit/key
  bad_count,        // not 1 to 1000000
  unknown_unit,     // none of s, sec, min, h, hour, d, day
  unknown_subject,  // none of ip, user, account, account+ip
  bad_burst,        // not 1 to 1000000
  too_long          // a spent allowance would take more than 366 days to come back
};
std::string_view to_string(PolicyRefusal refusal);

// Policy is one rate limit: `count` requests a `window`, of which `burst` may come at once. Any
// span of time w lets at most burst + count * w / window requests pass.
class Policy final {
 public:
  static constexpr std::uint32_t most = 1'000'000;

  // The general limit: 600 a minute by address, 100 at once.
  Policy();

  // parse reads
  //   policy = count "/" unit "/" subject [ SP "burst" SP count ]
  //   unit   = "s" / "sec" / "min" / "h" / "hour" / "d" / "day"
  //   subject = "ip" / "user" / "account" / "account+ip"
  // in lower case, counts without sign or leading zero, no other white space: "600/min/ip burst
  // 100". Without a burst the whole count may come at once.
  static Result<Policy, PolicyRefusal> parse(std::string_view text);
  // The window is at least a second.
  static Result<Policy, PolicyRefusal> make(std::uint32_t count, std::chrono::nanoseconds window,
                                            std::uint32_t burst, Subject subject);

  std::uint32_t count() const { return count_; }
  std::uint32_t burst() const { return burst_; }
  std::chrono::nanoseconds window() const { return window_; }
  Subject subject() const { return subject_; }
  // The time in which one request is earned back, rounded up to a whole nanosecond: never faster
  // than the rate.
  std::chrono::nanoseconds interval() const { return interval_; }
  // The time in which a spent burst is earned back.
  std::chrono::nanoseconds capacity() const { return interval_ * burst_; }

  // The same limit with count and burst times `factor` (1 to 16), for a network that holds many
  // clients.
  Policy times(std::uint32_t factor) const;
  // The spelling that `parse` reads, where the window is a unit: "600/min/ip burst 100".
  std::string to_string() const;
  bool operator==(const Policy&) const = default;

 private:
  Policy(std::uint32_t count, std::chrono::nanoseconds window, std::uint32_t burst,
         Subject subject);

  std::uint32_t count_;
  std::uint32_t burst_;
  std::chrono::nanoseconds window_;
  std::chrono::nanoseconds interval_;
  Subject subject_;
};

// Why a request was refused. For log and metrics.
enum class Reason { none, over_limit, table_full };
std::string_view to_string(Reason reason);

// Decision is the answer to one request. A default one refuses.
struct Decision {
  bool allowed = false;
  std::uint32_t limit = 0;                  // the policy's count
  std::uint32_t remaining = 0;              // how many more would pass at this moment
  std::chrono::nanoseconds reset_after{0};  // until the whole burst is there again
  std::chrono::nanoseconds retry_after{0};  // until one request would pass; zero when allowed
  Reason reason = Reason::none;             // of a refusal
};

// The state of a bucket is one number, the theoretical arrival time (TAT) of the generic cell rate
// algorithm (ITU-T I.371 annex A): the tick at which the whole burst is there again.
struct Step {
  Decision decision;
  Tick arrival;  // the bucket's new TAT; the old one when refused
};
// take counts one request against a bucket, exactly and without overflow. A bucket that was never
// used has the TAT Tick::min(). A clock that went back grants nothing until it has caught up: the
// bucket counts as spent.
[[nodiscard]] Step take(const Policy& policy, Tick arrival, Tick now);
// look says what `take` would, and takes nothing: `remaining` counts the request asked about.
[[nodiscard]] Decision look(const Policy& policy, Tick arrival, Tick now);

}  // namespace moat::limit
