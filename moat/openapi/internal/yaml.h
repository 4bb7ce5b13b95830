// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "moat/base/json.h"
#include "moat/base/result.h"

namespace moat::openapi {

struct YamlLimits {
  std::size_t bytes = 8 * 1024 * 1024;
  std::size_t nodes = 500'000;  // aliases counted as often as they stand for something
  std::size_t depth = 100;
};

struct YamlError {
  int line = 0;  // from 1; 0: not known
  std::string sentence;
};

// A document as the value that JSON would have for it.
struct YamlDocument {
  json::Value value;
  std::unordered_map<std::string, int> lines;  // of each place, by its JSON Pointer
  std::size_t nodes = 0;
};

// Reads one YAML document by the core schema of YAML 1.2 (section 10.3): "yes" and "on" are texts.
// Refused: a name twice in one mapping, names that are no scalars, merge keys ("<<"), tags of one's
// own, .inf and .nan, a second document.
[[nodiscard]] Result<YamlDocument, YamlError> parse_yaml(std::string_view text,
                                                         const YamlLimits& limits = {});

}  // namespace moat::openapi
