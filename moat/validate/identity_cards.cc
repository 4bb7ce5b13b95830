// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/identity_cards.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "moat/validate/identifiers.h"
#include "moat/validate/internal/layout.h"
#include "moat/validate/internal/national_numbers.h"

namespace moat::validate {
namespace {

using internal::digit;
using internal::is_day;
using internal::number;
using internal::weighted_sum;

// GB 11643-1999: province, day of birth, serial; weights 2^(17-i) modulo 11. GB/T 2260: provinces.
// Cards before 1999 have 15 digits, the year without its century and no check.
bool is_chinese(std::string_view text, const IdentityCardOptions& options) {
  constexpr std::string_view provinces =
      "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 "
      "65 71 "
      "81 82 91";
  if (provinces.find(text.substr(0, 2)) == std::string_view::npos) return false;
  if (text.size() == 15)
    return is_day(1900 + number(text.substr(6, 2)), number(text.substr(8, 2)),
                  number(text.substr(10, 2)));
  const unsigned year = number(text.substr(6, 4));
  if (year < 1850 || year > options.max_birth_year ||
      !is_day(year, number(text.substr(10, 2)), number(text.substr(12, 2))))
    return false;
  constexpr unsigned weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  return std::string_view("10X98765432")[weighted_sum(text, weights) % 11] == text[17];
}

bool is_spanish(std::string_view text, const IdentityCardOptions&) {
  const unsigned lead =
      internal::is_digit(text[0]) ? digit(text[0]) : static_cast<unsigned>(text[0] - 'X');
  return internal::has_spanish_letter(lead * 10'000'000 + number(text.substr(1, 7)), text[8]);
}

bool is_finnish(std::string_view text, const IdentityCardOptions&) {
  return internal::is_finnish_number(text);
}

// Immigration Department (HK): letters from A as 10, a missing first one as 36; weights 9 to 2,
// modulo 11, "A" for ten.
bool is_hong_kong(std::string_view text, const IdentityCardOptions&) {
  const auto letter = [](char c) { return static_cast<unsigned>(c - 'A') + 10; };
  const bool two = internal::is_upper(text[1]);
  constexpr unsigned weights[] = {7, 6, 5, 4, 3, 2};
  const auto digits = text.substr(two ? 2 : 1, 6);
  const unsigned sum = (two ? letter(text[0]) : 36) * 9 + letter(text[two ? 1 : 0]) * 8 +
                       weighted_sum(digits, weights);
  const auto rest = text.substr(two ? 8 : 7);
  const char check = rest.size() == 3 ? rest[1] : rest[0];
  return (sum + (check == 'A' ? 10 : digit(check))) % 11 == 0;
}

// Population Registry (IL): Luhn.
bool is_israeli(std::string_view text, const IdentityCardOptions&) {
  return is_luhn_number(text) && text != "000000000";
}

// UIDAI, Aadhaar: Verhoeff.
bool is_indian(std::string_view text, const IdentityCardOptions&) {
  const internal::CompactCode compact(text, " ", false);
  return internal::has_verhoeff_digit(compact.text());
}

// National Organization for Civil Registration (IR): weights 10 to 2, modulo 11.
bool is_iranian(std::string_view text, const IdentityCardOptions&) {
  constexpr unsigned weights[] = {10, 9, 8, 7, 6, 5, 4, 3, 2};
  if (std::all_of(text.begin(), text.end(), [&](char c) { return c == text[0]; })) return false;
  const unsigned rest = weighted_sum(text, weights) % 11;
  return text.substr(3, 6) != "000000" && digit(text[9]) == (rest < 2 ? rest : 11 - rest);
}

// Ministero dell'Interno: the specimen is nobody's.
bool is_italian(std::string_view text, const IdentityCardOptions&) { return text != "CA00000AA"; }

// The century that a year of two digits and the serial stand for; 0 where they stand for none.
unsigned norwegian_century(unsigned year, unsigned serial) {
  if (serial < 500) return 1900;
  if (year < 40) return 2000;
  if (serial >= 900) return 1900;
  return serial < 750 && year >= 54 ? 1800 : 0;
}

// Folkeregisterforskriften paragraph 2-2-3: two check digits, modulo 11. A D-number has 40 more in
// its day.
bool is_norwegian(std::string_view text, const IdentityCardOptions&) {
  constexpr unsigned first[] = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
  constexpr unsigned second[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  const unsigned day = number(text.substr(0, 2)) % 40;
  const unsigned year = number(text.substr(4, 2));
  const unsigned century = norwegian_century(year, number(text.substr(6, 3)));
  return century != 0 && is_day(century + year, number(text.substr(2, 2)), day) &&
         weighted_sum(text, first) % 11 == 0 && weighted_sum(text, second) % 11 == 0;
}

bool is_polish(std::string_view text, const IdentityCardOptions&) {
  return internal::is_pesel(text);
}

// Department of Provincial Administration (TH): weights 13 to 2, modulo 11.
bool is_thai(std::string_view text, const IdentityCardOptions&) {
  constexpr unsigned weights[] = {13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2};
  return (11 - weighted_sum(text, weights) % 11) % 10 == digit(text[12]);
}

// Department of Household Registration (TW): the letter stands for two digits by its place of
// issue.
bool is_taiwanese(std::string_view text, const IdentityCardOptions&) {
  constexpr std::string_view order = "ABCDEFGHJKLMNPQRSTUVXYWZIO";
  const auto place = static_cast<unsigned>(order.find(text[0])) + 10;
  constexpr unsigned weights[] = {8, 7, 6, 5, 4, 3, 2, 1, 1};
  return (place / 10 + place % 10 * 9 + weighted_sum(text.substr(1), weights)) % 10 == 0;
}

bool is_any(std::string_view, const IdentityCardOptions&) { return true; }

struct Card {
  std::string_view country;
  std::string_view layout;
  bool (*check)(std::string_view text, const IdentityCardOptions& options);
};
constexpr Card cards[] = {
    {"CN", "[1-9]#{14}|[1-9]#{16}[0-9X]", is_chinese},
    {"ES", "#{8}@|[X-Z]#{7}@", is_spanish},
    {"FI", internal::finnish_layout, is_finnish},
    {"HK", "@{1,2}#{6}[0-9A]|@{1,2}#{6}[(][0-9A][)]|@{1,2}#{6}[[][0-9A]]", is_hong_kong},
    {"IL", "#{9}", is_israeli},
    {"IN", "[2-9]### ?#### ?####", is_indian},
    {"IR", "#{10}", is_iranian},
    {"IT", "C@#{5}@@", is_italian},
    // Nine digits and V (may vote) or X, or since 2016 twelve.
    {"LK", "[1-9]#{8}[VX]|[1-9]#{11}", is_any},
    {"LY", "[12]#{11}", is_any},
    {"MZ", "#{12}@", is_any},
    {"NO", "#{11}", is_norwegian},
    // NADRA: province 1 to 7; the last digit is odd for men and even for women, and not 0.
    {"PK", "[1-7]####-#{7}-[1-9]", is_any},
    {"PL", "#{11}", is_polish},
    {"TH", "[1-8]#{12}", is_thai},
    {"TN", "#{8}", is_any},
    {"TW", "@[1289]#{8}", is_taiwanese},
};

bool fits_card(const Card& card, std::string_view text, const IdentityCardOptions& options) {
  return internal::fits(card.layout, text) && card.check(text, options);
}

const Card* find(std::string_view country) {
  const auto* card = std::find_if(std::begin(cards), std::end(cards),
                                  [&](const Card& c) { return c.country == country; });
  return card == std::end(cards) ? nullptr : card;
}

}  // namespace

bool is_identity_card(std::string_view text, std::string_view country,
                      const IdentityCardOptions& options) {
  const Card* card = find(country);
  if (card == nullptr) return false;
  const internal::CompactCode upper(text, "", options.allow_lower_case);
  return fits_card(*card, upper.text(), options);
}

bool is_identity_card(std::string_view text, const IdentityCardOptions& options) {
  const internal::CompactCode upper(text, "", options.allow_lower_case);
  return std::any_of(std::begin(cards), std::end(cards),
                     [&](const Card& card) { return fits_card(card, upper.text(), options); });
}

bool knows_identity_cards_of(std::string_view country) { return find(country) != nullptr; }

}  // namespace moat::validate
