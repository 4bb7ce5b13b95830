// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/shape.h"

#include <algorithm>
#include <cstdlib>

#include "moat/base/encoding.h"
#include "moat/base/json_pointer.h"
#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

Problem problem(std::string_view name, ProblemCode code, std::string message) {
  return {json::pointer_step(name), code, std::move(message)};
}

std::optional<Problem> check_string(std::string_view name, const StringRule& rule,
                                    std::string_view value) {
  if (value.size() > rule.max_bytes)
    return problem(name, ProblemCode::too_long,
                   "must be at most " + std::to_string(rule.max_bytes) + " bytes long");
  if (value.size() < rule.min_bytes)
    return problem(name, ProblemCode::too_short,
                   "must be at least " + std::to_string(rule.min_bytes) + " bytes long");
  if (value.find('\0') != std::string_view::npos || !is_valid_utf8(value))
    return problem(name, ProblemCode::bad_character, "must be text without NUL");
  return std::nullopt;
}

std::optional<Problem> check_integer(std::string_view name, const IntegerRule& rule,
                                     std::int64_t value) {
  if (value >= rule.min && value <= rule.max) return std::nullopt;
  return problem(name, ProblemCode::out_of_range,
                 "must be from " + std::to_string(rule.min) + " to " + std::to_string(rule.max));
}

Problem wrong_type(std::string_view name, const char* wanted) {
  return problem(name, ProblemCode::wrong_type, std::string("must be ") + wanted);
}

ProblemCode code_of(FormRefusal refusal) {
  switch (refusal) {
    case FormRefusal::duplicate_name:
      return ProblemCode::duplicate;
    case FormRefusal::too_many:
    case FormRefusal::too_long:
      return ProblemCode::too_long;
    case FormRefusal::bad_character:
      return ProblemCode::bad_character;
    case FormRefusal::bad_escape:
    case FormRefusal::invalid_utf8:
    case FormRefusal::empty_name:
      return ProblemCode::syntax;
  }
  return ProblemCode::syntax;
}

// The parsed body held a password perhaps; the value is ours and dies next.
void wipe_strings(json::Value& body) {
  if (body.as_object() == nullptr) return;
  for (const auto& member : *body.as_object())
    if (const auto* text = member.second.as_string()) wipe(const_cast<std::string&>(*text));
}

}  // namespace

ProblemCode problem_code(json::Refusal refusal) {
  switch (refusal) {
    case json::Refusal::duplicate_name:
      return ProblemCode::duplicate;
    case json::Refusal::too_deep:
    case json::Refusal::too_many:
    case json::Refusal::too_long:
    case json::Refusal::too_large:
    case json::Refusal::number_too_long:
      return ProblemCode::too_long;
    case json::Refusal::number_out_of_range:
      return ProblemCode::out_of_range;
    case json::Refusal::syntax:
    case json::Refusal::invalid_unicode:
      return ProblemCode::syntax;
  }
  return ProblemCode::syntax;
}

std::string_view to_string(ProblemCode code) {
  switch (code) {
    case ProblemCode::syntax:
      return "syntax";
    case ProblemCode::duplicate:
      return "duplicate";
    case ProblemCode::not_an_object:
      return "not_an_object";
    case ProblemCode::missing:
      return "missing";
    case ProblemCode::unknown:
      return "unknown";
    case ProblemCode::wrong_type:
      return "wrong_type";
    case ProblemCode::too_short:
      return "too_short";
    case ProblemCode::too_long:
      return "too_long";
    case ProblemCode::out_of_range:
      return "out_of_range";
    case ProblemCode::bad_character:
      return "bad_character";
    case ProblemCode::wrong_format:
      return "wrong_format";
    case ProblemCode::not_listed:
      return "not_listed";
  }
  return "unknown";
}

Fields& Fields::operator=(Fields&& other) noexcept {
  entries_.swap(other.entries_);
  return *this;
}

Fields::~Fields() {
  for (auto& entry : entries_)
    if (auto* text = std::get_if<std::string>(&entry.value)) wipe(*text);
}

const Fields::Value* Fields::find(std::string_view name) const {
  for (const auto& entry : entries_)
    if (entry.name == name) return &entry.value;
  return nullptr;
}

template <class T>
const T& Fields::get(std::string_view name) const {
  const auto* value = find(name);
  const T* typed = value != nullptr ? std::get_if<T>(value) : nullptr;
  if (typed == nullptr) std::abort();  // the shape does not say what the caller believes
  return *typed;
}

std::string_view Fields::string(std::string_view name) const { return get<std::string>(name); }
std::int64_t Fields::integer(std::string_view name) const { return get<std::int64_t>(name); }
bool Fields::boolean(std::string_view name) const { return get<bool>(name); }

std::optional<std::string_view> Fields::optional_string(std::string_view name) const {
  if (find(name) == nullptr) return std::nullopt;
  return get<std::string>(name);
}
std::optional<std::int64_t> Fields::optional_integer(std::string_view name) const {
  if (find(name) == nullptr) return std::nullopt;
  return get<std::int64_t>(name);
}
std::optional<bool> Fields::optional_boolean(std::string_view name) const {
  if (find(name) == nullptr) return std::nullopt;
  return get<bool>(name);
}

