// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

json::Value read(std::string_view text) { return json::parse(text).value(); }

struct Twin {
  std::string_view schema, good, bad, keyword;
};

// Each keyword takes one value and refuses another, and says which keyword it was.
TEST(SchemaKeywords, EachAcceptsAndRefuses) {
  constexpr Twin twins[] = {
      {R"({"type":"integer"})", "1.0", "1.5", "type"},
      {R"({"type":"number"})", "1", "\"1\"", "type"},
      {R"({"type":["null","boolean"]})", "null", "0", "type"},
      {R"({"type":"object"})", "{}", "[]", "type"},
      {R"({"enum":[1,{"a":[2]}]})", R"({"a":[2.0]})", R"({"a":[3]})", "enum"},
      {R"({"const":null})", "null", "false", "const"},
      {R"({"multipleOf":0.01})", "19.99", "19.995", "multipleOf"},
      {R"({"minimum":3})", "3", "2.999", "minimum"},
      {R"({"maximum":3})", "3", "3.001", "maximum"},
      {R"({"exclusiveMinimum":3})", "3.001", "3", "exclusiveMinimum"},
      {R"({"exclusiveMaximum":3})", "2.999", "3", "exclusiveMaximum"},
      {R"({"minLength":2})", "\"\xc3\xa9\xc3\xa9\"", "\"\xf0\x9f\x98\x80\"", "minLength"},
      {R"({"maxLength":2})", "\"\xc3\xa9\xc3\xa9\"", "\"abc\"", "maxLength"},
      {R"({"pattern":"^a"})", "\"ab\"", "\"ba\"", "pattern"},
      {R"({"minItems":1})", "[1]", "[]", "minItems"},
      {R"({"maxItems":1.0})", "[1]", "[1,2]", "maxItems"},
      {R"({"uniqueItems":true})", "[1,true]", "[1,1.0]", "uniqueItems"},
      {R"({"minProperties":1})", R"({"a":1})", "{}", "minProperties"},
      {R"({"maxProperties":1})", R"({"a":1})", R"({"a":1,"b":2})", "maxProperties"},
      {R"({"required":["a"]})", R"({"a":1})", R"({"b":1})", "required"},
      {R"({"dependentRequired":{"a":["b"]}})", R"({"b":1})", R"({"a":1})", "dependentRequired"},
      {R"({"dependencies":{"a":["b"]}})", R"({"a":1,"b":1})", R"({"a":1})", "dependentRequired"},
      {R"({"dependencies":{"a":{"maxProperties":1}}})", R"({"a":1})", R"({"a":1,"b":1})",
       "maxProperties"},
      {R"({"dependentSchemas":{"a":{"maxProperties":1}}})", R"({"a":1})", R"({"a":1,"b":1})",
       "maxProperties"},
      {R"({"propertyNames":{"maxLength":1}})", R"({"a":1})", R"({"ab":1})", "propertyNames"},
      {R"({"properties":{"a":{"type":"null"}}})", R"({"a":null,"b":1})", R"({"a":1})", "type"},
      {R"({"patternProperties":{"^x":{"type":"null"}}})", R"({"x1":null})", R"({"x1":1})", "type"},
      {R"({"properties":{"a":true},"additionalProperties":false})", R"({"a":1})", R"({"b":1})", ""},
      {R"({"prefixItems":[{"type":"null"}],"items":{"type":"string"}})", R"([null,"a"])",
       R"([null,1])", "type"},
      {R"({"items":false})", "[]", "[1]", ""},
      {R"({"contains":{"type":"null"}})", "[1,null]", "[1]", "contains"},
      {R"({"contains":{"type":"null"},"minContains":0,"maxContains":1})", "[null]", "[null,null]",
       "contains"},
      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "2", "3", "maximum"},
      {R"({"anyOf":[{"maximum":0},{"minimum":2}]})", "2", "1", "anyOf"},
      {R"({"anyOf":[{"type":"null"},{"minimum":2}]})", "2", "1", "minimum"},
      {R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "1", "2", "oneOf"},
      {R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "1", "0", "oneOf"},
      {R"({"not":{"type":"null"}})", "1", "null", "not"},
      {R"({"if":{"minimum":5},"then":{"multipleOf":2},"else":{"multipleOf":3}})", "6", "5",
       "multipleOf"},
      {R"({"if":{"minimum":5},"then":{"multipleOf":2},"else":{"multipleOf":3}})", "3", "2",
       "multipleOf"},
      {R"({"allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false})", R"({"a":1})",
       R"({"a":1,"b":1})", ""},
      {R"({"anyOf":[{"prefixItems":[true]}],"unevaluatedItems":{"type":"null"}})", "[1,null]",
       "[1,2]", "type"},
      {R"({"contains":{"type":"string"},"unevaluatedItems":false})", R"(["a","b"])", R"(["a",1])",
       ""},
      {"true", "1", "", ""},
      {"{}", "[{}]", "", ""},
  };
  for (const Twin& twin : twins) {
    const auto schema = Schema::parse(twin.schema);
    ASSERT_TRUE(schema) << twin.schema << schema.error().sentence;
    EXPECT_TRUE(schema->check(read(twin.good))) << twin.schema;
    EXPECT_TRUE(schema->validate(read(twin.good), Report::all).empty()) << twin.schema;
    if (twin.bad.empty()) continue;
    EXPECT_FALSE(schema->check(read(twin.bad))) << twin.schema;
    for (const Report report : {Report::first, Report::all}) {
      const auto violations = schema->validate(read(twin.bad), report);
      ASSERT_EQ(violations.size(), 1U) << twin.schema;
      EXPECT_EQ(violations[0].keyword, twin.keyword) << twin.schema;
      EXPECT_FALSE(violations[0].message.empty());
    }
  }
}

