// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "moat/validate/internal/layout.h"

// How mobile telephone numbers of a country are written: a table of facts, mobile_plans.cc, and
// what is worked out of it when it is compiled.

namespace moat::validate::internal {

// A row: a locale has one or several, which stand together.
struct MobilePlan {
  std::string_view locale;
  // What is dialled before the number, literally: "+49|0" is the one or the other, and "+49|" the
  // one or nothing.
  std::string_view dialled;
  // The number behind it, a layout.
  std::string_view number;
};

// A locale whose numbers are those of another.
struct MobileAlias {
  std::string_view alias;
  std::string_view locale;
};

// What all numbers of a row have in common, so that most of them are told apart without reading its
// layout.
struct MobileShape {
  std::size_t least = 0;  // bytes
  std::size_t most = 0;
  std::uint16_t firsts = 0;  // a bit a digit that a number may begin with, and one for "("

  constexpr bool fits(std::string_view number) const {
    return number.size() >= least && number.size() <= most && (firsts >> bit(number[0]) & 1) != 0;
  }
  static constexpr unsigned bit(char first) {
    return is_digit(first) ? static_cast<unsigned>(first - '0') : first == '(' ? 10U : 15U;
  }
};

// The fewest bytes that one alternative of a layout takes.
constexpr std::size_t least_bytes(const LayoutReader& layout) {
  std::array<std::size_t, 64> least{};  // to get to each place
  for (std::size_t i = 1; i <= layout.size(); ++i) least[i] = max_layout_text;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    if (least[i + 1] > least[i] + 1) least[i + 1] = least[i] + 1;
    for (std::size_t to = i + 1; layout[i].skips >> to != 0; ++to)
      if ((layout[i].skips >> to & 1) != 0 && least[to] > least[i]) least[to] = least[i];
  }
  return least[layout.size()];
}

// Nothing (0 to 0 bytes) where a row does not read.
constexpr MobileShape shape_of(const MobilePlan& plan) {
  MobileShape shape{max_layout_text, 0, 0};
  auto layouts = plan.number;
  bool more = true;
  while (more) {
    const LayoutReader layout(take_until(layouts, '|', more));
    if (!layout.good()) return {};
    const std::size_t least = least_bytes(layout);
    if (least < shape.least) shape.least = least;
    if (layout.size() > shape.most) shape.most = layout.size();
    const std::uint64_t begins = with_skips(layout, 1);
    for (std::size_t i = 0; begins >> i != 0 && i < layout.size(); ++i)
      for (const char first : std::string_view("0123456789("))
        if ((begins >> i & 1) != 0 && fits_atom(layout[i].atom, first))
          shape.firsts = static_cast<std::uint16_t>(shape.firsts | 1U << MobileShape::bit(first));
  }
  return shape;
}

// Digits, separators, and in front a "+" that a country code follows.
constexpr bool is_dialled(std::string_view dialled) {
  bool more = true;
  while (more) {
    auto one = take_until(dialled, '|', more);
    const bool plus = !one.empty() && one[0] == '+';
    if (plus) one.remove_prefix(1);
    if (plus && (one.empty() || one[0] < '1' || one[0] > '9')) return false;
    for (const char c : one)
      if (!is_digit(c) && !contains(" -()", c)) return false;
  }
  return true;
}

// For static_assert: sorted by locale, whose first row begins with "+" and a country code.
constexpr bool is_mobile_table(std::span<const MobilePlan> plans) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (i > 0 && plans[i - 1].locale > plans[i].locale) return false;
    const bool first = i == 0 || plans[i - 1].locale != plans[i].locale;
    if (!is_dialled(plans[i].dialled) || (first && plans[i].dialled[0] != '+')) return false;
  }
  return true;
}
// For static_assert: every layout reads.
constexpr bool are_shapes(std::span<const MobileShape> shapes) {
  for (const MobileShape& shape : shapes)
    if (shape.least == 0 || shape.firsts == 0) return false;
  return true;
}

// The table, and the shape of each of its rows.
std::span<const MobilePlan> mobile_plans();
std::span<const MobileShape> mobile_shapes();
std::span<const MobileAlias> mobile_aliases();

}  // namespace moat::validate::internal
