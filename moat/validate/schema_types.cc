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
