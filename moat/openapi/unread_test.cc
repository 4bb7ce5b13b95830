// SPDX-License-Identifier: Apache-2.0
// Types of bodies that nobody here reads: a schema of theirs would count for nothing.
#include <gtest/gtest.h>

#include "moat/openapi/internal/orders_fixture.h"

namespace moat::openapi {
namespace {

using std::string;

string with_type(const string& type, const string& schema) {
  return with_paths("  /a: {post: {requestBody: {content: {'" + type +
                    "': " + (schema.empty() ? "{}" : "{schema: " + schema + "}") + "}}}}\n");
}

TEST(UnreadBodies, WithASchemaAreAProblem) {
  for (const string schema :
       {"{type: object}", "{type: object, properties: {a: {type: integer}}}", "{type: [string]}",
        "{type: string, maxLength: 5}", "{type: string, pattern: a}", "{enum: [a]}", "false",
        "{type: string, format: date}", "{$ref: '#/x-schema'}", "{anyOf: [{type: object}]}"}) {
    const string text = with_type("application/xml", schema) + "x-schema: {type: array}\n";
    EXPECT_NE(
        refused(text).find("/content/application~1xml: bodies of this type are not read here"),
        string::npos)
        << schema << refused(text);
    EXPECT_EQ(refused(text, {.allow_unread_bodies = {"application/xml"}}), "") << schema;
    EXPECT_NE(refused(text, {.allow_unread_bodies = {"text/xml", "application/*"}}), "") << schema;
  }
}

TEST(UnreadBodies, ThatAreBytesPass) {
  for (const string schema :
       {"", "{}", "true", "{type: string, format: binary}", "{type: string, description: a file}",
        "{type: string, contentEncoding: base64, contentMediaType: image/png}", "{x-a: 1}"}) {
    const Document document = document_of(with_type("image/png", schema));
    EXPECT_EQ(post(document, "/a", "\x89PNG", "image/png"), "ok") << schema;
    EXPECT_EQ(post(document, "/a", "\x89PNG", "image/gif"), "415 schema_content_type; body # type");
  }
}

TEST(UnreadBodies, AreNotThoseThatAreRead) {
  for (const string type :
       {"application/json", "application/x+json", "text/plain", "application/x-www-form-urlencoded",
        "multipart/form-data", "*/*", "application/*"})
    EXPECT_EQ(refused(with_type(type, "{type: object, properties: {a: {type: integer}}}")), "")
        << type;
}

TEST(UnreadBodies, WhereTheyAreAllowedPassBesideThoseThatAreRead) {
  const Document document = document_of(
      with_paths(
          "  /a: {post: {requestBody: {content: {application/xml: {schema: {type: object}}, "
          "application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}}}\n"),
      {.allow_unread_bodies = {"application/xml"}});
  EXPECT_EQ(post(document, "/a", "<a/>", "application/xml"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"a":"x"})"), "422 schema_body; body #/a type");
}

// Of answers they are only passed on.
TEST(UnreadBodies, OfAnswersAreNoProblem) {
  EXPECT_EQ(refused(with_paths("  /a: {get: {responses: {'200': {description: x, content: "
                               "{application/xml: {schema: {type: object}}}}}}}\n"),
                    {.checks_responses = true}),
            "");
}

}  // namespace
}  // namespace moat::openapi
