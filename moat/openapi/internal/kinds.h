// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/json.h"

namespace moat::openapi {

// A place in one of the files.
struct Place {
  std::size_t file = 0;
  const json::Value* value = nullptr;
  std::string pointer;  // "/paths/~1orders"
};

// Whether a member is there, and true.
inline bool is_true(const json::Value& of, std::string_view name) {
  const json::Value* value = of.find(name);
  return value != nullptr && value->as_bool() != nullptr && *value->as_bool();
}

// The schemas that were looked at on one errand: each once, though references may lead to it in
// very many ways, and so many that the stack holds them.
class SchemasSeen final {
 public:
  // False: it was, or there were too many.
  bool add(const json::Value* schema) {
    constexpr std::size_t most = 1000;
    return seen_.size() < most && seen_.insert(schema).second;
  }

 private:
  std::set<const json::Value*> seen_;
};

// One of those that a discriminator chooses between.
struct NamedKind {
  std::vector<std::string> names;  // the values that choose it
  Place schema;                    // where its reference leads to
  Place listed;                    // and where that stands, with what may be written beside it
  bool inlined = false;            // it has no reference
  bool mapped = false;             // the mapping says a name of it
};

// Kinds is what a discriminator says (OpenAPI 3.1.1 section 4.8.25, 3.0.4 section 4.7.25).
struct Kinds {
  Place schema;  // the one that has it
  std::string property;
  std::string_view list;         // "oneOf" or "anyOf"; empty: a base class, which its children have
                                 // in their allOf
  std::vector<NamedKind> kinds;  // of a base class it may be one itself
  std::size_t number = 0;        // among those of its file
  bool only_objects = false;     // nothing else fits the list
  std::vector<const json::Value*> nameless;  // those of the list that are no objects

  bool has(const json::Value* schema_of_a_kind) const {
    for (const NamedKind& kind : kinds) {
      if (kind.schema.value == schema_of_a_kind) return true;
    }
    return false;
  }
};

// Where what the discriminators of a file say stands in the document that is made of it.
inline constexpr std::string_view kinds_field = "x-moat-kinds";

// A discriminator as it was read, with what its mapping leads to.
struct Discriminator {
  Place schema;
  Place at;  // where it stands
  std::string property;
  std::vector<std::pair<std::string, Place>> mapping;  // in the order of the document
};

}  // namespace moat::openapi