Secret Fields::take_secret(std::string_view name) {
  if (find(name) == nullptr) return {};
  return Secret::take(const_cast<std::string&>(get<std::string>(name)));
}

ObjectShape& ObjectShape::add(std::string_view name, Rule rule) {
  if (find(name) != nullptr) std::abort();
  fields_.push_back({std::string(name), std::move(rule)});
  return *this;
}

ObjectShape& ObjectShape::string(std::string_view name, const StringRule& rule) {
  return add(name, rule);
}
ObjectShape& ObjectShape::integer(std::string_view name, const IntegerRule& rule) {
  return add(name, rule);
}
ObjectShape& ObjectShape::boolean(std::string_view name, const BooleanRule& rule) {
  return add(name, rule);
}

const ObjectShape::Field* ObjectShape::find(std::string_view name) const {
  for (const auto& field : fields_)
    if (field.name == name) return &field;
  return nullptr;
}

std::optional<Problem> ObjectShape::read(const Field& field, const json::Value& value,
                                         Fields::Value& out) {
  if (const auto* rule = std::get_if<StringRule>(&field.rule)) {
    const auto* text = value.as_string();
    if (text == nullptr) return wrong_type(field.name, "a string");
    out = *text;
    return check_string(field.name, *rule, *text);
  }
  if (const auto* rule = std::get_if<IntegerRule>(&field.rule)) {
    const auto* number = value.as_integer();
    if (number == nullptr) return wrong_type(field.name, "an integer");
    out = *number;
    return check_integer(field.name, *rule, *number);
  }
  const auto* flag = value.as_bool();
  if (flag == nullptr) return wrong_type(field.name, "true or false");
  out = *flag;
  return std::nullopt;
}

std::optional<Problem> ObjectShape::read(const Field& field, const std::string& value,
                                         Fields::Value& out) {
  if (const auto* rule = std::get_if<StringRule>(&field.rule)) {
    out = value;
    return check_string(field.name, *rule, value);
  }
  if (const auto* rule = std::get_if<IntegerRule>(&field.rule)) {
    const auto number = to_int(value);
    if (!number) return wrong_type(field.name, "an integer");
    out = *number;
    return check_integer(field.name, *rule, *number);
  }
  if (value != "true" && value != "false") return wrong_type(field.name, "true or false");
  out = value == "true";
  return std::nullopt;
}

template <class Members>
Result<Fields, Problems> ObjectShape::collect(const Members& members) const {
  Fields fields;
  fields.entries_.reserve(fields_.size());
  Problems problems;
  std::vector<const Field*> sent;
  for (const auto& member : members) {
    const Field* field = find(member.first);
    if (field == nullptr) {
      // Its name is not repeated, and one report is enough for any number of them.
      if (problems.empty() || problems.front().code != ProblemCode::unknown)
        problems.insert(problems.begin(),
                        {"", ProblemCode::unknown, "has a member that is not expected"});
      continue;
    }
    if (std::find(sent.begin(), sent.end(), field) != sent.end()) {
      problems.push_back(problem(field->name, ProblemCode::duplicate, "is given twice"));
      continue;
    }
    sent.push_back(field);
    fields.entries_.push_back({field->name, {}});
    if (auto found = read(*field, member.second, fields.entries_.back().value))
      problems.push_back(std::move(*found));
  }
  for (const auto& field : fields_) {
    const bool required =
        std::visit([](const auto& r) { return r.presence == Presence::required; }, field.rule);
    if (required && std::find(sent.begin(), sent.end(), &field) == sent.end())
      problems.push_back(problem(field.name, ProblemCode::missing, "is required"));
  }
  if (!problems.empty()) return Error{std::move(problems)};
  return fields;
}

Result<Fields, Problems> ObjectShape::check(const json::Value& body) const {
  if (const auto* object = body.as_object()) return collect(*object);
  return Error{Problems{{"", ProblemCode::not_an_object, "must be a JSON object"}}};
}

Result<Fields, Problems> ObjectShape::check(const Form& form) const {
  return collect(form.parameters());
}

Result<Fields, Problems> ObjectShape::parse_json(std::string_view body,
                                                 const json::Limits& limits) const {
  auto value = json::parse(body, limits);
  if (!value) {
    return Error{
        Problems{{"", problem_code(value.error().refusal),
                  "is not acceptable JSON: " + json::describe(body, value.error(), limits)}}};
  }
  auto fields = check(*value);
  wipe_strings(*value);
  return fields;
}

Result<Fields, Problems> ObjectShape::parse_form(std::string_view body,
                                                 const FormLimits& limits) const {
  const auto form = validate::parse_form(body, limits);
  if (!form) {
    return Error{Problems{{"", code_of(form.error()),
                           "is not an acceptable form: " + std::string(to_string(form.error()))}}};
  }
  return check(*form);
}

}  // namespace moat::validate
