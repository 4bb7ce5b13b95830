// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "moat/validate/keys.h"
#include "moat/validate/values.h"

namespace moat::validate {

inline Error<ValuesError> values_error(ValuesRefusal refusal, std::string sentence) {
  return {ValuesError{refusal, std::move(sentence)}};
}

// ValuesCollector makes an object of names and values as they come. `noun` is what they are called
// in sentences: "parameter".
class ValuesCollector final {
 public:
  ValuesCollector(std::string_view noun, const KeyRules& keys, const NamePredicate& repeat)
      : noun_(noun), keys_(keys), repeat_(repeat) {}

  // "parameter 3": the one that is added next.
  std::string next() const;
  // What is wrong with the name as such.
  std::optional<ValuesError> judge(std::string_view name) const;
  // Whether the name may come (again); counts it.
  std::optional<ValuesError> claim(std::string_view name);
  // The value of a name that was claimed.
  void add(std::string name, json::Value value);
  json::Value take() { return json::Value(std::move(object_)); }

 private:
  std::string_view noun_;
  const KeyRules& keys_;
  const NamePredicate& repeat_;
  std::size_t count_ = 0;
  struct Slot {
    std::size_t claimed = 0;
    std::size_t added = 0;
    std::size_t place = 0;  // in object_, once one was added
  };
  std::unordered_map<std::string, Slot> slots_;
  json::Object object_;
};

}  // namespace moat::validate
