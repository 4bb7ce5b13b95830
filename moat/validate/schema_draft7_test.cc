// SPDX-License-Identifier: Apache-2.0
// What draft 7 has otherwise than 2020-12; tests/conform runs the whole suite.
#include <gtest/gtest.h>

#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

json::Value read(std::string_view text) { return json::parse(text).value(); }
SchemaOptions draft_7() {
  SchemaOptions options;
  options.default_dialect = Dialect::draft_7;
  return options;
}
std::string problem_at(std::string_view schema, const SchemaOptions& options = draft_7()) {
  const auto compiled = Schema::parse(schema, options);
  return compiled ? "" : compiled.error().pointer;
}

struct Twin {
  std::string_view schema, good, bad;
};

TEST(SchemaDraft7, KeywordsHaveTheirTwins) {
  constexpr Twin twins[] = {
      {R"({"items":[{"type":"null"}],"additionalItems":{"type":"string"}})", R"([null,"a"])",
       "[null,1]"},
      {R"({"items":[{"type":"null"},false]})", "[null]", "[null,1]"},
      {R"({"items":{"type":"null"},"additionalItems":false})", "[null,null]", "[1]"},
      {R"({"dependencies":{"a":["b"],"c":{"maxProperties":1}}})", R"({"a":1,"b":1})", R"({"a":1})"},
      {R"({"dependencies":{"a":["b"],"c":{"maxProperties":1}}})", R"({"c":1})", R"({"c":1,"d":1})"},
      {R"({"contains":{"type":"null"}})", "[1,null]", "[1]"},
      {R"({"if":{"minimum":5},"then":{"multipleOf":2},"else":{"multipleOf":3}})", "3", "4"},
      {R"({"definitions":{"n":{"type":"null"}},"items":{"$ref":"#/definitions/n"}})", "[null]",
       "[1]"},
      {R"({"$id":"http://x.test/root","definitions":{"n":{"$id":"#n","type":"null"}},
           "items":{"$ref":"#n"}})",
       "[null]", "[1]"},
      {R"({"$id":"http://x.test/root","definitions":{"n":{"$id":"n.json","definitions":{
           "m":{"$id":"#m","type":"null"}}}},"items":{"$ref":"n.json#m"}})",
       "[null]", "[1]"},
      {R"({"$ref":"http://json-schema.org/draft-07/schema#"})", R"({"items":[{}]})",
       R"({"items":1})"},
      {R"({"$schema":"http://json-schema.org/draft-07/schema","items":[{"type":"null"}]})",
       "[null]", "[1]"},
  };
  for (const Twin& twin : twins) {
    const auto schema = Schema::parse(twin.schema, draft_7());
    ASSERT_TRUE(schema) << twin.schema << schema.error().sentence;
    EXPECT_TRUE(schema->check(read(twin.good))) << twin.schema;
    EXPECT_FALSE(schema->check(read(twin.bad))) << twin.schema;
  }
}

TEST(SchemaDraft7, NothingBesideAReferenceCounts) {
  const std::string_view text = R"({"definitions":{"n":{"type":["integer","null"]}},
      "items":{"$ref":"#/definitions/n","minimum":3,"$id":"http://other.test/","default":"x"}})";
  EXPECT_TRUE(Schema::parse(text, draft_7())->check(read("[1]")));
  EXPECT_FALSE(Schema::parse(text, draft_7())->check(read(R"(["1"])")));
  SchemaOptions later;
  later.allow_unfit_defaults = true;
  EXPECT_EQ(problem_at(text, later), "#/items/$ref");  // the base is another one
}

TEST(SchemaDraft7, WhatLaterDraftsHaveIsNotPassedOver) {
  for (const std::string keyword :
       {"unevaluatedProperties", "unevaluatedItems", "prefixItems", "dependentRequired",
        "dependentSchemas", "minContains", "maxContains", "$dynamicRef", "$recursiveRef"}) {
    EXPECT_EQ(problem_at("{\"" + keyword + "\":{}}"), "#/" + keyword);
  }
  EXPECT_EQ(problem_at(R"({"$defs":{"a":1},"$anchor":3,"deprecated":"use x"})"), "");
  EXPECT_EQ(problem_at(R"({"items":[{}]})", SchemaOptions{}),
            "#/items");  // and the other way about
}

TEST(SchemaDraft7, ADialectIsNamedWhereASchemaBegins) {
  SchemaOptions options;
  options.documents.push_back(
      {"http://x.test/old", read(R"({"$schema":"http://json-schema.org/draft-07/schema#",
                                        "items":[{"type":"null"}]})")});
  options.documents.push_back({"http://x.test/api", read(R"({"components":{"old":{
      "$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"null"}]}}})")});
  for (const std::string_view reference :
       {"http://x.test/old", "http://x.test/api#/components/old"}) {
    const auto schema = Schema::compile(
        json::Object{{"items", json::Object{{"$ref", json::Value(reference)}}}}, options);
    ASSERT_TRUE(schema) << schema.error().sentence;
    EXPECT_TRUE(schema->check(read("[[null]]")));
    EXPECT_FALSE(schema->check(read("[[1]]")));
  }
  const std::string inner = R"("$schema":"http://json-schema.org/draft-07/schema#","items":[{}]})";
  EXPECT_EQ(problem_at(R"({"not":{)" + inner + "}", SchemaOptions{}), "#/not/$schema");
  EXPECT_EQ(problem_at(R"({"not":{"$id":"http://x.test/i",)" + inner + "}", SchemaOptions{}), "");
}

TEST(SchemaDraft7, UnknownMembersAndDefaultsWorkToo) {
  SchemaOptions options = draft_7();
  options.refuse_unknown_members = true;
  const auto schema = Schema::parse(R"({"allOf":[{"$ref":"#/definitions/a"}],
      "properties":{"b":{"type":"array","items":[{"type":"integer"}],"default":[]}},
      "definitions":{"a":{"properties":{"a":{"type":"boolean"}}}}})",
                                    options);
  ASSERT_TRUE(schema);
  const auto out =
      schema->read(read(R"({"a":"true"})"), {.coerce_text = true, .fill_defaults = true});
  ASSERT_TRUE(out);
  EXPECT_EQ(json::serialize(*out), R"({"a":true,"b":[]})");
  EXPECT_EQ(json::serialize(*schema->read(read(R"({"b":"5"})"), {.coerce_text = true})),
            R"({"b":[5]})");
  EXPECT_FALSE(schema->check(read(R"({"c":1})")));
}

}  // namespace
}  // namespace moat::validate
