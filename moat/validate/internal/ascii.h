// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace moat::validate::internal {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_letter(char c) { return is_lower(c) || is_upper(c); }
constexpr bool is_alnum(char c) { return is_digit(c) || is_letter(c); }
constexpr bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr char to_lower(char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; }
constexpr char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; }
constexpr bool contains(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

// Whether all of a text that is not empty satisfies `predicate`.
template <class Predicate>
constexpr bool all(std::string_view text, Predicate predicate) {
  for (const char c : text)
    if (!predicate(c)) return false;
  return !text.empty();
}

// Whether all of a text satisfies `predicate`; true for the empty one. Sixteen characters are asked
// about at once where the predicate is made of comparisons and of | and & (not || and &&), which
// the compiler turns into those of vectors.
template <class Predicate>
constexpr bool every(std::string_view text, Predicate predicate) {
  constexpr std::size_t block = 16;
  const char* at = text.data();
  for (std::size_t left = text.size(); left >= block; left -= block, at += block) {
    unsigned char bad = 0;
    for (std::size_t i = 0; i < block; ++i) bad |= static_cast<unsigned char>(!predicate(at[i]));
    if (bad != 0) return false;
  }
  for (const char* const end = text.data() + text.size(); at != end; ++at)
    if (!predicate(*at)) return false;
  return true;
}

// For every(): is_hex_digit and is_alnum without a branch; 1 or 0.
constexpr unsigned is_between(char c, char first, char last) {
  return static_cast<unsigned char>(c - first) <= static_cast<unsigned char>(last - first) ? 1 : 0;
}
constexpr unsigned is_hex_byte(char c) {
  return is_between(c, '0', '9') | is_between(static_cast<char>(c | 0x20), 'a', 'f');
}
constexpr unsigned is_alnum_byte(char c) {
  return is_between(c, '0', '9') | is_between(static_cast<char>(c | 0x20), 'a', 'z');
}

constexpr bool starts_with_ignoring_case(std::string_view text, std::string_view lower_prefix) {
  if (text.size() < lower_prefix.size()) return false;
  for (std::size_t i = 0; i < lower_prefix.size(); ++i)
    if (to_lower(text[i]) != lower_prefix[i]) return false;
  return true;
}

// Takes what stands before `separator` (or all) off the front of `text`, and the separator.
// `more` tells whether there was one.
constexpr std::string_view take_until(std::string_view& text, char separator, bool& more) {
  const auto end = text.find(separator);
  const auto part = text.substr(0, end);
  more = end != std::string_view::npos;
  text.remove_prefix(more ? end + 1 : text.size());
  return part;
}

// Takes one byte off the front of `text`, which is not empty: "%" and two hexadecimal digits are
// one.
constexpr char take_percent(std::string_view& text) {
  const auto value = [](char c) { return is_digit(c) ? c - '0' : to_lower(c) - 'a' + 10; };
  const bool encoded =
      text.size() > 2 && text[0] == '%' && is_hex_digit(text[1]) && is_hex_digit(text[2]);
  const char byte = encoded ? static_cast<char>(value(text[1]) * 16 + value(text[2])) : text[0];
  text.remove_prefix(encoded ? 3 : 1);
  return byte;
}

}  // namespace moat::validate::internal
