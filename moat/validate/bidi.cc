// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/internal/bidi.h"

#include <algorithm>
#include <iterator>

#include "moat/validate/internal/unicode.h"

namespace moat::validate::internal {
namespace {

struct Range {
  char32_t first, last;
};

// From the Unicode Character Database, DerivedBidiClass: the blocks in which a code point is R or
// AL unless it says otherwise. Marks in them count with their letters.
constexpr Range right_to_left[] = {
    {0x0590, 0x08ff}, {0xfb1d, 0xfdff}, {0xfe70, 0xfeff}, {0x10800, 0x10fff}, {0x1e800, 0x1efff}};
// Classes EN and AN, as far as IDNA 2008 has them.
constexpr Range european_digits[] = {{0x0030, 0x0039}, {0x06f0, 0x06f9}};
constexpr Range arabic_digits[] = {{0x0660, 0x0669}, {0x10d30, 0x10d39}};
// Letters and marks of IDNA 2008, hyphen and underscore, that have no direction of their own: ON
// and ES.
constexpr Range neutral[] = {{0x002d, 0x002d}, {0x005f, 0x005f}, {0x00b7, 0x00b7},
                             {0x02b9, 0x02ba}, {0x02c6, 0x02cf}, {0x02ec, 0x02ec},
                             {0x0375, 0x0375}, {0x2e2f, 0x2e2f}, {0x30fb, 0x30fb},
                             {0xa67f, 0xa67f}, {0xa717, 0xa71f}, {0xa788, 0xa788}};

template <std::size_t N>
bool is_in(const Range (&ranges)[N], char32_t c) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

}  // namespace

void BidiRule::add(std::string_view label, BeginsWithMark begins_with_mark) {
  if (label.empty()) return;
  bool right = false, european = false, arabic = false, has_neutral = false;
  std::string_view end;  // behind the last neutral one
  std::string_view rest = label;
  const char32_t first = next_code_point(rest);
  for (rest = label; !rest.empty();) {
    const char32_t c = next_code_point(rest);
    const bool digit = is_in(european_digits, c);
    european |= digit;
    arabic |= is_in(arabic_digits, c);
    right |= !digit && is_in(right_to_left, c);
    if (!is_in(neutral, c)) continue;
    has_neutral = true;
    end = rest;
  }
  // No mark is of ASCII.
  const bool weak_end =
      has_neutral && (end.empty() || ((end[0] & 0x80) != 0 && begins_with_mark(end)));
  if (right) {
    has_right_to_left_ = true;
    broken_ |= weak_end || (european && arabic);
  } else {
    has_weak_edge_ |= weak_end || is_in(neutral, first) || is_in(european_digits, first);
  }
}

}  // namespace moat::validate::internal
