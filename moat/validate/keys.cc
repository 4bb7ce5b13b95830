// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/keys.h"

#include <algorithm>
#include <array>

#include "moat/base/encoding.h"
#include "moat/base/json_pointer.h"

namespace moat::validate {
namespace {

// Names between double underscores are the doors of Python, too: __class__, __globals__.
bool is_prototype(std::string_view part) {
  return part == "constructor" || part == "prototype" ||
         (part.size() > 4 && part.substr(0, 2) == "__" && part.substr(part.size() - 2) == "__");
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// What no rule is about: all but control characters, brackets, '.', '$', and what is not ASCII.
constexpr std::array<bool, 256> harmless = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) out[c] = true;
  for (const char c : {'[', ']', '.', '$'}) out[static_cast<unsigned char>(c)] = false;
  return out;
}();
// Most names are, and are so told quickly.
bool is_harmless(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return harmless[static_cast<unsigned char>(c)]; }) &&
         !is_prototype(name);
}

// Calls `fits` with each part between brackets and dots, the one in front of them first.
template <class Fits>
bool any_part(std::string_view name, Fits fits) {
  for (;;) {
    const std::size_t end = std::min(name.find_first_of("[]."), name.size());
    if (fits(name.substr(0, end))) return true;
    if (end == name.size()) return false;
    name.remove_prefix(end + 1);
  }
}

// An object or array on the way to a value, and which member is looked at.
struct Level {
  const json::Value* value;
  std::size_t next = 0;
};

std::string pointer_to(const std::vector<Level>& way) {
  constexpr std::size_t most = 256;
  std::string out;
  for (std::size_t i = 0; i + 1 < way.size(); ++i) {
    const std::size_t at = way[i].next - 1;
    const json::Object* object = way[i].value->as_object();
    const std::string step =
        json::pointer_step(object != nullptr ? (*object)[at].first : std::to_string(at));
    if (out.size() + step.size() > most) break;
    out += step;
  }
  return out;
}

}  // namespace

std::string_view describe(KeyFault fault) {
  switch (fault) {
    case KeyFault::prototype:
      return "is one through which programs reach their classes";
    case KeyFault::operation:
      return "begins with $, as the operators of databases do";
    case KeyFault::path:
      return "has a dot, which databases read as a path";
    case KeyFault::control:
      return "has a control character or bytes that are no UTF-8";
  }
  return "is not allowed";
}

std::optional<KeyFault> fault_of_key(std::string_view name, const KeyRules& rules) {
  if (is_harmless(name)) return std::nullopt;
  const auto starts_operator = [](std::string_view part) { return part.substr(0, 1) == "$"; };
  std::optional<KeyFault> fault;
  if (!rules.allow_control_keys &&
      (std::any_of(name.begin(), name.end(), is_control) || !is_valid_utf8(name))) {
    fault = KeyFault::control;
  } else if (!rules.allow_prototype_keys && any_part(name, is_prototype)) {
    fault = KeyFault::prototype;
  } else if (!rules.allow_operator_keys && any_part(name, starts_operator)) {
    fault = KeyFault::operation;
  } else if (!rules.allow_dotted_keys && name.find('.') != std::string_view::npos) {
    fault = KeyFault::path;
  }
  if (fault && std::find(rules.allow_names.begin(), rules.allow_names.end(), name) !=
                   rules.allow_names.end())
    return std::nullopt;
  return fault;
}

bool has_unsafe_key(json::Item item, const KeyRules& rules) {
  if (item.kind() == json::Kind::array) {
    for (const json::Item element : item.elements())
      if (element.size() > 0 && has_unsafe_key(element, rules)) return true;
  } else if (item.kind() == json::Kind::object) {
    for (const auto [name, value] : item.members())
      if (fault_of_key(name, rules) || (value.size() > 0 && has_unsafe_key(value, rules)))
        return true;
  }
  return false;
}

std::optional<UnsafeKey> find_unsafe_key(const json::Value& value, const KeyRules& rules) {
  std::vector<Level> way{{&value}};
  while (!way.empty()) {
    Level& level = way.back();
    const json::Value* inner = nullptr;
    if (const auto* object = level.value->as_object(); object && level.next < object->size()) {
      const json::Member& member = (*object)[level.next++];
      if (const auto fault = fault_of_key(member.first, rules))
        return UnsafeKey{pointer_to(way), *fault};
      inner = &member.second;
    } else if (const auto* array = level.value->as_array(); array && level.next < array->size()) {
      inner = &(*array)[level.next++];
    }
    if (inner == nullptr) {
      way.pop_back();
    } else if (inner->as_object() != nullptr || inner->as_array() != nullptr) {
      way.push_back({inner});
    }
  }
  return std::nullopt;
}

}  // namespace moat::validate
