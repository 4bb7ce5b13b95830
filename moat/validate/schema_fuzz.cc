// SPDX-License-Identifier: Apache-2.0
// A schema, a zero byte, a value. Compiling and checking end, within bounds, and agree with each
// other; a report never is empty for what was refused. Refusing unknown members accepts nothing
// that is refused without it, and what is read passes.
#include "moat/validate/schema.h"

#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

using namespace moat::validate;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const Schema& schema, const moat::json::Value& value, std::size_t most) {
  const bool ok = schema.check(value);
  static moat::json::Document document;  // goes from text to text
  const std::string text = moat::json::serialize(value);
  const auto item = document.parse(text, {.total_bytes = text.size()});
  require(item && schema.check(*item) == ok);
  require(schema.validate(value).empty() == ok);
  const auto all = schema.validate(value, Report::all);
  require(all.size() <= most);
  // Looking for more costs more, so that only this may differ.
  require(all.empty() == ok || all[0].keyword == "limit");
}

void read(const Schema& schema, const moat::json::Value& value) {
  const auto out = schema.read(value, {.coerce_text = true, .fill_defaults = true});
  if (out) {
    require(schema.check(*out));
  } else {
    require(!out.error().empty());
  }
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const std::size_t middle = text.find('\0');
  if (middle == std::string_view::npos) return;
  SchemaOptions options;
  options.assert_formats = middle % 2 == 0;
  if (middle % 3 == 0) options.default_dialect = Dialect::draft_7;
  options.max_subschemas = 500;
  options.max_pattern_memory = 1 << 16;
  options.max_run_steps = 100'000;
  options.max_violations = 5;
  const auto schema = Schema::parse(text.substr(0, middle), options);
  if (!schema) {
    require(!schema.error().sentence.empty());
    return;
  }
  const auto value = moat::json::parse(text.substr(middle + 1));
  if (!value) return;
  check(*schema, *value, options.max_violations);
  read(*schema, *value);
  options.refuse_unknown_members = true;
  const auto closed = Schema::parse(text.substr(0, middle), options);
  if (!closed) return;  // a default may have unknown members
  check(*closed, *value, options.max_violations);
  read(*closed, *value);
  if (closed->check(*value) && !schema->check(*value)) {
    const auto why = schema->validate(*value);
    require(why[0].keyword == "limit");
  }
}
