// SPDX-License-Identifier: Apache-2.0
// Forms: whatever is taken reads the same after it is written again, and a shape survives all of
// it.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "moat/base/encoding.h"
#include "moat/validate/form.h"
#include "moat/validate/shape.h"
#include "moat/validate/values.h"

namespace {

using namespace moat::validate;

// What is taken as values has names that are safe, and is the form that parse_form reads.
void check_values(std::string_view text) {
  const auto cookies = cookie_values(text);
  if (cookies && find_unsafe_key(*cookies)) std::abort();
  const auto values = form_values(text);
  if (values) {
    const auto form = parse_form(text);
    if (!form || find_unsafe_key(*values)) std::abort();
    if (form->parameters().size() != values->as_object()->size()) std::abort();
    for (const auto& [name, value] : *values->as_object()) {
      if (value.as_string() == nullptr || form->find(name) != *value.as_string()) std::abort();
    }
  }
  ValuesOptions options;
  options.repeat = [](std::string_view) { return true; };
  const auto all = form_values(text, options);
  if (values && !all) std::abort();
  if (!all) return;
  for (const auto& [name, value] : *all->as_object()) {
    const auto* list = value.as_array();
    if (list != nullptr ? list->size() < 2 : value.as_string() == nullptr) std::abort();
  }
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  static const ObjectShape shape = [] {
    ObjectShape s;
    s.string("a", {Presence::required, 16, 1})
        .integer("b", {Presence::optional, -5, 5})
        .boolean("c", {Presence::optional});
    return s;
  }();
  for (const auto& fields : {shape.parse_form(text), shape.parse_json(text)}) {
    if (!fields) continue;
    if (fields->string("a").empty() || fields->string("a").size() > 16) std::abort();
    const auto b = fields->optional_integer("b");
    if (b && (*b < -5 || *b > 5)) std::abort();
  }
  check_values(text);
  const auto form = parse_form(text);
  if (!form) return;
  for (const auto& [name, value] : form->parameters()) {
    if (name.empty() || !moat::is_valid_utf8(name) || !moat::is_valid_utf8(value)) std::abort();
    if (form->find(name) != value) std::abort();
  }
  FormLimits wide;
  wide.total_bytes = text.size() * 3 + 16;
  const auto again = parse_form(serialize_form(form->parameters()), wide);
  if (!again || again->parameters() != form->parameters()) std::abort();
}
