// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/moments.h"

#include <chrono>

#include "moat/validate/internal/layout.h"
#include "moat/validate/internal/national_numbers.h"

namespace moat::validate {
namespace {

using internal::fits;
using internal::number;

constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::string_view weekdays = "SunMonTueWedThuFriSat";

std::optional<Time> at_day(unsigned year, unsigned month, unsigned day) {
  if (!internal::is_day(year, month, day)) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day));
  return Time(std::chrono::sys_days(date));
}

// "HH:MM:SS" on a day.
std::optional<Time> at_time(std::optional<Time> day, std::string_view time) {
  const unsigned hour = number(time.substr(0, 2));
  const unsigned minute = number(time.substr(3, 2));
  const unsigned second = number(time.substr(6, 2));
  if (!day || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return *day + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

// A time on that side of Greenwich ("+HHMM"), as UTC.
std::optional<Time> from_zone(std::optional<Time> time, char sign, unsigned hour, unsigned minute) {
  if (!time || hour > 23 || minute > 59) return std::nullopt;
  const auto offset = std::chrono::hours(hour) + std::chrono::minutes(minute);
  return sign == '-' ? *time + offset : *time - offset;
}

// 1 to 12, or 0 for a word that is none.
unsigned month_of(std::string_view word) {
  const auto at = months.find(word);
  return at != std::string_view::npos && at % 3 == 0 ? static_cast<unsigned>(at / 3) + 1 : 0;
}
bool is_weekday(std::string_view word) {
  const auto at = weekdays.find(word);
  return at != std::string_view::npos && at % 3 == 0;
}

std::optional<Time> iso_day(std::string_view text) {
  return at_day(number(text.substr(0, 4)), number(text.substr(5, 2)), number(text.substr(8, 2)));
}

// RFC 3339 section 5.6.
std::optional<Time> rfc3339(std::string_view text) {
  constexpr std::string_view moment =
      "####-##-##[Tt]##:##:##(.#{1,9})?[Zz]|####-##-##[Tt]##:##:##(.#{1,9})?[-+]##:##";
  if (fits("####-##-##", text)) return iso_day(text);
  if (!fits(moment, text)) return std::nullopt;
  auto time = at_time(iso_day(text), text.substr(11, 8));
  text.remove_prefix(19);
  if (text[0] == '.') {
    text.remove_prefix(1);
    unsigned microseconds = 0;
    unsigned unit = 100'000;
    for (; internal::is_digit(text[0]); text.remove_prefix(1), unit /= 10)
      microseconds += internal::digit(text[0]) * unit;
    if (time) *time += std::chrono::microseconds(microseconds);
  }
  if (text.size() == 1) return time;
  return from_zone(time, text[0], number(text.substr(1, 2)), number(text.substr(4, 2)));
}

// ECMA-262 section 21.4.4.41.2: "Thu Aug 04 2011 00:00:00 GMT+0000", and the zone's name or
// nothing.
std::optional<Time> javascript(std::string_view text) {
  constexpr std::size_t size = 33;
  const auto name = text.size() > size ? text.substr(size) : std::string_view();
  const bool named = name.size() > 3 && name.size() < 60 && name.substr(0, 2) == " (" &&
                     name.back() == ')' && name.find(')') == name.size() - 1;
  if (!name.empty() && !named) return std::nullopt;
  text = text.substr(0, size);
  if (!fits("@[a-z][a-z] @[a-z][a-z] ## #### ##:##:## GMT[-+]####", text) ||
      !is_weekday(text.substr(0, 3)))
    return std::nullopt;
  const auto day =
      at_day(number(text.substr(11, 4)), month_of(text.substr(4, 3)), number(text.substr(8, 2)));
  return from_zone(at_time(day, text.substr(16, 8)), text[28], number(text.substr(29, 2)),
                   number(text.substr(31, 2)));
}

// RFC 9110 section 5.6.7's IMF-fixdate.
std::optional<Time> imf_fixdate(std::string_view text) {
  if (!fits("@[a-z][a-z], ## @[a-z][a-z] #### ##:##:## GMT", text) ||
      !is_weekday(text.substr(0, 3)))
    return std::nullopt;
  const auto day =
      at_day(number(text.substr(12, 4)), month_of(text.substr(8, 3)), number(text.substr(5, 2)));
  return at_time(day, text.substr(17, 8));
}

std::optional<Time> american(std::string_view text) {
  if (!fits("##/##/####", text)) return std::nullopt;
  return at_day(number(text.substr(6, 4)), number(text.substr(0, 2)), number(text.substr(3, 2)));
}

}  // namespace

std::optional<Time> to_date(std::string_view text, const MomentOptions& options) {
  if (const auto time = rfc3339(text)) return time;
  if (!options.allow_other_forms) return std::nullopt;
  for (const auto read : {american, javascript, imf_fixdate})
    if (const auto time = read(text)) return time;
  return std::nullopt;
}

bool is_before(std::string_view text, Time moment, const MomentOptions& options) {
  const auto time = to_date(text, options);
  return time && *time < moment;
}

bool is_after(std::string_view text, Time moment, const MomentOptions& options) {
  const auto time = to_date(text, options);
  return time && *time > moment;
}

}  // namespace moat::validate
