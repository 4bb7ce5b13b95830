// SPDX-License-Identifier: Apache-2.0
// A schema answers the same of a value, of an item of a document, and where it gives reasons.
#include <gtest/gtest.h>

#include <string>

#include "moat/validate/internal/allocations.h"
#include "moat/validate/keys.h"
#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

using testing::allocations;

// What all three ways answer.
bool check(const Schema& schema, const std::string& text) {
  const auto value = json::parse(text);
  json::Document document;
  const auto item = document.parse(text);
  EXPECT_TRUE(value && item) << text;
  if (!value || !item) return false;
  const bool ok = schema.check(*value);
  EXPECT_EQ(schema.check(*item), ok) << text;
  EXPECT_EQ(schema.validate(*value).empty(), ok) << text;
  EXPECT_EQ(schema.validate(*value, Report::all).empty(), ok) << text;
  return ok;
}

// How many of the values pass each schema.
TEST(SchemaDocument, AnswersAsAValueDoes) {
  const std::string values[] = {"null",
                                "true",
                                "0",
                                "-0.0",
                                "1",
                                "1.0",
                                "1.5",
                                "7",
                                "9007199254740993",
                                "9223372036854775807",
                                "1e300",
                                "-5",
                                R"("")",
                                R"("a")",
                                R"("\u00e4\u00f6")",
                                R"("abc-123")",
                                R"("2026-11-28")",
                                R"("\n")",
                                "[]",
                                "[1]",
                                "[1,1.0]",
                                R"(["a","b","a"])",
                                "[1,2,3,4,5,6,7,8,9]",
                                "[1,2,3,4,5,6,7,8,9,1]",
                                "[[1],[1]]",
                                R"([{"a":1,"b":2},{"b":2,"a":1}])",
                                "{}",
                                R"({"a":1})",
                                R"({"a":"x"})",
                                R"({"a":1,"b":2})",
                                R"({"b":2,"a":1,"c":{"a":1}})",
                                R"({"c":{"c":{}}})",
                                R"({"\u0061":1})",
                                R"({"__proto__":1,"name that is longer than sixteen bytes":[{}]})"};
  const std::pair<const char*, int> schemas[] = {
      {R"({"type":"integer"})", 9},
      {R"({"type":["number","null"]})", 11},
      {R"({"type":"number","minimum":1,"exclusiveMaximum":7})", 3},
      {R"({"type":"number","exclusiveMinimum":1,"maximum":1.5})", 1},
      {R"({"type":"integer","maximum":9007199254740992})", 6},
      {R"({"multipleOf":0.5,"type":"number"})", 10},
      {R"({"type":"string","minLength":1,"maxLength":2})", 3},
      {R"({"type":"string","maxLength":7,"pattern":"^[a-z]{1,3}-[0-9]+$"})", 1},
      {R"({"type":"string","format":"date"})", 1},
      {R"({"enum":[1,"a",[1],{"a":1},null]})", 7},
      {R"({"const":{"b":2,"a":1}})", 1},
      {R"({"type":"array","uniqueItems":true})", 3},
      {R"({"type":"array","prefixItems":[{"type":"integer"}],"items":{"minimum":2}})", 3},
      {R"({"type":"array","contains":{"const":1},"unevaluatedItems":{"minimum":2}})", 4},
      {R"({"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}})", 4},
      {R"({"type":"object","required":["a","z"],"properties":{"a":{}}})", 0},
      {R"({"type":"object","properties":{"a":true},"additionalProperties":false})", 4},
      {R"({"type":"object","patternProperties":{"^[ab]$":{"type":"integer"}},
           "additionalProperties":{"type":"object"}})",
       6},
      {R"({"type":"object","properties":{"c":{"$ref":"#"}},"minProperties":1})", 6},
      {R"({"type":"object","propertyNames":{"maxLength":1},"maxProperties":2})", 6},
      {R"({"type":"object","dependentRequired":{"a":["b"]}})", 5},
      {R"({"type":"object","dependentSchemas":{"a":{"required":["b"]}}})", 5},
      {R"({"type":"object","allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false})", 4},
      {R"({"oneOf":[{"type":"integer"},{"minimum":1.2}]})", 30},
      {R"({"anyOf":[{"required":["a"]},{"minItems":2}],"type":["object","array"]})", 16},
      {R"({"not":{"required":["a"],"properties":{"a":{"type":"integer"}}}})", 4},
      {R"({"if":{"type":"string"},"then":{"minLength":1},"else":{"type":"object"}})", 13}};
  for (const auto& [text, wanted] : schemas) {
    for (const bool refuse_unknown : {false, true}) {
      const auto schema =
          Schema::parse(text, {.assert_formats = true, .refuse_unknown_members = refuse_unknown});
      ASSERT_TRUE(schema) << text;
      int passed = 0;
      for (const std::string& value : values) passed += check(*schema, value) ? 1 : 0;
      if (!refuse_unknown) {
        EXPECT_EQ(passed, wanted) << text;
      }
    }
  }
}

