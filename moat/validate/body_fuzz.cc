// SPDX-License-Identifier: Apache-2.0
// A body and its JSON Schema take the same JSON; a form gives what its rules allow.
#include "moat/validate/body.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "moat/validate/schema.h"

namespace {

using namespace moat::validate;
using moat::Result;

enum class Kind { a, b };
constexpr std::array<std::pair<std::string_view, Kind>, 2> kinds{{{"a", Kind::a}, {"b", Kind::b}}};
struct Inner {
  int n = 0;
};
struct Thing {
  std::string t;
  std::optional<std::string> d;
  std::optional<std::int64_t> i;
  std::optional<double> x;
  std::optional<bool> f;
  std::optional<Kind> k;
  std::vector<int> l;
  std::optional<Inner> o;
};

const Body<Thing>& thing_body() {
  static const auto inner = Body<Inner>().member("n", &Inner::n, {.min = -5, .max = 5});
  static const auto body =
      Body<Thing>()
          .member("t", &Thing::t, {.min_length = 1, .max_length = 4, .pattern = "^[^x]"})
          .member("d", &Thing::d, {.format = TextFormat::date})
          .member("i", &Thing::i)
          .member("x", &Thing::x, {.min = -1.5, .max = 1e10})
          .member("f", &Thing::f)
          .member("k", &Thing::k, {.table = kinds})
          .member("l", &Thing::l, {.max = 3, .each = {.min = 0, .max = 9}})
          .member("o", &Thing::o, inner);
  return body;
}

void check(const Result<Thing, Problems>& thing) {
  if (!thing) {
    if (thing.error().empty()) std::abort();
    return;
  }
  if (thing->t.empty() || thing->t.size() > 16 || thing->l.size() > 3) std::abort();
  if (thing->x && !(*thing->x >= -1.5 && *thing->x <= 1e10)) std::abort();
  if (thing->o && (thing->o->n < -5 || thing->o->n > 5)) std::abort();
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  static const Schema schema = [] {
    SchemaOptions options;
    options.assert_formats = true;
    return Schema::compile(thing_body().schema(), options).value();
  }();
  check(thing_body().parse_form(text));
  check(thing_body().parse_json(text));
  const auto value = moat::json::parse(text);
  if (!value) return;
  const auto thing = thing_body().check(*value);
  if (thing.has_value() == schema.check(*value)) return;
  const auto why = schema.validate(*value);
  if (why.empty() || why[0].keyword != "limit") std::abort();
}
