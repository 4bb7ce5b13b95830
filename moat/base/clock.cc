// SPDX-License-Identifier: Apache-2.0
#include "moat/base/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

namespace moat {

namespace {

class SystemClock final : public Clock {
 public:
  Time now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
  }
  Tick tick() const override { return std::chrono::steady_clock::now(); }
};

struct Civil {
  int year;
  unsigned month, day, weekday, hour, minute, second, millisecond;
};

Civil civil(Time time) {
  // RFC 3339 and RFC 9110 have four digits for the year.
  constexpr Time first = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
  constexpr Time last = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} - Time::duration{1};
  time = std::clamp(time, first, last);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto in_day = std::chrono::duration_cast<std::chrono::milliseconds>(time - day).count();
  Civil out{};
  out.year = static_cast<int>(date.year());
  out.month = static_cast<unsigned>(date.month());
  out.day = static_cast<unsigned>(date.day());
  out.weekday = std::chrono::weekday(day).c_encoding();
  out.hour = static_cast<unsigned>(in_day / 3'600'000);
  out.minute = static_cast<unsigned>(in_day / 60'000 % 60);
  out.second = static_cast<unsigned>(in_day / 1000 % 60);
  out.millisecond = static_cast<unsigned>(in_day % 1000);
  return out;
}

template <class... Args>
std::string print(const char* format, Args... args) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, args...);
  return std::string(buffer.data(), static_cast<std::size_t>(length));
}

// A decimal number at the front of `text`, then one of the units; nullopt for anything else or an
// overflow.
std::optional<std::uint64_t> parse_scaled(
    std::string_view text, std::initializer_list<std::pair<std::string_view, std::uint64_t>> units,
    std::uint64_t most) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc()) return std::nullopt;
  const std::string_view unit(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
  for (const auto& [name, scale] : units) {
    if (unit != name) continue;
    if (value > most / scale) return std::nullopt;
    return value * scale;
  }
  return std::nullopt;
}

}  // namespace

Clock& system_clock() {
  static SystemClock instance;
  return instance;
}

std::string format_rfc3339(Time time) {
  const Civil c = civil(time);
  return print("%04d-%02u-%02uT%02u:%02u:%02uZ", c.year, c.month, c.day, c.hour, c.minute,
               c.second);
}

std::string format_rfc3339_millis(Time time) {
  const Civil c = civil(time);
  return print("%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", c.year, c.month, c.day, c.hour, c.minute,
               c.second, c.millisecond);
}

std::string format_http_date(Time time) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Civil c = civil(time);
  return print("%s, %02u %s %04d %02u:%02u:%02u GMT", days[c.weekday], c.day, months[c.month - 1],
               c.year, c.hour, c.minute, c.second);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::uint64_t most = std::uint64_t{1} << 53;
  const auto value = parse_scaled(
      text, {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}, most);
  if (!value) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::uint64_t kib = 1024;
  return parse_scaled(text, {{"B", 1}, {"KiB", kib}, {"MiB", kib * kib}, {"GiB", kib * kib * kib}},
                      std::numeric_limits<std::uint64_t>::max());
}

}  // namespace moat
