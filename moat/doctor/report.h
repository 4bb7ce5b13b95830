// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "moat/base/clock.h"
#include "moat/doctor/finding.h"
#include "moat/doctor/target.h"

namespace moat::doctor {

enum class Colour { off, on };

// For people: grouped by area, a mark a line, and below what is not ok why and what to do. ASCII,
// but for the escape sequences of colours.
[[nodiscard]] std::string to_text(const Target& target, const std::vector<Finding>& findings,
                                  Colour colour);
// For programs: one JSON object; the room's README has its members.
[[nodiscard]] std::string to_json(const Target& target, const std::vector<Finding>& findings,
                                  bool reached, Time now);

}  // namespace moat::doctor
