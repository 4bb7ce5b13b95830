// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "moat/base/result.h"

namespace moat::json {

class ValueBuilder;
class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;
// Members in the order they were written; names are unique.
using Object = std::vector<Member>;

// Value is one JSON value (RFC 8259). Integers that fit 64 bits stay integers.
class Value final {
 public:
  using Data = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object>;
  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool value) : data_(value) {}
  Value(std::int64_t value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  Value(unsigned value) : data_(std::int64_t{value}) {}
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(Array value) : data_(std::move(value)) {}
  Value(Object value) : data_(std::move(value)) {}

  bool is_null() const { return data_.index() == 0; }
  const bool* as_bool() const { return std::get_if<bool>(&data_); }
  const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&data_); }
  // Any number, as a double.
  std::optional<double> as_number() const;
  const std::string* as_string() const { return std::get_if<std::string>(&data_); }
  const Array* as_array() const { return std::get_if<Array>(&data_); }
  const Object* as_object() const { return std::get_if<Object>(&data_); }
  // The member of that name, or null when this is no object or has none.
  const Value* find(std::string_view name) const;
  const Data& data() const { return data_; }
  Data& data() { return data_; }

  bool operator==(const Value& other) const = default;

 private:
  friend class ValueBuilder;  // builds values in their place
  Data data_;
};

// Bounds on what a stranger may send. All are inclusive. A text beyond one is refused, never cut.
struct Limits {
  std::size_t depth = 32;
  std::size_t members = 1000;  // of all objects and arrays together
  std::size_t string_bytes = 65536;
  std::size_t total_bytes = 1048576;
  std::size_t number_bytes = 64;  // of one number as it is written
};

enum class Refusal {
  syntax,          // not JSON by RFC 8259
  duplicate_name,  // two members of one name, after unescaping
  too_deep,
  too_many,         // members or elements
  too_long,         // a string or a name
  too_large,        // the whole text
  invalid_unicode,  // bytes that are no UTF-8, or a lone surrogate escape
  number_too_long,  // more bytes than number_bytes
  number_out_of_range
};
std::string_view to_string(Refusal refusal);

struct ParseError {
  Refusal refusal;
  std::size_t offset;  // of the byte where parsing stopped
};

// parse reads exactly one JSON text: no comments, trailing commas, NaN, byte-order mark or bytes
// behind it.
[[nodiscard]] Result<Value, ParseError> parse(std::string_view text, const Limits& limits = {});

// A place in a text, both from 1. Columns are code points; "\n", "\r\n" and a lone "\r" end a line.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
  bool operator==(const Position&) const = default;
};
// position_of counts up to the byte at `offset` (the end, for one beyond it).
[[nodiscard]] Position position_of(std::string_view text, std::size_t offset);
// What is wrong, for people, naming the limit that was passed: "objects and arrays stand more than
// 32 deep in each other". Nothing of the text is repeated.
[[nodiscard]] std::string describe(Refusal refusal, const Limits& limits = {});
// The same for a refused `text` with the place: "line 3, column 7: two members have the same name".
// Tells a text that ends too early, and one with something behind its end, from other bad syntax.
[[nodiscard]] std::string describe(std::string_view text, const ParseError& error,
                                   const Limits& limits = {});

// The shortest spelling, in member order, safe inside HTML and on a terminal too: <, >, &, all
// control characters, line separators and marks that turn the writing direction are escaped. A
// number that is not finite becomes null; text that is no UTF-8 is passed on as it is.
std::string serialize(const Value& value);
// Appends `text` as a JSON string with its quotes.
void append_string(std::string& out, std::string_view text);

}  // namespace moat::json
