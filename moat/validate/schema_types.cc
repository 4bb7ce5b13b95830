// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/validate/internal/schema_program.h"

namespace moat::validate::schema {

Id find_name(const NameTable& table, std::string_view name) {
  const auto at =
      std::lower_bound(table.begin(), table.end(), name,
                       [](const auto& row, std::string_view n) { return row.first < n; });
  return at == table.end() || at->first != name ? none : at->second;
}

std::string_view bound_words(Keyword keyword) {
  switch (keyword) {
    case Keyword::multiple_of:
      return "a multiple of";
    case Keyword::minimum:
      return "at least";
    case Keyword::maximum:
      return "at most";
    case Keyword::exclusive_minimum:
      return "more than";
    default:
      return "less than";
  }
}

std::uint32_t possible_types(const Program& program, Id id, Steps& steps, std::size_t depth) {
  if (depth >= program.options.max_run_depth) steps.left = 0;
  if (!steps.spend(1)) return any_type;
  const Node& node = program.nodes[id];
  std::uint32_t out = node.never ? 0 : any_type;
  const auto below = [&](Id part) { return possible_types(program, part, steps, depth + 1); };
  for (std::uint32_t at = 0; at < node.op_count; ++at) {
    const Op& op = program.ops[node.first_op + at];
    if (op.keyword == Keyword::type) {
      out &= static_cast<std::uint32_t>(op.first);
      if ((op.first & type_number) != 0) out |= type_integer;
    }
    if (op.keyword == Keyword::ref) out &= below(static_cast<Id>(op.first));
    if (op.keyword == Keyword::all_of) {
      for (std::uint32_t i = 0; i < op.count; ++i) out &= below(program.lists[op.first + i]);
    }
    if (op.keyword != Keyword::any_of && op.keyword != Keyword::one_of) continue;
    std::uint32_t some = 0;
    for (std::uint32_t i = 0; i < op.count; ++i) some |= below(program.lists[op.first + i]);
    out &= some;
  }
  return out;
}

Id only_branch(const Program& program, const Op& op, std::uint32_t types) {
  Steps steps{1000};
  Id only = none;
  for (std::uint32_t i = 0; i < op.count; ++i) {
    const Id branch = program.lists[op.first + i];
    if ((possible_types(program, branch, steps) & types) == 0) continue;
    if (only != none) return none;
    only = branch;
  }
  return only;
}

std::string types_text(std::uint64_t types) {
  constexpr std::pair<std::uint32_t, std::string_view> words[] = {
      {type_null, "null"},        {type_boolean, "a boolean"}, {type_integer, "an integer"},
      {type_number, "a number"},  {type_string, "a string"},   {type_array, "an array"},
      {type_object, "an object"},
  };
  std::string out;
  for (const auto& [bit, text] : words) {
    if ((types & bit) == 0) continue;
    if (!out.empty()) out += " or ";
    out += text;
  }
  return out;
}

}  // namespace moat::validate::schema
