// SPDX-License-Identifier: Apache-2.0
#include "moat/base/json_pointer.h"

#include <gtest/gtest.h>

namespace moat::json {
namespace {

TEST(JsonPointer, EscapesNames) {
  EXPECT_EQ(pointer_step(""), "/");
  EXPECT_EQ(pointer_step("a b%\"\\"), "/a b%\"\\");
  EXPECT_EQ(pointer_step("a/b"), "/a~1b");
  EXPECT_EQ(pointer_step("m~n"), "/m~0n");
  EXPECT_EQ(pointer_step("~1"), "/~01");
  std::string pointer = "/a";
  append_pointer_step(pointer, "/~");
  EXPECT_EQ(pointer, "/a/~1~0");
}

TEST(JsonPointer, ReadsNames) {
  EXPECT_EQ(pointer_name(""), "");
  EXPECT_EQ(pointer_name("a~1b"), "a/b");
  // "~01" is "~1", and never "/" (RFC 6901 section 4).
  EXPECT_EQ(pointer_name("~01"), "~1");
  EXPECT_EQ(pointer_name("~0~1"), "~/");
  for (const std::string_view bad : {"~", "a~", "~2", "~~0", "a/b", "/a"})
    EXPECT_FALSE(pointer_name(bad)) << bad;
}

TEST(JsonPointer, ReadsWhatItWrites) {
  for (const std::string_view name : {"", "a", "~", "/", "~0", "~1", "~01", "a/~/b~", "\xc3\xa4"})
    EXPECT_EQ(pointer_name(std::string_view(pointer_step(name)).substr(1)), name);
}

}  // namespace
}  // namespace moat::json
