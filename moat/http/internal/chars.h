// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace moat::http::internal {

// Classes of bytes, one bit each.
enum Class : std::uint8_t {
  token_char = 1,   // tchar of RFC 9110 section 5.6.2
  path_char = 2,    // what may stand in a path, '/' and '%' included
  query_char = 4,   // what may stand in a query
  slash_char = 8,   // '/'
  watch_char = 16,  // '%' and '.': the path needs a closer look
  plain_char = 32,  // letters, digits and '-': all that known names are made of
  host_char = 64    // letters, digits, '-', '_' of a host's label
};

constexpr bool is_alnum(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr unsigned char lower(unsigned char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c | 0x20) : c;
}

constexpr std::array<std::uint8_t, 256> make_classes() {
  constexpr std::string_view tchar = "!#$%&'*+-.^_`|~";
  // RFC 3986's pchar and '/', and of what it forbids the four that browsers leave as they are.
  constexpr std::string_view path = "-._~!$&'()*+,;=:@/%|[]^";
  // In a query browsers leave more; only space, '"', '<', '>' and '#' are always escaped.
  constexpr std::string_view query = "-._~!$&'()*+,;=:@/%|[]^?{}`\\";
  std::array<std::uint8_t, 256> table{};
  for (std::size_t i = 0; i < 128; ++i) {
    const auto c = static_cast<unsigned char>(i);
    const char as_char = static_cast<char>(c);
    unsigned bits = 0;
    if (is_alnum(c)) bits |= token_char | path_char | query_char | plain_char | host_char;
    if (tchar.find(as_char) != tchar.npos) bits |= token_char;
    if (path.find(as_char) != path.npos) bits |= path_char;
    if (query.find(as_char) != query.npos) bits |= query_char;
    if (c == '/') bits |= slash_char;
    if (c == '%' || c == '.') bits |= watch_char;
    if (c == '-') bits |= plain_char | host_char;
    if (c == '_') bits |= host_char;
    table[i] = static_cast<std::uint8_t>(bits);
  }
  return table;
}
inline constexpr std::array<std::uint8_t, 256> classes = make_classes();

constexpr std::uint8_t class_of(char c) { return classes[static_cast<unsigned char>(c)]; }

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The text without spaces and tabs at its ends.
constexpr std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

constexpr bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(static_cast<unsigned char>(a[i])) != lower(static_cast<unsigned char>(b[i])))
      return false;
  return true;
}
constexpr bool istarts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

// The offset of the first control byte but the tab in [from, to), or `to`.
inline std::size_t find_control(const char* text, std::size_t from, std::size_t to) {
#if defined(__SSE2__)
  const __m128i low = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; from + 16 <= to; from += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + from));
    const __m128i is_low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, low), bytes);
    const __m128i hit = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), is_low),
                                     _mm_cmpeq_epi8(bytes, del));
    const int mask = _mm_movemask_epi8(hit);
    if (mask != 0)
      return from + static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
#endif
  while (from < to && (text[from] == '\t' || !is_control(text[from]))) ++from;
  return from;
}

}  // namespace moat::http::internal
