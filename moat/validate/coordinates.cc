// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/coordinates.h"

#include <algorithm>
#include <optional>

#include "moat/validate/internal/compact.h"
#include "moat/validate/internal/layout.h"

namespace moat::validate {
namespace {

bool take(std::string_view& text, std::string_view part) {
  if (text.substr(0, part.size()) != part) return false;
  text.remove_prefix(part.size());
  return true;
}

// One to three digits without a leading zero.
std::optional<unsigned> take_number(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && internal::is_digit(text[size])) ++size;
  if (size == 0 || size > 3 || (size > 1 && text[0] == '0')) return std::nullopt;
  const unsigned value = internal::number(text.substr(0, size));
  text.remove_prefix(size);
  return value;
}

// A point and digits; whether they are not all zero.
std::optional<bool> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return false;
  std::size_t size = 0;
  bool some = false;
  for (; size < text.size() && internal::is_digit(text[size]); ++size)
    some = some || text[size] != '0';
  if (size == 0) return std::nullopt;
  text.remove_prefix(size);
  return some;
}

// "40° 26′ 46.5″ N", the letter one of two.
bool take_angle(std::string_view& text, unsigned most, std::string_view letters, Case letter_case) {
  const auto degrees = take_number(text);
  if (!degrees || *degrees > most || !take(text, "°")) return false;
  take(text, " ");
  const auto minutes = take_number(text);
  if (!minutes || *minutes > 59 || !(take(text, "′") || take(text, "'"))) return false;
  take(text, " ");
  const auto seconds = take_number(text);
  const auto fraction = take_fraction(text);
  if (!seconds || !fraction || *seconds > 59 || !(take(text, "″") || take(text, "\"")))
    return false;
  take(text, " ");
  if (*degrees == most && (*minutes > 0 || *seconds > 0 || *fraction)) return false;
  if (text.empty()) return false;
  const char side = letter_case == Case::ignore ? internal::to_upper(text[0]) : text[0];
  if (!internal::contains(letters, side)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

bool is_lat_long_dms(std::string_view text, Case letters) {
  if (text.size() > internal::max_layout_text || !take_angle(text, 90, "NS", letters) ||
      !take(text, ","))
    return false;
  take(text, " ");
  return take_angle(text, 180, "EW", letters) && text.empty();
}

}  // namespace moat::validate