TEST(SchemaDocument, CostsTheSameSteps) {
  const char* const text =
      R"({"type":"object","required":["id","name"],"properties":{"id":{"type":"integer","minimum":1},
          "name":{"type":"string","minLength":1,"pattern":"^[a-z]+$"},
          "list":{"type":"array","uniqueItems":true,"items":{"enum":["a","b","c"]}}},
          "anyOf":[{"required":["list"]},{"properties":{"id":{"const":7}}}]})";
  const std::string good = R"({"list":["a","c"],"name":"somebody","id":7,"x":[{}]})";
  std::size_t first = 0;  // with so many steps it passes
  for (std::size_t steps = 1; steps < 200; ++steps) {
    SchemaOptions options;
    options.max_run_steps = steps;
    const auto schema = Schema::parse(text, options);
    ASSERT_TRUE(schema);
    const bool ok = check(*schema, good);
    if (ok && first == 0) first = steps;
    EXPECT_EQ(ok, first != 0) << steps;
  }
  EXPECT_GT(first, 20U);
}

TEST(SchemaDocument, DepthIsBounded) {
  SchemaOptions options;
  options.max_run_depth = 7;
  const auto schema = Schema::parse(R"({"items":{"$ref":"#"}})", options);
  EXPECT_TRUE(check(*schema, "[[[1]]]"));
  EXPECT_FALSE(check(*schema, "[[[[1]]]]"));
}

TEST(SchemaDocument, FindsManyMembersAndSeesOnesThatAreMissing) {
  for (const int count : {1, 63, 64, 65, 200}) {
    std::string properties;
    std::string required;
    std::string members;
    for (int i = 0; i < count; ++i) {
      const std::string name = "\"name" + std::to_string(i) + "\"";
      properties += (i == 0 ? "" : ",") + name + R"(:{"type":"integer"})";
      required += (i == 0 ? "" : ",") + name;
      if (i > 0) members += (i == 1 ? "" : ",") + name + ":1";
    }
    const auto schema =
        Schema::parse(R"({"type":"object","required":[)" + required + R"(],"properties":{)" +
                      properties + R"(},"additionalProperties":{"type":"null"}})");
    ASSERT_TRUE(schema);
    const std::string rest = members.empty() ? "" : "," + members;
    EXPECT_TRUE(check(*schema, R"({"name0":1)" + rest + "}"));
    EXPECT_TRUE(check(*schema, R"({"name0":1,"other":null)" + rest + "}"));
    EXPECT_FALSE(check(*schema, R"({"name0":1,"other":1)" + rest + "}"));
    EXPECT_FALSE(check(*schema, R"({"name0":"1")" + rest + "}"));
    EXPECT_FALSE(check(*schema, "{" + members + "}"));
  }
}

TEST(SchemaDocument, ReadingAndCheckingTakeNothingFromTheHeap) {
  if (MOAT_COUNTS == 0) GTEST_SKIP() << "nothing is counted in this build";
  const auto schema = Schema::parse(R"({"type":"object","propertyNames":{"maxLength":30},
      "additionalProperties":{"type":"array","uniqueItems":true,"items":{"type":"string"}}})");
  ASSERT_TRUE(schema);
  std::string text = "{";
  for (int i = 0; i < 40; ++i)
    text += "\"a name that is long enough " + std::to_string(i) + R"(":["\u00e4)" +
            std::string(40, 'x') + "\",\"b\"],";
  text.back() = '}';
  json::Document document;
  ASSERT_TRUE(document.parse(text));
  const std::size_t before = allocations;
  for (int i = 0; i < 10; ++i) {
    document.clear();
    const auto item = document.parse(text);
    ASSERT_TRUE(item && schema->check(*item) && !has_unsafe_key(*item));
  }
  EXPECT_EQ(allocations - before, 0U);
}

TEST(SchemaDocument, FindsUnsafeKeysAtAnyDepth) {
  json::Document document;
  for (const char* text : {R"({"$gt":1})", R"([[{"a":{"__proto__":1}}]])", R"({"a":[1,{"b.c":1}]})",
                           R"({"a":{},"constructor":{}})", R"({"\u0001":1})", R"({"a[$gt]":1})",
                           R"({"prototype":[]})"}) {
    const auto item = document.parse(text);
    ASSERT_TRUE(item);
    EXPECT_TRUE(has_unsafe_key(*item)) << text;
    EXPECT_TRUE(find_unsafe_key(json::parse(text).value())) << text;
  }
  for (const char* text : {R"({"a":[{"b-c_d e":{"constructors":1,"__":2}}]})", R"("$gt")", "[]",
                           R"({"\u00e4":{},"a[b]":1,"gt$":0})"}) {
    const auto item = document.parse(text);
    ASSERT_TRUE(item);
    EXPECT_FALSE(has_unsafe_key(*item)) << text;
    EXPECT_FALSE(find_unsafe_key(json::parse(text).value())) << text;
  }
  ASSERT_TRUE(document.parse(R"({"$gt":1})"));
  EXPECT_FALSE(has_unsafe_key(*document.parse(R"({"$gt":1})"), {.allow_operator_keys = true}));
}

}  // namespace
}  // namespace moat::validate
