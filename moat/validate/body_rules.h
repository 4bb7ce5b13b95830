// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rules of the members of a Body, and what reads their values. body.h is what is used.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/json.h"
#include "moat/validate/shape.h"

namespace moat::validate {

// Formats as JSON Schema names them ("date_time" is "date-time").
enum class TextFormat {
  any,
  email,
  hostname,
  ipv4,
  ipv6,
  uri,
  uuid,
  date,
  time,
  date_time,
  duration
};
// For std::string and Secret. Lengths are characters (code points), as JSON Schema counts. NUL is
// refused in any case.
struct TextRule {
  std::size_t min_length = 0;
  std::size_t max_length = 1024;
  TextFormat format = TextFormat::any;
  std::string_view pattern = {};  // ECMA-262, as Schema reads it; empty: none
};
// For integers and double; bounds are inclusive.
template <class N>
struct NumberRule {
  N min = std::numeric_limits<N>::lowest();
  N max = std::numeric_limits<N>::max();
};
struct FlagRule {};
// For an enumeration: the text of each value.
template <class E>
struct ChoiceRule {
  std::span<const std::pair<std::string_view, E>> table;
};
// For std::vector.
template <class Rule>
struct ListRule {
  std::size_t min = 0;
  std::size_t max = 100;
  Rule each = {};
};

// What Body calls; Problems are those of a body that cannot be read at all.
[[nodiscard]] Result<json::Value, Problems> parse_json_body(std::string_view text,
                                                            const json::Limits& limits);
[[nodiscard]] Result<json::Value, Problems> parse_form_body(
    std::string_view text, const FormLimits& limits, std::span<const std::string_view> lists);
// Wipes all strings within.
void wipe_text(json::Value& value);

// BodyReader reads values and keeps the problems, at most 64. In a form everything is text.
class TextCheck;
class BodyReader final {
 public:
  enum class Source { json, form };
  explicit BodyReader(Source source) : source_(source) {}

  // Each gives nothing (false, null) where it notes a problem of the place where the reader is.
  bool text(const json::Value& value, const TextCheck& check, std::string& out);
  bool integer(const json::Value& value, std::int64_t min, std::int64_t max, std::int64_t& out);
  bool number(const json::Value& value, double min, double max, double& out);
  bool flag(const json::Value& value, bool& out);
  std::optional<std::size_t> choice(const json::Value& value,
                                    const std::vector<std::string>& names);
  std::optional<std::span<const json::Value>> list(const json::Value& value, std::size_t min,
                                                   std::size_t max);
  const json::Object* object(const json::Value& value);
  void note(ProblemCode code, std::string message);
  void note_unknown();  // once for each object

  void enter(std::string_view step);  // a name, or an index as text
  void leave();
  Problems& problems() { return problems_; }

 private:
  Source source_;
  std::string pointer_;
  std::vector<std::size_t> lengths_;  // of pointer_, before each step
  Problems problems_;
};

// A TextRule that was checked (a pattern that cannot be used is a bug and aborts).
class TextCheck final {
 public:
  explicit TextCheck(const TextRule& rule);
  json::Value schema() const;

 private:
  friend class BodyReader;
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace moat::validate
