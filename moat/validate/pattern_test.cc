// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/internal/pattern.h"

#include <gtest/gtest.h>

namespace moat::validate::schema {
namespace {

bool matches(std::string_view ecma, std::string_view text) {
  const auto pattern = Pattern::compile(ecma, 4096, 1 << 20);
  if (!pattern) {
    ADD_FAILURE() << ecma << ": " << pattern.error();
    return false;
  }
  return pattern->search(text);
}
std::string problem(std::string_view ecma) {
  const auto pattern = Pattern::compile(ecma, 4096, 1 << 20);
  return pattern ? "" : pattern.error();
}

struct Case {
  std::string_view pattern, yes, no;
};

TEST(Pattern, MeansWhatEcmaScriptMeans) {
  for (const auto& [pattern, yes, no] : {
           Case{"b", "abc", "ac"},   // not anchored
           Case{"^a$", "a", "a\n"},  // $ is the end of the text, not of a line
           Case{"^b", "b", "a\nb"},
           Case{"^.$", "\xf0\x9f\x98\x80", "\n"},  // one code point
           Case{"^.$", "x", "\xe2\x80\xa8"},       // U+2028 ends a line
           Case{"^.$", "x", "\r"},
           Case{"^\\d$", "7", "\xd9\xa7"},  // ASCII digits only
           Case{"^\\D$", "x", "7"},
           Case{"^\\w$", "_", "\xc3\xa9"},
           Case{"^\\W$", "\xc3\xa9", "Z"},
           Case{"^\\s$", "\xc2\xa0", "\xe2\x80\x8b"},  // no-break space, not U+200B
           Case{"^\\s$", "\xef\xbb\xbf", "x"},
           Case{"^\\S$", "x", "\xe2\x80\xa9"},
           Case{"^[\\s]$", "\v", "v"},
           Case{"^[^\\S]$", "\v", "v"},
           Case{"^[\\D]$", "x", "1"},
           Case{"^[\\W_]$", "_", "a"},
           Case{"^\\cC$", "\x03", "C"},
           Case{"^\\x41$", "A", "x41"},
           Case{"^\\u0041$", "A", "u0041"},
           Case{"^\\ud83d\\ude00$", "\xf0\x9f\x98\x80", "x"},
           Case{"^\\u{1f600}$", "\xf0\x9f\x98\x80", "x"},
           Case{"^[\\u{1f600}-\\u{1f610}]$", "\xf0\x9f\x98\x8a", "\xf0\x9f\x98\xaa"},
           Case{"^\\p{Letter}+$", "\xc3\xa9t", "1"},
           Case{"^\\p{Script=Greek}$", "\xce\xb1", "a"},
           Case{"^\\P{L}$", "1", "a"},
           Case{"^[\\p{Lu}_]$", "_", "a"},
           Case{"^(?<year>\\d{4})-(?:x|y)$", "2026-x", "2026-z"},
           Case{"^a{2,3}?$", "aa", "a"},
           Case{"^[]$|b", "b", "a"},  // an empty class matches nothing
           Case{"^[^]$", "\n", ""},
           Case{"^[a-c-]$", "-", "d"},
           Case{"^[\\b]$", "\b", "b"},
           Case{"a\\b", "a b", "ab"},
           Case{"^[[:alph:]$", ":", "z"},  // no POSIX class in ECMA-262
           Case{"^\\/\\-\\.$", "/-.", "/-x"},
           Case{"^\\0$", std::string_view("\0", 1), "0"},
       }) {
    EXPECT_TRUE(matches(pattern, yes)) << pattern;
    EXPECT_FALSE(matches(pattern, no)) << pattern;
  }
}

TEST(Pattern, AnEmptyGroupMatchesEverywhere) { EXPECT_TRUE(matches("(?:)", "")); }

TEST(Pattern, RefusesWhatNeedsBacktracking) {
  for (const std::string_view pattern :
       {"(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", "(a)\\1", "(?<n>a)\\k<n>"}) {
    EXPECT_NE(problem(pattern).find("linear time"), std::string::npos) << pattern;
  }
}

TEST(Pattern, RefusesWhatIsMalformed) {
  for (const std::string_view pattern : {"(",
                                         ")",
                                         "[",
                                         "a]",
                                         "}",
                                         "{",
                                         "a{",
                                         "a{2",
                                         "a{3,2}",
                                         "*",
                                         "a**",
                                         "^*",
                                         "(*a)",
                                         "\\",
                                         "\\a",
                                         "\\Z",
                                         "\\c1",
                                         "\\x4",
                                         "\\u12",
                                         "\\u{}",
                                         "\\u{110000}",
                                         "\\ud800",
                                         "\\udc00\\ud800",
                                         "\\p{",
                                         "\\p{NoSuchProperty}",
                                         "\\p{letter}",
                                         "\\p{Cn}",
                                         "[b-a]",
                                         "[[:alpha:]]",
                                         "[\\d-z]",
                                         "(?i:a)",
                                         "(?P<n>a)",
                                         "(?<1>a)",
                                         "(?<n>a)(?<n>b)",
                                         "\\00",
                                         "a{1001}",
                                         "\\Qa\\E",
                                         "\xff"}) {
    EXPECT_NE(problem(pattern), "") << pattern;
  }
}

TEST(Pattern, SizeIsBoundedInclusively) {
  EXPECT_TRUE(Pattern::compile("aaa", 4, 1 << 20));
  EXPECT_TRUE(Pattern::compile("aaaa", 4, 1 << 20));
  EXPECT_FALSE(Pattern::compile("aaaaa", 4, 1 << 20));
}

TEST(Pattern, MemoryIsBounded) {
  EXPECT_TRUE(Pattern::compile("(?:a{100}){9}", 100, 1 << 20));
  EXPECT_FALSE(Pattern::compile("(?:\\p{L}{100}){9}", 100, 1 << 16));
}

TEST(Pattern, GroupsMayBeAHundredDeep) {
  const auto nested = [](std::size_t n) { return std::string(n, '(') + "a" + std::string(n, ')'); };
  EXPECT_EQ(problem(nested(99)), "");
  EXPECT_EQ(problem(nested(100)), "");
  EXPECT_NE(problem(nested(101)), "");
}

TEST(Pattern, AHostileTextCostsLinearTime) {
  const std::string text(1 << 16, 'a');
  EXPECT_FALSE(matches("^(a+)+$", text + "!"));
}

}  // namespace
}  // namespace moat::validate::schema
