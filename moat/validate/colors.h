// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::validate {

// Colours as CSS writes them, beside is_hex_color of encodings.h. Linear; nothing is allocated.

struct RgbColorOptions {
  bool forbid_percent = false;  // rgb(5%,5%,5%)
  bool allow_spaces = false;    // around the numbers
};
// rgb() or rgba() with commas (CSS Color 4 section 5.1, the legacy syntax): 0 to 255, or 0% to 100%
// all three, and for rgba an alpha of 0 to 1. Lower-case.
[[nodiscard]] bool is_rgb_color(std::string_view text, const RgbColorOptions& options = {});
// hsl() or hsla(), with commas or, behind a '/', an alpha (CSS Color 4 section 7). A hue is any
// number with a unit or without; saturation and lightness are 0% to 100%.
[[nodiscard]] bool is_hsl(std::string_view text);

}  // namespace moat::validate
