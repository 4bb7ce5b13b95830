// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/json_pointer.h"
#include "moat/validate/internal/schema_program.h"

namespace moat::validate::schema {

// The way to the value, from within outwards; it lives on the stack.
struct Path {
  const Path* up = nullptr;
  std::string_view name{};
  std::size_t index = 0;  // of an element, which has no name
  bool is_element = false;
  bool foreign = false;  // the schema does not have this name
};
// The resources that were entered, from within outwards ("dynamic scope", core section 7.1).
struct Scope {
  const Scope* outer = nullptr;
  Id resource = 0;
};
struct At {
  const Path* path = nullptr;
  const Scope* scope = nullptr;
};
// Which members or elements were evaluated: a run of bytes in marks_. Absent where nobody asks.
struct Frame {
  std::size_t offset = 0;
  std::size_t size = 0;
  bool used = false;
};
inline constexpr Frame unmarked;

inline std::string pointer_to(const Path* path) {
  std::vector<const Path*> way;
  for (; path != nullptr; path = path->up) way.push_back(path);
  std::string out;
  for (auto step = way.rbegin(); step != way.rend() && !(*step)->foreign; ++step) {
    if ((*step)->is_element) {
      out += '/' + std::to_string((*step)->index);
    } else {
      json::append_pointer_step(out, (*step)->name);
    }
  }
  return out;
}

}  // namespace moat::validate::schema
