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

namespace {

bool may_take(const Program& program, Id id, std::uint32_t types, std::size_t& looks) {
  if (looks == 0) return true;
  --looks;
  const Node& node = program.nodes[id];
  if (node.never) return false;
  const auto below = [&](const Op& op, std::uint32_t i) {
    return may_take(program, program.lists[op.first + i], types, looks);
  };
  for (std::uint32_t at = 0; at < node.op_count; ++at) {
    const Op& op = program.ops[node.first_op + at];
    bool may = true;
    if (op.keyword == Keyword::type) may = (types & op.first) != 0;
    if (op.keyword == Keyword::ref)
      may = may_take(program, static_cast<Id>(op.first), types, looks);
    if (op.keyword == Keyword::all_of)
      for (std::uint32_t i = 0; i < op.count && may; ++i) may = below(op, i);
    if (op.keyword == Keyword::any_of || op.keyword == Keyword::one_of) {
      may = false;
      for (std::uint32_t i = 0; i < op.count && !may; ++i) may = below(op, i);
    }
    if (!may) return false;
  }
  return true;
}

}  // namespace

bool may_take(const Program& program, Id id, std::uint32_t types) {
  std::size_t looks = 64;  // references may lead in a circle
  return may_take(program, id, types, looks);
}

Id only_branch(const Program& program, const Op& op, std::uint32_t types) {
  Id only = none;
  for (std::uint32_t i = 0; i < op.count; ++i) {
    const Id branch = program.lists[op.first + i];
    if (!may_take(program, branch, types)) continue;
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
