// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

json::Value read(std::string_view text) { return json::parse(text).value(); }

const ReadOptions text_only{.coerce_text = true};
const ReadOptions defaults_only{.fill_defaults = true};

// The value as it was read, or "refused".
std::string got(std::string_view schema, std::string_view value, const ReadOptions& options,
                const SchemaOptions& schema_options = {}) {
  const auto compiled = Schema::parse(schema, schema_options);
  if (!compiled) return compiled.error().pointer + ": " + compiled.error().sentence;
  auto out = compiled->read(read(value), options);
  if (out) return json::serialize(*out);
  return out.error().empty() ? "no reason" : "refused";
}
std::string of_text(std::string_view type, std::string_view text) {
  return got(R"({"type":)" + std::string(type) + "}", json::serialize(json::Value(text)),
             text_only);
}

TEST(SchemaRead, TextBecomesWhatTheTypeWants) {
  EXPECT_EQ(of_text("\"integer\"", "42"), "42");
  EXPECT_EQ(of_text("\"integer\"", "-1"), "-1");
  EXPECT_EQ(of_text("\"integer\"", "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(of_text("\"number\"", "42"), "42");
  EXPECT_EQ(of_text("\"number\"", "1.50"), "1.5");
  EXPECT_EQ(of_text("\"number\"", "-1e3"), "-1000.0");
  EXPECT_EQ(of_text("\"boolean\"", "true"), "true");
  EXPECT_EQ(of_text("\"boolean\"", "false"), "false");
  EXPECT_EQ(of_text("\"null\"", ""), "null");
  EXPECT_EQ(of_text(R"(["null","integer"])", ""), "null");
  EXPECT_EQ(of_text(R"(["null","integer"])", "7"), "7");
  EXPECT_EQ(of_text(R"(["boolean","integer"])", "false"), "false");
  EXPECT_EQ(of_text("\"array\"", "a"), R"(["a"])");
  EXPECT_EQ(of_text("\"array\"", ""), R"([""])");
  EXPECT_EQ(of_text(R"(["array","null"])", "a"), R"(["a"])");
  EXPECT_EQ(of_text(R"(["array","null"])", ""), "null");
}

TEST(SchemaRead, TypedMembersStayAsTheyAre) {
  const std::string_view schema =
      R"({"properties":{"a":{"type":"integer"},"b":{"properties":{"a":{"type":"integer"}}}}})";
  ReadOptions options = text_only;
  EXPECT_EQ(got(schema, R"({"a":"1","b":{"a":"2"}})", options), R"({"a":1,"b":{"a":2}})");
  options.typed_members = {"a"};
  EXPECT_EQ(got(schema, R"({"a":"1","b":{"a":"2"}})", options), "refused");
  // Of the whole value alone.
  EXPECT_EQ(got(schema, R"({"a":1,"b":{"a":"2"}})", options), R"({"a":1,"b":{"a":2}})");
}

TEST(SchemaRead, WhatDoesNotConvertIsRefused) {
  for (const std::string_view text : {"", " 1", "1 ", "+1", "01", "-0", "1.0", "1e3", "0x1", "1_0",
                                      "9223372036854775808", "true", "\xd9\xa1", "1\n", "--1"})
    EXPECT_EQ(of_text("\"integer\"", text), "refused") << text;
  for (const std::string_view text : {"", " 1", "1 ", "+1", "01", "-0", "-0.0", ".5", "1.", "1e999",
                                      "NaN", "Infinity", "0x1p3", "1,5", "[1]", "null"})
    EXPECT_EQ(of_text("\"number\"", text), "refused") << text;
  for (const std::string_view text :
       {"", "True", "FALSE", "0", "1", "yes", "on", " true", "false "})
    EXPECT_EQ(of_text("\"boolean\"", text), "refused") << text;
  for (const std::string_view text : {"null", " ", "0"})
    EXPECT_EQ(of_text("\"null\"", text), "refused") << text;
  EXPECT_EQ(of_text("\"object\"", "{}"), "refused");
  EXPECT_EQ(of_text(R"(["array","integer"])", "a"), "refused");
  // The text of a number has the limit that JSON has.
  EXPECT_NE(of_text("\"number\"", "0." + std::string(62, '1')), "refused");
  EXPECT_EQ(of_text("\"number\"", "0." + std::string(63, '1')), "refused");
}

