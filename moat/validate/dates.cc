// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/dates.h"

#include <algorithm>
#include <array>
#include <optional>

#include "moat/validate/internal/ascii.h"

namespace moat::validate {
namespace {

using internal::all;
using internal::contains;
using internal::is_digit;

bool is_leap(unsigned year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

unsigned days_in_month(unsigned year, unsigned month) {
  constexpr std::array<unsigned, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

// The weekday of the first of January, Sunday being 0: a year moves it by one, a leap year by two.
unsigned weekday_of_new_year(unsigned year) {
  const unsigned y = year + 400 - 1;  // no year is negative
  return (1 + y + y / 4 - y / 100 + y / 400) % 7;
}

// ISO 8601 section 3.1.1.23 (2019): 53 weeks when the year begins on a Thursday, or is a leap year
// and begins on a Wednesday.
unsigned weeks_in(unsigned year) {
  const auto weekday = weekday_of_new_year(year);
  return weekday == 4 || (weekday == 3 && is_leap(year)) ? 53 : 52;
}

// Takes `count` digits off the front: their value.
std::optional<unsigned> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count || !all(text.substr(0, count), is_digit)) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, count)) value = value * 10 + static_cast<unsigned>(c - '0');
  text.remove_prefix(count);
  return value;
}

// The same, within bounds.
bool take_between(std::string_view& text, std::size_t count, unsigned min, unsigned max) {
  const auto value = take_number(text, count);
  return value && *value >= min && *value <= max;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

// Digits behind a point or comma, if there is one; whether they are well-formed.
bool take_second_fraction(std::string_view& text, std::string_view points, bool& found) {
  found = !text.empty() && contains(points, text[0]);
  if (!found) return true;
  text.remove_prefix(1);
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit) - text.begin();
  text.remove_prefix(static_cast<std::size_t>(end));
  return end > 0;
}

// What forms the parts of an ISO 8601 text have. A part that shows none fits both.
struct Forms {
  bool basic = false;
  bool extended = false;
  bool reduced = false;  // a date that names no day
  void note(bool is_extended) { (is_extended ? extended : basic) = true; }
};

bool take_week(std::string_view& text, unsigned year, Forms& forms, const Iso8601Options& options) {
  const unsigned most = options.allow_impossible_dates ? 53 : weeks_in(year);
  if (!take_between(text, 2, 1, most)) return false;
  if (text.empty() || (text[0] != '-' && !is_digit(text[0]))) {
    forms.reduced = true;
    return true;
  }
  forms.note(take(text, '-'));
  return take_between(text, 1, 1, 7);
}

bool take_iso_date(std::string_view& text, Forms& forms, const Iso8601Options& options) {
  const auto year = take_number(text, 4);
  if (!year) return false;
  if (text.empty()) return true;
  const bool extended = take(text, '-');
  forms.note(extended);
  if (take(text, 'W')) return take_week(text, *year, forms, options);
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit) - text.begin();
  if (end == 3) {
    const bool long_year = options.allow_impossible_dates || is_leap(*year);
    return take_between(text, 3, 1, long_year ? 366 : 365);
  }
  const auto month = take_number(text, 2);
  if (!month || *month < 1 || *month > 12) return false;
  if (end != (extended ? 2 : 4)) return false;
  if (extended && !take(text, '-')) {
    forms.reduced = true;
    return true;
  }
  const unsigned most = options.allow_impossible_dates ? 31 : days_in_month(*year, *month);
  return take_between(text, 2, 1, most);
}

bool take_iso_zone(std::string_view& text, Forms& forms) {
  if (text.empty()) return true;
  if (take(text, 'Z') || take(text, 'z')) return true;
  if (!take(text, '+') && !take(text, '-')) return false;
  if (!take_between(text, 2, 0, 23)) return false;
  if (text.empty()) return true;
  forms.note(take(text, ':'));
  return take_between(text, 2, 0, 59);
}

bool take_iso_time(std::string_view& text, Forms& forms) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 24) return false;
  const unsigned most = *hour == 24 ? 0 : 59;  // 24:00 ends a day
  bool fraction = false;
  std::optional<bool> colon;
  for (int part = 0; part < 2 && !fraction; ++part) {
    if (!take_second_fraction(text, ".,", fraction)) return false;
    if (fraction || text.empty() || contains("Zz+-", text[0])) break;
    const bool here = take(text, ':');
    if (colon && *colon != here) return false;
    colon = here;
    if (!take_between(text, 2, 0, most)) return false;
  }
  if (!fraction && !take_second_fraction(text, ".,", fraction)) return false;
  if (colon) forms.note(*colon);
  return take_iso_zone(text, forms) && !(*hour == 24 && fraction);
}

