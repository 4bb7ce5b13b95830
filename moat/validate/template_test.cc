// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/template.h"

#include <gtest/gtest.h>

namespace moat::validate {
namespace {

Names names() {
  Names item;
  item.text("label").text("target").flag("current");
  Names all;
  all.text("title").text("x").text("y").text("u").html("body").flag("on").list("items", item);
  return all;
}

// The page, or "line N: message".
std::string render(std::string_view source, const Values& values = {}) {
  const auto page = Template::parse(source, names());
  if (!page) return "line " + std::to_string(page.error().line) + ": " + page.error().message;
  return page->render(values).str();
}
bool loads(std::string_view source) { return Template::parse(source, names()).has_value(); }

TEST(Template, TextIsEscapedEverywhere) {
  Values values;
  values.text("x", "<b>\"'&`").text("title", "</title><script>");
  EXPECT_EQ(render("<p title=\"{{x}}\">{{ x }}</p>", values),
            "<p title=\"&lt;b&gt;&quot;&#39;&amp;&#96;\">&lt;b&gt;&quot;&#39;&amp;&#96;</p>");
  EXPECT_EQ(render("<title>{{title}}</title>", values),
            "<title>&lt;/title&gt;&lt;script&gt;</title>");
  EXPECT_EQ(render("<textarea>{{title}}</textarea>", values),
            "<textarea>&lt;/title&gt;&lt;script&gt;</textarea>");
}

TEST(Template, ValuesAreNotTemplates) {
  EXPECT_EQ(render("{{x}}", Values().text("x", "{{y}}{{#if on}}").text("y", "no")),
            "{{y}}{{#if on}}");
}

TEST(Template, OnlyHtmlIsWrittenAsItIs) {
  EXPECT_EQ(render("<div>{{body}}</div>", Values().html("body", Html::unsafe_raw("<i>a</i>"))),
            "<div><i>a</i></div>");
  // A value under another type than declared is left out, not trusted.
  EXPECT_EQ(render("<div>{{body}}</div>", Values().text("body", "<i>")), "<div></div>");
  EXPECT_EQ(render("<p>{{x}}</p>", Values().html("x", Html::unsafe_raw("<i>"))), "<p></p>");
}

TEST(Template, UnsetNamesRenderAsNothing) {
  EXPECT_EQ(render("[{{x}}{{body}}{{#if on}}a{{else}}b{{/if}}{{#each items}}c{{/each}}]"), "[b]");
}

TEST(Template, ConditionsChoose) {
  const auto* source = "{{#if on}}yes{{else}}no{{/if}} {{#if x}}x{{/if}} {{#if items}}i{{/if}}";
  EXPECT_EQ(render(source), "no  ");
  EXPECT_EQ(render(source, Values().flag("on", true).text("x", "1").list("items", {Values()})),
            "yes x i");
  EXPECT_EQ(render(source, Values().flag("on", false).text("x", "").list("items", {})), "no  ");
}

TEST(Template, ListsRepeatAndSeeTheirOwnNamesFirst) {
  Values values;
  values.text("x", "outer");
  values.list("items",
              {Values().text("label", "<1>").flag("current", true), Values().text("label", "2")});
  EXPECT_EQ(
      render("<ul>{{#each items}}<li>{{label}} {{x}}{{#if current}}*{{/if}}</li>{{/each}}</ul>",
             values),
      "<ul><li>&lt;1&gt; outer*</li><li>2 outer</li></ul>");
}

TEST(Template, AnUnsetNameOfAnItemDoesNotFallThroughToAnOuterOne) {
  Names item;
  item.text("x");
  Names outer;
  outer.text("x").list("items", item);
  const auto page = Template::parse("{{#each items}}[{{x}}]{{/each}}{{x}}", outer);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->render(Values().text("x", "outer").list("items", {Values()})).str(), "[]outer");
}

TEST(Template, LinksAreFiltered) {
  const auto* source = "<a href=\"{{url:u}}\">a</a>";
  EXPECT_EQ(render(source, Values().text("u", "/a?b=c&d=e")), "<a href=\"/a?b=c&amp;d=e\">a</a>");
  EXPECT_EQ(render(source, Values().text("u", "https://a.example/")),
            "<a href=\"https://a.example/\">a</a>");
  for (const auto* bad :
       {"javascript:alert(1)", "JaVaScRiPt:alert(1)", "\x01javascript:alert(1)", "data:text/html,x",
        "//evil.example", "/\\evil.example", "java\tscript:x"})
    EXPECT_EQ(render(source, Values().text("u", bad)), "<a href=\"about:blank\">a</a>") << bad;
}

TEST(Template, ParametersAreEncodedIntoLinks) {
  EXPECT_EQ(render("<a href='/verify?token={{param:x}}&amp;n={{param:y}}'>a</a>",
                   Values().text("x", "a&b=c/'\"").text("y", "1 2")),
            "<a href='/verify?token=a%26b%3Dc%2F%27%22&amp;n=1%202'>a</a>");
  EXPECT_EQ(render("<a href=\"{{param:x}}\">a</a>", Values().text("x", "javascript:alert(1)")),
            "<a href=\"javascript%3Aalert%281%29\">a</a>");
}

TEST(Template, AWholePageLoads) {
  EXPECT_TRUE(loads(R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{title}}</title>
<!-- a remark --><link rel="stylesheet" href="/style.css">{{! another }}
<style nonce="{{x}}">p > a { color: red }</style>
<script nonce="{{x}}">if (1 < 2) document.title = "</p>";</script></head>
<body class="page {{#if on}}dark{{/if}}">
<form method=post action="/auth/login"><input type="hidden" name="csrf" value="{{x}}">
<input name="email" value="{{y}}" {{#if on}}autofocus{{/if}}><input type="checkbox"{{#if on}} checked{{/if}}>
<button disabled>Go</button></form>
{{#if on}}<p role="alert">{{x}}</p>{{else}}<br/>{{/if}}
<nav>{{#each items}}<a href="{{url:target}}"{{#if current}} aria-current="page"{{/if}}>{{label}}</a>{{/each}}</nav>
<a href="{{#if on}}{{url:u}}{{else}}/home{{/if}}">home</a>
</body></html>)"));
}

TEST(Template, UndeclaredNamesAreErrorsWithTheirLine) {
  EXPECT_EQ(render("a\nb\n{{oops}}"), "line 3: unknown name in {{oops}}");
  for (const auto* bad :
       {"{{oops}}", "{{#if oops}}{{/if}}", "{{#each oops}}{{/each}}", "{{label}}", "{{url:oops}}",
        "{{}}", "{{X}}", "{{{x}}}", "{{x y}}", "{{&x}}", "{{#unless x}}", "{{> x}}"})
    EXPECT_FALSE(loads(bad)) << bad;
}

TEST(Template, BlocksMustBeClosedAndOfTheRightKind) {
  for (const auto* bad : {"{{x", "{{#if on}}", "{{/if}}", "{{else}}", "{{#if on}}{{/each}}",
                          "{{#each items}}{{/if}}", "{{#each x}}{{/each}}", "{{on}}", "{{items}}",
                          "{{#if on}}{{else}}{{else}}{{/if}}", "{{#each items}}{{else}}{{/each}}"})
    EXPECT_FALSE(loads(bad)) << bad;
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += "{{#if on}}";
  for (int i = 0; i < 17; ++i) deep += "{{/if}}";
  EXPECT_FALSE(loads(deep));
  EXPECT_TRUE(loads(deep.substr(10, deep.size() - 17)));
}

TEST(Template, HolesWhereEscapingIsNotEnoughAreErrors) {
  for (const auto* bad : {"<script>{{x}}</script>",
                          "<script>var a = \"{{x}}\";</script>",
                          "<style>{{x}}</style>",
                          "<!-- {{x}} -->",
                          "<!doctype {{x}}>",
                          "<{{x}}>",
                          "<a{{x}}>",
                          "<a {{x}}>",
                          "<a {{x}}=\"1\">",
                          "<a title={{x}}>",
                          "<a title=a{{x}}>",
                          "<a title= {{x}}>",
                          "<a onclick=\"{{x}}\">",
                          "<a OnClick=\"{{x}}\">",
                          "<a style=\"{{x}}\">",
                          "<iframe srcdoc=\"{{x}}\"></iframe>",
                          "<img srcset=\"{{x}}\">",
                          "<a href=\"{{x}}\">",
                          "<img src='{{x}}'>",
                          "<form action=\"{{x}}\">",
                          "<button formaction=\"{{x}}\">",
                          "<svg><use xlink:href=\"{{x}}\">",
                          "<a title=\"{{body}}\">",
                          "<title>{{body}}</title>",
                          "<meta http-equiv=\"refresh\">",
                          "{{url:u}}",
                          "{{param:x}}",
                          "<a title=\"{{url:u}}\">",
                          "<a href=\"x{{url:u}}\">",
                          "<a href=\"{{url:u}}x\">",
                          "<a href=\"{{url:u}}{{param:x}}\">",
                          "<script src=\"{{url:u}}\"></script>",
                          "<base href=\"{{url:u}}\">",
                          "<iframe src=\"{{url:u}}\"></iframe>",
                          "<link rel=stylesheet href=\"{{url:u}}\">",
                          "<object data=\"{{url:u}}\"></object>",
                          "</p {{x}}>",
                          "<a href=\"{{url:body}}\">",
                          "<xmp>{{x}}</xmp>",
                          "<noembed>{{x}}</noembed>",
                          "<plaintext>"})
    EXPECT_FALSE(loads(bad)) << bad;
}

TEST(Template, BlocksMayNotHideWhatAHoleStandsIn) {
  for (const auto* bad :
       {"{{#if on}}<script>{{/if}}{{x}}</script>", "{{#if on}}<a title=\"{{/if}}{{x}}\">",
        "<a {{#if on}}on{{/if}}click=\"{{x}}\">", "<a on{{#if on}} {{/if}}click=\"{{x}}\">",
        "<a title{{#if on}}=\"a\"{{/if}}>", "<a title {{#if on}}=\"a\"{{/if}}>",
        "<a href{{#if on}}x{{/if}}=\"{{x}}\">", "<{{#if on}}a{{else}}b{{/if}}>",
        "<a title={{#if on}}\"a\"{{/if}}>", "<a title=a{{#if on}}b{{/if}}>",
        "<script>{{#if on}}a{{/if}}</script>", "<!-- {{#if on}} --> {{/if}}",
        "{{#each items}}<p title=\"{{/each}}\">", "<p class=\"{{#each items}}a{{/each}}\">",
        "<a href=\"{{#if on}}{{url:u}}{{/if}}x\">",
        "<a href=\"{{#if on}}{{url:u}}{{/if}}{{param:x}}\">", "<a{{#if on}}b{{/if}}>",
        "{{#if on}}<{{/if}}p>", "<a {{#if on}}title=\"{{else}}lang=\"{{/if}}{{x}}\">"})
    EXPECT_FALSE(loads(bad)) << bad;
}

TEST(Template, MarkupThatBrowsersWouldRepairIsAnError) {
  for (const auto* bad : {"a < b",
                          "<p",
                          "<p title=\"a",
                          "<!-- a",
                          "<!-->",
                          "<!--->",
                          "<!-- --!> -->",
                          "<script>a",
                          "<a b=c\"d>",
                          "<a \"b\">",
                          "<a b=>",
                          "<a =b>",
                          "<1>",
                          "</>",
                          "<p/title=\"a\"b>",
                          "<?xml?>",
                          "<![CDATA[x]]>",
                          "<a title=\"b\"lang=\"c\">",
                          "<script><!-- </script>",
                          "<title>a",
                          "<p>\xFF</p>"})
    EXPECT_FALSE(loads(bad)) << bad;
  EXPECT_TRUE(loads("a &lt; b > c <p title='>'>\"</p>"));
}

}  // namespace
}  // namespace moat::validate
