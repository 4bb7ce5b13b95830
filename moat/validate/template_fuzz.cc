// SPDX-License-Identifier: Apache-2.0
// Templates: hostile values may not change what markup a page has. The same page is rendered with a
// harmless text and with a hostile one; both must have the same tags, quotes and tag ends.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "moat/validate/template.h"

namespace {

using namespace moat::validate;

Values values(std::string_view text) {
  Values all;
  all.text("x", text).text("u", text).flag("on", true).html("h", Html::text(text));
  all.list("items", {Values().text("x", text), Values().text("x", text)});
  return all;
}

// The markup characters of a page in their order.
std::string skeleton(const Html& page) {
  std::string out;
  for (const char c : page.str())
    if (std::string_view("<>\"'`=").find(c) != std::string_view::npos) out += c;
  return out;
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view source(reinterpret_cast<const char*>(input.data()), input.size());
  static const Names names = [] {
    Names item;
    item.text("x");
    Names all;
    all.text("x").text("u").flag("on").html("h").list("items", item);
    return all;
  }();
  const auto page = Template::parse(source, names);
  if (!page) return;
  const auto harmless = skeleton(page->render(values("a")));
  const auto hostile = page->render(values("\"'`<>= onload=1 javascript:<script>--></title>"));
  if (harmless != skeleton(hostile)) {
    // '=' is harmless where it stands in text; the others never come from a value.
    std::string with_equals = skeleton(hostile);
    std::erase(with_equals, '=');
    std::string expected = harmless;
    std::erase(expected, '=');
    if (with_equals != expected) std::abort();
  }
  (void)page->render({});
}
