// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/result.h"
#include "moat/validate/idna.h"

namespace moat::validate::internal {

constexpr bool is_beyond_ascii(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

// Whether a label says that it is an A-label (RFC 5890 section 2.3.2.1).
constexpr bool is_encoded_label(std::string_view label) {
  return label.size() >= 4 && (label[0] | 0x20) == 'x' && (label[1] | 0x20) == 'n' &&
         label[2] == '-' && label[3] == '-';
}

// Why an ASCII name is refused for its A-labels, or for the directions in which its labels are
// read. Labels that are not encoded are not looked at otherwise; empty ones are passed over.
std::optional<IdnaRefusal> refuse_a_labels(std::string_view name);

// The name with each label beyond ASCII as an A-label; ASCII labels stay as they are, unchecked,
// so that the result has to be held against what an ASCII name must be.
Result<std::string, IdnaRefusal> encode_u_labels(std::string_view name);

// A name beyond ASCII as UTS #46 maps it (non-transitional), in A-labels. The result can hold any
// ASCII character and has to be checked as if a stranger had written it.
Result<std::string, IdnaRefusal> map_name(std::string_view name);

}  // namespace moat::validate::internal
