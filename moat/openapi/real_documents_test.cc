// SPDX-License-Identifier: Apache-2.0
// What documents of real services have, beside the letter of OpenAPI or in corners of it:
// Kubernetes, Stripe, Google, and what the generators of .NET and Azure write.
#include <gtest/gtest.h>

#include "moat/openapi/internal/orders_fixture.h"

namespace moat::openapi {
namespace {

using std::string;
using std::string_view;

// `properties` of the body of POST /a.
string with_members(string_view properties, string_view version = "3.0.3") {
  return "openapi: " + string(version) + R"(
info: {}
paths:
  /a:
    post:
      requestBody:
        content:
          application/json:
            schema: {type: object, required: [must], properties: )" +
         string(properties) + R"(}
      responses: {'200': {description: ok}}
components:
  schemas:
    Color: {type: string, enum: [red, blue]}
    Size: {type: object, required: [x], properties: {x: {type: integer}}}
    Base: {type: object, properties: {a: {type: integer}}}
)";
}

string send(const Document& document, string_view member) {
  return post(document, "/a", R"({"must":1,)" + string(member) + "}");
}

TEST(BesideAReference, ReadOnlyHides) {
  for (const string version : {"3.0.0", "3.0.4", "3.1.0"}) {
    const Document document = document_of(with_members(
        "{must: {}, size: {$ref: '#/components/schemas/Size', readOnly: true}}", version));
    EXPECT_EQ(post(document, "/a", R"({"must":1})"), "ok");
    EXPECT_EQ(send(document, R"("size":{"x":1})"), "422 schema_body; body #/size ") << version;
  }
}

TEST(BesideAReference, OtherKeywordsCount) {
  const Document document = document_of(with_members(
      "{must: {}, color: {$ref: '#/components/schemas/Color', type: string, maxLength: 3, "
      "description: x, example: red}}"));
  EXPECT_EQ(send(document, R"("color":"red")"), "ok");
  EXPECT_EQ(send(document, R"("color":"blue")"), "422 schema_body; body #/color maxLength");
  EXPECT_EQ(send(document, R"("color":"no")"), "422 schema_body; body #/color enum");
  EXPECT_NE(refused(with_members("{a: {$ref: '#/components/schemas/Color', maxLenght: 3}}"))
                .find("has no 'maxLenght'"),
            string::npos);
}

TEST(Nullable, CountsBesideWhateverStandsThere) {
  for (const string schema :
       {"{$ref: '#/components/schemas/Size', nullable: true}",
        "{allOf: [{$ref: '#/components/schemas/Size'}], nullable: true}",
        "{oneOf: [{$ref: '#/components/schemas/Size'}], nullable: true}",
        "{type: object, nullable: true, allOf: [{$ref: '#/components/schemas/Size'}]}",
        "{nullable: true, required: [x], properties: {x: {type: integer}}}",
        "{type: object, nullable: true, required: [x], properties: {x: {type: integer}}}"}) {
    const Document document = document_of(with_members("{must: {}, size: " + schema + "}"));
    EXPECT_EQ(send(document, R"("size":null)"), "ok") << schema;
    EXPECT_EQ(send(document, R"("size":{"x":1})"), "ok") << schema;
    EXPECT_NE(send(document, R"("size":{})"), "ok") << schema;
    EXPECT_NE(send(document, R"("size":{"x":1,"y":2})"), "ok") << schema;
  }
  const Document document = document_of(with_members(
      "{must: {}, color: {type: string, enum: [red], nullable: true}, other: {enum: [red]}, "
      "no: {$ref: '#/components/schemas/Size', nullable: false}}"));
  EXPECT_EQ(send(document, R"("color":null)"), "ok");
  EXPECT_EQ(send(document, R"("color":"red")"), "ok");
  EXPECT_NE(send(document, R"("color":"blue")"), "ok");
  EXPECT_NE(send(document, R"("other":null)"), "ok");
  EXPECT_NE(send(document, R"("no":null)"), "ok");
}

TEST(Nullable, IsNoWordOf31) {
  const Document document = document_of(with_members(
      "{must: {}, size: {$ref: '#/components/schemas/Size', nullable: true}}", "3.1.0"));
  EXPECT_NE(send(document, R"("size":null)"), "ok");
}

TEST(Nullable, OfAKindLetsNullBe) {
  const auto document = [](string_view branch, string_view base) {
    return document_of(
        "openapi: 3.0.3\ninfo: {}\npaths:\n  /a: {post: {requestBody: {content: "
        "{application/json: {schema: {oneOf: [" +
        string(branch) +
        "], discriminator: {propertyName: kind}}}}}, responses: {'200': {description: "
        "ok}}}}\ncomponents:\n  schemas:\n    Cat: {type: object, " +
        string(base) + "properties: {kind: {type: string}, claws: {type: integer}}}\n");
  };
  const string cat = "{$ref: '#/components/schemas/Cat'}";
  EXPECT_NE(post(document(cat, ""), "/a", "null"), "ok");
  EXPECT_EQ(post(document(cat, "nullable: true, "), "/a", "null"), "ok");
  const Document beside =
      document("{$ref: '#/components/schemas/Cat', nullable: true, required: [claws]}", "");
  EXPECT_EQ(post(beside, "/a", "null"), "ok");
  EXPECT_EQ(post(beside, "/a", R"({"kind":"Cat","claws":1})"), "ok");
  EXPECT_EQ(post(beside, "/a", R"({"kind":"Cat"})"), "422 schema_body; body # required")
      << "what stands beside the reference counts for the kind that is chosen";
  EXPECT_NE(post(beside, "/a", R"({"kind":"Dog","claws":1})"), "ok");
}

// Azure's base classes: a child with null beside its base is asked for once, not for ever.
TEST(Nullable, OfABaseClassIsNoCircle) {
  const Document document = document_of(R"(openapi: 3.0.3
info: {}
paths:
  /a: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}, responses: {'200': {description: ok}}}}
