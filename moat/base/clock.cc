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
  // lint: allow(format) its callers pass literals
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

namespace {

constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed",
                                                      "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads a text from its front; `good` turns false and stays so where something else stands.
struct Taker {
  std::string_view rest;
  bool good = true;

  int digits(std::size_t count, int most) {
    int value = 0;
    good = good && rest.size() >= count;
    for (std::size_t i = 0; good && i < count; ++i) {
      good = rest[i] >= '0' && rest[i] <= '9';
      value = value * 10 + (rest[i] - '0');
    }
    good = good && value <= most;
    if (good) rest.remove_prefix(count);
    return good ? value : 0;
  }
  void literal(std::string_view text) {
    good = good && rest.substr(0, text.size()) == text;
    if (good) rest.remove_prefix(text.size());
  }
  template <std::size_t N>
  std::size_t one_of(const std::array<std::string_view, N>& words) {
    for (std::size_t i = 0; good && i < N; ++i) {
      if (rest.substr(0, words[i].size()) != words[i]) continue;
      rest.remove_prefix(words[i].size());
      return i;
    }
    good = false;
    return 0;
  }
  char character() {
    good = good && !rest.empty();
    if (!good) return 0;
    const char c = rest.front();
    rest.remove_prefix(1);
    return c;
  }
};

std::optional<Time> moment(int year, int month, int day, std::chrono::seconds in_day) {
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return Time{std::chrono::sys_days{date}} + in_day;
}

std::chrono::seconds time_of_day(Taker& take) {
  const int hour = take.digits(2, 23);
  take.literal(":");
  const int minute = take.digits(2, 59);
  take.literal(":");
  const int second = take.digits(2, 60);
  return std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
}

}  // namespace

std::optional<Time> parse_rfc3339(std::string_view text) {
  Taker take{text};
  const int year = take.digits(4, 9999);
  take.literal("-");
  const int month = take.digits(2, 12);
  take.literal("-");
  const int day = take.digits(2, 31);
  take.literal("T");
  const std::chrono::seconds in_day = time_of_day(take);
  std::chrono::microseconds fraction{0};
  if (take.good && !take.rest.empty() && take.rest[0] == '.') {
    take.rest.remove_prefix(1);
    fraction += std::chrono::microseconds{100'000} * take.digits(1, 9);
    int unit = 10'000;
    while (take.good && !take.rest.empty() && take.rest[0] >= '0' && take.rest[0] <= '9') {
      fraction += std::chrono::microseconds{unit} * take.digits(1, 9);
      unit /= 10;
    }
  }
  const char zone = take.character();
  std::chrono::minutes offset{0};
  if (zone == '+' || zone == '-') {
    offset += std::chrono::hours{take.digits(2, 23)};
    take.literal(":");
    offset += std::chrono::minutes{take.digits(2, 59)};
    if (zone == '-') offset = -offset;
  } else if (zone != 'Z') {
    return std::nullopt;
  }
  if (!take.good || !take.rest.empty()) return std::nullopt;
  const auto time = moment(year, month, day, in_day);
  if (!time) return std::nullopt;
  return *time + fraction - offset;
}

std::optional<Time> parse_http_date(std::string_view text) {
  Taker take{text};
  take.one_of(weekdays);
  take.literal(", ");
  const int day = take.digits(2, 31);
  take.literal(" ");
  const auto month = static_cast<int>(take.one_of(months)) + 1;
  take.literal(" ");
  const int year = take.digits(4, 9999);
  take.literal(" ");
  const std::chrono::seconds in_day = time_of_day(take);
  take.literal(" GMT");
  if (!take.good || !take.rest.empty()) return std::nullopt;
  return moment(year, month, day, in_day);
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
  const Civil c = civil(time);
  return print("%s, %02u %s %04d %02u:%02u:%02u GMT", weekdays[c.weekday].data(), c.day,
               months[c.month - 1].data(), c.year, c.hour, c.minute, c.second);
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
