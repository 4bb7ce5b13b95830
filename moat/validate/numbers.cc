// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/numbers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#include "moat/validate/internal/ascii.h"
#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

using internal::all;
using internal::is_digit;
using internal::starts_with_ignoring_case;
using internal::take_until;

constexpr std::size_t max_number = 512;

struct Locale {
  std::string_view name, separator;
};
// Unicode CLDR, symbols/decimal; sorted. Arabic where its own separator U+066B is used.
constexpr std::string_view arabic = "\u066b";
constexpr Locale locales[] = {
    {"ar", arabic},    {"ar-AE", arabic}, {"ar-BH", arabic}, {"ar-DZ", arabic},
    {"ar-EG", "."},    {"ar-IQ", arabic}, {"ar-JO", arabic}, {"ar-KW", arabic},
    {"ar-LB", "."},    {"ar-LY", "."},    {"ar-MA", arabic}, {"ar-QA", arabic},
    {"ar-QM", arabic}, {"ar-SA", arabic}, {"ar-SD", arabic}, {"ar-SY", arabic},
    {"ar-TN", arabic}, {"ar-YE", arabic}, {"bg-BG", ","},    {"cs-CZ", ","},
    {"da-DK", ","},    {"de-DE", ","},    {"el-GR", ","},    {"en-AU", "."},
    {"en-GB", "."},    {"en-HK", "."},    {"en-IN", "."},    {"en-NZ", "."},
    {"en-US", "."},    {"en-ZA", "."},    {"en-ZM", "."},    {"eo", ","},
    {"es-ES", ","},    {"fa", arabic},    {"fa-AF", arabic}, {"fa-IR", arabic},
    {"fr-CA", ","},    {"fr-FR", ","},    {"hi-IN", ","},    {"hu-HU", ","},
    {"id-ID", ","},    {"it-IT", ","},    {"kk-KZ", ","},    {"ku-IQ", ","},
    {"nb-NO", ","},    {"nl-NL", ","},    {"nn-NO", ","},    {"pl-PL", ","},
    {"pl-Pl", ","},    {"pt-BR", ","},    {"pt-PT", ","},    {"ru-RU", ","},
    {"si-LK", ","},    {"sl-SI", ","},    {"sr-RS", ","},    {"sr-RS@latin", ","},
    {"sv-SE", ","},    {"tr-TR", ","},    {"uk-UA", ","},    {"vi-VN", ","}};

// Takes a sign off the front: whether what is there may be.
bool take_sign(std::string_view& text, bool allow_plus) {
  if (text.substr(0, 1) == "-" || text.substr(0, 1) == "+") {
    if (text[0] == '+' && !allow_plus) return false;
    text.remove_prefix(1);
  }
  return true;
}

std::string_view take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  const auto digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

bool has_leading_zero(std::string_view digits) { return digits.size() > 1 && digits[0] == '0'; }

struct Fraction {
  std::string_view whole, fraction;
  bool has_separator = false;
};

// Takes digits, a separator and digits off the front of `text`.
Fraction take_fraction(std::string_view& text, std::string_view separator) {
  Fraction out;
  out.whole = take_digits(text);
  if (!separator.empty() && text.substr(0, separator.size()) == separator) {
    out.has_separator = true;
    text.remove_prefix(separator.size());
    out.fraction = take_digits(text);
  }
  return out;
}

template <class Options, class Number>
bool is_within(Number value, const Options& options) {
  return (!options.min || value >= *options.min) && (!options.max || value <= *options.max) &&
         (!options.gt || value > *options.gt) && (!options.lt || value < *options.lt);
}

// A whole or fractional number of degrees up to `limit`, exactly: no rounding lets 90.0…01 pass.
bool is_degrees(std::string_view text, unsigned limit) {
  if (!take_sign(text, true)) return false;
  const auto number = take_fraction(text, ".");
  if (!text.empty() || number.whole.empty() || number.whole.size() > 3) return false;
  if (number.has_separator && number.fraction.empty()) return false;
  if (has_leading_zero(number.whole)) return false;
  unsigned whole = 0;
  for (const char c : number.whole) whole = whole * 10 + static_cast<unsigned>(c - '0');
  return whole < limit ||
         (whole == limit && number.fraction.find_first_not_of('0') == std::string_view::npos);
}

}  // namespace

bool is_int(std::string_view text, const IntOptions& options) {
  auto digits = text;
  if (!take_sign(digits, options.allow_plus) || !all(digits, is_digit)) return false;
  if (!options.allow_leading_zeros && has_leading_zero(digits)) return false;
  const bool zero = digits.find_first_not_of('0') == std::string_view::npos;
  if (zero && text[0] == '-' && !options.allow_negative_zero) return false;
  if (text[0] == '+') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && is_within(value, options);
}