components:
  schemas:
    Pet: {type: object, discriminator: {propertyName: kind}, properties: {kind: {type: string}}}
    Cat: {allOf: [{$ref: '#/components/schemas/Pet', nullable: true}, {type: object, properties: {claws: {type: integer}}}]}
)");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","claws":1})"), "ok");
  EXPECT_NE(post(document, "/a", R"({"kind":"Cat","claws":"x"})"), "ok");
  EXPECT_NE(post(document, "/a", R"({"kind":"Cow"})"), "ok");
}

// OpenAPI 3.1.1 section 4.8.25: without the member, what becomes of it is undefined.
TEST(Discriminator, ItsMemberIsRequiredWhateverTheSchemasSay) {
  const Document document = document_of(
      "openapi: 3.0.3\ninfo: {}\npaths:\n  /a: {post: {requestBody: {content: {application/json: "
      "{schema: {oneOf: [{$ref: '#/components/schemas/Cat'}], discriminator: {propertyName: "
      "kind}}}}}, responses: {'200': {description: ok}}}}\ncomponents:\n  schemas:\n    Cat: "
      "{type: "
      "object, properties: {kind: {type: string}}}\n");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat"})"), "ok");
  EXPECT_EQ(post(document, "/a", "{}"), "422 schema_body; body # required");
}

