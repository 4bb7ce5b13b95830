// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moat {

// Wall-clock time with microseconds: token times, certificate times, what is shown and stored.
using Time = std::chrono::sys_time<std::chrono::microseconds>;
// Time that never goes back: limits, deadlines.
using Tick = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

// Clock is given as an argument; practices take times and never ask for `now` themselves.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  virtual Tick tick() const = 0;
};

Clock& system_clock();

// A clock that stands still until it is moved; for tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_(start) {}
  Time now() const override { return now_; }
  Tick tick() const override { return tick_; }
  void advance(std::chrono::microseconds by) {
    now_ += by;
    tick_ += by;
  }

 private:
  Time now_;
  Tick tick_{};
};

inline std::int64_t unix_seconds(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}
// A number of seconds that Time cannot hold (some 292 000 years either way) becomes the nearest one
// that it can, so that a stranger's number never overflows.
inline Time from_unix_seconds(std::int64_t seconds) {
  constexpr std::int64_t most =
      std::chrono::floor<std::chrono::seconds>(Time::duration::max()).count();
  return Time{std::chrono::seconds{std::clamp(seconds, -most, most)}};
}

// Years outside of 0000 to 9999 are printed as the nearest moment inside.
// RFC 3339 in UTC, to the second or to the millisecond: 2026-11-24T09:08:07Z,
// 2026-11-24T09:08:07.123Z.
std::string format_rfc3339(Time time);
std::string format_rfc3339_millis(Time time);
// The IMF-fixdate of RFC 9110 section 5.6.7: Tue, 24 Nov 2026 09:08:07 GMT.
std::string format_http_date(Time time);

// parse_rfc3339 reads RFC 3339 section 5.6 with any offset and fraction, in capitals: years 0000 to
// 9999; what is finer than a microsecond is cut off. A leap second is the second behind it.
[[nodiscard]] std::optional<Time> parse_rfc3339(std::string_view text);
// parse_http_date reads the IMF-fixdate of RFC 9110 section 5.6.7, the form that is generated; not
// the two obsolete ones. The day's name is not compared with the date.
[[nodiscard]] std::optional<Time> parse_http_date(std::string_view text);

// parse_duration reads "30s", "5m", "8h", "90d", "250ms": one non-negative integer and one unit, no
// bare number.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// parse_size reads "16KiB", "1MiB", "2GiB", "512B".
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace moat
