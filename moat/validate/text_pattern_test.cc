// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/text_pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

bool found(std::string_view pattern, std::string_view text, Case letters = Case::exact) {
  TextPatternOptions options;
  options.letters = letters;
  const auto compiled = TextPattern::compile(pattern, options);
  EXPECT_TRUE(compiled) << pattern;
  return compiled && compiled->is_found_in(text);
}

TEST(TextPattern, IsFoundSomewhereUnlessAnchored) {
  EXPECT_TRUE(found("abc", "xabcx"));
  EXPECT_FALSE(found("^abc$", "xabcx"));
  EXPECT_TRUE(found("^abc$", "abc"));
  EXPECT_FALSE(found("^abc$", "abc\n"));
}

TEST(TextPattern, IgnoresCasesWhenAsked) {
  EXPECT_FALSE(found("abc", "ABC"));
  EXPECT_TRUE(found("abc", "xABc", Case::ignore));
  EXPECT_TRUE(found("ö", "Ö", Case::ignore));
  EXPECT_FALSE(found("abc", "acb", Case::ignore));
}

TEST(TextPattern, IsRefusedWhenItCannotRunInLinearTime) {
  EXPECT_FALSE(TextPattern::compile("(a)\\1"));
  EXPECT_FALSE(TextPattern::compile("(?=a)"));
  EXPECT_FALSE(TextPattern::compile("("));
  EXPECT_TRUE(TextPattern::compile(std::string(1024, 'a')));
  EXPECT_FALSE(TextPattern::compile(std::string(1025, 'a')));
  TextPatternOptions options;
  options.max_memory = 2'000;
  EXPECT_FALSE(TextPattern::compile("[a-z]{900}", options));
}

TEST(TextPattern, CostsTheTextWhateverThePatternIs) {
  // A backtracking engine would not return.
  EXPECT_FALSE(found("^(a+)+$", std::string(100'000, 'a') + 'b'));
}

TEST(TextPattern, IsNotFoundInWhatIsNoText) {
  EXPECT_FALSE(found("a", "a\xff"));
  EXPECT_FALSE(found(".*", "\xc3"));
}

}  // namespace
}  // namespace moat::validate