std::optional<double> to_float(std::string_view text, const FloatOptions& options) {
  if (text.empty() || text.size() > max_number) return std::nullopt;
  std::array<char, max_number + 2> plain{};
  std::size_t size = 0;
  const auto append = [&](std::string_view part) {
    size = static_cast<std::size_t>(
        std::copy(part.begin(), part.end(), plain.begin() + static_cast<std::ptrdiff_t>(size)) -
        plain.begin());
  };
  if (text[0] == '-') append("-");
  if (!take_sign(text, options.allow_plus)) return std::nullopt;
  const auto number = take_fraction(text, options.decimal_separator);
  if (number.whole.empty() && number.fraction.empty()) return std::nullopt;
  const bool bare = number.whole.empty() || (number.has_separator && number.fraction.empty());
  if (bare && !options.allow_bare_separator) return std::nullopt;
  if (has_leading_zero(number.whole) && !options.allow_leading_zeros) return std::nullopt;
  append(number.whole.empty() ? "0" : number.whole);
  if (!number.fraction.empty()) append(".");
  append(number.fraction);
  if (!text.empty()) {
    if (text[0] != 'e' && text[0] != 'E') return std::nullopt;
    auto exponent = text.substr(1);
    const bool minus = exponent.substr(0, 1) == "-";
    if (!take_sign(exponent, true) || !all(exponent, is_digit)) return std::nullopt;
    append(minus ? "e-" : "e");
    append(exponent);
  }
  double value = 0;
  const auto read = std::from_chars(plain.data(), plain.data() + size, value);
  if (read.ec != std::errc() || read.ptr != plain.data() + size || !std::isfinite(value))
    return std::nullopt;
  return is_within(value, options) ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> to_int(std::string_view text, unsigned base) {
  const auto digits = text.substr(text.substr(0, 1) == "-" ? 1 : 0);
  if (base < 2 || base > 36 || digits.empty() || (digits[0] == '0' && text.size() > 1))
    return std::nullopt;
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value, static_cast<int>(base));
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return value;
}

bool is_float(std::string_view text, const FloatOptions& options) {
  return to_float(text, options).has_value();
}

bool is_decimal(std::string_view text, const DecimalOptions& options) {
  if (!take_sign(text, options.allow_plus)) return false;
  const auto number = take_fraction(text, options.decimal_separator);
  if (!text.empty()) return false;
  if (!options.allow_leading_zeros && has_leading_zero(number.whole)) return false;
  if (!number.has_separator) return !options.require_fraction && !number.whole.empty();
  if (number.fraction.empty() || (number.whole.empty() && !options.allow_bare_separator))
    return false;
  return number.fraction.size() >= options.min_fraction_digits &&
         number.fraction.size() <= options.max_fraction_digits;
}

bool is_numeric(std::string_view text, Symbols symbols, std::string_view decimal_separator) {
  if (symbols == Symbols::none) return all(text, is_digit);
  if (!take_sign(text, true)) return false;
  const auto number = take_fraction(text, decimal_separator);
  return text.empty() && (number.has_separator ? !number.fraction.empty() : !number.whole.empty());
}

bool is_octal(std::string_view text, const OctalOptions& options) {
  if (options.allow_prefix && text.size() > 2 && starts_with_ignoring_case(text, "0o"))
    text.remove_prefix(2);
  return all(text, [](char c) { return c >= '0' && c <= '7'; });
}

bool is_divisible_by(std::string_view text, std::int64_t divisor) {
  const auto value = to_int(text);
  if (!value || divisor == 0) return false;
  return divisor == -1 || *value % divisor == 0;  // the least integer by -1 would overflow
}

std::optional<std::string_view> decimal_separator(std::string_view locale) {
  const auto* found = std::find_if(std::begin(locales), std::end(locales),
                                   [locale](const Locale& l) { return l.name == locale; });
  if (found == std::end(locales)) return std::nullopt;
  return found->separator;
}

bool is_lat_long(std::string_view text) {
  const bool opens = text.substr(0, 1) == "(";
  if (opens != (!text.empty() && text.back() == ')')) return false;
  if (opens) text = text.substr(1, text.size() - 2);
  bool has_comma = false;
  const auto latitude = take_until(text, ',', has_comma);
  if (text.substr(0, 1) == " ") text.remove_prefix(1);
  return has_comma && is_degrees(latitude, 90) && is_degrees(text, 180);
}

}  // namespace moat::validate
