// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "moat/validate/internal/unicode.h"

namespace moat::validate::internal {
namespace {

struct Range {
  char32_t first, last;
};

// From the Unicode Character Database: general categories Cc, Cf, Zl, Zp, and what has the property
// Default_Ignorable_Code_Point.
constexpr Range invisible[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},
    {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x115f, 0x1160},   {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
    {0x2800, 0x2800},   {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};

}  // namespace

char32_t next_code_point(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const char32_t first = byte(0);
  std::size_t size = 1;
  char32_t value = first;
  if (first >= 0xf0) {
    size = 4;
    value = first & 0x07;
  } else if (first >= 0xe0) {
    size = 3;
    value = first & 0x0f;
  } else if (first >= 0xc0) {
    size = 2;
    value = first & 0x1f;
  }
  for (std::size_t i = 1; i < size; ++i) value = value << 6 | (byte(i) & 0x3f);
  text.remove_prefix(size);
  return value;
}

bool is_invisible(char32_t code_point) {
  const auto* range =
      std::lower_bound(std::begin(invisible), std::end(invisible), code_point,
                       [](const Range& r, char32_t value) { return r.last < value; });
  return range != std::end(invisible) && code_point >= range->first;
}

bool is_wide_space(char32_t code_point) {
  return code_point == 0xa0 || code_point == 0x1680 ||
         (code_point >= 0x2000 && code_point <= 0x200a) || code_point == 0x202f ||
         code_point == 0x205f || code_point == 0x3000;
}

}  // namespace moat::validate::internal
