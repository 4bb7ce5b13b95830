// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/texts.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

using namespace std::string_view_literals;

TEST(Contains, CountsWhatDoesNotOverlap) {
  EXPECT_TRUE(contains("xaby", "ab"));
  EXPECT_FALSE(contains("xAby", "ab"));
  EXPECT_TRUE(contains("x", ""));
  EXPECT_FALSE(contains("", "a"));
  ContainsOptions options;
  options.letters = Case::ignore;
  options.min_occurrences = 2;
  EXPECT_TRUE(contains("aAaa", "aa", options));
  EXPECT_FALSE(contains("aAa", "aa", options));
}

TEST(Equality, IsOfTheWhole) {
  EXPECT_TRUE(equals("a", "a"));
  EXPECT_FALSE(equals("a\0"sv, "a"));
  constexpr std::array<std::string_view, 2> values{"foo", "bar"};
  EXPECT_TRUE(is_in("bar", values));
  for (const auto* text : {"", "ba", "foobar"}) EXPECT_FALSE(is_in(text, values)) << text;
}

TEST(Empty, MayIgnoreWhiteSpace) {
  EXPECT_TRUE(is_empty(""));
  EXPECT_FALSE(is_empty(" "));
  EXPECT_TRUE(is_empty(" \t\r\n\v\f", Whitespace::ignore));
  EXPECT_FALSE(is_empty(" a ", Whitespace::ignore));
}

TEST(Letters, HaveOneCase) {
  EXPECT_TRUE(is_lowercase("a1-"));
  EXPECT_TRUE(is_uppercase("A1-"));
  for (const auto* text : {"", "aB", "\u00e9"}) {
    EXPECT_FALSE(is_lowercase(text)) << text;
    EXPECT_FALSE(is_uppercase(text)) << text;
  }
}

TEST(Letters, MayHaveIgnoredCompany) {
  EXPECT_TRUE(is_alpha("aZ"));
  EXPECT_TRUE(is_alpha("a- b", "- "));
  for (const auto* text : {"", "a1", "a b", "\u00e9"}) EXPECT_FALSE(is_alpha(text)) << text;
  EXPECT_FALSE(is_alpha("- ", "- "));
  EXPECT_TRUE(is_alphanumeric("a-1", "-"));
  for (const auto* text : {"", "-", "a_1"}) EXPECT_FALSE(is_alphanumeric(text, "-")) << text;
}

TEST(Whitelist, IsOfCharactersNotOfBytes) {
  EXPECT_TRUE(is_whitelisted("a\u00e9", "\u00e9a"));
  // U+00E9 and U+00EA share their first byte, U+00E9 and U+0169 their last.
  for (const auto* text : {"", "\u00ea", "\u0169", "\xc3", "\xa9", "b"})
    EXPECT_FALSE(is_whitelisted(text, "\u00e9a")) << text;
  EXPECT_EQ(whitelist("xa\u00e9\u00eay\xa9", "\u00e9a"), "a\u00e9");
  EXPECT_EQ(blacklist("xa\u00e9\u00eay\xa9", "\u00e9a"), "x\u00eay");
  EXPECT_EQ(whitelist("a-]z", "a-z]"), "a-]z");  // no ranges
  EXPECT_EQ(whitelist("b", "a-z"), "");
}

TEST(Boolean, IsAWordOfFour) {
  for (const auto* text : {"true", "false", "1", "0"}) EXPECT_TRUE(is_boolean(text)) << text;
  for (const auto* text : {"", "True", "yes", "no", "2", "true "})
    EXPECT_FALSE(is_boolean(text)) << text;
  BooleanOptions loose;
  loose.allow_yes_no = loose.allow_any_case = true;
  for (const auto* text : {"True", "YES", "no"}) EXPECT_TRUE(is_boolean(text, loose)) << text;
  EXPECT_FALSE(is_boolean("y", loose));
  for (const auto* text : {"1", "TRUE"}) EXPECT_TRUE(to_boolean(text)) << text;
  for (const auto* text : {"", "0", "false", "yes"}) EXPECT_FALSE(to_boolean(text)) << text;
  EXPECT_TRUE(to_boolean("yes", Truth::allow_other_words));
  for (const auto* text : {"", "0", "False"})
    EXPECT_FALSE(to_boolean(text, Truth::allow_other_words)) << text;
}

