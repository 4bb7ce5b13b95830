// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/internal/schema_leaf.h"

#include <algorithm>

namespace moat::validate::schema {
namespace {

// A bound in whole numbers; false where it is none.
bool add_bound(const Program& program, const Op& op, Leaf& out) {
  constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
  constexpr auto highest = std::numeric_limits<std::int64_t>::max();
  const std::int64_t* bound = program.values[op.first]->as_integer();
  if (bound == nullptr) return false;
  switch (op.keyword) {
    case Keyword::minimum:
      out.least = std::max(out.least, *bound);
      return true;
    case Keyword::maximum:
      out.most = std::min(out.most, *bound);
      return true;
    case Keyword::exclusive_minimum:
      if (*bound == highest) return false;
      out.least = std::max(out.least, *bound + 1);
      return true;
    case Keyword::exclusive_maximum:
      if (*bound == lowest) return false;
      out.most = std::min(out.most, *bound - 1);
      return true;
    default:
      return false;
  }
}

}  // namespace

Leaf leaf_of(const Program& program, const Node& node) {
  Leaf out;
  if (node.never || node.declares) return out;
  out.whole_bounds = true;
  for (std::uint32_t i = 0; i < node.op_count; ++i) {
    const Op& op = program.ops[node.first_op + i];
    switch (op.keyword) {
      case Keyword::type:
        out.types = static_cast<std::uint32_t>(op.first);
        break;
      case Keyword::enumeration:
      case Keyword::constant:
        if (out.list != none) return {};
        out.list = node.first_op + i;
        break;
      case Keyword::multiple_of:
      case Keyword::minimum:
      case Keyword::maximum:
      case Keyword::exclusive_minimum:
      case Keyword::exclusive_maximum:
        if (out.number_count == 0) out.first_number = node.first_op + i;
        ++out.number_count;
        if (!add_bound(program, op, out)) out.whole_bounds = false;
        break;
      case Keyword::min_length:
        out.has_min_length = true;
        out.min_length = op.first;
        break;
      case Keyword::max_length:
        out.has_max_length = true;
        out.max_length = op.first;
        break;
      case Keyword::pattern:
        out.pattern = static_cast<Id>(op.first);
        break;
      case Keyword::format:
        out.format = program.formats[op.first];
        break;
      default:
        return {};
    }
  }
  out.used = true;
  return out;
}

}  // namespace moat::validate::schema
