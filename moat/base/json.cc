// SPDX-License-Identifier: Apache-2.0
#include "moat/base/json.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/base/internal/json_parser.h"

namespace moat::json {

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::syntax:
      return "syntax";
    case Refusal::duplicate_name:
      return "duplicate_name";
    case Refusal::too_deep:
      return "too_deep";
    case Refusal::too_many:
      return "too_many";
    case Refusal::too_long:
      return "too_long";
    case Refusal::too_large:
      return "too_large";
    case Refusal::invalid_unicode:
      return "invalid_unicode";
    case Refusal::number_too_long:
      return "number_too_long";
    case Refusal::number_out_of_range:
      return "number_out_of_range";
  }
  return "unknown";
}

std::optional<double> Value::as_number() const {
  if (const auto* integer = as_integer()) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&data_)) return *number;
  return std::nullopt;
}

const Value* Value::find(std::string_view name) const {
  const Object* object = as_object();
  if (object == nullptr) return nullptr;
  for (const Member& member : *object) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

namespace internal {

// Whether a number, spelled as RFC 8259 section 6 has it, lies between -1 and 1: by the place of
// its first digit that is not zero. (strtod would know, but obeys the locale.)
bool is_below_one(std::string_view text) {
  const std::size_t mark = std::min(text.find_first_of("eE"), text.size());
  const std::string_view digits = text.substr(0, mark);
  std::int64_t exponent = 0;
  if (mark < text.size()) {
    std::string_view power = text.substr(mark + 1);
    const bool negative = power.front() == '-';
    if (power.front() == '-' || power.front() == '+') power.remove_prefix(1);
    const auto parsed = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (parsed.ec != std::errc()) return negative;  // no text is long enough to make up for it
    if (negative) exponent = -exponent;
  }
  const std::size_t first = digits.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  // The power of ten of that digit: 0 for the digit in front of the point.
  const auto distance = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  const std::int64_t place = distance > 0 ? distance - 1 : distance;
  return exponent < -place;
}

// Where the first byte stands that makes the text no UTF-8.
std::size_t first_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!is_valid_utf8(text.substr(at, length))) break;
    at += length;
  }
  return at;
}

}  // namespace internal

// Builds values in their places.
class ValueBuilder final {
 public:
  using Place = Value*;  // null before, which needs no destructor; assigning would call one
  using Object = json::Object*;

  void null(Place) {}
  void boolean(Place out, bool value) { make<bool>(out, value); }
  void integer(Place out, std::int64_t value) { make<std::int64_t>(out, value); }
  void number(Place out, double value) { make<double>(out, value); }
  void string(Place out, std::string_view text) { make<std::string>(out, text); }
  std::string& open_string(Place out) { return make<std::string>(out); }

  Object open_object(Place out) { return &make<json::Object>(out); }
  std::size_t name(Object object, std::string_view text) {
    make_room(object);
    object->emplace_back(text, nullptr);
    return object->size() - 1;
  }
  struct Name {
    Object object;
    std::string& text;
    void append(const char* from, std::size_t size) { text.append(from, size); }
    void push_back(char c) { text.push_back(c); }
    std::size_t size() const { return text.size(); }
  };
  Name open_name(Object object) {
    make_room(object);
    return {object, object->emplace_back().first};
  }
  std::size_t close_name(const Name& name) { return name.object->size() - 1; }
  std::string_view name_at(Object object, std::size_t place) const {
    return (*object)[place].first;
  }
  Place member(Object object) { return &object->back().second; }
  void close_object(Object, std::size_t) {}

  Array* open_array(Place out) { return &make<Array>(out); }
  Place element(Array* array) {
    if (array->empty()) array->reserve(4);
    return &array->emplace_back();
  }
  void close_array(Array*, std::size_t) {}

 private:
  // Growing moves all members. Limits::members bounds what this may take: each object with room has
  // a member at least.
  static void make_room(Object object) {
    if (object->empty()) object->reserve(8);
  }
  template <class T, class... From>
  static T& make(Value* null, From&&... from) {
    std::construct_at(&null->data_, std::in_place_type<T>, std::forward<From>(from)...);
    return *std::get_if<T>(&null->data_);
  }
};

Result<Value, ParseError> parse(std::string_view text, const Limits& limits) {
  ValueBuilder build;
  std::vector<internal::NameSlot> slots;
  Value value;
  if (const auto error = internal::Parser(text, limits, build, slots).run(&value))
    return Error{*error};
  return value;
}

}  // namespace moat::json
