// SPDX-License-Identifier: Apache-2.0
// The half of json.h that tells people what was wrong with a text.
#include <algorithm>

#include "moat/base/json.h"

namespace moat::json {

Position position_of(std::string_view text, std::size_t offset) {
  Position out;
  const std::size_t end = std::min(offset, text.size());
  for (std::size_t i = 0; i < end; ++i) {
    const char c = text[i];
    if (c == '\n' || (c == '\r' && (i + 1 >= text.size() || text[i + 1] != '\n'))) {
      ++out.line;
      out.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {  // the first byte of a character
      ++out.column;
    }
  }
  return out;
}

std::string describe(Refusal refusal, const Limits& limits) {
  const auto limit = [](std::size_t value) { return std::to_string(value); };
  switch (refusal) {
    case Refusal::syntax:
      return "this is not JSON";
    case Refusal::duplicate_name:
      return "two members of one object have the same name";
    case Refusal::too_deep:
      return "objects and arrays stand more than " + limit(limits.depth) + " deep in each other";
    case Refusal::too_many:
      return "there are more than " + limit(limits.members) + " members and elements";
    case Refusal::too_long:
      return "a string is longer than " + limit(limits.string_bytes) + " bytes";
    case Refusal::too_large:
      return "the text is longer than " + limit(limits.total_bytes) + " bytes";
    case Refusal::invalid_unicode:
      return "these bytes are no UTF-8, or the escape of half a character";
    case Refusal::number_too_long:
      return "a number is written with more than " + limit(limits.number_bytes) + " bytes";
    case Refusal::number_out_of_range:
      return "a number is too large: the limit is about 1.8e308";
  }
  return "this is not JSON";
}

std::string describe(std::string_view text, const ParseError& error, const Limits& limits) {
  const Position at = position_of(text, error.offset);
  std::string what = describe(error.refusal, limits);
  if (error.refusal == Refusal::syntax) {
    if (error.offset >= text.size()) {
      what = "the text ends here, too early to be JSON";
    } else if (parse(text.substr(0, error.offset), limits)) {
      what = "something stands behind the end of the JSON text";
    }
  }
  return "line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " + what;
}

}  // namespace moat::json
