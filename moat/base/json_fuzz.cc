// SPDX-License-Identifier: Apache-2.0
// What parses is within its limits, prints, and reads back to the same value; printing is stable. A
// Document reads the same.
#include "moat/base/json.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "moat/base/encoding.h"
#include "moat/base/json_document.h"

namespace {

std::size_t depth_of(const moat::json::Value& value) {
  std::size_t inner = 0;
  if (const auto* array = value.as_array()) {
    for (const auto& element : *array) inner = std::max(inner, depth_of(element));
    return inner + 1;
  }
  if (const auto* object = value.as_object()) {
    for (const auto& [name, member] : *object) inner = std::max(inner, depth_of(member));
    return inner + 1;
  }
  return 0;
}

void require(bool condition) {
  if (!condition) std::abort();
}

void compare(std::string_view text, const moat::json::Limits& limits) {
  static moat::json::Document document;  // goes from text to text
  const auto value = moat::json::parse(text, limits);
  const auto item = document.parse(text, limits);
  require(value.has_value() == item.has_value());
  if (value) {
    require(moat::json::to_value(*item) == *value);
  } else {
    require(value.error().refusal == item.error().refusal);
    require(value.error().offset == item.error().offset);
  }
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  moat::json::Limits limits;
  compare(text, {.depth = 3, .members = 20, .string_bytes = 10, .total_bytes = 500});
  compare(text, limits);
  const auto value = moat::json::parse(text, limits);
  if (!value) {
    require(value.error().offset <= text.size());
    require(moat::json::to_string(value.error().refusal) != "unknown");
    require(moat::json::describe(text, value.error(), limits).size() > 20);
    return;
  }
  require(moat::is_valid_utf8(text));
  require(depth_of(*value) <= limits.depth);
  const std::string printed = moat::json::serialize(*value);
  require(printed.find('<') == std::string::npos && printed.find('\n') == std::string::npos);
  limits.total_bytes = printed.size();  // escapes may make it longer than what was read
  const auto again = moat::json::parse(printed, limits);
  require(again.has_value() && *again == *value);
  require(moat::json::serialize(*again) == printed);
}
