// SPDX-License-Identifier: Apache-2.0
// SchemaOptions::refuse_unknown_members.
#include <gtest/gtest.h>

#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

json::Value read(std::string_view text) { return json::parse(text).value(); }

Schema closed(std::string_view text) {
  SchemaOptions options;
  options.refuse_unknown_members = true;
  auto schema = Schema::parse(text, options);
  EXPECT_TRUE(schema) << text << schema.error().sentence;
  return *schema;
}

struct Twin {
  std::string_view schema;
  std::string_view good;
  std::string_view bad;  // good without the switch; empty where there is none
};

TEST(SchemaUnknownMembers, AreRefusedWhereMembersAreDeclared) {
  constexpr Twin twins[] = {
      {R"({"properties":{"a":true}})", R"({"a":1})", R"({"a":1,"b":1})"},
      {R"({"properties":{}})", "{}", R"({"a":1})"},
      {R"({"patternProperties":{"^x":true}})", R"({"x1":1})", R"({"y":1})"},
      // Positions of a value's own.
      {R"({"properties":{"o":{"properties":{"a":true}}}})", R"({"o":{"a":1}})", R"({"o":{"b":1}})"},
      {R"({"items":{"properties":{"a":true}}})", R"([{"a":1}])", R"([{"a":1},{"b":1}])"},
      {R"({"prefixItems":[{"properties":{"a":true}}]})", R"([{"a":1}])", R"([{"b":1}])"},
      {R"({"patternProperties":{"^x":{"properties":{"a":true}}}})", R"({"x":{"a":1}})",
       R"({"x":{"b":1}})"},
      {R"({"additionalProperties":{"properties":{"a":true}}})", R"({"x":{"a":1}})",
       R"({"x":{"b":1}})"},
      {R"({"contains":{"properties":{"a":true}}})", R"([{"a":1},{"b":1}])", R"([{"b":1}])"},
      {R"({"unevaluatedItems":{"properties":{"a":true}}})", R"([{"a":1}])", R"([{"b":1}])"},
      // Declared in place: each branch adds its own.
      {R"({"allOf":[{"properties":{"a":true}},{"properties":{"b":true}}]})", R"({"a":1,"b":1})",
       R"({"a":1,"c":1})"},
      {R"({"properties":{"a":true},"$ref":"#/$defs/b","$defs":{"b":{"properties":{"b":true}}}})",
       R"({"a":1,"b":1})", R"({"c":1})"},
      {R"({"anyOf":[{"properties":{"a":{"type":"null"}}},{"properties":{"b":true}}]})",
       R"({"a":null,"b":1})", R"({"a":1,"b":1})"},
      {R"({"oneOf":[{"properties":{"a":true},"required":["a"]},{"required":["b"],"properties":{"b":true}}]})",
       R"({"a":1})", R"({"a":1,"c":1})"},
      {R"({"if":{"required":["a"]},"then":{"properties":{"a":true}},"else":{"properties":{"b":true}}})",
       R"({"b":1})", R"({"a":1,"b":1})"},
      {R"({"dependentSchemas":{"a":{"properties":{"a":true,"b":true}}}})", R"({"a":1,"b":2})",
       R"({"b":2})"},
      // Open: no members are declared, or the schema itself says what becomes of others.
      {R"({"type":"object"})", R"({"x":1})", ""},
      {R"({"required":["x"]})", R"({"x":1})", ""},
      {R"({"type":"object","not":{"properties":{"a":{"const":1}},"required":["a"]}})", R"({"x":1})",
       ""},
      {R"({"properties":{"a":true},"additionalProperties":true})", R"({"x":1})", ""},
      {R"({"properties":{"a":true},"additionalProperties":{"type":"integer"}})", R"({"x":1})", ""},
      {R"({"properties":{"a":true},"unevaluatedProperties":true})", R"({"x":1})", ""},
      {R"({"allOf":[{"properties":{"a":true}},{"additionalProperties":true}]})", R"({"x":1})", ""},
      // Used in place, a schema is not closed even where it stands at a place of its own.
      {R"({"properties":{"n":{"properties":{"a":true}},
           "m":{"$ref":"#/properties/n","properties":{"b":true}}}})",
       R"({"m":{"a":1,"b":1},"n":{"a":1}})", R"({"n":{"a":1,"b":1}})"},
      // Recursion.
      {R"({"properties":{"next":{"$ref":"#"},"v":true}})", R"({"next":{"next":{"v":1}}})",
       R"({"next":{"next":{"x":1}}})"},
  };
  for (const Twin& twin : twins) {
    const Schema schema = closed(twin.schema);
    EXPECT_TRUE(schema.check(read(twin.good))) << twin.schema;
    EXPECT_TRUE(schema.validate(read(twin.good), Report::all).empty()) << twin.schema;
    if (twin.bad.empty()) continue;
    EXPECT_TRUE(Schema::parse(twin.schema)->check(read(twin.bad))) << twin.schema;
    EXPECT_FALSE(schema.check(read(twin.bad))) << twin.schema;
    for (const Report report : {Report::first, Report::all}) {
      const auto found = schema.validate(read(twin.bad), report);
      ASSERT_EQ(found.size(), 1U) << twin.schema;
      EXPECT_EQ(found[0].keyword, "unevaluatedProperties") << twin.schema;
      EXPECT_EQ(found[0].message, "has a member that is not one that is expected");
    }
  }
}

