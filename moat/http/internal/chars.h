// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
  // One space in front, as nearly everybody writes it.
  if (text.size() > 1 && text[0] == ' ' && !is_blank(text[1]) && !is_blank(text.back()))
    return {text.data() + 1, text.size() - 1};
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
  // Most differ at once.
  if (text.size() < prefix.size() || prefix.empty()) return prefix.empty();
  return lower(static_cast<unsigned char>(text[0])) ==
             lower(static_cast<unsigned char>(prefix[0])) &&
         iequals(text.substr(0, prefix.size()), prefix);
}

// One bit for each of 64 bytes: set for every control byte, and for some that are none (bytes of
// 0x80 and above), which is cheaper to sort out one by one.
inline std::uint64_t suspects(const char* text) {
#if defined(__SSE2__)
  // Plus one, DEL becomes the least signed byte, and controls stay below 0x21.
  const auto mask_16 = [text](unsigned at) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + at));
    const __m128i hit = _mm_cmplt_epi8(_mm_add_epi8(bytes, _mm_set1_epi8(1)), _mm_set1_epi8(0x21));
    return std::uint64_t{static_cast<unsigned>(_mm_movemask_epi8(hit))};
  };
  return mask_16(0) | mask_16(16) << 16 | mask_16(32) << 32 | mask_16(48) << 48;
#else
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 64; ++i) mask |= std::uint64_t{is_control(text[i])} << i;
  return mask;
#endif
}
// The same for the last bytes of a text, fewer than 64.
inline std::uint64_t suspects_of_tail(const char* text, std::size_t size) {
  std::array<char, 64> tail;
  tail.fill(' ');
  std::memcpy(tail.data(), text, size);
  return suspects(tail.data());
}

// ControlFinder finds control bytes but the tab, one after the other, in one pass over the text.
class ControlFinder final {
 public:
  explicit ControlFinder(std::string_view text) : text_(text.data()), size_(text.size()) {}

  // The offset of the first one in [from, to), or `to`. `from` must not go back.
  std::size_t find(std::size_t from, std::size_t to) {
    while (from < to) {
      if (from >= end_) load(from);
      const std::uint64_t rest = mask_ >> (from - (end_ - 64));
      if (rest == 0) {
        from = end_;
        continue;
      }
      from += static_cast<std::size_t>(__builtin_ctzll(rest));
      if (from >= to) break;
      if (text_[from] != '\t' && is_control(text_[from])) return from;
      ++from;
    }
    return to;
  }

 private:
  // The 64 bytes from `at`, or the last ones of the text, which begin before it.
  void load(std::size_t at) {
    end_ = at + 64 <= size_ ? at + 64 : size_ >= 64 ? size_ : at + 64;
    mask_ = end_ <= size_ ? suspects(text_ + end_ - 64) : suspects_of_tail(text_ + at, size_ - at);
  }

  const char* text_;
  std::size_t size_;
  std::size_t end_ = 0;  // of the 64 bytes that the mask is for
  std::uint64_t mask_ = 0;
};

// The offset of the first ':' in the first `size` bytes, or `size`. All up to `end` may be read.
inline std::size_t find_colon(const char* text, std::size_t size, const char* end) {
#if defined(__SSE2__)
  if (end - text >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
    const int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(':')));
    const auto at = static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask) | 0x10000u));
    if (at < 16 || size <= 16) return at < size ? at : size;
  }
#endif
  const void* found = size == 0 ? nullptr : std::memchr(text, ':', size);
  return found == nullptr ? size : static_cast<std::size_t>(static_cast<const char*>(found) - text);
}

}  // namespace moat::http::internal
