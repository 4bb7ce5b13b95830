// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/encodings.h"

#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/unicode.h"

namespace moat::validate {
namespace {

using internal::all;
using internal::contains;
using internal::is_alnum;
using internal::is_digit;
using internal::is_hex_digit;
using internal::is_lower;
using internal::is_upper;
using internal::next_code_point;
using internal::take_until;

// The value of a base64 digit, or -1.
int base64_value(char c, Base64Alphabet alphabet) {
  if (is_upper(c)) return c - 'A';
  if (is_lower(c)) return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  const bool url = alphabet == Base64Alphabet::url_safe;
  if (c == (url ? '-' : '+')) return 62;
  if (c == (url ? '_' : '/')) return 63;
  return -1;
}

int base32_value(char c) {
  if (is_upper(c)) return c - 'A';
  if (c >= '2' && c <= '7') return c - '2' + 26;
  return -1;
}

std::size_t count_padding(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && text[text.size() - 1 - count] == '=') ++count;
  return count;
}

// Whether some code point of valid UTF-8 satisfies `predicate`.
template <class Predicate>
bool any_code_point(std::string_view text, Predicate predicate) {
  if (!is_valid_utf8(text)) return false;
  while (!text.empty())
    if (predicate(next_code_point(text))) return true;
  return false;
}

// ASCII's printable characters and the Halfwidth part of the block Halfwidth and Fullwidth Forms.
bool is_half_width_character(char32_t c) {
  return (c >= 0x20 && c <= 0x7e) || (c >= 0xff61 && c <= 0xffdc) || (c >= 0xffe8 && c <= 0xffee);
}

struct HashDigits {
  HashName name;
  std::size_t digits;
};
// Bits of the hash divided by four.
constexpr HashDigits hash_digits[] = {
    {HashName::crc32, 8},    {HashName::crc32b, 8},     {HashName::md4, 32},
    {HashName::md5, 32},     {HashName::ripemd128, 32}, {HashName::ripemd160, 40},
    {HashName::sha1, 40},    {HashName::sha256, 64},    {HashName::sha384, 96},
    {HashName::sha512, 128}, {HashName::tiger128, 32},  {HashName::tiger160, 40},
    {HashName::tiger192, 48}};

}  // namespace

bool is_base64(std::string_view text, const Base64Options& options) {
  if (text.empty()) return options.allow_empty;
  const auto padding = count_padding(text);
  const auto digits = text.substr(0, text.size() - padding);
  // RFC 4648 section 4: a last group of two or three digits, filled up with '='.
  const auto rest = digits.size() % 4;
  if (rest == 1) return false;
  const auto wanted =
      options.padding == Base64Padding::required && rest != 0 ? 4 - rest : std::size_t{0};
  if (padding != wanted) return false;
  if (digits.empty()) return false;
  const bool url = options.alphabet == Base64Alphabet::url_safe;
  const char plus = url ? '-' : '+';
  const char slash = url ? '_' : '/';
  if (!internal::every(digits, [plus, slash](char c) {
        return internal::is_alnum_byte(c) | (c == plus) | (c == slash);
      }))
    return false;
  // Section 3.5: the bits behind the last whole byte are zero.
  const int unused = rest == 2 ? 0xf : rest == 3 ? 0x3 : 0;
  return options.allow_non_canonical ||
         (base64_value(digits.back(), options.alphabet) & unused) == 0;
}

bool is_base32(std::string_view text, const Base32Options& options) {
  if (text.empty() || text.size() % 8 != 0) return false;
  const auto padding = count_padding(text);
  // RFC 4648 section 6: 1 to 4 bytes in a last group of 2, 4, 5 or 7 digits.
  if (padding != 0 && padding != 1 && padding != 3 && padding != 4 && padding != 6) return false;
  int value = 0;
  for (const char c : text.substr(0, text.size() - padding))
    if ((value = base32_value(c)) < 0) return false;
  const int unused = padding == 6   ? 0x3
                     : padding == 4 ? 0xf
                     : padding == 3 ? 0x1
                     : padding == 1 ? 0x7
                                    : 0;
  return options.allow_non_canonical || (value & unused) == 0;
}

bool is_base32_crockford(std::string_view text) {
  return all(text, [](char c) { return is_digit(c) || (is_upper(c) && !contains("ILOU", c)); });
}

bool is_base58(std::string_view text) {
  return all(text, [](char c) { return is_alnum(c) && !contains("0OIl", c); });
}

bool is_hexadecimal(std::string_view text, const HexadecimalOptions& options) {
  if (options.allow_prefix && text.size() > 2 && text[0] == '0' && contains("xXhH", text[1]))
    text.remove_prefix(2);
  return all(text, is_hex_digit);
}

bool is_hex_color(std::string_view text, const HexColorOptions& options) {
  if (text.substr(0, 1) == "#") {
    text.remove_prefix(1);
  } else if (!options.allow_missing_hash) {
    return false;
  }
  const auto size = text.size();
  return (size == 3 || size == 4 || size == 6 || size == 8) && all(text, is_hex_digit);
}

bool is_md5(std::string_view text) {
  return text.size() == 32 && all(text, [](char c) { return is_hex_digit(c) && !is_upper(c); });
}

bool is_hash(std::string_view text, HashName name) {
  const auto* entry = std::find_if(std::begin(hash_digits), std::end(hash_digits),
                                   [name](const HashDigits& h) { return h.name == name; });
  return entry != std::end(hash_digits) && text.size() == entry->digits && all(text, is_hex_digit);
}

bool is_jwt(std::string_view text) {
  Base64Options part;
  part.alphabet = Base64Alphabet::url_safe;
  part.padding = Base64Padding::absent;
  bool more = true;
  for (int i = 0; i < 3; ++i)
    if (!more || !is_base64(take_until(text, '.', more), part)) return false;
  return !more;
}

bool is_ascii(std::string_view text) {
  return all(text, [](char c) { return (c & 0x80) == 0; });
}

bool is_multibyte(std::string_view text) {
  return any_code_point(text, [](char32_t c) { return c > 0x7f; });
}

bool is_full_width(std::string_view text) {
  return any_code_point(text, [](char32_t c) { return !is_half_width_character(c); });
}

bool is_half_width(std::string_view text) { return any_code_point(text, is_half_width_character); }

bool is_variable_width(std::string_view text) { return is_full_width(text) && is_half_width(text); }

bool is_surrogate_pair(std::string_view text) {
  return any_code_point(text, [](char32_t c) { return c > 0xffff; });
}

bool is_byte_length(std::string_view text, std::size_t min, std::size_t max) {
  return text.size() >= min && text.size() <= max;
}

bool is_length(std::string_view text, const LengthOptions& options) {
  if (!is_valid_utf8(text)) return false;
  std::size_t count = 0;
  bool after_selector = true;  // nothing is before the first character
  while (!text.empty()) {
    const char32_t c = next_code_point(text);
    const bool selector = c == 0xfe0e || c == 0xfe0f;
    if (!(options.ignore_variation_selectors && selector && !after_selector)) ++count;
    after_selector = selector;
  }
  if (count < options.min || count > options.max) return false;
  return options.discrete.empty() || std::find(options.discrete.begin(), options.discrete.end(),
                                               count) != options.discrete.end();
}

}  // namespace moat::validate