TEST(SchemaUnknownMembers, TheReportNamesTheObjectAndNotTheMember) {
  const auto found = closed(R"({"properties":{"o":{"items":{"properties":{"a":true}}}}})")
                         .validate(read(R"({"o":[{},{"evil":1,"more":2}]})"), Report::all);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].instance, "/o/1");
  EXPECT_EQ(found[0].schema, "#/properties/o/items/unevaluatedProperties");
}

TEST(SchemaUnknownMembers, AreToldBesideOtherFaults) {
  const auto keywords = [](std::string_view schema, std::string_view value) {
    std::string out;
    for (const Violation& one : closed(schema).validate(read(value), Report::all))
      out += one.keyword + " ";
    return out;
  };
  constexpr std::string_view bad = R"({"a":"x","evil":1})";
  const std::string both = "type unevaluatedProperties ";
  EXPECT_EQ(keywords(R"({"properties":{"a":{"type":"integer"}}})", bad), both);
  EXPECT_EQ(
      keywords(R"({"$ref":"#/$defs/A","$defs":{"A":{"properties":{"a":{"type":"integer"}}}}})",
               bad),
      both);
  EXPECT_EQ(keywords(R"({"allOf":[{"properties":{"a":{"type":"integer"}}},
                                  {"properties":{"b":true}}]})",
                     bad),
            both);
  // Names of a part that fails are known all the same.
  EXPECT_EQ(keywords(R"({"allOf":[{"properties":{"a":{"type":"integer"}}}]})", R"({"a":"x"})"),
            "type ");
  // Where members hang on a choice nobody knows which there would be.
  EXPECT_EQ(keywords(R"({"properties":{"a":{"type":"integer"}},
                         "anyOf":[{"properties":{"b":true}},{"properties":{"c":true}}]})",
                     bad),
            "type ");
}

TEST(SchemaUnknownMembers, WhatOnlyAsksIsNotMadeToAccept) {
  // A closed `not` would pass {"role":{"kind":"admin","x":1}}, as its role would not fit.
  constexpr std::string_view inner =
      R"({"properties":{"role":{"properties":{"kind":{"const":"admin"}}}},"required":["role"]})";
  const json::Value value = read(R"({"role":{"kind":"admin","x":1}})");
  EXPECT_FALSE(closed(R"({"not":)" + std::string(inner) + "}").check(value));
  EXPECT_FALSE(closed(R"({"if":)" + std::string(inner) + R"(,"then":false})").check(value));
  EXPECT_FALSE(closed(R"({"maxContains":1,"contains":)" + std::string(inner) + "}")
                   .check(json::Value(json::Array{read(R"({"role":{"kind":"admin"}})"), value})));
  // Both branches fit, one of them but for the unknown member.
  constexpr std::string_view two = R"({"oneOf":[{"properties":{"o":{"properties":{"a":true}}}},
      {"properties":{"o":{"properties":{"b":true}}}}]})";
  EXPECT_FALSE(Schema::parse(two)->check(read(R"({"o":{"a":1}})")));
  EXPECT_FALSE(closed(two).check(read(R"({"o":{"a":1}})")));
}

TEST(SchemaUnknownMembers, ABranchThatKnowsAllMembersIsEnough) {
  const Schema any = closed(R"({"anyOf":[{"properties":{"o":{"properties":{"a":true}}}},
      {"properties":{"o":{"properties":{"b":true}}}}]})");
  EXPECT_TRUE(any.check(read(R"({"o":{"a":1}})")));
  EXPECT_TRUE(any.check(read(R"({"o":{"b":1}})")));
  EXPECT_FALSE(any.check(read(R"({"o":{"a":1,"b":1}})")));
  const auto found = any.validate(read(R"({"o":{"c":1}})"), Report::all);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].instance, "/o");
}

TEST(SchemaUnknownMembers, DefaultsAreJudgedWithTheSwitch) {
  SchemaOptions options;
  options.refuse_unknown_members = true;
  const std::string_view text = R"({"properties":{"a":true},"default":{"b":1}})";
  EXPECT_TRUE(Schema::parse(text));
  EXPECT_FALSE(Schema::parse(text, options));
}

}  // namespace
}  // namespace moat::validate
