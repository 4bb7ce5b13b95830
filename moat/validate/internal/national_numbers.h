// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/compact.h"

// Rules that several national numbers share. All take texts whose layout has been checked.

namespace moat::validate::internal {

// Whether there is such a day in the proleptic Gregorian calendar.
constexpr bool is_day(unsigned year, unsigned month, unsigned day) {
  constexpr unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= lengths[month - 1] + (month == 2 && leap ? 1 : 0);
}
static_assert(is_day(2024, 2, 29) && !is_day(2023, 2, 29) && !is_day(1900, 2, 29));

// The remainder of a long number of digits.
constexpr unsigned remainder(std::string_view digits, unsigned modulus) {
  unsigned value = 0;
  for (const char c : digits) value = (value * 10 + digit(c)) % modulus;
  return value;
}

// ISO 7064, MOD 11,10: the last digit checks the others.
constexpr bool has_iso7064_mod_11_10(std::string_view digits) {
  unsigned product = 10;
  for (const char c : digits.substr(0, digits.size() - 1)) {
    const unsigned sum = (product + digit(c)) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return (11 - product) % 10 == digit(digits.back());
}

// J. Verhoeff, "Error detecting decimal codes" (1969): the dihedral group of ten.
bool has_verhoeff_digit(std::string_view digits);

// Spain, Real Decreto 1553/2005 article 11: the letter is the number modulo 23.
constexpr bool has_spanish_letter(unsigned number, char letter) {
  return std::string_view("TRWAGMYFPDXBNJZSQVHLCKE")[number % 23] == letter;
}

// Finland, DVV "Henkilötunnus": the last character is day, month, year and serial modulo 31. `text`
// is ddmmyy, the sign of the century, three digits from 002 on and the check character.
constexpr bool is_finnish_number(std::string_view text) {
  const unsigned serial = number(text.substr(7, 3));
  if (serial < 2) return false;
  const unsigned value = number(text.substr(0, 6)) % 31 * 1000 + serial;
  const unsigned century = text[6] == '+' ? 1800 : contains("-UVWXY", text[6]) ? 1900 : 2000;
  return is_day(century + number(text.substr(4, 2)), number(text.substr(2, 2)),
                number(text.substr(0, 2))) &&
         std::string_view("0123456789ABCDEFHJKLMNPRSTUVWXY")[value % 31] == text[10];
}
inline constexpr std::string_view finnish_layout = "#{6}[-+A-FU-Y]###[0-9A-FHJ-NPR-Y]";

// Poland, Ustawa o ewidencji ludności article 15: the century is in the month; weights 1, 3, 7, 9.
constexpr bool is_pesel(std::string_view digits) {
  constexpr unsigned centuries[] = {1900, 2000, 2100, 2200, 1800};
  constexpr unsigned weights[] = {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1};
  const unsigned month = number(digits.substr(2, 2));
  return is_day(centuries[month / 20] + number(digits.substr(0, 2)), month % 20,
                number(digits.substr(4, 2))) &&
         weighted_sum(digits, weights) % 10 == 0;
}

}  // namespace moat::validate::internal