TEST(SchemaKeywords, ATypeIsNotJudgedByKeywordsOfOthers) {
  const auto schema = Schema::parse(
      R"({"minimum":5,"minLength":5,"minItems":5,"minProperties":5,"pattern":"x","required":["a"]})");
  EXPECT_TRUE(schema->check(read("null")));
  EXPECT_FALSE(schema->check(read("1")));
}

TEST(SchemaKeywords, EachOfTheWrongTypeIsRefused) {
  constexpr std::pair<std::string_view, std::string_view> cases[] = {
      {"1", "#"},
      {R"({"type":"strnig"})", "#/type"},
      {R"({"type":[]})", "#/type"},
      {R"({"type":["null","null"]})", "#/type"},
      {R"({"enum":1})", "#/enum"},
      {R"({"multipleOf":0})", "#/multipleOf"},
      {R"({"multipleOf":-1})", "#/multipleOf"},
      {R"({"minimum":"1"})", "#/minimum"},
      {R"({"minLength":-1})", "#/minLength"},
      {R"({"maxItems":1.5})", "#/maxItems"},
      {R"({"minContains":"1"})", "#/minContains"},
      {R"({"uniqueItems":1})", "#/uniqueItems"},
      {R"({"pattern":1})", "#/pattern"},
      {R"({"pattern":"("})", "#/pattern"},
      {R"x({"pattern":"(?=a)"})x", "#/pattern"},
      {R"({"patternProperties":{"[":true}})", "#/patternProperties/["},
      {R"({"format":1})", "#/format"},
      {R"({"required":"a"})", "#/required"},
      {R"({"required":["a","a"]})", "#/required"},
      {R"({"required":[1]})", "#/required"},
      {R"({"dependentRequired":[]})", "#/dependentRequired"},
      {R"({"dependentRequired":{"a/b":"c"}})", "#/dependentRequired/a~1b"},
      {R"({"properties":[]})", "#/properties"},
      {R"({"properties":{"a":1}})", "#/properties/a"},
      {R"({"items":[true]})", "#/items"},
      {R"({"prefixItems":[]})", "#/prefixItems"},
      {R"({"allOf":[]})", "#/allOf"},
      {R"({"anyOf":true})", "#/anyOf"},
      {R"({"oneOf":[1]})", "#/oneOf/0"},
      {R"({"not":null})", "#/not"},
      {R"({"$ref":1})", "#/$ref"},
      {R"({"title":1})", "#/title"},
      {R"({"deprecated":1})", "#/deprecated"},
      {R"({"examples":1})", "#/examples"},
      {R"({"contentMediaType":1})", "#/contentMediaType"},
      {"{", ""},
      {R"({"a":1,"a":2})", ""},
  };
  for (const auto& [schema, pointer] : cases) {
    const auto compiled = Schema::parse(schema);
    ASSERT_FALSE(compiled) << schema;
    EXPECT_EQ(compiled.error().pointer, pointer) << schema;
    EXPECT_FALSE(compiled.error().sentence.empty());
  }
}

TEST(SchemaKeywords, WhatIsUnknownIsARemark) {
  const auto schema = Schema::parse(
      R"({"x-owner":{"type":1},"contentEncoding":"base64","format":"moon-phase","default":1})");
  ASSERT_TRUE(schema);
  EXPECT_TRUE(schema->check(read("\"not base64!\"")));
}

TEST(SchemaKeywords, AllViolationsAreReportedWhereTheyAre) {
  const auto schema = Schema::parse(R"({"type":"object","required":["id"],
      "properties":{"a/b":{"type":"string","maxLength":1},"list":{"items":{"minimum":0}}}})");
  const json::Value value = read(R"({"a/b":"secret","list":[1,-1,-2]})");
  EXPECT_EQ(schema->validate(value).size(), 1U);
  const auto all = schema->validate(value, Report::all);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].instance, "");
  EXPECT_EQ(all[0].message, "must have the member \"id\"");
  EXPECT_EQ(all[1].instance, "/a~1b");
  EXPECT_EQ(all[1].schema, "#/properties/a~1b/maxLength");
  EXPECT_EQ(all[1].message, "must have at most 1 character");
  EXPECT_EQ(all[2].instance, "/list/1");
  EXPECT_EQ(all[3].instance, "/list/2");
  for (const Violation& violation : all)
    EXPECT_EQ(violation.message.find("secret"), std::string::npos);
}