// What Microsoft's OData converter writes: the discriminator stands in a part of the base class.
TEST(Discriminator, InAPartOfABaseClassIsThatOfTheWhole) {
  const Document document = document_of(R"(openapi: 3.0.3
info: {}
paths:
  /entities: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/entity'}}}}, responses: {'200': {description: ok}}}}
  /bases: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/base'}}}}, responses: {'200': {description: ok}}}}
  /messages: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/message'}}}}, responses: {'200': {description: ok}}}}
components:
  schemas:
    entity:
      type: object
      required: ['@type']
      properties: {'@type': {type: string}, id: {type: integer}}
      discriminator: {propertyName: '@type', mapping: {'#base': '#/components/schemas/base', '#message': '#/components/schemas/message', '#issue': '#/components/schemas/issue'}}
    base:
      allOf:
        - $ref: '#/components/schemas/entity'
        - type: object
          required: ['@type']
          properties: {'@type': {type: string}, title: {type: string}}
          discriminator: {propertyName: '@type', mapping: {'#message': '#/components/schemas/message', '#issue': '#/components/schemas/issue'}}
    message:
      allOf: [{$ref: '#/components/schemas/base'}, {type: object, properties: {text: {type: string}}}]
    issue:
      allOf: [{$ref: '#/components/schemas/base'}, {type: object, properties: {number: {type: integer}}}]
)");
  const string message = R"({"@type":"#message","id":1,"title":"t","text":"x"})";
  for (const string path : {"/entities", "/bases", "/messages"})
    EXPECT_EQ(post(document, path, message), "ok") << path;
  for (const string path : {"/entities", "/bases"}) {
    EXPECT_EQ(post(document, path, R"({"@type":"#issue","number":1})"), "ok") << path;
    EXPECT_NE(post(document, path, R"({"@type":"#issue","text":"x"})"), "ok") << path;
    EXPECT_NE(post(document, path, R"({"@type":"#message","text":5})"), "ok") << path;
    EXPECT_NE(post(document, path, R"({"@type":"#other"})"), "ok") << path;
    EXPECT_NE(post(document, path, R"({"title":"t"})"), "ok") << path;
  }
  EXPECT_NE(post(document, "/messages", R"({"@type":"#issue","number":1})"), "ok");
  EXPECT_NE(post(document, "/messages", R"({"@type":"#issue","text":"x"})"), "ok");
}

// GitHub's: of a list, some are no objects, and have a name in the mapping all the same.
TEST(Discriminator, MayNameWhatIsNoObject) {
  const auto with = [](string_view mapping) {
    return "openapi: 3.0.3\ninfo: {}\npaths:\n  /a: {post: {requestBody: {content: "
           "{application/json: {schema: {oneOf: [{$ref: '#/components/schemas/Files'}, {$ref: "
           "'#/components/schemas/File'}], discriminator: {propertyName: type, mapping: {" +
           string(mapping) +
           "}}}}}}, responses: {'200': {description: ok}}}}\ncomponents:\n  schemas:\n    Files: "
           "{type: array, items: {type: string}}\n    File: {type: object, properties: {type: "
           "{type: string}}}\n    Other: {type: array}\n";
  };
  const Document document = document_of(with("array: Files, file: File"));
  EXPECT_EQ(post(document, "/a", R"(["x"])"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"type":"file"})"), "ok");
  EXPECT_NE(post(document, "/a", R"({"type":"array"})"), "ok");
  EXPECT_NE(post(document, "/a", "[5]"), "ok");
  EXPECT_NE(refused(with("array: Other")).find("does not list"), string::npos);
}

string with_types(string_view content) {
  return with_paths("  /a: {post: {requestBody: {content: " + string(content) + "}}}\n");
}

TEST(MediaTypes, AreToldApartByTheirParameters) {
  const Document document = document_of(
      with_types("{application/json: {schema: {const: 0}}, application/json;version=1: {schema: "
                 "{const: 1}}, application/json;version=2: {schema: {const: 2}}, "
                 "application/json;version=2;draft=y: {schema: {const: 3}}}"));
  const auto fits = [&](string_view type) {
    string out;
    for (const string body : {"0", "1", "2", "3"})
      if (post(document, "/a", body, type) == "ok") out += body;
    return out;
  };
  EXPECT_EQ(fits("application/json"), "0");
  EXPECT_EQ(fits("application/json; charset=utf-8"), "0");
  EXPECT_EQ(fits("application/json; Version=1"), "1");
  EXPECT_EQ(fits("application/json; version=\"2\"; charset=utf-8"), "2");
  EXPECT_EQ(fits("application/json; draft=y; version=2"), "3");
  EXPECT_EQ(fits("application/json; other=x"), "0");
  // Which of them a program would take then, nobody knows.
  for (const string type : {"application/json; version=3", "application/json; version=V1",
                            "application/json; version=", "application/json; version=1; version=2",
                            "application/json; draft=n", "application/json; version*=utf-8''2",
                            "application/json; other=\"a;version=2;b\""})
    EXPECT_EQ(fits(type), "") << type;
  EXPECT_EQ(post(document, "/a", "0", "application/json; version=3"),
            "415 schema_content_type; body # type");
}

TEST(MediaTypes, OfOneEntryHaveAnyParameters) {
  const Document document =
      document_of(with_types("{application/json;version=1: {schema: {const: 1}}}"));
  EXPECT_EQ(post(document, "/a", "1", "application/json"), "ok");
  EXPECT_EQ(post(document, "/a", "1", "application/json; version=2"), "ok");
  EXPECT_NE(post(document, "/a", "2", "application/json; version=2"), "ok");
}

TEST(MediaTypes, NeedAParameterWhereAllOfThemHaveOne) {
  const Document document = document_of(with_types(
      "{application/json;v=1: {schema: {const: 1}}, application/json;v=2: {schema: {const: 2}}, "
      "'*/*': {}}"));
  EXPECT_EQ(post(document, "/a", "1", "application/json; v=1"), "ok");
  EXPECT_EQ(post(document, "/a", "1", "application/json"), "415 schema_content_type; body # type");
  EXPECT_EQ(post(document, "/a", "1", "text/plain"), "ok");
}

TEST(MediaTypes, MayStandTwiceOnlyIfTheySayTheSame) {
  EXPECT_EQ(refused(with_types("{application/json: {schema: {type: object}}, application/json; "
                               "charset=utf-8: {schema: {type: object}}}")),
            "");
  EXPECT_NE(refused(with_types("{application/json: {schema: {type: object}}, application/json; "
                               "charset=utf-8: {schema: {type: array}}}"))
                .find("stands here twice"),
            string::npos);
  EXPECT_NE(refused(with_types("{application/json;a=1;b=2: {schema: {const: 1}}, "
                               "application/JSON; b=2; A=1: {schema: {const: 2}}}"))
                .find("stands here twice"),
            string::npos);
}

TEST(QueryStyles, SayNothingOfAScalar) {
  const Document document = document_of(with_paths(
      "  /a: {get: {parameters: [{name: end, in: query, style: deepObject, explode: true, schema: "
      "{anyOf: [{enum: [now]}, {type: integer}]}}]}}\n"));
  EXPECT_EQ(ask(document, "GET /a?end=now"), "ok");
  EXPECT_EQ(ask(document, "GET /a?end=5"), "ok");
  EXPECT_NE(ask(document, "GET /a?end=then"), "ok");
  EXPECT_NE(ask(document, "GET /a?end[a]=5"), "ok");
}

TEST(FormStyles, SayNothingOfAScalar) {
  const Document document = document_of(with_types(
      "{application/x-www-form-urlencoded: {schema: {type: object, properties: {url: {anyOf: "
      "[{type: string, maxLength: 3}, {enum: ['']}]}}}, encoding: {url: {style: deepObject, "
      "explode: true}}}}"));
  const string_view form = "application/x-www-form-urlencoded";
  EXPECT_EQ(post(document, "/a", "url=abc", form), "ok");
  EXPECT_EQ(post(document, "/a", "url=", form), "ok");
  EXPECT_NE(post(document, "/a", "url=abcd", form), "ok");
  EXPECT_NE(post(document, "/a", "url[a]=b", form), "ok");
}

}  // namespace
}  // namespace moat::openapi
