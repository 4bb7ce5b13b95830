// SPDX-License-Identifier: Apache-2.0
// Numbers whose last digit, or whose remainder, checks the others.
#include <algorithm>
#include <array>
#include <iterator>

#include "moat/validate/identifiers.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/codes.h"

namespace moat::validate {
namespace {

using internal::all;
using internal::contains;
using internal::iban_lengths;
using internal::is_digit;
using internal::is_lower;
using internal::is_upper;
using internal::to_upper;

unsigned digit(char c) { return static_cast<unsigned>(c - '0'); }

// A short number without its separators. No
// number here is longer than 40.
class Compact final {
 public:
  // Takes single spaces and hyphens between other characters out, where they are allowed.
  Compact(std::string_view text, Separators separators) : text_(text) {
    if (separators == Separators::none) {
      good_ = text.size() <= characters_.size();
      return;
    }
    bool after_separator = true;
    for (const char c : text) {
      const bool separator = c == ' ' || c == '-';
      if (separator ? after_separator : size_ == characters_.size()) {
        good_ = false;
        return;
      }
      if (!separator) characters_[size_++] = c;
      after_separator = separator;
    }
    good_ = !after_separator;
    text_ = {characters_.data(), size_};
  }
  Compact(const Compact&) = delete;  // it may view itself
  Compact& operator=(const Compact&) = delete;
  // Empty for what is too long, or separated in another way.
  std::string_view text() const { return good_ ? text_ : std::string_view(); }

 private:
  std::string_view text_;
  std::array<char, 40> characters_;  // where there are separators
  std::size_t size_ = 0;
  bool good_ = false;
};

// Luhn's sum over digits, every second from the right doubled.
unsigned luhn_step(unsigned value, bool doubled) {
  if (!doubled) return value;
  return value > 4 ? value * 2 - 9 : value * 2;
}

// The sum of digits times weights that begin with `first` and go on in turn with `second`.
unsigned alternating_sum(std::string_view digits, unsigned first, unsigned second) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i)
    sum += digit(digits[i]) * (i % 2 == 0 ? first : second);
  return sum;
}

struct CardRange {
  CardProvider provider;
  unsigned first, last;  // the number's first six digits
  std::size_t min_digits, max_digits;
};
// ISO/IEC 7812 issuer identification numbers, as the networks publish them for merchants: Visa
// "Core Rules", Mastercard "Account Range Reference" (2221 to 2720 since 2017), American Express,
// Discover Global Network (Diners Club International among it), JCB "BIN ranges", UnionPay
// International. 67 is Maestro's; Discover has 622126 to 622925 in common with UnionPay, whose they
// are here.
constexpr CardRange card_ranges[] = {{CardProvider::amex, 340000, 349999, 15, 15},
                                     {CardProvider::amex, 370000, 379999, 15, 15},
                                     {CardProvider::diners_club, 300000, 305999, 14, 14},
                                     {CardProvider::diners_club, 309500, 309599, 14, 14},
                                     {CardProvider::diners_club, 360000, 369999, 14, 14},
                                     {CardProvider::diners_club, 380000, 399999, 14, 14},
                                     {CardProvider::discover, 601100, 601199, 16, 19},
                                     {CardProvider::discover, 644000, 659999, 16, 19},
                                     {CardProvider::jcb, 180000, 180099, 15, 15},
                                     {CardProvider::jcb, 213100, 213199, 15, 15},
                                     {CardProvider::jcb, 352800, 358999, 16, 16},
                                     {CardProvider::maestro, 670000, 679999, 16, 19},
                                     {CardProvider::mastercard, 222100, 272099, 16, 16},
                                     {CardProvider::mastercard, 510000, 559999, 16, 16},
                                     {CardProvider::union_pay, 620000, 629999, 16, 19},
                                     {CardProvider::union_pay, 810000, 817199, 16, 19},
                                     {CardProvider::visa, 400000, 499999, 13, 13},
                                     {CardProvider::visa, 400000, 499999, 16, 16},
                                     {CardProvider::visa, 400000, 499999, 19, 19}};