// What Pydantic writes for Optional, and many by hand: of the alternatives one is for such a value.
TEST(SchemaKeywords, OfAlternativesTheOneForSuchAValueIsTold) {
  const auto told = [](std::string_view schema, std::string_view value) {
    const auto compiled = Schema::parse(schema);
    EXPECT_FALSE(compiled->check(read(value))) << schema << value;
    std::string out;
    for (const Violation& violation : compiled->validate(read(value), Report::all))
      out += violation.instance + " " + violation.keyword + " " + violation.schema + "\n";
    return out;
  };
  const std::string_view optional = R"({"$defs":{"A":{"type":"object","required":["x"],
      "properties":{"x":{"type":"integer"},"y":{"type":"string"}}}},
      "anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}]})";
  EXPECT_EQ(told(optional, R"({"y":1})"),
            " required #/$defs/A/required\n/y type #/$defs/A/properties/y/type\n");
  EXPECT_EQ(told(optional, R"({"x":1,"y":1})"), "/y type #/$defs/A/properties/y/type\n");
  EXPECT_EQ(told(optional, "1"), " anyOf #/anyOf\n");
  EXPECT_EQ(told(R"({"oneOf":[{"type":"string","maxLength":1},{"type":"array"}]})", R"("ab")"),
            " maxLength #/oneOf/0/maxLength\n");
  EXPECT_EQ(
      told(R"({"anyOf":[{"type":["string","null"],"maxLength":1},{"enum":["abc"]}]})", R"("ab")"),
      " anyOf #/anyOf\n")
      << "both are for texts";
  EXPECT_EQ(told(R"({"anyOf":[false,{"allOf":[{"type":"string"},{"minLength":5}]}]})", R"("ab")"),
            " minLength #/anyOf/1/allOf/1/minLength\n");
  // One within the other, and one that refers to itself.
  EXPECT_EQ(told(R"({"anyOf":[{"type":"null"},{"type":"array","items":{"anyOf":[{"type":"null"},
                     {"type":"integer","minimum":5}]}}]})",
                 "[7,null,1]"),
            "/2 minimum #/anyOf/1/items/anyOf/1/minimum\n");
  EXPECT_EQ(
      told(R"({"anyOf":[{"type":"null"},{"type":"array","items":{"$ref":"#"}}]})", "[[],[1]]"),
      "/1/0 anyOf #/anyOf\n");
  // Where much was spent already, nothing is looked at twice.
  SchemaOptions poor;
  for (poor.max_run_steps = 1; poor.max_run_steps < 100; ++poor.max_run_steps) {
    const auto schema = Schema::parse(optional, poor);
    EXPECT_FALSE(schema->validate(read(R"({"x":1,"y":1})"), Report::all).empty());
  }
}

