// SPDX-License-Identifier: Apache-2.0
// The operations "validate" and "sanitize": validator.js's functions by its names and arguments.
// The files validate_*.cc map them to ours.
#include <algorithm>
#include <array>

#include "tests/conform/validate_call.h"

namespace moat::conform {

std::span<const Operation> validate_operations();

namespace {

template <class Function>
const Function* find(std::span<const Function> table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [name](const Function& f) { return f.name == name; });
  return found == table.end() ? nullptr : &*found;
}

const Validator* find_validator(std::string_view name) {
  for (const auto table :
       {date_validators(), encoding_validators(), identifier_validators(), network_validators(),
        number_validators(), place_validators(), text_validators()})
    if (const Validator* found = find(table, name)) return found;
  return nullptr;
}

const json::Array& arguments(const json::Value& request) {
  static const json::Array none;
  const json::Value* args = request.find("args");
  return args != nullptr && args->as_array() != nullptr ? *args->as_array() : none;
}

std::string function_name(const json::Value& request) {
  const json::Value* name = request.find("fn");
  return name != nullptr && name->as_string() != nullptr ? *name->as_string() : std::string();
}

json::Object validate_text(const json::Value& request) {
  const Validator* validator = find_validator(function_name(request));
  if (validator == nullptr) return {{"error", "unsupported"}};
  const json::Value* input = request.find("input");
  // Our functions take nothing but strings. The peer throws on anything else, but in two of them.
  const bool takes_anything = validator->name == "isDate" || validator->name == "isTime";
  if (takes_anything && (input == nullptr || input->as_string() == nullptr)) return {{"ok", false}};
  if (input == nullptr || input->as_string() == nullptr) return {{"error", "input is no string"}};
  switch (validator->run(Call(*input->as_string(), arguments(request)))) {
    case Answer::no:
      return {{"ok", false}};
    case Answer::yes:
      return {{"ok", true}};
    case Answer::error:
      return {{"error", "bad argument"}};
    case Answer::unsupported:
      break;
  }
  return {{"error", "unsupported"}};
}

json::Object sanitize_text(const json::Value& request) {
  const json::Value* input = request.find("input");
  if (input == nullptr || input->as_string() == nullptr) return {{"error", "input is no string"}};
  const Call call(*input->as_string(), arguments(request));
  if (const Sanitizer* sanitizer = find(sanitizers(), function_name(request)))
    return {{"result", sanitizer->run(call)}};
  return {{"error", "unsupported"}};
}

constexpr std::array operations{Operation{"validate", &validate_text},
                                Operation{"sanitize", &sanitize_text}};

}  // namespace

std::span<const Operation> validate_operations() { return operations; }

}  // namespace moat::conform