// The length of a country's account numbers, or 0.
std::size_t iban_length(std::string_view country) {
  for (auto rows = iban_lengths; !rows.empty(); rows.remove_prefix(4))
    if (rows.substr(0, 2) == country) return digit(rows[2]) * 10 + digit(rows[3]);
  return 0;
}

bool is_listed(std::span<const std::string_view> list, std::string_view code) {
  return std::find(list.begin(), list.end(), code) != list.end();
}

// ISO 13616: the first four characters behind the others, letters as 10 to 35, modulo 97.
unsigned iban_remainder(std::string_view iban) {
  unsigned remainder = 0;
  for (std::size_t i = 0; i < iban.size(); ++i) {
    const char c = to_upper(iban[(i + 4) % iban.size()]);
    remainder = is_digit(c) ? remainder * 10 + digit(c)
                            : remainder * 100 + static_cast<unsigned>(c - 'A') + 10;
    remainder %= 97;
  }
  return remainder;
}

// ISO 2108: weights 10 to 1, "X" for ten, modulo 11.
bool is_isbn10(std::string_view text) {
  if (text.size() != 10 || !all(text.substr(0, 9), is_digit)) return false;
  if (text[9] != 'X' && !is_digit(text[9])) return false;
  unsigned sum = text[9] == 'X' ? 10 : digit(text[9]);
  for (unsigned i = 0; i < 9; ++i) sum += digit(text[i]) * (10 - i);
  return sum % 11 == 0;
}

// An EAN-13 of the prefix 978 or 979.
bool is_isbn13(std::string_view text) {
  if (text.size() != 13 || !all(text, is_digit)) return false;
  if (text.substr(0, 3) != "978" && text.substr(0, 3) != "979") return false;
  return alternating_sum(text, 1, 3) % 10 == 0;
}

// ISO 6346 annex A: A is 10, and multiples of eleven are left out.
unsigned container_value(char c) {
  if (is_digit(c)) return digit(c);
  const unsigned left_out = c > 'U' ? 3 : c > 'K' ? 2 : c > 'A' ? 1 : 0;
  return static_cast<unsigned>(c - 'A') + 10 + left_out;
}

}  // namespace

bool is_luhn_number(std::string_view text) {
  if (text.size() < 2 || !all(text, is_digit)) return false;
  unsigned sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    sum = (sum + luhn_step(digit(text[text.size() - 1 - i]), i % 2 == 1)) % 10;
  return sum == 0;
}

bool is_credit_card(std::string_view text, std::optional<CardProvider> provider,
                    Separators separators) {
  const Compact compact(text, separators);
  const auto number = compact.text();
  if (number.size() < 13 || !is_luhn_number(number)) return false;
  unsigned prefix = 0;
  for (const char c : number.substr(0, 6)) prefix = prefix * 10 + digit(c);
  return std::any_of(std::begin(card_ranges), std::end(card_ranges), [&](const CardRange& range) {
    return (!provider || range.provider == *provider) && prefix >= range.first &&
           prefix <= range.last && number.size() >= range.min_digits &&
           number.size() <= range.max_digits;
  });
}

bool is_iban(std::string_view text, const IbanOptions& options) {
  const Compact compact(
      text, options.allow_separators ? Separators::allow_spaces_and_hyphens : Separators::none);
  const auto iban = compact.text();
  const auto taken = [&](char c) {
    return is_digit(c) || is_upper(c) || (options.allow_lower_case && is_lower(c));
  };
  if (iban.size() < 4 || !all(iban, taken) || !all(iban.substr(2, 2), is_digit)) return false;
  const std::array<char, 2> letters{to_upper(iban[0]), to_upper(iban[1])};
  const std::string_view country(letters.data(), letters.size());
  if (iban.size() != iban_length(country)) return false;
  if (!options.only.empty() && !is_listed(options.only, country)) return false;
  if (is_listed(options.except, country)) return false;
  // ISO 7064: check digits are 02 to 98, so that each number has one pair.
  const auto check = digit(iban[2]) * 10 + digit(iban[3]);
  return check >= 2 && check <= 98 && iban_remainder(iban) == 1;
}

