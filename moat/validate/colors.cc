// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/colors.h"

#include <algorithm>

#include "moat/validate/internal/ascii.h"

namespace moat::validate {
namespace {

using internal::contains;
using internal::is_digit;
using internal::starts_with_ignoring_case;

void skip_spaces(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit) - text.begin();
  const auto digits = text.substr(0, static_cast<std::size_t>(end));
  text.remove_prefix(digits.size());
  return digits;
}

// Digits with leading zeros, saturated far above any limit here.
unsigned value_of(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) value = std::min(value * 10 + static_cast<unsigned>(c - '0'), 10000u);
  return value;
}

// CSS Values 4 section 5.3's number, without an exponent: "1", ".5", "+0.5".
struct Number {
  bool good = false;
  bool negative = false;
  bool fraction = false;  // other than zero
  unsigned whole = 0;
  bool is_between_zero_and(unsigned limit) const {
    const bool zero = whole == 0 && !fraction;
    return good && (!negative || zero) && (whole < limit || (whole == limit && !fraction));
  }
};

Number take_number(std::string_view& text) {
  Number number;
  number.negative = take(text, '-');
  if (!number.negative) take(text, '+');
  const auto whole = take_digits(text);
  number.whole = value_of(whole);
  number.good = !whole.empty();
  if (take(text, '.')) {
    const auto fraction = take_digits(text);
    number.fraction = fraction.find_first_not_of('0') != std::string_view::npos;
    number.good = !fraction.empty();
  }
  return number;
}

void spaces(std::string_view& text, const RgbColorOptions& options) {
  if (options.allow_spaces) skip_spaces(text);
}

// 0 to 255, or 0% to 100%, without a sign, a fraction or a leading zero.
bool take_channel(std::string_view& text, bool& percent) {
  const auto digits = take_digits(text);
  percent = take(text, '%');
  return !digits.empty() && digits.size() <= 3 && (digits.size() == 1 || digits[0] != '0') &&
         value_of(digits) <= (percent ? 100u : 255u);
}

bool take_hsl_percent(std::string_view& text) {
  return take_number(text).is_between_zero_and(100) && take(text, '%');
}

bool take_hue(std::string_view& text) {
  if (!take_number(text).good) return false;
  for (const std::string_view unit : {"deg", "grad", "rad", "turn"}) {
    if (!starts_with_ignoring_case(text, unit)) continue;
    text.remove_prefix(unit.size());
    break;
  }
  return true;
}

bool take_alpha(std::string_view& text) {
  if (!take_number(text).good) return false;
  take(text, '%');
  return true;
}

}  // namespace

bool is_rgb_color(std::string_view text, const RgbColorOptions& options) {
  if (text.substr(0, 3) != "rgb") return false;
  text.remove_prefix(3);
  const bool alpha = take(text, 'a');
  if (!take(text, '(')) return false;
  bool first_percent = false;
  for (int i = 0; i < 3; ++i) {
    bool percent = false;
    spaces(text, options);
    if ((i > 0 && !take(text, ',')) || (spaces(text, options), !take_channel(text, percent)))
      return false;
    if (percent && options.forbid_percent) return false;
    if (i == 0) first_percent = percent;
    if (percent != first_percent) return false;
  }
  spaces(text, options);
  if (alpha) {
    if (!take(text, ',')) return false;
    spaces(text, options);
    if (text.substr(0, 1).find_first_of("+-") == 0 || !take_number(text).is_between_zero_and(1))
      return false;
    spaces(text, options);
  }
  return text == ")";
}

bool is_hsl(std::string_view text) {
  if (!starts_with_ignoring_case(text, "hsl")) return false;
  text.remove_prefix(3);
  if (!text.empty() && contains("aA", text[0])) text.remove_prefix(1);
  if (!take(text, '(')) return false;
  skip_spaces(text);
  if (!take_hue(text)) return false;
  const auto before = text.size();
  skip_spaces(text);
  const bool commas = take(text, ',');
  if (!commas && text.size() == before) return false;
  skip_spaces(text);
  if (!take_hsl_percent(text)) return false;
  const auto between = text.size();
  skip_spaces(text);
  if (commas ? !take(text, ',') : text.size() == between) return false;
  skip_spaces(text);
  if (!take_hsl_percent(text)) return false;
  skip_spaces(text);
  if (take(text, commas ? ',' : '/')) {
    skip_spaces(text);
    if (!take_alpha(text)) return false;
    skip_spaces(text);
  }
  return text == ")";
}

}  // namespace moat::validate
