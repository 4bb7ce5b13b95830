// SPDX-License-Identifier: Apache-2.0
#include "moat/csrf/form_injector.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "moat/csrf/token.h"

namespace moat::csrf {
namespace {

// As it is expected in a page: "[]" stands for the field.
std::string expanded(std::string text) {
  const std::string field = "<input type=hidden name=_csrf value=T-k_n-- >";
  for (std::size_t at = text.find("[]"); at != text.npos; at = text.find("[]", at))
    text.replace(at, 2, field);
  return text;
}

std::string page_of(std::string text) {
  for (std::size_t at = text.find("[]"); at != text.npos; at = text.find("[]")) text.erase(at, 2);
  return text;
}

std::string inject(std::string_view html, std::string_view host = "example.com") {
  FormInjector injector("https", host, "T-k_n--");
  std::string out;
  injector.feed(html, out);
  return out;
}

const std::vector<std::string> pages = {
    // Forms that post home.
    "<form method=post>[]</form>",
    "<FORM METHOD=POST>[]</FORM>",
    "<form method='post' action='/save'>[]<input name=a></form>",
    "<form\taction=\"save\"\nmethod=\"post\"\f>[]</form>",
    "<form action='' method=post>[]</form>",
    "<form action method=post>[]</form>",
    "<form method=post action=\"?a=1&amp;b=https://x\">[]</form>",
    "<form method=post action=\"/a?next=//evil.example\">[]</form>",
    "<form method=post action=#top>[]</form>",
    "<form method=post action=./a:b>[]</form>",
    "<form method=post action=https://example.com/a>[]</form>",
    "<form method=post action=HTTPS://EXAMPLE.com:443>[]</form>",
    "<form method=post action=//example.com/a>[]</form>",
    "<form method=post action=' \n/a '>[]</form>",
    "<form/method='post'/>[]</form>",
    "<form a=1 b='2' c=\"3\"d method = post>[]</form>",
    "<form method=post method=get>[]</form>",
    "<form method=post =action=https://evil.example>[]</form>",
    "<form method=post action = a =b>[]</form>",
    "<form method=post>[]</form><form method=post>[]</form>",
    "<form></form><form method=post>[]",
    "<<form method=post>[]",
    "<form title='>' method=post>[]",
    "<form title=a\"> <form method=post>",  // the second is within the first
    // No posts.
    "<form>",
    "<form method=get action=/a>",
    "<form method=dialog>",
    "<form method=\"post \">",
    "<form/method=post/>",  // "post/"
    "<form method=get method=post>",
    "<form method=postpostpost>",
    "<form method=&#112;ost>",
    "<form x=method=post>",
    "<form title='method=post'>",
    "</form method=post>",
    // Other elements.
    "<formx method=post>",
    "<fo<form method=post>",
    "<x-form method=post>",
    "< form method=post>",
    "<\xC3\xA9 form method=post>",
    "<a title='<form method=post>'>",
    "<a title=\"<form method=post>\">",
    "<a title=<form method=post>",
    "<a <form method=post>",
    "<form method=post",
    // Elsewhere.
    "<form method=post action=https://evil.example>",
    "<form method=post action=//evil.example>",
    "<form method=post action='///evil.example'>",
    "<form method=post action='/\\evil.example'>",
    "<form method=post action='\\\\evil.example'>",
    "<form method=post action='\t//evil.example'>",
    "<form method=post action='/\n/evil.example'>",
    "<form method=post action=/&#47;evil.example>",
    "<form method=post action=&sol;/evil.example>",
    "<form method=post action=htt&#112;s://evil.example>",
    "<form method=post action='ht\ntps://evil.example'>",
    "<form method=post action=http://example.com/>",
    "<form method=post action=https://example.com:8443/>",
    "<form method=post action=https://example.com.evil.example>",
    "<form method=post action=https://example.com@evil.example>",
    "<form method=post action=https:evil.example>",
    "<form method=post action=https:/evil.example>",
    "<form method=post action=https:///evil.example>",
    "<form method=post action=javascript:alert(1)>",
    "<form method=post action=mailto:a@example.com>",
    "<form method=post action=https://evil.example action=/>",
    // A base that leads elsewhere, for what is relative; the first or not.
    "<base href=https://evil.example><form method=post action=/a>",
    "<base href=https://evil.example><form method=post action='?a'>",
    "<base href=https://evil.example><form method=post action=' '>",
    "<base href=https://evil.example><form method=post>[]",
    "<base href=https://evil.example><form method=post action=https://example.com>[]",
    "<base href=/app/><base href=//evil.example><form method=post action=a>",
    "<base href=/app/><form method=post action=a>[]",
    "<base href=https://example.com/app/><form method=post action=a>[]",
    "<base target=_top><form method=post action=a>[]",
    "<base title=href=//evil.example><form method=post action=a>[]",
    "<base href=/ href=//evil.example><form method=post action=a>[]",
    // Within another form.
    "<form action=//evil.example method=post><form method=post>",
    "<form action=//evil.example method=post></form><form method=post>[]",
    "<form method=post>[]<div><form method=post></form><form method=post>[]",
    // ... whose end tag is none.
    "<form action=//evil.example method=post><template></form></template><form method=post>",
    "<form action=//evil.example method=post><select></form></select><form method=post>",
    "<form action=//evil.example method=post><select></form><form method=post>",
    "<form action=//evil.example method=post><noscript></form></noscript><form method=post>",
    "<form action=//evil.example method=post><svg><form></form></svg><form method=post>",
    "<form action=//evil.example method=post><svg><svg></svg></form></svg><form method=post>",
    "<form action=//evil.example method=post><math></svg></form></math></form><form method=post>[]",
    "<form action=//evil.example><template></form></template></form><form method=post>[]",
    "<form><select><option></select></form><form method=post>[]",
    "<form><select><select></select></form><form method=post>[]",
    "<form><svg><path/></svg></form><form method=post>[]",
    "<form><svg/></form><form method=post>[]",
    "<template><form method=post>[]</form></template><form method=post>[]</form>",
    "<noscript><form method=post>[]</form></noscript><form method=post>[]",
    "<svg></form><template></svg><form method=post>[]",
    // SVG and MathML, where a slash ends what would be raw text.
    "<svg><title/><style /><script href=x /></svg><form method=post>[]",
    "<svg><g><svg></svg><title a='b'/></g></svg><form method=post>[]",
    "<math><title/></math><form method=post>[]",
    "<svg><title / ><form method=post></title></svg><form method=post>[]",
    "<svg><title a=b/><form method=post></title></svg><form method=post>[]",
    "<svg><style>'<form method=post>'</style></svg><form method=post>[]",
    "<svg/><title/><form method=post>",
    "<svg></svg><title/><form method=post>",
    // Comments.
    "<!--<form method=post>--><form method=post>[]",
    "<!--><form method=post>[]",
    "<!---><form method=post>[]",
    "<!----><form method=post>[]",
    "<!-- a --!><form method=post>[]",
    "<!-- --!-><form method=post>",
    "<!-- --- ><form method=post>--->",
    "<!-- a -- > <form method=post>-->",
    "<!-->-->[<form method=post>[]",
    "<!-- <!-- --><form method=post>[]",
    "<!-a><form method=post>[]",
    "<!><form method=post>[]",
    "<!doctype html \"<form method=post>\">",
    "<![CDATA[<form method=post>]]>",
    "<?php <form method=post> ?>",
    "</ <form method=post>",
    "</><form method=post>[]",
    // Raw text.
    "<script><form method=post></script><form method=post>[]",
    "<SCRIPT>'</scripty><form method=post>'</ScRiPt ><form method=post>[]",
    "<script>'</script'><form method=post></script/x=y><form method=post>[]",
    "<script><!-- <form method=post> </script><form method=post>[]",
    "<script><!-- <script> </script> <form method=post> --></script><form method=post>[]",
    "<script><!-- <script> </script> <form method=post></script><form method=post>[]",
    "<script><!-- <script> --> </script><form method=post>[]",
    "<script><!--><script></script><form method=post>[]",
    "<script><!-<script></script><form method=post>[]",
    "<script><!-- <scripted> </script><form method=post>[]",
    "<script><!-- <script> <script> </script> </script><form method=post>[]",
    "<script/><form method=post>",
    "<style>a::before{content:'<form method=post>'}</style><form method=post>[]",
    "<textarea><form method=post></textareas></textarea ><form method=post>[]",
    "<title><form method=post></title><form method=post>[]",
    "<iframe><form method=post></iframe><form method=post>[]",
    "<xmp><form method=post></xmp><form method=post>[]",
    "<noembed><form method=post></noembed><noframes><form method=post></noframes>",
    "<style><!-- </style><form method=post>[]",
    "<style></styl</style><form method=post>[]",
    "<plaintext></plaintext><form method=post>",
    "<noscript><form method=post>[]</form></noscript>",
    "<table><form method=post>[]<tr><td></form></table>",
};

TEST(FormInjector, ReadsPagesAsBrowsersDo) {
  for (const std::string& page : pages) EXPECT_EQ(inject(page_of(page)), expanded(page)) << page;
}

TEST(FormInjector, EveryCutGivesTheSame) {
  for (const std::string& page : pages) {
    const std::string html = page_of(page);
    for (std::size_t cut = 0; cut <= html.size(); ++cut) {
      FormInjector injector("https", "example.com", "T-k_n--");
      std::string out;
      injector.feed(std::string_view(html).substr(0, cut), out);
      injector.feed(std::string_view(html).substr(cut), out);
      ASSERT_EQ(out, expanded(page)) << page << " cut at " << cut;
    }
  }
}

TEST(FormInjector, RandomPagesInRandomPiecesGiveTheSame) {
  std::mt19937 random(7);
  const auto below = [&random](std::size_t n) { return random() % n; };
  for (int round = 0; round < 300; ++round) {
    std::string html;
    for (int part = 0; part < 30; ++part) {
      std::string one = page_of(pages[below(pages.size())]);
      if (below(4) == 0) one.erase(below(one.size()));
      html += one;
    }
    const std::string whole = inject(html);
    FormInjector injector("https", "example.com", "T-k_n--");
    std::string out;
    std::string_view rest = html;
    while (!rest.empty()) {
      const std::size_t size = std::min<std::size_t>(1 + below(40), rest.size());
      injector.feed(rest.substr(0, size), out);
      rest.remove_prefix(size);
    }
    ASSERT_EQ(out, whole);
    ASSERT_EQ(whole.size(), html.size() + injector.injected() * expanded("[]").size());
  }
}

TEST(FormInjector, PassesEachByteAtOnce) {
  FormInjector injector("https", "example.com", "t");
  std::string out;
  injector.feed("<form action=/a method=po", out);
  EXPECT_EQ(out, "<form action=/a method=po");
}

TEST(FormInjector, TheHostOfTheRequestIsHome) {
  const std::string page = "<form method=post action=https://localhost:8443/a>";
  EXPECT_EQ(inject(page, "localhost:8443"), page + expanded("[]"));
  EXPECT_EQ(inject(page, "localhost"), page);
  EXPECT_EQ(inject("<form method=post action=https://[::1]/a>", "[::1]"),
            expanded("<form method=post action=https://[::1]/a>[]"));
  EXPECT_EQ(inject("<form method=post action=//x>", "not a host"), "<form method=post action=//x>");
}

TEST(FormInjector, AnAddressOfAnyLengthIsBounded) {
  const std::string path(5000, 'a');
  EXPECT_EQ(inject("<form method=post action=/" + path + ">"),
            "<form method=post action=/" + path + ">")
      << "what is not kept may lead anywhere";
  EXPECT_EQ(inject("<form method=post action=/a?" + path + ">"),
            "<form method=post action=/a?" + path + ">" + expanded("[]"));
  EXPECT_EQ(inject("<form " + path + "=1 method=post " + path + ">"),
            "<form " + path + "=1 method=post " + path + ">" + expanded("[]"));
  const std::string tag = "<form" + path + " method=post>";
  EXPECT_EQ(inject(tag), tag);
}

TEST(FormInjector, TheFieldClosesNothing) {
  const std::string field = expanded("[]");
  EXPECT_EQ(field.find_first_of("\"'`&"), field.npos) << "no attribute and no string";
  EXPECT_EQ(field.find("-->"), field.npos) << "no comment, whatever the token ends with";
}

TEST(IsInjectable, OnlyHtmlWhoseTagsAreAscii) {
  for (const char* type :
       {"text/html", "Text/HTML;charset=UTF-8", "text/html; charset=\"utf-8\"",
        "text/html;a=b; charset=iso-8859-1", "text/html; charset=windows-1252", "text/html;"})
    EXPECT_TRUE(is_injectable(type)) << type;
  for (const char* type : {"", "application/xhtml+xml", "text/htmlx", "application/json",
                           "text/plain", "text/html; charset=utf-16",
                           "text/html;charset=iso-2022-jp", "text/html; charset=shift_jis",
                           "text/html; charset=", "text/html;charset=utf-7", "image/svg+xml"})
    EXPECT_FALSE(is_injectable(type)) << type;
}

}  // namespace
}  // namespace moat::csrf
