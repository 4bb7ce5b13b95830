// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/html.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace moat::validate {
namespace {

// Nothing but the named functions makes Html, and unsafe_raw takes no text made at run time.
static_assert(!std::is_constructible_v<Html, std::string>);
static_assert(!std::is_constructible_v<Html, const char*>);
static_assert(!std::is_convertible_v<std::string, HtmlLiteral>);
static_assert(!std::is_convertible_v<std::string_view, HtmlLiteral>);

TEST(Html, TextLeavesEscaped) {
  EXPECT_EQ(Html::text("<img src=x onerror=alert(1)>&\"'").str(),
            "&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;");
  EXPECT_EQ(Html::text("O'Brian & Jos\xC3\xA9").str(), "O&#39;Brian &amp; Jos\xC3\xA9");
  EXPECT_EQ(Html::text("").str(), "");
}

TEST(Html, AttributeValuesCannotLeaveTheirQuotes) {
  const auto value = Html::attribute("\" onclick='x' `y`").str();
  EXPECT_EQ(value.find_first_of("\"'`<>"), std::string::npos);
}

TEST(Html, LinksWithOtherSchemesAreReplaced) {
  EXPECT_EQ(Html::link("https://a.example/?b=c&d=e").str(), "https://a.example/?b=c&amp;d=e");
  EXPECT_EQ(Html::link("/account").str(), "/account");
  for (const auto* bad : {"javascript:alert(1)", "JAVASCRIPT:x", "data:text/html,x",
                          "//evil.example", "/\\evil.example", "\tjavascript:x", ""})
    EXPECT_EQ(Html::link(bad).str(), "about:blank") << bad;
}

TEST(Html, PiecesAreJoined) {
  const Html page = Html::unsafe_raw("<p>") + Html::text("a<b") + Html::unsafe_raw("</p>");
  EXPECT_EQ(page.str(), "<p>a&lt;b</p>");
}

}  // namespace
}  // namespace moat::validate