struct Moment {
  int minute = 0;  // of the day, in UTC
  bool leap_second = false;
};

// RFC 3339 section 5.6: partial-time and time-offset.
std::optional<Moment> take_rfc_time(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  bool fraction = false;
  if (!second || *second > 60 || !take_second_fraction(text, ".", fraction)) return std::nullopt;
  Moment moment;
  moment.leap_second = *second == 60;
  moment.minute = static_cast<int>(*hour * 60 + *minute);
  if (take(text, 'Z') || take(text, 'z')) return moment;
  const bool east = take(text, '+');
  if (!east && !take(text, '-')) return std::nullopt;
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23 || !take(text, ':')) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const int offset = static_cast<int>(*hours * 60 + *minutes);
  moment.minute = (moment.minute + (east ? -offset : offset) + 1440) % 1440;
  return moment;
}

bool is_rfc_time(std::string_view text, bool any_leap_second) {
  const auto moment = take_rfc_time(text);
  if (!moment || !text.empty()) return false;
  // RFC 3339 section 5.7: a leap second is the last one of a day in UTC.
  return !moment->leap_second || any_leap_second || moment->minute == 1439;
}

// How often the character at the front is repeated.
std::size_t run_length(std::string_view text) {
  return std::min(text.find_first_not_of(text[0]), text.size());
}

}  // namespace

bool is_iso8601(std::string_view text, const Iso8601Options& options) {
  Forms forms;
  if (!take_iso_date(text, forms, options)) return false;
  if (text.empty()) return options.allow_mixed_forms || !(forms.basic && forms.extended);
  if (!take(text, 'T') && !(options.allow_space_separator && take(text, ' '))) return false;
  if (!take_iso_time(text, forms) || !text.empty()) return false;
  return options.allow_mixed_forms || (!forms.reduced && !(forms.basic && forms.extended));
}

bool is_rfc3339(std::string_view text, const Rfc3339Options& options) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return false;
  const auto month = take_number(text, 2);
  if (!month || *month < 1 || *month > 12 || !take(text, '-')) return false;
  const unsigned most = options.allow_impossible_dates ? 31 : days_in_month(*year, *month);
  if (!take_between(text, 2, 1, most)) return false;
  if (!take(text, 'T') && !take(text, 't') && !(options.allow_space_separator && take(text, ' ')))
    return false;
  return is_rfc_time(text, options.allow_any_leap_second);
}

bool is_rfc3339_time(std::string_view text) { return is_rfc_time(text, false); }

bool is_date(std::string_view text, const DateOptions& options) {
  std::optional<unsigned> day, month, year;
  std::optional<char> delimiter;
  for (auto format = options.format; !format.empty();) {
    const char c = format[0];
    const auto count = run_length(format);
    format.remove_prefix(count);
    auto* field = c == 'D' ? &day : c == 'M' ? &month : c == 'Y' ? &year : nullptr;
    if (field == nullptr) {
      const bool fits = !text.empty() && count == 1 &&
                        (text[0] == c || contains(options.allow_delimiters, text[0])) &&
                        (!delimiter || *delimiter == text[0]);
      if (!fits) return false;
      delimiter = text[0];
      text.remove_prefix(1);
      continue;
    }
    const bool known = c == 'Y' ? count == 2 || count == 4 : count <= 2;
    if (*field || !known || !(*field = take_number(text, count))) return false;
    if (c == 'Y' && count == 2) **field += 2000;
  }
  return text.empty() && day && month && year && *month >= 1 && *month <= 12 && *day >= 1 &&
         *day <= days_in_month(*year, *month);
}

bool is_time(std::string_view text, HourFormat hours, Seconds seconds) {
  const std::size_t count = text.size() > 1 && is_digit(text[1]) ? 2 : 1;
  const bool half = hours == HourFormat::hour12;
  if (!take_between(text, count, half ? 1 : 0, half ? 12 : 23)) return false;
  if (!take(text, ':') || !take_between(text, 2, 0, 59)) return false;
  const bool more = !text.empty() && text[0] == ':';
  if (more ? seconds == Seconds::none : seconds == Seconds::required) return false;
  if (more) {
    text.remove_prefix(1);
    if (!take_between(text, 2, 0, 59)) return false;
  }
  return half ? text == " AM" || text == " PM" : text.empty();
}

}  // namespace moat::validate
