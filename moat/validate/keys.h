// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/json_document.h"

namespace moat::validate {

// What a name of a member can do to a backend that builds objects or queries of it.
enum class KeyFault {
  prototype,  // "constructor", "prototype", "__proto__" and all others between double underscores
  operation,  // begins with '$': an operator to MongoDB and those that speak like it
  path,       // has a '.': a path into other objects
  control     // has NUL, another control character, or bytes that are no UTF-8
};
// "is one through which programs reach their classes"
std::string_view describe(KeyFault fault);

// Which names members may have. A name with brackets, as forms have them ("a[$gt]", "a[b][]"), is
// judged by each of its parts, since many frameworks make objects of them; so is one with dots,
// where those are allowed, since many libraries set "a.b" in an object.
struct KeyRules {
  bool allow_prototype_keys = false;
  bool allow_operator_keys = false;
  bool allow_dotted_keys = false;
  bool allow_control_keys = false;
  std::vector<std::string> allow_names;  // whatever the rules say; the whole name
};

// The first thing that is wrong with a name. Linear in it; allocates nothing.
[[nodiscard]] std::optional<KeyFault> fault_of_key(std::string_view name,
                                                   const KeyRules& rules = {});

struct UnsafeKey {
  // JSON Pointer to the object that has it, cut at a whole step where it is over 256 bytes. The
  // name itself is not repeated; those on the way are a stranger's, too.
  std::string pointer;
  KeyFault fault;
};
// The first member anywhere in `value` whose name is not allowed. Linear, and safe for a value of
// any depth.
[[nodiscard]] std::optional<UnsafeKey> find_unsafe_key(const json::Value& value,
                                                       const KeyRules& rules = {});
// Whether there is one in an item of a document, whose depth its limits have bounded.
[[nodiscard]] bool has_unsafe_key(json::Item item, const KeyRules& rules = {});

}  // namespace moat::validate
