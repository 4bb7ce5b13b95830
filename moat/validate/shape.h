// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/validate/form.h"

namespace moat::validate {

enum class Presence { required, optional };

// Bounds of the fields, inclusive. A string is valid UTF-8 without NUL in any case.
struct StringRule {
  Presence presence = Presence::required;
  std::size_t max_bytes = 1024;
  std::size_t min_bytes = 0;
};
struct IntegerRule {
  Presence presence = Presence::required;
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};
struct BooleanRule {
  Presence presence = Presence::required;
};

enum class ProblemCode {
  syntax,     // the body is not the JSON or the form it should be
  duplicate,  // a name given twice
  not_an_object,
  missing,
  unknown,  // a name that the shape does not have
  wrong_type,
  too_short,
  too_long,
  out_of_range,
  bad_character,  // NUL in a string
  wrong_format,   // not an e-mail address, or not as a pattern wants it
  not_listed      // none of the values there are
};
std::string_view to_string(ProblemCode code);
ProblemCode problem_code(json::Refusal refusal);

// One thing wrong with a body. Neither pointer nor message repeats a value that was sent; an
// unknown name is not repeated either.
struct Problem {
  std::string pointer;  // RFC 6901: "/email", or "" for the whole body
  ProblemCode code;
  std::string message;  // for people: "must be at most 254 bytes long"
};
using Problems = std::vector<Problem>;

// Fields are the checked values of a body. Reading a field under another type than the shape's, or
// a required name that the shape does not have, is a bug of the caller and aborts. Strings are
// wiped when it dies.
class Fields final {
 public:
  Fields() = default;
  Fields(Fields&&) noexcept = default;
  Fields& operator=(Fields&& other) noexcept;
  Fields(const Fields&) = delete;  // it may hold a password
  Fields& operator=(const Fields&) = delete;
  ~Fields();

  std::string_view string(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  bool boolean(std::string_view name) const;
  std::optional<std::string_view> optional_string(std::string_view name) const;
  std::optional<std::int64_t> optional_integer(std::string_view name) const;
  std::optional<bool> optional_boolean(std::string_view name) const;
  // Moves a string out into a Secret and leaves it empty; an empty Secret when the field was not
  // sent.
  Secret take_secret(std::string_view name);

 private:
  friend class ObjectShape;
  using Value = std::variant<std::string, std::int64_t, bool>;
  struct Entry {
    std::string name;
    Value value;
  };
  const Value* find(std::string_view name) const;
  template <class T>
  const T& get(std::string_view name) const;
  std::vector<Entry> entries_;
};

// ObjectShape says which fields a flat object has, and refuses everything else: wrong types are
// never converted, unknown and duplicate names never ignored.
//   static const auto login = ObjectShape().string("email", {.max_bytes = 254}).string("password");
class ObjectShape final {
 public:
  // Declaring a name twice is a bug and aborts.
  ObjectShape& string(std::string_view name, const StringRule& rule = {});
  ObjectShape& integer(std::string_view name, const IntegerRule& rule = {});
  ObjectShape& boolean(std::string_view name, const BooleanRule& rule = {});

  // All problems of the body, or its fields.
  [[nodiscard]] Result<Fields, Problems> check(const json::Value& body) const;
  [[nodiscard]] Result<Fields, Problems> parse_json(std::string_view body,
                                                    const json::Limits& limits = {
                                                        .depth = 8}) const;
  // In a form everything is text: integers as to_int() reads them, booleans as "true" or "false".
  [[nodiscard]] Result<Fields, Problems> parse_form(std::string_view body,
                                                    const FormLimits& limits = {}) const;
  [[nodiscard]] Result<Fields, Problems> check(const Form& form) const;

 private:
  using Rule = std::variant<StringRule, IntegerRule, BooleanRule>;
  struct Field {
    std::string name;
    Rule rule;
  };
  ObjectShape& add(std::string_view name, Rule rule);
  const Field* find(std::string_view name) const;
  // `members` are pairs of a name and a value, which read() checks and converts.
  template <class Members>
  Result<Fields, Problems> collect(const Members& members) const;
  static std::optional<Problem> read(const Field& field, const json::Value& value,
                                     Fields::Value& out);
  static std::optional<Problem> read(const Field& field, const std::string& value,
                                     Fields::Value& out);
  std::vector<Field> fields_;
};

}  // namespace moat::validate
