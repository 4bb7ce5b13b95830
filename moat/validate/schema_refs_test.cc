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
  EXPECT_EQ(problem_at(R"({"$schema":"http://json-schema.org/draft-07/schema#"})"), "");
  EXPECT_EQ(problem_at(R"({"$schema":"http://json-schema.org/draft-06/schema#"})"), "#/$schema");
  EXPECT_EQ(problem_at(R"({"$schema":"http://json-schema.org/draft-04/schema#"})"), "#/$schema");
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

// A document that is no schema as a whole, such as an OpenAPI document.
SchemaDocument api() {
  return {"https://x.invalid/openapi", read(R"({"openapi":"3.1.0","title":1,
      "paths":{"/orders":{"post":{"requestBody":{"content":{"application/json":{"schema":
          {"$ref":"#/components/schemas/Order"}}}}}}},
      "components":{"schemas":{
        "Order":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},
                 "lines":{"type":"array","items":{"$ref":"#/components/schemas/Line"}},
                 "of":{"$ref":"#/components/schemas/Order"}}},
        "Line":{"properties":{"count":{"$ref":"#/components/parameters/0/schema"}}},
        "Broken":{"type":"strnig"}},
        "parameters":[{"name":"count","schema":{"minimum":1}}]}})")};
}

TEST(SchemaRefs, AnyPlaceOfADocumentCanBeReferredTo) {
  SchemaOptions options;
  options.documents.push_back(api());
  for (const std::string_view place :
       {"components/schemas/Order",
        "paths/~1orders/post/requestBody/content/application~1json/schema"}) {
    const std::string schema =
        R"({"$ref":"https://x.invalid/openapi#/)" + std::string(place) + "\"}";
    EXPECT_TRUE(check(schema, R"({"id":1,"of":{"id":2,"of":{"id":3}}})", options)) << place;
    EXPECT_TRUE(check(schema, R"({"id":1,"lines":[{"count":1}]})", options)) << place;
    EXPECT_FALSE(check(schema, R"({"id":1,"lines":[{"count":0}]})", options)) << place;
    EXPECT_FALSE(check(schema, R"({"id":1,"of":{"id":2,"of":{}}})", options)) << place;
    const auto found =
        Schema::parse(schema, options)->validate(read(R"({"id":1,"of":{"id":"x"}})"));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].instance, "/of/id");
    EXPECT_EQ(found[0].schema,
              "https://x.invalid/openapi#/components/schemas/Order/properties/id/type");
  }
  EXPECT_EQ(problem_at(R"({"$ref":"https://x.invalid/openapi#/components/schemas/None"})", options),
            "#/$ref");
  EXPECT_EQ(problem_at(R"({"$ref":"https://x.invalid/openapi#/openapi"})", options),
            "https://x.invalid/openapi#/openapi");
}

TEST(SchemaRefs, OnlyWhatIsReferredToIsCompiled) {
  SchemaOptions options;
  options.documents.push_back(api());
  options.documents.push_back({"https://x.invalid/defs", read(R"({"$defs":{"good":{"items":true},
      "bad":{"type":"strnig"}}})")});
  EXPECT_EQ(
      problem_at(R"({"$ref":"https://x.invalid/openapi#/components/schemas/Broken"})", options),
      "https://x.invalid/openapi#/components/schemas/Broken/type");
  const auto size = [&](std::string_view reference) {
    return Schema::compile(json::Object{{"$ref", json::Value(reference)}}, options)->size();
  };
  EXPECT_EQ(size("https://x.invalid/openapi#/components/schemas/Line"), 4U);
  EXPECT_EQ(size("https://x.invalid/openapi#/components/schemas/Order"), 9U);
  EXPECT_EQ(size("https://x.invalid/defs#/$defs/good"), 3U);
  EXPECT_EQ(problem_at(R"({"$ref":"https://x.invalid/defs#/$defs/bad"})", options),
            "https://x.invalid/defs#/$defs/bad/type");
}

TEST(SchemaRefs, ManyRootsShareWhatTheyReferTo) {
  SchemaOptions options;
  options.documents.push_back(api());
  const json::Value order =
      read(R"({"$ref":"https://x.invalid/openapi#/components/schemas/Order"})");
  const auto both = Schema::compile_all(
      {order, read(R"({"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"type":"integer"}}})"),
       read(R"({"$ref":"#/$defs/a","$defs":{"a":{"type":"null"}}})"), order},
      options);
  ASSERT_TRUE(both) << both.error().sentence;
  ASSERT_EQ(both->size(), 4U);
  EXPECT_EQ(both->at(0).size(), 9U + 3 + 2 + 1);
  EXPECT_TRUE(both->at(0).check(read(R"({"id":1})")));
  EXPECT_FALSE(both->at(3).check(read(R"({"id":"1"})")));
  // "#" is the root that it stands in.
  EXPECT_TRUE(both->at(1).check(read("1")));
  EXPECT_FALSE(both->at(1).check(read("null")));
  EXPECT_TRUE(both->at(2).check(read("null")));
  EXPECT_EQ(Schema::compile_all({}, options)->size(), 0U);
}

TEST(SchemaRefs, AProblemNamesTheRootThatHasIt) {
  const auto root_of = [](std::string_view second) {
    const auto all = Schema::compile_all({read("true"), read(second), read("{}")});
    return all ? 99 : static_cast<int>(all.error().root);
  };
  EXPECT_EQ(root_of("{}"), 99);
  EXPECT_EQ(root_of(R"({"type":1})"), 1);
  EXPECT_EQ(root_of("1"), 1);
  EXPECT_EQ(root_of(R"({"allOf":[{"$ref":"#"}]})"), 1);
  EXPECT_EQ(root_of(R"({"items":{"type":"null","default":1}})"), 1);
}

TEST(SchemaRefs, ALargeDocumentCostsEachRootWhatItReaches) {
  json::Object schemas;
  for (int i = 0; i < 20'000; ++i)
    schemas.emplace_back("s" + std::to_string(i), read(R"({"type":"integer","minimum":1})"));
  SchemaOptions options;  // at most 10,000 subschemas
  options.documents.push_back(
      {"https://x.invalid/api", json::Value(json::Object{{"schemas", json::Value(schemas)}})});
  for (int i = 0; i < 20'000; i += 1000) {
    const auto schema = Schema::compile(
        json::Object{{"$ref", "https://x.invalid/api#/schemas/s" + std::to_string(i)}}, options);
    ASSERT_TRUE(schema);
    EXPECT_EQ(schema->size(), 2U);
  }
}

}  // namespace
}  // namespace moat::validate
