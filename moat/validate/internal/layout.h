// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "moat/validate/identifiers.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/layout_reader.h"

// Layouts say how a number that an authority gives out is written. They keep the tables of facts
// apart from code. They are no regular expressions: nothing repeats without an end, and a match
// costs at most the length of the layout for each byte of a text of at most 64 bytes.
//
//   #        a digit                    @        an upper-case letter of ASCII
//   *        a digit or such a letter   [AC-F]   one of those bytes
//   x{3}     three of x                 x{2,5}   two to five of x
//   x?       x or nothing               (…)?     all of that or nothing; not nested, no | inside
//   a|b      one layout or the other    else     the byte itself, ( and ) and [ in brackets
//
// A byte beyond ASCII stands for itself: a letter of two bytes may be written, but not in brackets.

namespace moat::validate::internal {

inline constexpr std::size_t max_layout_text = 64;

constexpr bool fits_atom(std::string_view atom, char c) {
  switch (atom[0]) {
    case '#':
      return is_digit(c);
    case '@':
      return is_upper(c);
    case '*':
      return is_digit(c) || is_upper(c);
    case '[':
      break;
    default:
      return atom[0] == c;
  }
  const auto set = atom.substr(1, atom.size() - 2);
  for (std::size_t i = 0; i < set.size(); ++i) {
    const bool range = i + 2 < set.size() && set[i + 1] == '-';
    if (range ? c >= set[i] && c <= set[i + 2] : c == set[i]) return true;
    if (range) i += 2;
  }
  return false;
}

// The state with the places that can be reached by leaving out.
constexpr std::uint64_t with_skips(const LayoutReader& layout, std::uint64_t state) {
  for (std::size_t i = 0; i < layout.size(); ++i)
    if ((state >> i & 1) != 0) state |= layout[i].skips;
  return state;
}

// All ways through the layout at once: one bit a place.
constexpr bool fits_one(const LayoutReader& layout, std::string_view text, Case letters) {
  std::uint64_t state = with_skips(layout, 1);
  for (const char byte : text) {
    const char c = letters == Case::ignore ? to_upper(byte) : byte;
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < layout.size(); ++i)
      if ((state >> i & 1) != 0 && fits_atom(layout[i].atom, c))
        next |= std::uint64_t{1} << (i + 1);
    if (next == 0) return false;
    state = with_skips(layout, next);
  }
  return (state >> layout.size() & 1) != 0;
}

// Whether the whole text is written like that. Case::ignore takes lower-case letters for upper-case
// ones. False for a layout that is none.
constexpr bool fits(std::string_view layout, std::string_view text, Case letters = Case::exact) {
  if (text.empty() || text.size() > max_layout_text) return false;
  bool more = true;
  while (more) {
    const LayoutReader reader(take_until(layout, '|', more));
    if (reader.good() && fits_one(reader, text, letters)) return true;
  }
  return false;
}

constexpr bool is_layout(std::string_view layout) {
  bool more = true;
  while (more)
    if (!LayoutReader(take_until(layout, '|', more)).good()) return false;
  return true;
}

// A row of a table: a country or locale, and its layout.
struct PlaceLayout {
  std::string_view place;
  std::string_view layout;
};

// For static_assert: sorted, without repetition, and every layout reads.
constexpr bool is_table(std::span<const PlaceLayout> table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (i > 0 && table[i - 1].place >= table[i].place) return false;
    if (!is_layout(table[i].layout)) return false;
  }
  return true;
}

// The layout of a place, or empty.
constexpr std::string_view layout_of(std::span<const PlaceLayout> table, std::string_view place) {
  for (const PlaceLayout& row : table)
    if (row.place == place) return row.layout;
  return {};
}

}  // namespace moat::validate::internal
