// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/internal/tax_rules.h"

#include <algorithm>
#include <array>

#include "moat/validate/identifiers.h"

namespace moat::validate::internal {
namespace {

unsigned two(std::string_view text, std::size_t at) { return number(text.substr(at, 2)); }
bool all_equal(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return c == text[0]; });
}

// A number without its own punctuation.
std::string_view last_ten(const CompactCode& code) {
  const auto text = code.text();
  return text.substr(text.size() - 10);
}

// Estonia and Lithuania, EVS 585:2007: the century is in the first digit, and a second round of
// weights where the first gives ten.
bool is_baltic(std::string_view text) {
  const unsigned century = 1800 + (digit(text[0]) - 1) / 2 * 100;
  if (!is_day(century + two(text, 1), two(text, 3), two(text, 5))) return false;
  constexpr unsigned first[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1};
  constexpr unsigned second[] = {3, 4, 5, 6, 7, 8, 9, 1, 2, 3};
  unsigned check = weighted_sum(text, first) % 11;
  if (check == 10) check = weighted_sum(text, second) % 11 % 10;
  return check == digit(text[10]);
}

// Decreto 1041/85 and Instrução Normativa RFB 2229/2024 (Brazil): letters count as their ASCII code
// less 48, weights from the right, 2 to `most` and again; modulo 11, ten is 0.
unsigned brazilian_digit(std::string_view text, unsigned most) {
  unsigned sum = 0;
  unsigned weight = 2;
  for (std::size_t i = text.size(); i-- > 0;) {
    sum += static_cast<unsigned>(text[i] - '0') * weight;
    weight = weight == most ? 2 : weight + 1;
  }
  const unsigned check = 11 - sum % 11;
  return check > 9 ? 0 : check;
}

// The characters of an Italian code that stand for digits when two persons had the same code.
unsigned omocode_digit(char c) {
  if (is_digit(c)) return digit(c);
  return static_cast<unsigned>(std::string_view("LMNPQRSTUV").find(c));
}

// A surname or first name in three letters: consonants, then vowels, then X to fill up.
bool is_italian_name(std::string_view letters) {
  int stage = 0;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const bool vowel = contains("AEIOU", letters[i]);
    const bool filler = letters[i] == 'X' && stage > 0;
    const int kind = filler ? 2 : vowel ? 1 : 0;
    if (kind < stage) return false;
    stage = kind;
  }
  return true;
}

}  // namespace

// AFIP, Resolución General 10/97: weights 5 to 2 and 7 to 2, modulo 11; ten becomes 9 there.
bool is_argentine(std::string_view text) {
  constexpr unsigned weights[] = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  const unsigned check = (11 - weighted_sum(text, weights) % 11) % 11;
  return (check == 10 ? 9 : check) == digit(text[10]);
}

bool is_austrian(std::string_view text) { return is_luhn_number(text); }

