// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "moat/validate/internal/pattern.h"

namespace moat::validate::schema {
namespace {

Pattern compiled(const std::string& ecma) { return *Pattern::compile(ecma, 4096, 1 << 20); }
// In a group, which makes RE2 run it.
Pattern by_re2(const std::string& ecma) {
  EXPECT_FALSE(PlainPattern::parse("(?:" + ecma + ")"));
  return compiled("(?:" + ecma + ")");
}

TEST(PlainPattern, IsARowOfClassesWithoutAChoice) {
  for (const char* text :
       {"^$", "^a$", "^[A-Z]{3}-[0-9]{4,8}$", "^A-[0-9]{4}-[0-9]{6}$", "^\\+[0-9]{6,15}$",
        "^[0-9A-Z -]{3,10}$", "^\\d{2,}\\w*$" /* not: \w has digits */,
        "^\\w+@[a-z.]+$" /* clear */, "^[a-z]+[0-9]*[A-Z]?$", "^[a-]{2}[-b]$", "^[\\]\\\\]+$",
        "^a{0}b$", "^[[]$"}) {
    const bool plain = std::string_view(text) != "^\\d{2,}\\w*$";
    EXPECT_EQ(PlainPattern::parse(text).has_value(), plain) << text;
  }
}

TEST(PlainPattern, LeavesTheRestToRe2) {
  for (const char* text : {"",
                           "a",
                           "^a",
                           "a$",
                           "^a|b$",
                           "^(a)$",
                           "^.$",
                           "^[^a]$",
                           "^\\D$",
                           "^\\s$",
                           "^a\\$",
                           "^a*a$",
                           "^a?[ab]$",
                           "^[a-z]{1,2}b?c?d?[x-z]$",
                           "^a+?$",
                           "^\xc3\xa4$",
                           "^[\xc3\xa4]$",
                           "^\\x41$",
                           "^\\n$",
                           "^a$b$",
                           "^a^$",
                           "^[]$",
                           "^\\ba$",
                           "^a{99999}$",
                           "^\\1$",
                           "$^"}) {
    EXPECT_FALSE(PlainPattern::parse(text)) << text;
  }
}

TEST(PlainPattern, CountsAreInclusive) {
  const Pattern pattern = compiled("^[A-Z]{2,3}-[0-9]{2}$");
  for (const char* good : {"AB-12", "ABC-12"}) EXPECT_TRUE(pattern.search(good)) << good;
  for (const char* bad : {"A-12", "ABCD-12", "AB-1", "AB-123", "AB12", "", "AB-12\n", " AB-12",
                          "AB-1\xc3\xa4", "\xff", "AB-12A"})
    EXPECT_FALSE(pattern.search(bad)) << bad;
  EXPECT_FALSE(pattern.search(std::string_view("AB-12\0", 6)));
  EXPECT_TRUE(compiled("^$").search(""));
  EXPECT_FALSE(compiled("^$").search("a"));
  // Where case does not matter, it is RE2 that knows of it.
  EXPECT_TRUE(Pattern::compile("^ab$", 100, 1 << 20, Case::ignore)->search("aB"));
}

class Maker final {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}
  std::size_t up_to(std::size_t most) { return random_() % (most + 1); }

  std::string pattern() {
    constexpr std::string_view sets[] = {"a",     "b",      "-",      "\\.", "[ab]",
                                         "[a-c]", "[b-d]",  "\\d",    "\\w", "[0-9a-]",
                                         "[+--]", "[\\d_]", "[\\]^]", " ",   "[A-Z]"};
    constexpr std::string_view counts[] = {"",    "",      "",      "*",    "+",   "?",
                                           "{2}", "{1,2}", "{0,3}", "{2,}", "{0}", "{0,}"};
    std::string out = "^";
    for (std::size_t i = up_to(4); i > 0; --i) {
      out += sets[up_to(std::size(sets) - 1)];
      out += counts[up_to(std::size(counts) - 1)];
    }
    return out + "$";
  }
  std::string text() {
    constexpr std::string_view pieces = "aaabbbcd--..0129_]^ +,AZz\xc3\xa4\xff\n";
    std::string out;
    for (std::size_t i = up_to(8); i > 0; --i) out += pieces[up_to(pieces.size() - 1)];
    if (up_to(50) == 0) out += '\0';
    return out;
  }

 private:
  std::mt19937 random_;
};

TEST(PlainPattern, MatchesWhatRe2Matches) {
  Maker maker(20261128);
  std::size_t plain = 0;
  std::size_t matched = 0;
  for (int i = 0; i < 1500; ++i) {
    const std::string ecma = maker.pattern();
    const auto ours = PlainPattern::parse(ecma);
    if (!ours) continue;
    ++plain;
    const Pattern theirs = by_re2(ecma);
    for (int k = 0; k < 200; ++k) {
      const std::string text = maker.text();
      const bool ok = theirs.search(text);
      ASSERT_EQ(ours->matches(text), ok) << ecma << " on " << text;
      matched += ok ? 1 : 0;
    }
  }
  EXPECT_GT(plain, 500U);
  EXPECT_GT(matched, 3000U);
}

}  // namespace
}  // namespace moat::validate::schema
