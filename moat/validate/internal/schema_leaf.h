// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "moat/base/json_document.h"
#include "moat/validate/internal/schema_item.h"

namespace moat::validate::schema {

// How many code points a text has. Only leading bytes count.
inline std::uint64_t count_characters(std::string_view text) {
  std::uint64_t out = 0;
  for (const char c : text) out += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return out;
}
// Looks no further than it must.
inline bool has_characters(std::string_view text, std::uint64_t least) {
  if (text.size() < least) return false;
  std::uint64_t count = 0;
  for (std::size_t i = 0; count < least && i < text.size(); ++i)
    count += (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 ? 1 : 0;
  return count >= least;
}

// The Leaf of a node that looks at nothing but the value itself, or none: for types, one enum or
// const, bounds of numbers, and what is asked of strings.
Leaf leaf_of(const Program& program, const Node& node);

// What can be asked of a value alone, and the steps that it takes.
template <class Item>
class Checks {
 protected:
  explicit Checks(const Program& program)
      : program_(program), steps_{program.options.max_run_steps} {}
  ~Checks() = default;

  bool spend(std::size_t steps) {
    if (!exhausted_ && steps_.spend(steps)) return true;
    exhausted_ = true;
    return false;
  }

  bool fits(const Node& node, Item value) {
    const Leaf& leaf = node.leaf;
    const json::Kind kind = value.kind();
    if ((leaf.types & types_of(kind)) == 0 &&
        (kind != json::Kind::number || (leaf.types & type_integer) == 0 ||
         !is_integral(value.number())))
      return false;
    if (leaf.list != none && !is_listed(program_.ops[leaf.list], value)) return false;
    if (kind == json::Kind::string) return fits_text(leaf, value.text());
    if (leaf.number_count == 0 || !is_number(kind)) return true;
    if (kind == json::Kind::integer && leaf.whole_bounds)
      return value.integer() >= leaf.least && value.integer() <= leaf.most;
    for (std::uint32_t i = 0; i < leaf.number_count; ++i) {
      const Op& op = program_.ops[leaf.first_number + i];
      if (!number_fits(op, number_of(value))) return false;
    }
    return true;
  }
  bool fits_text(const Leaf& leaf, std::string_view text) {
    const std::size_t price = text.size() / 256;
    if (leaf.has_min_length && (!spend(price) || !has_characters(text, leaf.min_length)))
      return false;
    // No text has more characters than bytes.
    if (leaf.has_max_length && (!spend(price) || (text.size() > leaf.max_length &&
                                                  count_characters(text) > leaf.max_length)))
      return false;
    if (leaf.pattern != none && !matches(leaf.pattern, text)) return false;
    return leaf.format == nullptr || (spend(format_steps(leaf.format, text)) && leaf.format(text));
  }

  bool is_listed(const Op& op, Item value) {
    for (std::uint32_t i = 0; i < op.count; ++i) {
      if (equal_items(value, ValueItem(*program_.values[op.first + i]), steps_)) return true;
      if (!spend(0) || steps_.left == 0) return exhausted_ = true, false;
    }
    return false;
  }
  // `op` is one for numbers.
  bool number_fits(const Op& op, const Number& value) const {
    const json::Value& bound = *program_.values[op.first];
    if (op.keyword == Keyword::multiple_of) return is_multiple(value, bound);
    const int order = compare_numbers(value, bound);
    if (op.keyword == Keyword::minimum) return order >= 0;
    if (op.keyword == Keyword::maximum) return order <= 0;
    return op.keyword == Keyword::exclusive_minimum ? order > 0 : order < 0;
  }
  bool matches(Id pattern, std::string_view text) {
    const Pattern& expression = program_.patterns[pattern];
    return spend(expression.cost(text)) && expression.search(text);
  }

  const Program& program_;
  Steps steps_;
  bool exhausted_ = false;  // sticky: then everything is refused, also below `not`
};

}  // namespace moat::validate::schema