// Royal decree of 3 April 1984: 97 less the remainder, with a 2 in front for births since 2000.
// Month and day 00: not known.
bool is_belgian(std::string_view text) {
  const auto head = text.substr(0, 9);
  const unsigned check = two(text, 9);
  const unsigned before = 97 - remainder(head, 97);
  const unsigned since = 97 - (2'000'000'000 % 97 + remainder(head, 97)) % 97;
  const bool unknown = two(text, 2) == 0 && two(text, 4) == 0;
  const auto born = [&](unsigned century) {
    return unknown || is_day(century + two(text, 0), two(text, 2), two(text, 4));
  };
  return (check == before && born(1900)) || (check == since && born(2000));
}

// CPF of eleven digits, as printed or not, and CNPJ of fourteen characters.
bool is_brazilian(std::string_view text) {
  const CompactCode code(text, ".-", false);
  const auto id = code.text();
  if (all_equal(id)) return false;
  const unsigned most = id.size() == 11 ? 11 : 9;
  const auto size = id.size() - 2;
  return brazilian_digit(id.substr(0, size), most) == digit(id[size]) &&
         brazilian_digit(id.substr(0, size + 1), most) == digit(id[size + 1]);
}

// Prefixes that are not given out.
bool is_british(std::string_view text) {
  const auto prefix = text.substr(0, 2);
  for (const std::string_view other : {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})
    if (prefix == other) return false;
  return true;
}

// ГРАО (Bulgaria): 20 or 40 in the month for other centuries; weights 2^i modulo 11, ten is 0.
bool is_bulgarian(std::string_view text) {
  constexpr unsigned centuries[] = {1900, 1800, 2000};
  const unsigned month = two(text, 2);
  if (month > 52) return false;
  constexpr unsigned weights[] = {2, 4, 8, 5, 10, 9, 7, 3, 6};
  return is_day(centuries[month / 20] + two(text, 0), month % 20, two(text, 4)) &&
         weighted_sum(text, weights) % 11 % 10 == digit(text[9]);
}

bool is_canadian(std::string_view text) { return is_luhn_number(text) && !all_equal(text); }

// Odd places by a table, even ones as they are; modulo 26. What is given out since 27 March 2023
// begins with 6 and has another check (Cyprus Tax Department, "New TIN Format"), which is not
// published: those are looked at by form alone.
bool is_cypriot(std::string_view text) {
  if (text[0] == '6') return true;
  constexpr unsigned odd[] = {1, 0, 5, 7, 9, 13, 15, 17, 19, 21};
  unsigned sum = 0;
  for (std::size_t i = 0; i < 8; ++i) sum += i % 2 == 0 ? odd[digit(text[i])] : digit(text[i]);
  return text[8] == static_cast<char>('A' + sum % 26);
}

// Zákon 133/2000 paragraph 13: 50 in the month for women, 20 more since 2004 where serials ran out;
// nine digits until 1953. The ten digits are divisible by 11; until 1985 a check of ten was written
// 0.
bool is_czech(std::string_view text) {
  const CompactCode code(text, "/", false);
  const auto id = code.text();
  const unsigned short_year = two(id, 0);
  const bool ten = id.size() == 10;
  if (!ten && (id.substr(6) == "000" || short_year > 53)) return false;
  const unsigned year = short_year + (ten && short_year < 54 ? 2000 : 1900);
  unsigned month = two(id, 2) > 50 ? two(id, 2) - 50 : two(id, 2);
  if (month > 20 && year >= 2004) month -= 20;
  if (!is_day(year, month, two(id, 4))) return false;
  if (!ten || remainder(id, 11) == 0) return true;
  return year < 1986 && remainder(id.substr(0, 9), 11) == 10 && id[9] == '0';
}

// CPR-kontoret: the century by year and seventh digit; weights, modulo 11. Since 2007 there are
// numbers without a check where all others of that day are given out: the 1st of January of years
// from 1960 to 1999 (cpr.dk, "Personnumre uden kontrolciffer"), the day of who does not know it.
bool is_danish(std::string_view text) {
  const CompactCode code(text, "-", false);
  const auto id = code.text();
  const unsigned year = two(id, 4);
  const unsigned seventh = digit(id[6]);
  unsigned century = 1900;
  if (seventh == 4 || seventh == 9) century = year < 37 ? 2000 : 1900;
  if (seventh >= 5 && seventh <= 8) century = year < 58 ? 2000 : 1800;
  if (!is_day(century + year, two(id, 2), two(id, 0))) return false;
  if (id.substr(0, 4) == "0101" && century == 1900 && year >= 60) return true;
  constexpr unsigned weights[] = {4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  return weighted_sum(id, weights) % 11 == 0;
}

// Burgerservicenummer: weights 9 to 2 and -1, modulo 11.
bool is_dutch(std::string_view text) {
  constexpr unsigned weights[] = {9, 8, 7, 6, 5, 4, 3, 2, 10};
  return weighted_sum(text, weights) % 11 == 0 && !all_equal(text);
}

// EVS 585:2007: until 2013 hospitals had ranges of the serial, now it runs from 000 to 999.
bool is_estonian(std::string_view text) { return is_baltic(text); }

// The first ten digits modulo 511.
bool is_french(std::string_view text) {
  const CompactCode code(text, " ", false);
  return remainder(code.text().substr(0, 10), 511) == number(code.text().substr(10));
}

// Bundeszentralamt für Steuern: among the first ten digits one occurs twice, or three times but not
// in a row, and the others once; then ISO 7064 MOD 11,10.
bool is_german(std::string_view text) {
  std::array<unsigned, 10> counts{};
  for (const char c : text.substr(0, 10)) ++counts[digit(c)];
  unsigned repeated = 0;
  for (const unsigned count : counts) {
    if (count > 3) return false;
    repeated += count > 1 ? 1 : 0;
  }
  for (std::size_t i = 2; i < 10; ++i)
    if (text[i] == text[i - 1] && text[i] == text[i - 2]) return false;
  return repeated == 1 && has_iso7064_mod_11_10(text);
}

// Powers of two, modulo 11, ten is 0.
bool is_greek(std::string_view text) {
  constexpr unsigned weights[] = {256, 128, 64, 32, 16, 8, 4, 2};
  return weighted_sum(text, weights) % 11 % 10 == digit(text[8]);
}

// 2007. évi XCVIII.: weights 1 to 9, modulo 11.
bool is_hungarian(std::string_view text) {
  constexpr unsigned weights[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  return weighted_sum(text, weights) % 11 == digit(text[9]);
}

// Revenue (Ireland): weights 8 to 2 and 9 for a second letter, where W counts nothing; modulo 23.
bool is_irish(std::string_view text) {
  constexpr unsigned weights[] = {8, 7, 6, 5, 4, 3, 2};
  unsigned sum = weighted_sum(text, weights);
  if (text.size() == 9 && text[8] != 'W') sum += static_cast<unsigned>(text[8] - 'A' + 1) * 9;
  return std::string_view("WABCDEFGHIJKLMNOPQRSTUV")[sum % 23] == text[7];
}

// Decreto ministeriale 23 dicembre 1976: names, day of birth (40 more for women), place, check
// letter.
bool is_italian_tax_id(std::string_view text) {
  if (!is_italian_name(text.substr(0, 3)) || !is_italian_name(text.substr(3, 3))) return false;
  const auto pair = [&](std::size_t i) {
    return omocode_digit(text[i]) * 10 + omocode_digit(text[i + 1]);
  };
  const unsigned day = pair(9) > 40 ? pair(9) - 40 : pair(9);
  const auto month = static_cast<unsigned>(std::string_view("ABCDEHLMPRST").find(text[8])) + 1;
  // The century is not in the code: a 29 February of 00 was in 2000.
  if (!is_day(2000 + pair(6), month, day)) return false;
  // Odd places by a table, for 0 and A, 1 and B, …; even ones by their place in the alphabet.
  constexpr unsigned odd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                              20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  unsigned sum = 0;
  for (std::size_t i = 0; i < 15; ++i) {
    const unsigned value =
        is_digit(text[i]) ? digit(text[i]) : static_cast<unsigned>(text[i] - 'A');
    sum += i % 2 == 0 ? odd[value] : value;
  }
  return text[15] == static_cast<char>('A' + sum % 26);
}

// Fizisko personu reģistra likums (Latvia): 3 and one of 2 to 9 in front since 2017; before, a day
// of birth with its century in the seventh digit and a check. By the law the other digits of the
// new ones are random.
bool is_latvian(std::string_view text) {
  const CompactCode code(text, "-", false);
  const auto id = code.text();
  if (id[0] == '3' && id[1] > '1') return true;
  const unsigned century = 1800 + digit(id[6]) * 100;
  if (century > 2000 || !is_day(century + two(id, 4), two(id, 2), two(id, 0))) return false;
  constexpr unsigned weights[] = {1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  return (1101 - weighted_sum(id, weights)) % 11 == digit(id[10]);
}

bool is_lithuanian(std::string_view text) { return is_baltic(text); }

// Registre national des personnes physiques: day of birth, then Luhn and Verhoeff beside each
// other.
bool is_luxembourgish(std::string_view text) {
  std::array<char, 12> verhoeff{};
  std::copy_n(text.begin(), 11, verhoeff.begin());
  verhoeff[11] = text[12];
  return is_day(number(text.substr(0, 4)), two(text, 4), two(text, 6)) &&
         is_luhn_number(text.substr(0, 12)) &&
         has_verhoeff_digit(std::string_view(verhoeff.data(), verhoeff.size()));
}

// NIP of ten digits, PESEL of eleven.
bool is_polish_tax_id(std::string_view text) {
  if (text.size() == 11) return is_pesel(text);
  constexpr unsigned weights[] = {6, 5, 7, 2, 3, 4, 5, 6, 7};
  return weighted_sum(text, weights) % 11 == digit(text[9]) && !all_equal(text);
}

// Decreto-Lei 14/2013: weights 9 to 2, modulo 11, ten is 0.
bool is_portuguese(std::string_view text) {
  constexpr unsigned weights[] = {9, 8, 7, 6, 5, 4, 3, 2};
  const unsigned check = 11 - weighted_sum(text, weights) % 11;
  return (check > 9 ? 0 : check) == digit(text[8]);
}

// Legea 105/1996: sex and century, 9 for foreigners; the constant 279146358279, modulo 11, ten
// is 1.
bool is_romanian(std::string_view text) {
  constexpr unsigned centuries[] = {1900, 1900, 1800, 1800, 2000, 2000, 1900, 1900};
  if (text[0] != '9' &&
      !is_day(centuries[digit(text[0]) - 1] + two(text, 1), two(text, 3), two(text, 5)))
    return false;
  constexpr unsigned weights[] = {2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9};
  const unsigned check = weighted_sum(text, weights) % 11;
  return (check == 10 ? 1 : check) == digit(text[12]);
}

// Birth numbers until 1953; the ten digits of a DIČ say nothing.
bool is_slovak(std::string_view text) {
  const CompactCode code(text, "/", false);
  const auto id = code.text();
  if (id.size() == 10) return true;
  const unsigned month = two(id, 2) > 50 ? two(id, 2) - 50 : two(id, 2);
  return id.substr(6) != "000" && two(id, 0) <= 53 && is_day(1900 + two(id, 0), month, two(id, 4));
}

// Weights 8 to 2, modulo 11, ten is 0 and eleven is not given out.
bool is_slovene(std::string_view text) {
  constexpr unsigned weights[] = {8, 7, 6, 5, 4, 3, 2};
  const unsigned check = 11 - weighted_sum(text, weights) % 11;
  return check != 11 && check % 10 == digit(text[7]);
}

// Real Decreto 1065/2007 articles 19 and 20: K, L and M count nothing, X, Y and Z are 0, 1 and 2.
bool is_spanish_tax_id(std::string_view text) {
  unsigned lead = 0;
  if (is_digit(text[0])) lead = digit(text[0]);
  if (text[0] >= 'X') lead = static_cast<unsigned>(text[0] - 'X');
  return has_spanish_letter(lead * 10'000'000 + number(text.substr(1, 7)), text[8]);
}

// Folkbokföringslag 18 paragraph: "+" from the hundredth year on; 60 in the day for coordination
// numbers; Luhn over the last ten digits.
bool is_swedish(std::string_view text) {
  const CompactCode code(text, "-+", false);
  const auto id = last_ten(code);
  const unsigned day = two(id, 4) > 60 ? two(id, 4) - 60 : two(id, 4);
  const bool full = code.text().size() == 12;
  const unsigned century = full ? two(code.text(), 0) * 100 : two(id, 0) % 4 == 0 ? 2000 : 1900;
  return is_day(century + two(id, 0), two(id, 2), day) && is_luhn_number(id);
}

// Days since 1900, serial; weights, modulo 11 and 10.
bool is_ukrainian(std::string_view text) {
  // The first weight is -1, which is 10 modulo 11.
  constexpr unsigned weights[] = {10, 5, 7, 9, 4, 6, 10, 5, 7};
  return weighted_sum(text, weights) % 11 % 10 == digit(text[9]);
}

}  // namespace moat::validate::internal