TEST(SchemaRead, StringsStayWhereStringsAreAllowed) {
  for (const std::string_view schema :
       {"true", "{}", R"({"type":"string"})", R"({"type":["integer","string"]})",
        R"({"type":["null","string"]})", R"({"anyOf":[{"type":"integer"},{"type":"string"}]})",
        R"({"oneOf":[{"type":"null"},{"type":"string"}]})",
        R"({"anyOf":[{"type":"integer"},true]})", R"({"minimum":5})"}) {
    EXPECT_EQ(got(schema, "\"5\"", text_only), "\"5\"") << schema;
  }
  EXPECT_EQ(got(R"({"type":["null","string"]})", "\"\"", text_only), "\"\"");
}

TEST(SchemaRead, WhatDoesNotFitAsATextBecomesSomethingElse) {
  const std::string_view end = R"({"anyOf":[{"type":"string","enum":["now"]},{"type":"integer"}]})";
  EXPECT_EQ(got(end, "\"now\"", text_only), "\"now\"");
  EXPECT_EQ(got(end, "\"5\"", text_only), "5");
  EXPECT_EQ(got(end, "\"then\"", text_only), "refused");
  EXPECT_EQ(got(end, "\"07\"", text_only), "refused");
  EXPECT_EQ(got(R"({"enum":[1,true,"a"]})", "\"1\"", text_only), "1");
  EXPECT_EQ(got(R"({"enum":[1,true,"a"]})", "\"true\"", text_only), "true");
  EXPECT_EQ(got(R"({"enum":[1,true,"a"]})", "\"a\"", text_only), "\"a\"");
  EXPECT_EQ(got(R"({"enum":[1,true,"1"]})", "\"1\"", text_only), "\"1\"");
  EXPECT_EQ(got(R"({"type":["string","number"],"minLength":3})", "\"5\"", text_only), "5");
  EXPECT_EQ(got(R"({"type":["string","number"],"minLength":3})", "\"555\"", text_only), "\"555\"");
  EXPECT_EQ(got(R"({"type":["string","null"],"minLength":3})", "\"\"", text_only), "refused")
      << "nothing is what was sent, and the program will see a text";
  // In the place of a choice within a choice.
  const std::string_view deep = R"({"anyOf":[{"properties":{"a":{"anyOf":[{"const":"x"},
      {"type":"boolean"}]}}},{"type":"null"}]})";
  EXPECT_EQ(got(deep, R"({"a":"true"})", text_only), R"({"a":true})");
  EXPECT_EQ(got(deep, R"({"a":"y"})", text_only), "refused");
  // It is paid for.
  SchemaOptions options;
  const auto keyword = [&](std::size_t steps) {
    options.max_run_steps = steps;
    const auto out = Schema::parse(R"({"items":{"enum":[1,2,3,4,5,6,7,8]}})", options)
                         ->read(read(R"(["1","2","3","4","5","6","7","8"])"), text_only);
    return out ? "" : out.error()[0].keyword;
  };
  EXPECT_EQ(keyword(20), "limit");
  EXPECT_EQ(keyword(1000), "");
}

TEST(SchemaRead, OnlyTextIsConverted) {
  EXPECT_EQ(got(R"({"type":"string"})", "5", text_only), "refused");
  EXPECT_EQ(got(R"({"type":"array"})", "5", text_only), "refused");
  EXPECT_EQ(got(R"({"type":"string"})", R"(["a"])", text_only), "refused");
  EXPECT_EQ(got(R"({"type":"boolean"})", "0", text_only), "refused");
  EXPECT_EQ(got(R"({"type":"integer"})", "true", text_only), "refused");
  EXPECT_EQ(got(R"({"type":"integer"})", "\"5\"", ReadOptions{}), "refused");
}

TEST(SchemaRead, EveryPlaceIsFollowed) {
  const std::string_view schema = R"({"type":"object","properties":{
      "n":{"$ref":"#/$defs/n"},"list":{"type":"array","prefixItems":[{"type":"boolean"}],
      "items":{"type":"integer"}},"in":{"properties":{"b":{"type":"boolean"}}}},
      "patternProperties":{"^x":{"type":"integer"}},"additionalProperties":{"type":"number"},
      "$defs":{"n":{"allOf":[{"type":["integer","null"]},{"type":["integer","boolean"]}]}}})";
  EXPECT_EQ(
      got(schema, R"({"n":"1","list":["true","2","3"],"in":{"b":"false"},"x1":"4","y":"5.5"})",
          text_only),
      R"({"n":1,"list":[true,2,3],"in":{"b":false},"x1":4,"y":5.5})");
  EXPECT_EQ(got(schema, R"({"list":"false"})", text_only), R"({"list":[false]})");
  EXPECT_EQ(got(schema, R"({"n":"true"})", text_only), "refused");
  // Where both apply, both are obeyed.
  EXPECT_EQ(got(R"({"properties":{"a":{"type":["integer","string"]}},
                    "allOf":[{"properties":{"a":{"type":["integer","boolean"]}}}]})",
                R"({"a":"1"})", text_only),
            R"({"a":1})");
}