bool is_aba_routing(std::string_view text) {
  if (text.size() != 9 || !all(text, is_digit)) return false;
  // American Bankers Association: Federal Reserve districts 00 to 12, thrifts 21 to 32, electronic
  // transfers 61 to 72, traveller's checks 80; the digits times 3, 7 and 1.
  const auto district = digit(text[0]) * 10 + digit(text[1]);
  if (district > 12 && !(district >= 21 && district <= 32) && !(district >= 61 && district <= 72) &&
      district != 80)
    return false;
  constexpr std::array<unsigned, 3> weights{3, 7, 1};
  unsigned sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) sum += digit(text[i]) * weights[i % 3];
  return sum % 10 == 0;
}

bool is_isin(std::string_view text) {
  if (text.size() != 12 || !all(text.substr(0, 2), is_upper) || !is_digit(text[11])) return false;
  if (!all(text, [](char c) { return is_upper(c) || is_digit(c); })) return false;
  // ISO 6166: letters as 10 to 35, then Luhn.
  unsigned sum = 0;
  bool doubled = false;
  const auto add = [&](unsigned value) {
    sum += luhn_step(value, doubled);
    doubled = !doubled;
  };
  for (std::size_t i = text.size(); i-- > 0;) {
    if (is_digit(text[i])) {
      add(digit(text[i]));
    } else {
      const auto value = static_cast<unsigned>(text[i] - 'A') + 10;
      add(value % 10);
      add(value / 10);
    }
  }
  return sum % 10 == 0;
}

bool is_isbn(std::string_view text, IsbnVersion version, Separators separators) {
  const Compact compact(text, separators);
  return (version != IsbnVersion::isbn13 && is_isbn10(compact.text())) ||
         (version != IsbnVersion::isbn10 && is_isbn13(compact.text()));
}

bool is_issn(std::string_view text, const IssnOptions& options) {
  const bool hyphen = text.size() == 9 && text[4] == '-';
  if (!hyphen && (text.size() != 8 || !options.allow_missing_hyphen)) return false;
  // ISO 3297: weights 8 to 2, "X" for ten, modulo 11.
  unsigned sum = 0;
  unsigned weight = 8;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (hyphen && i == 4) continue;
    if (!is_digit(text[i])) return false;
    sum += digit(text[i]) * weight--;
  }
  const char last = text.back();
  const bool ten = last == 'X' || (last == 'x' && options.allow_lower_case);
  if (!ten && !is_digit(last)) return false;
  return (sum + (ten ? 10 : digit(last))) % 11 == 0;
}

bool is_ean(std::string_view text) {
  if ((text.size() != 8 && text.size() != 13 && text.size() != 14) || !all(text, is_digit))
    return false;
  // GS1 General Specifications section 7.9: from the right, weights 1 and 3 in turn.
  return alternating_sum(text, text.size() % 2 == 1 ? 1 : 3, text.size() % 2 == 1 ? 3 : 1) % 10 ==
         0;
}

bool is_imei(std::string_view text, ImeiHyphens hyphens) {
  if (hyphens == ImeiHyphens::none) return text.size() == 15 && is_luhn_number(text);
  if (text.size() != 18 || text[2] != '-' || text[9] != '-' || text[16] != '-') return false;
  const Compact compact(text, Separators::allow_spaces_and_hyphens);
  return compact.text().size() == 15 && is_luhn_number(compact.text());
}

bool is_iso6346(std::string_view text) {
  if (text.size() != 11 || !all(text.substr(0, 3), is_upper) || !contains("UJZ", text[3]) ||
      !all(text.substr(4), is_digit))
    return false;
  unsigned sum = 0;
  for (unsigned i = 0; i < 10; ++i) sum += container_value(text[i]) << i;
  return sum % 11 % 10 == digit(text[10]);
}

}  // namespace moat::validate
