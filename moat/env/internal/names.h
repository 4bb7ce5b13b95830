// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace moat::env::internal {

// The candidate that a typo most likely meant: at most a third of its characters away, whatever
// their case.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

// Whether the loader or an interpreter acts on a variable of that name, so that a settings file has
// no business with it.
bool is_dangerous_name(std::string_view key);

}  // namespace moat::env::internal
