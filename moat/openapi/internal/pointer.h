// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "moat/base/json_pointer.h"

namespace moat::openapi {

using json::pointer_step;

// A text for a terminal: a document's own may have escape sequences in it.
inline std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

}  // namespace moat::openapi
