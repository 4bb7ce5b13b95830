// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/result.h"
#include "moat/validate/body_parts.h"
#include "moat/validate/form.h"
#include "moat/validate/shape.h"

namespace moat::validate {

// Body says once which members a struct has and what they may be. It reads the struct from JSON or
// a form, gives the JSON Schema of just that, and the problems of what it refuses:
//   struct Order { std::string item; int count = 0; std::optional<std::string> note; };
//   static const auto order_body = Body<Order>()
//       .member("item", &Order::item, {.min_length = 1, .max_length = 80})
//       .member("count", &Order::count, {.min = 1, .max = 100})
//       .member("note", &Order::note);
//   auto order = order_body.parse_json(text);
// A rule is of the member's type, or it does not compile: TextRule for std::string and Secret,
// NumberRule for integers and double, ChoiceRule for an enumeration, ListRule for std::vector,
// another Body for a struct. std::optional is a member that may be missing (null is refused).
// Nothing is converted in JSON (1.0 is the integer 1), unknown and repeated members are refused.
template <class T>
class Body final {
 public:
  // Declaring a name twice, a pattern that cannot be used, or a struct without members is a bug and
  // aborts.
  template <class V>
  Body& member(std::string_view name, V T::*field, const typename Part<V>::Rule& rule = {}) {
    for (const Field& other : fields_) {
      if (other.name == name) std::abort();
    }
    Part<V> part(rule);
    Field& added = fields_.emplace_back();
    added.name = name;
    added.required = !is_optional<V>::value;
    added.list = is_list<V>::value;
    added.schema = part.schema();
    added.read = [field, part = std::move(part)](BodyReader& in, const json::Value& value, T& out) {
      part.read(in, value, out.*field);
    };
    return *this;
  }

  // The struct, or all of the problems (64 at most), whose pointers are those of JSON.
  [[nodiscard]] Result<T, Problems> check(const json::Value& value) const {
    return read_whole(value, BodyReader::Source::json);
  }
  // The text is wiped from what was parsed: it may hold a password.
  [[nodiscard]] Result<T, Problems> parse_json(std::string_view text,
                                               const json::Limits& limits = {.depth = 8}) const {
    return parse(parse_json_body(text, limits), BodyReader::Source::json);
  }
  // In a form everything is text: integers as to_int reads them, numbers as JSON spells them,
  // booleans as "true" or "false". A list is its name several times. A struct within has no form.
  [[nodiscard]] Result<T, Problems> parse_form(std::string_view text,
                                               const FormLimits& limits = {}) const {
    std::vector<std::string_view> lists;
    for (const Field& field : fields_) {
      if (field.list) lists.push_back(field.name);
    }
    return parse(parse_form_body(text, limits, lists), BodyReader::Source::form);
  }

  // A JSON Schema (2020-12) that takes what `check` takes, where formats are asserted.
  json::Value schema() const {
    json::Object out{{"$schema", "https://json-schema.org/draft/2020-12/schema"}};
    const json::Value members = members_schema();
    for (const json::Member& member : *members.as_object()) out.push_back(member);
    return json::Value(std::move(out));
  }

 private:
  template <class V>
  friend class Part;
  template <class V>
  struct is_optional : std::false_type {};
  template <class V>
  struct is_optional<std::optional<V>> : std::true_type {};
  template <class V>
  struct is_list : std::false_type {};
  template <class V>
  struct is_list<std::vector<V>> : std::true_type {};
  template <class V>
  struct is_list<std::optional<std::vector<V>>> : std::true_type {};

  struct Field {
    std::string name;
    bool required = true;
    bool list = false;
    json::Value schema;
    std::function<void(BodyReader& in, const json::Value& value, T& out)> read;
  };

  Result<T, Problems> parse(Result<json::Value, Problems> value, BodyReader::Source source) const {
    if (!value) return Error{std::move(value).error()};
    auto out = read_whole(*value, source);
    wipe_text(*value);
    return out;
  }
  Result<T, Problems> read_whole(const json::Value& value, BodyReader::Source source) const {
    T out{};
    BodyReader in(source);
    read(in, value, out);
    if (!in.problems().empty()) return Error{std::move(in.problems())};
    return out;
  }
  void read(BodyReader& in, const json::Value& value, T& out) const {
    const json::Object* object = in.object(value);
    if (object == nullptr) return;
    std::vector<bool> sent(fields_.size(), false);
    for (const auto& [name, member_value] : *object) {
      std::size_t at = 0;
      while (at < fields_.size() && fields_[at].name != name) ++at;
      if (at == fields_.size()) {
        in.note_unknown();
        continue;
      }
      in.enter(name);
      if (sent[at]) in.note(ProblemCode::duplicate, "is given twice");
      sent[at] = true;
      fields_[at].read(in, member_value, out);
      in.leave();
    }
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (sent[i] || !fields_[i].required) continue;
      in.enter(fields_[i].name);
      in.note(ProblemCode::missing, "is required");
      in.leave();
    }
  }
  void require_members() const {
    if (fields_.empty()) std::abort();
  }
  json::Value members_schema() const {
    json::Object properties;
    json::Array required;
    for (const Field& field : fields_) {
      properties.emplace_back(field.name, field.schema);
      if (field.required) required.emplace_back(field.name);
    }
    return json::Object{{"type", "object"},
                        {"properties", std::move(properties)},
                        {"required", std::move(required)},
                        {"additionalProperties", false}};
  }

  std::vector<Field> fields_;
};

}  // namespace moat::validate
