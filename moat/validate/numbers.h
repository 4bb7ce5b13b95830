// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace moat::validate {

// Numbers as people and programs write them. Spellings are strict when nothing is said: one value
// has one spelling, as in JSON. All allocate nothing and are linear in the text; a text over 512
// bytes is no number with a value.

struct IntOptions {
  std::optional<std::int64_t> min, max;  // inclusive
  std::optional<std::int64_t> gt, lt;    // exclusive
  bool allow_plus = false;
  bool allow_leading_zeros = false;
  bool allow_negative_zero = false;
};
// Within 64 bits.
[[nodiscard]] bool is_int(std::string_view text, const IntOptions& options);

// The integer that `text` spells in a base of 2 to 36, letters of either case: an optional '-', no
// leading zeros, no prefix, within 64 bits. nullopt for another base.
[[nodiscard]] std::optional<std::int64_t> to_int(std::string_view text, unsigned base);

struct FloatOptions {
  std::optional<double> min, max;
  std::optional<double> gt, lt;
  std::string_view decimal_separator = ".";
  bool allow_plus = false;
  bool allow_leading_zeros = false;
  bool allow_bare_separator = false;  // "1." and ".5"
};
// A finite number, with an exponent or without; to_float is its value.
[[nodiscard]] bool is_float(std::string_view text, const FloatOptions& options = {});
[[nodiscard]] std::optional<double> to_float(std::string_view text,
                                             const FloatOptions& options = {});

struct DecimalOptions {
  std::string_view decimal_separator = ".";
  bool require_fraction = false;
  std::size_t min_fraction_digits = 1;
  std::size_t max_fraction_digits = std::numeric_limits<std::size_t>::max();
  bool allow_plus = false;
  bool allow_leading_zeros = false;
  bool allow_bare_separator = false;  // ".5"; "1." never
};
// Digits of any number, with a fraction or without; no exponent, and any size.
[[nodiscard]] bool is_decimal(std::string_view text, const DecimalOptions& options = {});

enum class Symbols { none, allow };  // a sign and a decimal separator
// Digits of any number, leading zeros among them.
[[nodiscard]] bool is_numeric(std::string_view text, Symbols symbols = Symbols::none,
                              std::string_view decimal_separator = ".");

struct OctalOptions {
  bool allow_prefix = false;  // 0o
};
[[nodiscard]] bool is_octal(std::string_view text, const OctalOptions& options = {});
// An integer, as to_int reads it, that `divisor` divides; false for the divisor 0.
[[nodiscard]] bool is_divisible_by(std::string_view text, std::int64_t divisor);

// What stands before the fraction where that language is written ("de-DE": ","), or nullopt for a
// locale that is not known.
[[nodiscard]] std::optional<std::string_view> decimal_separator(std::string_view locale);

// "latitude, longitude" in degrees, in parentheses or not; white space behind the comma only.
[[nodiscard]] bool is_lat_long(std::string_view text);

}  // namespace moat::validate
