// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/strings.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "moat/base/encoding.h"
#include "moat/base/ip.h"
#include "moat/validate/encodings.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/unicode.h"

namespace moat::validate {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <class Predicate>
bool all(std::string_view text, Predicate predicate) {
  return !text.empty() && std::all_of(text.begin(), text.end(), predicate);
}

// RFC 1123 section 2.1: letters, digits and hyphens, no hyphen at an end, at most 63 bytes.
bool is_label(std::string_view label, bool allow_underscores) {
  return label.size() <= 63 &&
         all(label,
             [allow_underscores](char c) {
               return is_digit(c) || is_letter(c) || c == '-' || (allow_underscores && c == '_');
             }) &&
         label.front() != '-' && label.back() != '-';
}

// A last label that would be read as an IPv4 address (WHATWG URL, "ends in a number").
bool reads_as_number(std::string_view label) {
  if (ascii_iequals(label.substr(0, 2), "0x"))
    return label.size() == 2 || all(label.substr(2), internal::is_hex_byte);
  return all(label, is_digit);
}

// RFC 3696 section 2: letters alone, or what IDNA makes of other letters.
bool is_top_level(std::string_view label) {
  return all(label, is_letter) || ascii_iequals(label.substr(0, 4), "xn--");
}

constexpr std::array<char, 32> hyphen_to_zero = [] {
  std::array<char, 32> out{};
  for (const std::size_t at : {8U, 13U, 18U, 23U}) out[at] = '-' ^ '0';
  return out;
}();

}  // namespace

bool is_ip(std::string_view text, IpVersion version) {
  if (!IpAddress::parse(text)) return false;
  // An IPv4 address in IPv6's clothes (::ffff:1.2.3.4) is IPv6 as text.
  const bool colons = text.find(':') != std::string_view::npos;
  return version == IpVersion::any || (version == IpVersion::v6) == colons;
}

bool is_fqdn(std::string_view text, const FqdnOptions& options) {
  if (options.allow_trailing_dot && !text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.size() > 253) return false;
  if (options.allow_wildcard && text.substr(0, 2) == "*.") text.remove_prefix(2);
  std::size_t labels = 0;
  std::string_view last;
  while (true) {
    const auto dot = text.find('.');
    last = text.substr(0, dot);
    if (!is_label(last, options.allow_underscores)) return false;
    ++labels;
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  if (labels == 1)
    return options.allow_dotless && (options.allow_numeric_tld || !reads_as_number(last));
  return last.size() > 1 && (options.allow_numeric_tld || is_top_level(last));
}

bool is_uuid(std::string_view text, std::optional<unsigned> version) {
  if (text.size() != 36) return false;
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return false;
  // A hyphen in its place becomes a '0', so that all are looked at together.
  unsigned char bad = 0;
  for (std::size_t i = 0; i < 32; ++i)
    bad |= static_cast<unsigned char>(
        !internal::is_hex_byte(static_cast<char>(text.data()[i] ^ hyphen_to_zero[i])));
  for (std::size_t i = 32; i < 36; ++i)
    bad |= static_cast<unsigned char>(!internal::is_hex_byte(text.data()[i]));
  if (bad != 0) return false;
  // RFC 9562 section 4.1: the variant's bits are 10.
  const auto variant = static_cast<char>(text[19] | 0x20);
  if (text[19] != '8' && text[19] != '9' && variant != 'a' && variant != 'b') return false;
  if (text[14] < '1' || text[14] > '8') return false;
  return !version || *version == static_cast<unsigned>(text[14] - '0');
}

std::optional<std::int64_t> to_int(std::string_view text) {
  const auto digits = text.substr(text.substr(0, 1) == "-" ? 1 : 0);
  if (!all(digits, is_digit)) return std::nullopt;
  if (digits[0] == '0' && text.size() > 1) return std::nullopt;  // 007 and -0
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc()) return std::nullopt;
  return value;
}

bool is_int(std::string_view text, std::int64_t min, std::int64_t max) {
  const auto value = to_int(text);
  return value && *value >= min && *value <= max;
}

bool is_length(std::string_view text, std::size_t min, std::size_t max) {
  const auto count = count_code_points(text);
  return count && *count >= min && *count <= max;
}

bool is_alphanumeric(std::string_view text) {
  return all(text, [](char c) { return is_digit(c) || is_letter(c); });
}

bool is_hex(std::string_view text) { return all(text, is_hex_digit); }

bool is_base64url(std::string_view text) {
  Base64Options options;
  options.alphabet = Base64Alphabet::url_safe;
  options.padding = Base64Padding::absent;
  return is_base64(text, options);
}

bool is_plain_line(std::string_view text) {
  if (text.empty() || !is_valid_utf8(text)) return false;
  while (!text.empty())
    if (internal::is_invisible(internal::next_code_point(text))) return false;
  return true;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::string strip_low(std::string_view text, NewLines new_lines) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool low = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (!low || (new_lines == NewLines::keep && (c == '\r' || c == '\n'))) out += c;
  }
  return out;
}

std::string escape_html(std::string_view text) {
  std::string out;
  append_html_escaped(text, out);
  return out;
}

}  // namespace moat::validate
