// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/identifiers.h"

#include <algorithm>
#include <iterator>

#include "moat/base/encoding.h"
#include "moat/validate/encodings.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/codes.h"
#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

using internal::all;
using internal::contains;
using internal::countries;
using internal::currencies;
using internal::is_alnum;
using internal::is_digit;
using internal::is_hex_digit;
using internal::is_letter;
using internal::is_lower;
using internal::is_upper;
using internal::languages;
using internal::scripts;
using internal::take_until;
using internal::to_lower;
using internal::to_upper;

// Whether `table`, rows of `width` characters, has a row with `code` at `offset`.
bool has_code(std::string_view table, std::size_t width, std::size_t offset, std::string_view code,
              Case letters) {
  for (; !table.empty(); table.remove_prefix(width)) {
    const auto row = table.substr(offset, code.size());
    if (letters == Case::exact ? row == code : ascii_iequals(row, code)) return true;
  }
  return false;
}

bool is_country(std::string_view code) {
  return code.size() == 2 && has_code(countries, 8, 0, code, Case::exact);
}

bool is_hyphenated_hex(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !is_hex_digit(text[i])) return false;
  }
  return true;
}

bool all_digits_are(std::string_view uuid, char lower) {
  return std::all_of(uuid.begin(), uuid.end(),
                     [lower](char c) { return c == '-' || to_lower(c) == lower; });
}

// semver.org: identifiers joined by dots. Numeric ones have no leading zero, but in build metadata.
bool are_identifiers(std::string_view text, bool leading_zeros) {
  for (bool more = true; more;) {
    const auto part = take_until(text, '.', more);
    if (!all(part, [](char c) { return is_alnum(c) || c == '-'; })) return false;
    if (!leading_zeros && part.size() > 1 && part[0] == '0' && all(part, is_digit)) return false;
  }
  return true;
}

}  // namespace

bool is_uuid(std::string_view text, UuidForm form) {
  if (!is_hyphenated_hex(text)) return false;
  switch (form) {
    case UuidForm::loose:
      return true;
    case UuidForm::nil:  // RFC 9562 sections 5.9 and 5.10
      return all_digits_are(text, '0');
    case UuidForm::max:
      return all_digits_are(text, 'f');
    case UuidForm::any:
      return is_uuid(text) || all_digits_are(text, '0') || all_digits_are(text, 'f');
    case UuidForm::v1:
    case UuidForm::v2:
    case UuidForm::v3:
    case UuidForm::v4:
    case UuidForm::v5:
    case UuidForm::v6:
    case UuidForm::v7:
    case UuidForm::v8:
      break;
  }
  return is_uuid(text, static_cast<unsigned>(form) - static_cast<unsigned>(UuidForm::v1) + 1);
}

bool is_ulid(std::string_view text) {
  // 26 digits of five bits are 130: the first one has three.
  return text.size() == 26 && text[0] >= '0' && text[0] <= '7' && all(text, [](char c) {
           return is_digit(c) || (is_letter(c) && !contains("ILOU", to_upper(c)));
         });
}

bool is_mongo_id(std::string_view text) { return text.size() == 24 && all(text, is_hex_digit); }

bool is_bic(std::string_view text) {
  if (text.size() != 8 && text.size() != 11) return false;
  const auto upper_or_digit = [](char c) { return is_upper(c) || is_digit(c); };
  const auto country = text.substr(4, 2);
  return all(text.substr(0, 4), is_upper) && (is_country(country) || country == "XK") &&
         all(text.substr(6), upper_or_digit);
}

bool is_isrc(std::string_view text) {
  return text.size() == 12 && all(text.substr(0, 2), is_upper) &&
         all(text.substr(2, 3), [](char c) { return is_upper(c) || is_digit(c); }) &&
         all(text.substr(5), is_digit);
}

bool is_iso31661_alpha2(std::string_view text, Case letters) {
  return text.size() == 2 && has_code(countries, 8, 0, text, letters);
}
bool is_iso31661_alpha3(std::string_view text, Case letters) {
  return text.size() == 3 && has_code(countries, 8, 2, text, letters);
}
bool is_iso31661_numeric(std::string_view text) {
  return text.size() == 3 && has_code(countries, 8, 5, text, Case::exact);
}
bool is_iso4217(std::string_view text, Case letters) {
  return text.size() == 3 && has_code(currencies, 3, 0, text, letters);
}
bool is_iso6391(std::string_view text) {
  return text.size() == 2 && has_code(languages, 2, 0, text, Case::exact);
}
bool is_iso15924(std::string_view text) {
  return text.size() == 4 && has_code(scripts, 4, 0, text, Case::exact);
}

bool is_semver(std::string_view text) {
  bool has_build = false;
  auto core = take_until(text, '+', has_build);
  if (has_build && !are_identifiers(text, true)) return false;
  bool has_prerelease = false;
  auto numbers = take_until(core, '-', has_prerelease);
  if (has_prerelease && !are_identifiers(core, false)) return false;
  bool more = true;
  for (int i = 0; i < 3; ++i) {
    if (!more) return false;
    const auto number = take_until(numbers, '.', more);
    if (!all(number, is_digit) || (number.size() > 1 && number[0] == '0')) return false;
  }
  return !more;
}

bool is_slug(std::string_view text) {
  bool after_word = false;
  for (const char c : text) {
    const bool word = is_lower(c) || is_digit(c);
    if (!word && (!contains("-_", c) || !after_word)) return false;
    after_word = word;
  }
  return after_word;
}

bool is_ethereum_address(std::string_view text) {
  return text.size() == 42 && text.substr(0, 2) == "0x" && is_hex(text.substr(2));
}

}  // namespace moat::validate
