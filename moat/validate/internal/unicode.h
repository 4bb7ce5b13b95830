// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace moat::validate::internal {

// Takes the first code point off the front of `text`, which is valid UTF-8 and not empty.
char32_t next_code_point(std::string_view& text);

// Whether a code point has no ink of its own or reorders what stands around it: controls, format
// characters, bidi marks and overrides, zero-width characters, variation selectors, tags, line and
// paragraph separators, blank fillers.
bool is_invisible(char32_t code_point);

// White space of Unicode other than the ASCII space.
bool is_wide_space(char32_t code_point);

}  // namespace moat::validate::internal
