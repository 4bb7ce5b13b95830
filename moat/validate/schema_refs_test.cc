// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

json::Value read(std::string_view text) { return json::parse(text).value(); }
bool check(std::string_view schema, std::string_view value, const SchemaOptions& options = {}) {
  const auto compiled = Schema::parse(schema, options);
  if (!compiled) {
    ADD_FAILURE() << schema << "\n"
                  << compiled.error().pointer << ": " << compiled.error().sentence;
    return false;
  }
  return compiled->check(read(value));
}
std::string problem_at(std::string_view schema, const SchemaOptions& options = {}) {
  const auto compiled = Schema::parse(schema, options);
  return compiled ? "" : compiled.error().pointer;
}

TEST(SchemaRefs, PointersAnchorsAndIdentifiersLeadToSubschemas) {
  for (const std::string_view reference : {"#/$defs/n", "#n", "http://x.test/dir/n.json", "n.json",
                                           "/dir/n.json#", "n.json#inner", "#/$defs/a~1b~0%20c"}) {
    const std::string schema =
        R"({"$id":"http://x.test/dir/main.json","$ref":")" + std::string(reference) +
        R"(","$defs":{"n":{"$anchor":"n","type":"integer"},"a/b~ c":{"type":"integer"},
           "m":{"$id":"n.json","$anchor":"inner","type":"integer"}}})";
    EXPECT_TRUE(check(schema, "1")) << reference;
    EXPECT_FALSE(check(schema, "\"1\"")) << reference;
  }
}

TEST(SchemaRefs, WhatLeadsNowhereIsRefused) {
  for (const std::string_view reference :
       {"#/$defs/x", "#x", "other.json", "http://x.test/", "#/$defs/n/", "#/%zz", "#/$defs/~2"}) {
    const std::string schema =
        R"({"$ref":")" + std::string(reference) + R"(","$defs":{"n":{"type":"integer"}}})";
    EXPECT_EQ(problem_at(schema), "#/$ref") << reference;
  }
}

TEST(SchemaRefs, SiblingsOfAReferenceCount) {
  const std::string_view schema = R"({"$ref":"#/$defs/n","minimum":3,"$defs":{"n":{"maximum":5}}})";
  EXPECT_TRUE(check(schema, "4"));
  EXPECT_FALSE(check(schema, "2"));
  EXPECT_FALSE(check(schema, "6"));
}

TEST(SchemaRefs, OtherDocumentsAreWhatTheCallerGives) {
  SchemaOptions options;
  options.documents.push_back({"http://x.test/n.json", read(R"({"$defs":{"p":{"minimum":1}},
                               "type":"integer","$ref":"#/$defs/p"})")});
  const std::string_view schema = R"({"$ref":"http://x.test/n.json"})";
  EXPECT_TRUE(check(schema, "1", options));
  EXPECT_FALSE(check(schema, "0", options));
  EXPECT_FALSE(check(schema, "1.5", options));
  EXPECT_EQ(problem_at(schema), "#/$ref");  // nothing is loaded
}

TEST(SchemaRefs, AMalformedDocumentIsRefusedWithItsName) {
  SchemaOptions options;
  options.documents.push_back({"http://x.test/n.json", read(R"({"type":"no"})")});
  EXPECT_EQ(problem_at(R"({"$ref":"http://x.test/n.json"})", options),
            "http://x.test/n.json#/type");
}

TEST(SchemaRefs, TheMetaschemaIsEmbedded) {
  const std::string_view schema = R"({"$ref":"https://json-schema.org/draft/2020-12/schema"})";
  EXPECT_TRUE(check(schema, R"({"type":"string","properties":{"a":{"minLength":1}}})"));
  EXPECT_FALSE(check(schema, R"({"type":"strnig"})"));
  EXPECT_FALSE(check(schema, R"({"properties":{"a":{"minLength":-1}}})"));  // by $dynamicRef
  EXPECT_EQ(problem_at(R"({"$ref":"https://json-schema.org/draft/2020-12/other"})"), "#/$ref");
}

TEST(SchemaRefs, AnotherDialectIsRefused) {
  EXPECT_EQ(problem_at(R"({"$schema":"https://json-schema.org/draft/2020-12/schema"})"), "");
  EXPECT_EQ(problem_at(R"({"$schema":"http://json-schema.org/draft-07/schema#"})"), "#/$schema");
  EXPECT_EQ(problem_at(R"({"$schema":7})"), "#/$schema");
}

TEST(SchemaRefs, RecursionIntoTheValueIsFine) {
  const std::string_view schema =
      R"({"properties":{"next":{"$ref":"#"},"n":{"type":"integer"}},"additionalProperties":false})";
  EXPECT_TRUE(check(schema, R"({"next":{"next":{"n":1}}})"));
  EXPECT_FALSE(check(schema, R"({"next":{"next":{"n":"1"}}})"));
}

TEST(SchemaRefs, ACircleOnTheSameValueIsRefused) {
  EXPECT_NE(problem_at(R"({"$ref":"#"})"), "");
  EXPECT_NE(
      problem_at(R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}})"),
      "");
  EXPECT_NE(problem_at(R"({"$defs":{"a":{"if":{"not":{"$ref":"#/$defs/a"}}}}})"), "");
  EXPECT_NE(problem_at(R"({"$defs":{"a":{"dependentSchemas":{"x":{"$ref":"#/$defs/a"}}}}})"), "");
  EXPECT_EQ(
      problem_at(R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"items":{"$ref":"#/$defs/a"}}}})"), "");
}

TEST(SchemaRefs, ACircleThatOnlyADynamicReferenceClosesRefusesTheValue) {
  const std::string_view schema = R"({"$id":"http://x.test/","$dynamicAnchor":"a","$ref":"inner",
      "$defs":{"i":{"$id":"inner","$dynamicRef":"#a","$defs":{"t":{"$dynamicAnchor":"a"}}}}})";
  EXPECT_FALSE(check(schema, "1"));
}

TEST(SchemaRefs, DynamicReferencesLeadToTheOutermostAnchor) {
  const std::string_view schema = R"({"$id":"http://x.test/strings","$ref":"list",
      "$defs":{"s":{"$dynamicAnchor":"item","type":"string"},
      "l":{"$id":"list","items":{"$dynamicRef":"#item"},"$defs":{"d":{"$dynamicAnchor":"item"}}}}})";
  EXPECT_TRUE(check(schema, R"(["a"])"));
  EXPECT_FALSE(check(schema, R"([1])"));
}

TEST(SchemaRefs, IdentifiersAreStrict) {
  EXPECT_EQ(problem_at(R"({"$id":"http://x.test/#a"})"), "#/$id");
  EXPECT_EQ(problem_at(R"({"$id":1})"), "#/$id");
  EXPECT_EQ(problem_at(R"({"$anchor":"1a"})"), "#/$anchor");
  EXPECT_EQ(problem_at(R"({"$anchor":"a","$defs":{"x":{"$anchor":"a"}}})"), "#/$defs/x/$anchor");
  EXPECT_EQ(
      problem_at(R"({"$defs":{"x":{"$id":"http://x.test/a"},"y":{"$id":"http://x.test/a"}}})"),
      "#/$defs/y/$id");
  EXPECT_EQ(problem_at(R"({"const":{"$id":1},"enum":[{"$anchor":2}],"x-note":{"$id":3}})"), "");
}

}  // namespace
}  // namespace moat::validate
