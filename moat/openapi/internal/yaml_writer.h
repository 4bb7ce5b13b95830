// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "moat/base/json.h"

namespace moat::openapi {

// The value as YAML in block style, in ASCII. parse_yaml reads it to the same value, within its
// limits, where all texts are UTF-8 without NUL and all numbers finite. Readers of YAML 1.1 read
// the same: "yes", "on" and what looks like a number or a date stand in quotes.
[[nodiscard]] std::string write_yaml(const json::Value& value);

}  // namespace moat::openapi
