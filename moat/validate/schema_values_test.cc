// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/validate/internal/schema_program.h"

namespace moat::validate::schema {
namespace {

json::Value read(std::string_view text) { return json::parse(text).value(); }
bool same(std::string_view a, std::string_view b) {
  Steps steps{1000};
  return equal(read(a), read(b), steps);
}

TEST(SchemaValues, NumbersAreEqualAsNumbers) {
  EXPECT_TRUE(same("1", "1.0"));
  EXPECT_TRUE(same("0", "-0.0"));
  EXPECT_TRUE(same("9007199254740992", "9007199254740992.0"));
  EXPECT_FALSE(same("9007199254740993", "9007199254740992.0"));  // as doubles they were equal
  EXPECT_FALSE(same("9223372036854775807", "9223372036854775808"));
  EXPECT_FALSE(same("1", "true"));
  EXPECT_FALSE(same("1", "\"1\""));
}

TEST(SchemaValues, OrderIsExact) {
  const auto order = [](std::string_view a, std::string_view b) {
    const int forth = compare_numbers(read(a), read(b));
    EXPECT_EQ(compare_numbers(read(b), read(a)), -forth) << a << " " << b;
    return forth;
  };
  EXPECT_EQ(order("1", "1.5"), -1);
  EXPECT_EQ(order("-1", "-1.5"), 1);
  EXPECT_EQ(order("9007199254740993", "9007199254740992.0"), 1);
  EXPECT_EQ(order("9223372036854775807", "1e30"), -1);
  EXPECT_EQ(order("-9223372036854775808", "-1e30"), 1);
  EXPECT_EQ(order("-9223372036854775808", "-9223372036854775808.0"), 0);
}

TEST(SchemaValues, MultiplesAreDecimal) {
  const auto multiple = [](std::string_view a, std::string_view b) {
    return is_multiple(read(a), read(b));
  };
  EXPECT_TRUE(multiple("0.3", "0.1"));
  EXPECT_FALSE(multiple("0.35", "0.1"));
  EXPECT_TRUE(multiple("19.99", "0.01"));
  EXPECT_FALSE(multiple("19.999", "0.01"));
  EXPECT_TRUE(multiple("0.0075", "0.0001"));
  EXPECT_TRUE(multiple("1e308", "0.5"));
  EXPECT_FALSE(multiple("1e308", "0.123456789"));
  EXPECT_TRUE(multiple("12", "1e-8"));
  EXPECT_TRUE(multiple("-9223372036854775808", "2"));
  EXPECT_FALSE(multiple("-9223372036854775807", "2"));
  EXPECT_TRUE(multiple("0", "7"));
  EXPECT_TRUE(multiple("0.0", "7"));
  EXPECT_FALSE(multiple("7", "14"));
  EXPECT_TRUE(multiple("4.5", "1.5"));
}

TEST(SchemaValues, ObjectsAreEqualInAnyOrder) {
  EXPECT_TRUE(same(R"({"a":1,"b":[2]})", R"({"b":[2.0],"a":1})"));
  EXPECT_FALSE(same(R"({"a":1,"b":[2]})", R"({"b":[2],"a":2})"));
  EXPECT_FALSE(same(R"({"a":1})", R"({"a":1,"b":1})"));
  EXPECT_FALSE(same("[1,2]", "[2,1]"));
  EXPECT_EQ(hash(read(R"({"a":1,"b":[2]})")), hash(read(R"({"b":[2.0],"a":1})")));
}

TEST(SchemaValues, UniquenessIsSeenInShortAndLongArrays) {
  const auto unique = [](std::string_view text) {
    Steps steps{1000};
    return all_unique(*read(text).as_array(), steps);
  };
  EXPECT_TRUE(unique("[]"));
  EXPECT_TRUE(unique("[1,true,\"1\",[1],null]"));
  EXPECT_FALSE(unique("[1,2,1.0]"));
  EXPECT_TRUE(unique("[0,1,2,3,4,5,6,7,8,9]"));
  EXPECT_FALSE(unique("[0,1,2,3,4,5,6,7,8,9,4.0]"));
  EXPECT_FALSE(unique("[{\"a\":1,\"b\":2},1,2,3,4,5,6,7,8,9,{\"b\":2,\"a\":1}]"));
}

TEST(SchemaValues, ComparisonsEndWithTheSteps) {
  const json::Value a = read("[1,2,3]");
  Steps enough{4};
  EXPECT_TRUE(equal(a, a, enough));
  Steps few{3};
  EXPECT_FALSE(equal(a, a, few));
  EXPECT_EQ(few.left, 0U);
}

// RFC 3986 section 5.4.
TEST(SchemaUri, ResolvesTheExamplesOfTheStandard) {
  constexpr std::pair<std::string_view, std::string_view> cases[] = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {";x", "http://a/b/c/;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
  };
  for (const auto& [reference, wanted] : cases)
    EXPECT_EQ(resolve_uri("http://a/b/c/d;p?q", reference), wanted) << reference;
  EXPECT_EQ(resolve_uri("", "#/a"), "#/a");
  EXPECT_EQ(resolve_uri("urn:x:y", "#a"), "urn:x:y#a");
}

}  // namespace
}  // namespace moat::validate::schema