TEST(Json, IsAnObjectOrAnArrayUnlessAllowed) {
  for (const auto* text : {"{}", "[1]", " {\"a\":1} "}) EXPECT_TRUE(is_json(text)) << text;
  for (const auto* text :
       {"", "null", "1", "\"a\"", "{", "{a:1}", "{'a':1}", "{\"a\":1,\"a\":2}", "{}x"})
    EXPECT_FALSE(is_json(text)) << text;
  EXPECT_FALSE(is_json(std::string(1000, '[') + std::string(1000, ']')));
  for (const auto* text : {"{}", "true", "null"})
    EXPECT_TRUE(is_json(text, JsonTop::allow_literals)) << text;
  for (const auto* text : {"1", "\"a\"", "nul"})
    EXPECT_FALSE(is_json(text, JsonTop::allow_literals)) << text;
  for (const auto* text : {"1", "\"a\""})
    EXPECT_TRUE(is_json(text, JsonTop::allow_anything)) << text;
  EXPECT_FALSE(is_json("nope", JsonTop::allow_anything));
}

TEST(StrongPassword, HasEachKind) {
  EXPECT_TRUE(is_strong_password("aB3-aB3-"));
  for (const auto* text :
       {"", "aB3-aB3", "ab3-ab3-", "AB3-AB3-", "aBc-aBc-", "aB33aB33", "aB3-aB3\xff"})
    EXPECT_FALSE(is_strong_password(text)) << text;
  EXPECT_EQ(password_score("abc"), 13);
  EXPECT_EQ(password_score("abcc"), 13.5);
  EXPECT_EQ(password_score(""), 0);
}

TEST(Trim, CutsTheGivenCharacters) {
  EXPECT_EQ(ltrim("  a "), "a ");
  EXPECT_EQ(rtrim(" a  "), " a");
  EXPECT_EQ(trim("01a10", "01"), "a");
  EXPECT_EQ(trim("0101", "01"), "");
  EXPECT_EQ(trim("", "01"), "");
  EXPECT_EQ(ltrim("a", ""), "a");
}

TEST(Escape, IsUndoneByUnescape) {
  constexpr auto text = "&<>\"'/\\`a"sv;
  EXPECT_EQ(escape(text), "&amp;&lt;&gt;&quot;&#x27;&#x2F;&#x5C;&#96;a");
  EXPECT_EQ(unescape(escape(text)), text);
  EXPECT_EQ(unescape("&amp;lt;"), "&lt;");  // once
  EXPECT_EQ(unescape("&amp"), "&amp");
}

TEST(NormalizeEmail, FollowsTheProviders) {
  const struct {
    const char *text, *normal;
  } rows[] = {{"A.b+c@GoogleMail.com", "ab@gmail.com"},
              {"A+c@Me.com", "a@me.com"},
              {"A+c@live.fr", "a@live.fr"},
              {"A-c@yahoo.com", "a@yahoo.com"},
              {"A@ya.ru", "a@yandex.ru"},
              {"A.b+c@Example.com", "a.b+c@example.com"},
              {"a..b@gmail.com", "a..b@gmail.com"}};
  for (const auto& row : rows) EXPECT_EQ(normalize_email(row.text), row.normal);
  for (const auto* text : {"", "a", "@", "a@", "@b", "a@b@c", "+x@gmail.com", ".@gmail.com",
                           "a b@c.de", "a\r\n@c.de", "a\u200b@c.de", "a\xff@c.de"})
    EXPECT_FALSE(normalize_email(text)) << text;
  NormalizeEmailOptions none;
  none.all_lowercase = none.gmail_lowercase = none.gmail_remove_dots =
      none.gmail_remove_subaddress = none.gmail_convert_googlemaildotcom = false;
  EXPECT_EQ(normalize_email("A.b+c@GoogleMail.com", none), "A.b+c@googlemail.com");
}

}  // namespace
}  // namespace moat::validate
