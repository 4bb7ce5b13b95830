// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moat/validate/text_pattern.h"
#include "tests/conform/conform.h"

// What the files validate_*.cc share: each maps some of validator.js's functions to ours. Where our
// default is stricter than validator.js's, the looser option is set there.

namespace moat::conform {

// Call is one call of the peer's function: its text and its further arguments.
class Call {
 public:
  Call(const std::string& text, const json::Array& args) : text_(text), args_(args) {}

  const std::string& text() const { return text_; }
  // An argument, or nullptr for none, null and undefined.
  const json::Value* at(std::size_t i) const {
    return i < args_.size() ? given(&args_[i]) : nullptr;
  }
  // A member of the first argument, which holds the options.
  const json::Value* option(std::string_view name) const {
    const json::Value* options = at(0);
    return options == nullptr ? nullptr : given(options->find(name));
  }
  bool flag(std::string_view name, bool otherwise) const {
    const json::Value* value = option(name);
    return value != nullptr && value->as_bool() != nullptr ? *value->as_bool() : otherwise;
  }
  std::string word(std::size_t i) const {
    const json::Value* value = at(i);
    return value != nullptr && value->as_string() != nullptr ? *value->as_string() : std::string();
  }
  // An integer from the options or from the arguments themselves ("{min, max}" and "min, max").
  std::optional<std::int64_t> integer(std::string_view name, std::size_t position) const {
    const json::Value* value = option(name);
    if (value == nullptr) value = at(position);
    if (value == nullptr || value->as_integer() == nullptr) return std::nullopt;
    return *value->as_integer();
  }
  std::size_t bound(std::string_view name, std::size_t position, std::size_t otherwise) const {
    const auto value = integer(name, position);
    return value ? static_cast<std::size_t>(*value) : otherwise;
  }
  // Whether the options hold nothing but what is named.
  bool knows_only(std::initializer_list<std::string_view> names) const {
    const json::Value* options = at(0);
    if (options == nullptr || options->as_object() == nullptr) return true;
    return std::all_of(options->as_object()->begin(), options->as_object()->end(),
                       [&](const json::Member& member) {
                         return std::find(names.begin(), names.end(), member.first) != names.end();
                       });
  }

 private:
  static const json::Value* given(const json::Value* value) {
    const bool absent =
        value == nullptr || value->is_null() || value->find("$undefined") != nullptr;
    return absent ? nullptr : value;
  }
  const std::string& text_;
  const json::Array& args_;
};

// What a function answers: a decision, or nothing where the peer throws or an option is not ours.
enum class Answer { no, yes, error, unsupported };
inline Answer from(bool ok) { return ok ? Answer::yes : Answer::no; }

struct Validator {
  std::string_view name;
  Answer (*run)(const Call& call);
};
struct Sanitizer {
  std::string_view name;
  json::Value (*run)(const Call& call);
};

// The words of an option that is a list; views into the request.
inline std::vector<std::string_view> words(const json::Value* list) {
  std::vector<std::string_view> out;
  if (list != nullptr && list->as_array() != nullptr)
    for (const json::Value& value : *list->as_array())
      if (value.as_string() != nullptr) out.push_back(*value.as_string());
  return out;
}

// A pattern of JavaScript, as a text or a wrapped expression; nullopt where it is none or not ours.
std::optional<validate::TextPattern> pattern(const json::Value* given, std::string flags = {});

std::span<const Validator> date_validators();
std::span<const Validator> encoding_validators();
std::span<const Validator> identifier_validators();
std::span<const Validator> network_validators();
std::span<const Validator> number_validators();
std::span<const Validator> place_validators();
std::span<const Validator> text_validators();
std::span<const Sanitizer> sanitizers();

}  // namespace moat::conform
