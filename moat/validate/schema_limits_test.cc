// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

json::Value read(std::string_view text) { return json::parse(text).value(); }

std::string nested(std::size_t depth) {
  std::string out = "true";
  for (std::size_t i = 1; i < depth; ++i) out = R"({"not":)" + out + "}";
  return out;
}

TEST(SchemaLimits, DepthOfTheSchema) {
  SchemaOptions options;
  options.max_schema_depth = 10;
  EXPECT_TRUE(Schema::parse(nested(9), options));
  EXPECT_TRUE(Schema::parse(nested(10), options));
  EXPECT_FALSE(Schema::parse(nested(11), options));
}

TEST(SchemaLimits, NumberOfSubschemas) {
  const auto schema = [](int count) {
    json::Array list(static_cast<std::size_t>(count - 1), json::Value(true));
    return json::Value(json::Object{{"allOf", std::move(list)}});
  };
  EXPECT_EQ(Schema::compile(schema(9'999))->size(), 9'999U);
  EXPECT_EQ(Schema::compile(schema(10'000))->size(), 10'000U);
  const auto more = Schema::compile(schema(10'001));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().sentence, "there are more than 10000 subschemas");
}

TEST(SchemaLimits, BytesOfAPattern) {
  SchemaOptions options;
  options.max_pattern_bytes = 3;
  EXPECT_TRUE(Schema::parse(R"({"pattern":"ab"})", options));
  EXPECT_TRUE(Schema::parse(R"({"pattern":"abc"})", options));
  EXPECT_FALSE(Schema::parse(R"({"pattern":"abcd"})", options));
}

TEST(SchemaLimits, MemoryOfAPattern) {
  SchemaOptions options;
  const std::string_view schema = R"x({"pattern":"(?:\\p{L}{100}){9}"})x";
  options.max_pattern_memory = 64 << 20;
  EXPECT_TRUE(Schema::parse(schema, options));
  options.max_pattern_memory = 1 << 16;
  const auto refused = Schema::parse(schema, options);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().sentence.find("memory"), std::string::npos);
}

TEST(SchemaLimits, NumberOfPatterns) {
  const auto compiles = [](int count) {
    json::Object patterns;
    for (int i = 0; i < count; ++i) patterns.emplace_back("^a" + std::to_string(i), true);
    return Schema::compile(json::Value(json::Object{{"patternProperties", std::move(patterns)}}))
        .has_value();
  };
  EXPECT_TRUE(compiles(255));
  EXPECT_TRUE(compiles(256));
  EXPECT_FALSE(compiles(257));
}

TEST(SchemaLimits, StepsOfARun) {
  // The node, its one keyword, and for each of three elements one node and one keyword.
  SchemaOptions options;
  const json::Value value = read("[1,2,3]");
  const auto check = [&](std::size_t steps) {
    options.max_run_steps = steps;
    return Schema::parse(R"({"items":{"type":"integer"}})", options)->check(value);
  };
  EXPECT_TRUE(check(9));
  EXPECT_TRUE(check(8));
  EXPECT_FALSE(check(7));
}

TEST(SchemaLimits, StepsThatRunOutRefuseBelowNotToo) {
  SchemaOptions options;
  options.max_run_steps = 5;
  const auto schema = Schema::parse(R"({"not":{"items":{"type":"integer"}}})", options);
  const json::Value value = read("[1,2,3,\"\"]");
  EXPECT_TRUE(Schema::parse(R"({"not":{"items":{"type":"integer"}}})")->check(value));
  EXPECT_FALSE(schema->check(value));
  const auto violations = schema->validate(value, Report::all);
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].keyword, "limit");
}

TEST(SchemaLimits, DepthOfARun) {
  SchemaOptions options;
  const json::Value value = read("[[[1]]]");
  const auto check = [&](std::size_t depth) {
    options.max_run_depth = depth;
    return Schema::parse(R"({"items":{"$ref":"#"}})", options)->check(value);
  };
  // Each array is one node, and its elements are one and one for the reference.
  EXPECT_TRUE(check(8));
  EXPECT_TRUE(check(7));
  EXPECT_FALSE(check(6));
}

TEST(SchemaLimits, AVeryDeepValueIsRefusedNotFollowed) {
  json::Value value(1);
  for (int i = 0; i < 2000; ++i) value = json::Value(json::Array{std::move(value)});
  EXPECT_FALSE(Schema::parse(R"({"items":{"$ref":"#"}})")->check(value));
  const json::Value two(json::Array{value, value});
  EXPECT_FALSE(Schema::parse(R"({"uniqueItems":true})")->check(two));
  EXPECT_FALSE(Schema::parse(R"({"not":{"uniqueItems":true}})")->check(two));
}

TEST(SchemaLimits, DepthOfAComparison) {
  // As many arrays within each other as make `depth`, the number within counted.
  const auto compare = [](std::size_t depth) {
    json::Value value(1);
    for (std::size_t i = 1; i < depth; ++i) value = json::Value(json::Array{std::move(value)});
    const auto schema = Schema::compile(json::Value(json::Object{{"const", value}}));
    return schema->check(value);
  };
  EXPECT_TRUE(compare(511));
  EXPECT_TRUE(compare(512));
  EXPECT_FALSE(compare(513));
}

TEST(SchemaLimits, ALongTextIsPaidForByItsPattern) {
  SchemaOptions options;
  options.max_run_steps = 1000;
  const auto schema = Schema::parse(R"({"pattern":"b"})", options);
  EXPECT_TRUE(schema->check(json::Value(std::string(1000, 'a') + "b")));
  EXPECT_FALSE(schema->check(json::Value(std::string(100'000, 'a') + "b")));
}

TEST(SchemaLimits, Violations) {
  SchemaOptions options;
  options.max_violations = 3;
  const auto schema = Schema::parse(R"({"items":{"type":"null"}})", options);
  EXPECT_EQ(schema->validate(read("[1,2]"), Report::all).size(), 2U);
  EXPECT_EQ(schema->validate(read("[1,2,3]"), Report::all).size(), 3U);
  EXPECT_EQ(schema->validate(read("[1,2,3,4]"), Report::all).size(), 3U);
}

TEST(SchemaLimits, AlternativesWithinAlternativesEndInARefusal) {
  // Each level doubles the work: 2^30 without the bound.
  std::string schema = R"({"$defs":{"n0":{"type":"null"})";
  for (int i = 1; i <= 30; ++i) {
    const std::string below = R"({"$ref":"#/$defs/n)" + std::to_string(i - 1) + "\"}";
    schema += ",\"n" + std::to_string(i) + "\":{\"oneOf\":[" + below + "," + below + "]}";
  }
  schema += R"(},"not":{"$ref":"#/$defs/n30"}})";
  const auto compiled = Schema::parse(schema);
  ASSERT_TRUE(compiled);
  EXPECT_FALSE(compiled->check(read("1")));
}

TEST(SchemaLimits, ALongArrayOfEqualHashesIsBounded) {
  json::Array array;
  for (int i = 0; i < 100'000; ++i) array.emplace_back(i);
  const json::Value value(std::move(array));
  const auto schema = Schema::parse(R"({"uniqueItems":true})");
  EXPECT_TRUE(schema->check(value));
  SchemaOptions options;
  options.max_run_steps = 1000;
  EXPECT_FALSE(Schema::parse(R"({"uniqueItems":true})", options)->check(value));
}

}  // namespace
}  // namespace moat::validate
