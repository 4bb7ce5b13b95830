// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace moat::json {

// JSON Pointers (RFC 6901): "/" and a name for each step, in which '~' is "~0" and '/' is "~1"
// (section 3).

// Adds the step into the member `name` to a pointer.
inline void append_pointer_step(std::string& pointer, std::string_view name) {
  pointer += '/';
  for (const char c : name) {
    if (c == '~' || c == '/') {
      pointer += c == '~' ? "~0" : "~1";
    } else {
      pointer += c;
    }
  }
}

inline std::string pointer_step(std::string_view name) {
  std::string out;
  append_pointer_step(out, name);
  return out;
}

// The name that a step stands for, given without its slash (section 4). Nullopt where there is a
// slash, or a '~' with neither '0' nor '1' behind it.
inline std::optional<std::string> pointer_name(std::string_view step) {
  std::string out;
  for (std::size_t i = 0; i < step.size(); ++i) {
    if (step[i] == '/') return std::nullopt;
    if (step[i] != '~') {
      out += step[i];
      continue;
    }
    if (++i == step.size() || (step[i] != '0' && step[i] != '1')) return std::nullopt;
    out += step[i] == '0' ? '~' : '/';
  }
  return out;
}

}  // namespace moat::json
