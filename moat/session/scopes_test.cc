// SPDX-License-Identifier: Apache-2.0
#include "moat/session/scopes.h"

#include <gtest/gtest.h>

namespace moat::session {
namespace {

TEST(ScopesTest, ATextIsReadAndWrittenBack) {
  for (const char* text : {"", "read", "read write", "orders:read orders.write a-b_c 0"}) {
    const auto scopes = parse_scopes(text);
    ASSERT_TRUE(scopes) << text;
    EXPECT_EQ(to_text(*scopes), text);
  }
  EXPECT_EQ(parse_scopes("a b")->size(), 2U);
}

TEST(ScopesTest, WhatIsNoListOfScopesIsRefused) {
  for (const char* text : {" ", " a", "a ", "a  b", "a\tb", "a\nb", "A", "a,b", "a\"", "a\\", "é",
                           "*", "a a", "b a b"}) {
    EXPECT_FALSE(parse_scopes(text)) << text;
  }
}

TEST(ScopesTest, ThereIsAnEndToThem) {
  EXPECT_TRUE(parse_scopes(std::string(64, 'a')));
  EXPECT_FALSE(parse_scopes(std::string(65, 'a')));
  std::string text = "s0";
  for (std::size_t i = 1; i < most_scopes; ++i) text += " s" + std::to_string(i);
  EXPECT_TRUE(parse_scopes(text));
  EXPECT_FALSE(parse_scopes(text + " more"));
}

}  // namespace
}  // namespace moat::session