TEST(SchemaRead, AlternativesAreFollowedWithoutGuessing) {
  const std::string_view schema = R"({"anyOf":[{"type":"null"},{"type":"object","properties":
      {"n":{"type":"integer"},"l":{"type":"array","items":{"type":"boolean"}}}}]})";
  EXPECT_EQ(got(schema, R"({"n":"1","l":"true"})", text_only), R"({"n":1,"l":[true]})");
  const std::string_view either = R"({"oneOf":[
      {"properties":{"k":{"const":"a"},"v":{"type":"integer"}}},
      {"properties":{"k":{"const":"b"},"v":{"type":"string"}}}]})";
  EXPECT_EQ(got(either, R"({"k":"b","v":"5"})", text_only), R"({"k":"b","v":"5"})");
  EXPECT_EQ(got(either, R"({"k":"a","v":"5"})", text_only), "refused");  // may be text
  // A branch that does not speak of a member lets it be text, unless unknown ones are refused.
  const std::string_view silent = R"({"oneOf":[
      {"properties":{"a":{"type":"integer"}},"required":["a"]},
      {"properties":{"b":{"type":"integer"}},"required":["b"]}]})";
  EXPECT_EQ(got(silent, R"({"a":"5"})", text_only), "refused");
  SchemaOptions strict;
  strict.refuse_unknown_members = true;
  EXPECT_EQ(got(silent, R"({"a":"5"})", text_only, strict), R"({"a":5})");
}

TEST(SchemaRead, DefaultsAreFilledInForMissingMembersOnly) {
  const std::string_view schema = R"({"properties":{"a":{"default":1},"b":{"$ref":"#/$defs/b"},
      "in":{"properties":{"c":{"type":"boolean","default":false}},"default":{}}},
      "allOf":[{"properties":{"d":{"default":[1]}}}],
      "$defs":{"b":{"type":["string","null"],"default":null}}})";
  EXPECT_EQ(got(schema, "{}", defaults_only), R"({"a":1,"b":null,"in":{},"d":[1]})");
  EXPECT_EQ(got(schema, R"({"a":2,"b":"x","in":{},"d":0})", defaults_only),
            R"({"a":2,"b":"x","in":{"c":false},"d":0})");
  EXPECT_EQ(got(schema, "{}", ReadOptions{}), "{}");
  EXPECT_EQ(got(schema, "[]", defaults_only), "[]");
  EXPECT_EQ(got(R"({"required":["a"],"properties":{"a":{"default":1}}})", "{}", defaults_only),
            R"({"a":1})");
}

TEST(SchemaRead, DefaultsOfWhatMayNotApplyAreNotFilledIn) {
  for (
      const std::string_view schema :
      {R"({"anyOf":[{"properties":{"a":{"default":1}}}]})",
       R"({"oneOf":[{"properties":{"a":{"default":1}}}]})",
       R"({"not":{"not":{"properties":{"a":{"default":1}}}}})",
       R"({"if":true,"then":{"properties":{"a":{"default":1}}}})",
       R"({"if":{"properties":{"a":{"default":1}}}})",
       R"({"dependentSchemas":{"z":{"properties":{"a":{"default":1}}}}})",
       R"({"patternProperties":{"a":{"default":1}},"additionalProperties":{"default":1}})",
       R"({"anyOf":[{"type":"object","properties":{"in":{"properties":{"a":{"default":1}}}}}]})"}) {
    EXPECT_EQ(got(schema, R"({"z":1,"in":{}})", defaults_only), R"({"z":1,"in":{}})") << schema;
  }
}

TEST(SchemaRead, ADefaultThatItsSchemaRefusesIsAProblemOfTheSchema) {
  const std::string_view schema = R"({"properties":{"a":{"type":"integer","default":"1"}}})";
  const auto compiled = Schema::parse(schema);
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().pointer, "#/properties/a/default");
  EXPECT_EQ(compiled.error().sentence, "the schema refuses its own default: must be an integer");
  SchemaOptions loose;
  loose.allow_unfit_defaults = true;
  EXPECT_EQ(got(schema, "{}", text_only, loose), "{}");
  EXPECT_EQ(got(schema, "{}", defaults_only, loose), "refused");
  // What is filled in is not converted.
  EXPECT_EQ(got(schema, "{}", ReadOptions{.coerce_text = true, .fill_defaults = true}, loose),
            "refused");
}

