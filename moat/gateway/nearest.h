// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moat::gateway {

// The candidate that a typo most likely meant: the nearest by edit distance, when it is near enough
// to be worth saying.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);

}  // namespace moat::gateway
