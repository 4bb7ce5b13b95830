// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/body.h"

#include <algorithm>
#include <array>

#include "moat/base/encoding.h"
#include "moat/base/json_pointer.h"
#include "moat/validate/internal/schema_program.h"
#include "moat/validate/strings.h"
#include "moat/validate/values.h"

namespace moat::validate {
namespace {

struct FormatRow {
  std::string_view name;  // as JSON Schema has it
  std::string_view words;
};
constexpr FormatRow formats[] = {
    {"", ""},
    {"email", "an e-mail address"},
    {"hostname", "the name of a host"},
    {"ipv4", "an IPv4 address"},
    {"ipv6", "an IPv6 address"},
    {"uri", "a URI with its scheme"},
    {"uuid", "a UUID"},
    {"date", "a date, such as 2026-11-28"},
    {"time", "a time with its zone, such as 12:00:00Z"},
    {"date-time", "a date and time with its zone, such as 2026-11-28T12:00:00Z"},
    {"duration", "a duration, such as P1DT12H"},
};

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

ProblemCode code_of(ValuesRefusal refusal) {
  switch (refusal) {
    case ValuesRefusal::too_large:
    case ValuesRefusal::too_many:
    case ValuesRefusal::too_long:
      return ProblemCode::too_long;
    case ValuesRefusal::bad_character:
      return ProblemCode::bad_character;
    case ValuesRefusal::unsafe_name:
      return ProblemCode::unknown;
    case ValuesRefusal::repeated:
      return ProblemCode::duplicate;
    case ValuesRefusal::syntax:
    case ValuesRefusal::bad_escape:
    case ValuesRefusal::invalid_utf8:
    case ValuesRefusal::empty_name:
      return ProblemCode::syntax;
  }
  return ProblemCode::syntax;
}

}  // namespace

struct TextCheck::State {
  std::size_t min_length, max_length;
  const FormatRow* format;
  schema::FormatCheck check = nullptr;
  std::string pattern;
  std::optional<schema::Pattern> expression;
};

TextCheck::TextCheck(const TextRule& rule) {
  auto state = std::make_shared<State>();
  state->min_length = rule.min_length;
  state->max_length = rule.max_length;
  state->format = &formats[static_cast<std::size_t>(rule.format)];
  if (rule.format != TextFormat::any) state->check = schema::find_format(state->format->name);
  state->pattern = rule.pattern;
  if (!rule.pattern.empty()) {
    const SchemaOptions limits;
    auto compiled =
        schema::Pattern::compile(rule.pattern, limits.max_pattern_bytes, limits.max_pattern_memory);
    if (!compiled) std::abort();
    state->expression = *std::move(compiled);
  }
  state_ = std::move(state);
}

json::Value TextCheck::schema() const {
  json::Object out{{"type", "string"},
                   {"minLength", static_cast<std::int64_t>(state_->min_length)},
                   {"maxLength", static_cast<std::int64_t>(state_->max_length)}};
  if (state_->check != nullptr) out.emplace_back("format", state_->format->name);
  if (state_->expression) out.emplace_back("pattern", state_->pattern);
  out.emplace_back("not", json::Object{{"pattern", "\\u0000"}});
  return json::Value(std::move(out));
}

void BodyReader::note(ProblemCode code, std::string message) {
  constexpr std::size_t most = 64;
  if (problems_.size() < most) problems_.push_back({pointer_, code, std::move(message)});
}

void BodyReader::note_unknown() {
  // Its name is not repeated, and one report is enough for any number of them.
  const bool known = std::any_of(problems_.begin(), problems_.end(), [&](const Problem& problem) {
    return problem.code == ProblemCode::unknown && problem.pointer == pointer_;
  });
  if (!known) note(ProblemCode::unknown, "has a member that is not expected");
}

void BodyReader::enter(std::string_view step) {
  lengths_.push_back(pointer_.size());
  json::append_pointer_step(pointer_, step);
}

void BodyReader::leave() {
  pointer_.resize(lengths_.back());
  lengths_.pop_back();
}

bool BodyReader::text(const json::Value& value, const TextCheck& check, std::string& out) {
  const std::string* text = value.as_string();
  if (text == nullptr) return note(ProblemCode::wrong_type, "must be a string"), false;
  const TextCheck::State& rule = *check.state_;
  const auto length = count_code_points(*text);
  if (!length || text->find('\0') != std::string::npos) {
    note(ProblemCode::bad_character, "must be text without NUL");
  } else if (*length > rule.max_length) {
    note(ProblemCode::too_long,
         "must be at most " + counted(rule.max_length, "character") + " long");
  } else if (*length < rule.min_length) {
    note(ProblemCode::too_short,
         "must be at least " + counted(rule.min_length, "character") + " long");
  } else if (rule.check != nullptr && !rule.check(*text)) {
    note(ProblemCode::wrong_format, "must be " + std::string(rule.format->words));
  } else if (rule.expression && !rule.expression->search(*text)) {
    note(ProblemCode::wrong_format, "must match the pattern " + rule.pattern);
  } else {
    out = *text;
    return true;
  }
  return false;
}

bool BodyReader::integer(const json::Value& value, std::int64_t min, std::int64_t max,
                         std::int64_t& out) {
  json::Value number = value;
  if (source_ == Source::form && value.as_string() != nullptr) {
    const auto read = to_int(*value.as_string());
    if (read) number = json::Value(*read);
  }
  if (!number.as_number() || !schema::is_integral(number))
    return note(ProblemCode::wrong_type, "must be an integer"), false;
  if (schema::compare_numbers(number, json::Value(min)) < 0 ||
      schema::compare_numbers(number, json::Value(max)) > 0) {
    note(ProblemCode::out_of_range,
         "must be from " + std::to_string(min) + " to " + std::to_string(max));
    return false;
  }
  const auto* exact = number.as_integer();
  out = exact != nullptr ? *exact : static_cast<std::int64_t>(*number.as_number());
  return true;
}

bool BodyReader::number(const json::Value& value, double min, double max, double& out) {
  json::Value number = value;
  if (source_ == Source::form && value.as_string() != nullptr) {
    if (auto read = schema::to_number(*value.as_string())) number = *std::move(read);
  }
  if (!number.as_number()) return note(ProblemCode::wrong_type, "must be a number"), false;
  if (schema::compare_numbers(number, json::Value(min)) < 0 ||
      schema::compare_numbers(number, json::Value(max)) > 0) {
    note(ProblemCode::out_of_range, "must be from " + json::serialize(json::Value(min)) + " to " +
                                        json::serialize(json::Value(max)));
    return false;
  }
  out = *number.as_number();
  return true;
}

bool BodyReader::flag(const json::Value& value, bool& out) {
  const std::string* text = source_ == Source::form ? value.as_string() : nullptr;
  if (text != nullptr && (*text == "true" || *text == "false")) {
    out = *text == "true";
  } else if (value.as_bool() != nullptr) {
    out = *value.as_bool();
  } else {
    note(ProblemCode::wrong_type, "must be true or false");
    return false;
  }
  return true;
}

std::optional<std::size_t> BodyReader::choice(const json::Value& value,
                                              const std::vector<std::string>& names) {
  if (const std::string* text = value.as_string()) {
    const auto found = std::find(names.begin(), names.end(), *text);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  note(ProblemCode::not_listed, "must be one of: " + all);
  return std::nullopt;
}

std::optional<std::span<const json::Value>> BodyReader::list(const json::Value& value,
                                                             std::size_t min, std::size_t max) {
  std::span<const json::Value> out;
  if (const auto* array = value.as_array()) {
    out = *array;
  } else if (source_ == Source::form && value.as_string() != nullptr) {
    out = std::span(&value, 1);
  } else {
    note(ProblemCode::wrong_type, "must be a list");
    return std::nullopt;
  }
  if (out.size() < min) {
    note(ProblemCode::too_short, "must have at least " + counted(min, "element"));
  } else if (out.size() > max) {
    note(ProblemCode::too_long, "must have at most " + counted(max, "element"));
  } else {
    return out;
  }
  return std::nullopt;
}

const json::Object* BodyReader::object(const json::Value& value) {
  if (value.as_object() == nullptr) note(ProblemCode::not_an_object, "must be a JSON object");
  return value.as_object();
}

Result<json::Value, Problems> parse_json_body(std::string_view text, const json::Limits& limits) {
  auto value = json::parse(text, limits);
  if (value) return *std::move(value);
  return Error{
      Problems{{"", problem_code(value.error().refusal),
                "is not acceptable JSON: " + json::describe(text, value.error(), limits)}}};
}

Result<json::Value, Problems> parse_form_body(std::string_view text, const FormLimits& limits,
                                              std::span<const std::string_view> lists) {
  ValuesOptions options;
  options.limits = limits;
  options.repeat = [lists](std::string_view name) {
    return std::find(lists.begin(), lists.end(), name) != lists.end();
  };
  auto value = form_values(text, options);
  if (value) return *std::move(value);
  return Error{Problems{{"", code_of(value.error().refusal),
                         "is not an acceptable form: " + value.error().sentence}}};
}

void wipe_text(json::Value& value) {
  if (auto* text = std::get_if<std::string>(&value.data())) wipe(*text);
  if (auto* array = std::get_if<json::Array>(&value.data())) {
    for (json::Value& element : *array) wipe_text(element);
  }
  if (auto* object = std::get_if<json::Object>(&value.data())) {
    for (json::Member& member : *object) wipe_text(member.second);
  }
}

}  // namespace moat::validate