TEST(SchemaRead, ADefaultWithinItselfEnds) {
  EXPECT_EQ(got(R"({"properties":{"a":{"$ref":"#","default":{}}}})", "{}", defaults_only),
            R"({"a":{}})");
}

TEST(SchemaRead, StepsAreBounded) {
  const std::string_view schema = R"({"items":{"type":"integer"}})";
  SchemaOptions options;
  const auto steps = [&](std::size_t count) {
    options.max_run_steps = count;
    const auto out = Schema::parse(schema, options)->read(read(R"(["1","2"])"), text_only);
    return out ? "" : out.error()[0].keyword;
  };
  std::size_t least = 0;
  while (least < 1000 && steps(least) == "limit") ++least;
  EXPECT_GT(least, 6U);
  EXPECT_LT(least, 30U);
  EXPECT_EQ(steps(least - 1), "limit");
  EXPECT_EQ(steps(least), "");
  EXPECT_EQ(steps(least + 1), "");
}

TEST(SchemaRead, DepthIsBounded) {
  SchemaOptions options;
  const auto depth = [&](std::size_t most) {
    options.max_run_depth = most;
    const auto out = Schema::parse(R"({"type":["array","integer"],"items":{"$ref":"#"}})", options)
                         ->read(read(R"([["1"]])"), text_only);
    return out ? json::serialize(*out) : out.error()[0].keyword;
  };
  std::size_t least = 0;
  while (least < 100 && depth(least) == "limit") ++least;
  EXPECT_GT(least, 3U);
  EXPECT_LT(least, 20U);
  EXPECT_EQ(depth(least - 1), "limit");
  EXPECT_EQ(depth(least), "[[1]]");
  EXPECT_EQ(depth(least + 1), "[[1]]");
}

TEST(SchemaRead, ChoicesWithinChoicesEndInARefusal) {
  // Each level has three branches that differ, and each leads to the next.
  const auto schema = Schema::parse(R"({"anyOf":[
      {"properties":{"a":{"$ref":"#"}},"required":["x"]},
      {"properties":{"a":{"anyOf":[{"$ref":"#"},{"type":"integer"}]}}},
      {"properties":{"a":{"allOf":[{"$ref":"#"},{"maxLength":5}]}}}]})");
  ASSERT_TRUE(schema);
  json::Value value("1");
  for (int i = 0; i < 30; ++i) value = json::Value(json::Object{{"a", std::move(value)}});
  const auto out = schema->read(std::move(value), text_only);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error()[0].keyword, "limit");
}

// A union of many kinds, each of which holds more of the union.
std::string kinds(int count) {
  std::string out = R"({"oneOf":[)";
  for (int i = 0; i < count; ++i)
    out += std::string(i == 0 ? "" : ",") +
           R"({"required":["kind"],"properties":{"kind":{"const":"k)" + std::to_string(i) +
           R"("},"of":{"type":"array","items":{"$ref":"#"}}}})";
  return out + "]}";
}

TEST(SchemaRead, ChoicesThatLeadToOneSchemaAreOne) {
  const auto schema = Schema::parse(kinds(100));
  ASSERT_TRUE(schema);
  std::string value = R"({"kind":"k99"})";
  for (int i = 0; i < 10; ++i) value = R"({"kind":"k99","of":[)" + value + "]}";
  EXPECT_TRUE(schema->read(read(value), text_only));
}

TEST(SchemaRead, ComparingChoicesIsPaidFor) {
  SchemaOptions options;
  options.max_run_steps = 20'000;
  const auto keyword = [&](int count) {
    const auto out =
        Schema::parse(kinds(count), options)->read(read(R"({"kind":"k0"})"), text_only);
    return out ? "" : out.error()[0].keyword;
  };
  EXPECT_EQ(keyword(100), "");
  EXPECT_EQ(keyword(1000), "limit");
}

TEST(SchemaRead, WhatDefaultsTakeIsPaidFor) {
  const auto schema = Schema::parse(R"({"items":{"properties":{"a":{"default":")" +
                                    std::string(10'000, 'x') + R"("}}}})");
  ASSERT_TRUE(schema);
  const auto filled = [&](std::size_t count) {
    json::Array array;
    for (std::size_t i = 0; i < count; ++i) array.emplace_back(json::Object{});
    return schema->read(json::Value(std::move(array)), {.fill_defaults = true}).has_value();
  };
  EXPECT_TRUE(filled(1000));
  EXPECT_FALSE(filled(10'000));
}

TEST(SchemaRead, AVeryDeepValueIsRefusedNotFollowed) {
  json::Value value("1");
  for (int i = 0; i < 2000; ++i) value = json::Value(json::Array{std::move(value)});
  const auto schema = Schema::parse(R"({"items":{"$ref":"#"}})");
  EXPECT_FALSE(schema->read(std::move(value), text_only));
}

}  // namespace
}  // namespace moat::validate