TEST(SchemaKeywords, AStrangersNamesAreNotRepeated) {
  for (const std::string_view text :
       {R"({"additionalProperties":false})",
        R"({"additionalProperties":{"items":{"type":"null"}}})",
        R"({"unevaluatedProperties":false})", R"({"patternProperties":{"evil":false}})",
        R"({"propertyNames":{"maxLength":1}})"}) {
    const auto all = Schema::parse(text)->validate(read(R"({"evil":[1]})"), Report::all);
    ASSERT_EQ(all.size(), 1U) << text;
    EXPECT_EQ(all[0].instance, "") << text;
    EXPECT_EQ(all[0].message.find("evil"), std::string::npos) << text;
  }
}

TEST(SchemaKeywords, NestedUnevaluatedSeesOnlyItsOwnSchema) {
  // A cousin's `properties` do not count.
  const auto schema =
      Schema::parse(R"({"allOf":[{"properties":{"a":true}},{"unevaluatedProperties":false}]})");
  EXPECT_FALSE(schema->check(read(R"({"a":1})")));
  EXPECT_TRUE(schema->check(read("{}")));
  // A branch that fails evaluates nothing.
  const auto branch = Schema::parse(R"({"anyOf":[{"properties":{"a":{"type":"null"}}},
      {"properties":{"b":true}}],"unevaluatedProperties":false})");
  EXPECT_FALSE(branch->check(read(R"({"a":1,"b":1})")));
  EXPECT_TRUE(branch->check(read(R"({"a":null,"b":1})")));
}

struct FormatTwin {
  std::string_view format, good, bad;
};

TEST(SchemaFormats, AreAssertedWhereTheCallerSaysSo) {
  constexpr FormatTwin twins[] = {
      {"date-time", "2026-02-28T23:59:60Z", "2026-02-29T00:00:00Z"},
      {"date-time", "2024-02-29t12:00:00.5+01:30", "2024-02-29 12:00:00Z"},
      {"date", "2000-02-29", "1900-02-29"},
      {"time", "12:00:00z", "12:00:00"},
      {"time", "00:59:60+01:00", "00:58:60+01:00"},
      {"duration", "P1Y2M3DT4H5M6S", "P1Y3D"},
      {"duration", "P2W", "P"},
      {"duration", "PT1H", "P1DT"},
      {"email", "a@b.test", "a@@b.test"},
      {"hostname", "localhost", "-a"},
      {"ipv4", "127.0.0.1", "127.1"},
      {"ipv6", "::1", "::g"},
      {"uri", "urn:a:b", "//a/b"},
      {"uri", "http://u@h:1/p?q#f", "http://h:p/"},
      {"uri-reference", "../a?b#c", "a\\b"},
      {"uri-template", "/a{?b*,c:3}", "/a{b"},
      {"uuid", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-00000000000g"},
      {"json-pointer", "/a~1b", "/a~2"},
      {"relative-json-pointer", "1#", "01"},
      {"regex", "^a+$", "a**"},
  };
  for (const FormatTwin& twin : twins) {
    const std::string text = R"({"format":")" + std::string(twin.format) + "\"}";
    SchemaOptions options;
    EXPECT_TRUE(Schema::parse(text, options)->check(json::Value(twin.bad))) << twin.bad;
    options.assert_formats = true;
    const auto schema = Schema::parse(text, options);
    EXPECT_TRUE(schema->check(json::Value(twin.good))) << twin.good;
    EXPECT_FALSE(schema->check(json::Value(twin.bad))) << twin.bad;
    EXPECT_TRUE(schema->check(json::Value(1))) << twin.format;
  }
}

}  // namespace
}  // namespace moat::validate
