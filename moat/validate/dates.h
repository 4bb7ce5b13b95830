// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace moat::validate {

// Dates and times as texts, in the proleptic Gregorian calendar, years 0000 to 9999. All are linear
// in the text and allocate nothing.

struct Iso8601Options {
  bool allow_space_separator = false;   // for the T
  bool allow_impossible_dates = false;  // 2009-02-31, 2009-366
  // Basic and extended form in one text, a time behind a month or week.
  bool allow_mixed_forms = false;
};
// A date (year, month, day, week or ordinal), with a time and a zone or without.
[[nodiscard]] bool is_iso8601(std::string_view text, const Iso8601Options& options = {});

struct Rfc3339Options {
  bool allow_space_separator = false;
  bool allow_impossible_dates = false;
  bool allow_any_leap_second = false;  // second 60 at other times than 23:59 UTC
};
// RFC 3339's date-time; "t" and "z" may be lower-case.
[[nodiscard]] bool is_rfc3339(std::string_view text, const Rfc3339Options& options = {});

// RFC 3339's full-time, "23:59:60Z": a time with its zone and no day.
[[nodiscard]] bool is_rfc3339_time(std::string_view text);

struct DateOptions {
  // D, M and Y as often as their number has digits, one delimiter between them; YY is 20YY.
  std::string_view format = "YYYY/MM/DD";
  // What may stand for the format's delimiter, the same one in both places; empty: only itself.
  std::string_view allow_delimiters = {};
};
// A day that there is, in that format. False for a format that is none.
[[nodiscard]] bool is_date(std::string_view text, const DateOptions& options = {});

enum class HourFormat { hour24, hour12 };  // hour12: " AM" or " PM" behind it
enum class Seconds { none, required, optional };
// "23:59", the hour of one digit or two.
[[nodiscard]] bool is_time(std::string_view text, HourFormat hours = HourFormat::hour24,
                           Seconds seconds = Seconds::none);

}  // namespace moat::validate
