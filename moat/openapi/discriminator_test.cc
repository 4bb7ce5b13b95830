// SPDX-License-Identifier: Apache-2.0
// A body that names its kind is checked against exactly that schema.
#include <gtest/gtest.h>

#include "moat/openapi/internal/orders_fixture.h"

namespace moat::openapi {
namespace {

using std::string;
using std::string_view;

// `body` is the schema of the body of POST /a, `schemas` stands below components/schemas.
string with_schemas(string_view body, string_view schemas, string_view version = "3.1.0") {
  return "openapi: " + string(version) +
         "\ninfo: {}\npaths:\n  /a:\n    post:\n      requestBody:\n        content:\n"
         "          application/json: {schema: " +
         string(body) +
         "}\n      responses: {'200': {description: ok}}\ncomponents:\n  schemas:\n" +
         string(schemas);
}

constexpr string_view pets = R"(
    Cat: {type: object, required: [kind], properties: {kind: {type: string}, claws: {type: integer}}}
    Dog: {type: object, required: [kind, bark], properties: {kind: {type: string}, bark: {type: string}}}
    Fish: {type: object, required: [kind], properties: {kind: {const: fish}, fins: {type: integer}}}
)";

constexpr string_view one_of_pets =
    "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}, {$ref: "
    "'#/components/schemas/Fish'}], discriminator: {propertyName: kind";

TEST(Discriminator, ChoosesByTheNameOfTheSchema) {
  const Document document = document_of(with_schemas(string(one_of_pets) + "}}", pets));
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","claws":3})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Dog","bark":"x"})"), "ok");
  // What the schema pins is its name.
  EXPECT_EQ(post(document, "/a", R"({"kind":"fish","fins":3})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Fish","fins":3})"),
            "422 schema_body; body #/kind enum");
  // The fault of the chosen kind is told, and no other's.
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","claws":"x"})"),
            "422 schema_body; body #/claws type");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Dog"})"), "422 schema_body; body # required");
  // A Cat that would fit the schema of a Dog is no Cat.
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","bark":"x"})"),
            "422 schema_body; body # unevaluatedProperties");
}

TEST(Discriminator, RefusesWhatNamesNoKind) {
  const Document document = document_of(with_schemas(string(one_of_pets) + "}}", pets));
  for (const string body :
       {R"({"kind":"cat"})", R"({"kind":"Cow"})", R"({"kind":""})", R"({"kind":5})",
        R"({"kind":null})", R"({"kind":["Cat"]})", R"({"kind":{"Cat":1}})", R"({"kind":true})",
        R"({"kind":"__proto__"})", R"({"kind":"constructor"})", R"({"kind":"Cat\u0000"})",
        R"({"kind":"#/components/schemas/Cat"})", R"({"kind":"Cat","kind2":1,"x":1,"kind ":2})"})
    EXPECT_NE(post(document, "/a", body), "ok") << body;
  EXPECT_EQ(post(document, "/a", R"({"kind":"cow","bark":1})"),
            "422 schema_body; body #/kind enum");
  EXPECT_EQ(post(document, "/a", R"({"kind":5})"), "422 schema_body; body #/kind enum");
  EXPECT_EQ(post(document, "/a", R"({"bark":"x"})"), "422 schema_body; body # required");
  EXPECT_EQ(post(document, "/a", "[]"), "422 schema_body; body # type");
  EXPECT_EQ(post(document, "/a", "null"), "422 schema_body; body # type");
  EXPECT_EQ(post(document, "/a", R"("Cat")"), "422 schema_body; body # type");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","kind":"Dog"})").substr(0, 3), "400");
  const Operation& operation = *document.find("POST", "/a")->operation;
  const auto refusal = document.check_body(operation, "application/json", R"({"kind":"cow"})");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->errors[0].message, "must name what this is: one of 'Cat', 'Dog', 'fish'");
}

TEST(Discriminator, ChoosesByItsMapping) {
  const Document document = document_of(
      with_schemas(string(one_of_pets) + ", mapping: {tom: Cat, rex: '#/components/schemas/Dog', "
                                         "'Dog': '#/components/schemas/Cat'}}}",
                   pets));
  EXPECT_EQ(post(document, "/a", R"({"kind":"tom","claws":3})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","claws":3})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"rex","bark":"x"})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"rex","claws":3})"),
            "422 schema_body; body # required");
  // What the mapping says goes before the name.
  EXPECT_EQ(post(document, "/a", R"({"kind":"Dog","claws":3})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Dog","bark":"x"})"),
            "422 schema_body; body # unevaluatedProperties");
}

TEST(Discriminator, ItsMappingLeadsIntoOtherFiles) {
  DocumentOptions options;
  options.loader = [](string_view name) -> Result<string, string> {
    if (name == "pets/cat.yaml")
      return string(
          "type: object\nrequired: [kind]\nproperties: {kind: {}, claws: {type: integer}}");
    if (name == "pets/dog.yaml")
      return string(
          "components: {schemas: {Dog: {type: object, required: [kind], properties: {kind: {}}}}}");
    return Error{string("there is no such file")};
  };
  const string body =
      "{anyOf: [{$ref: pets/cat.yaml}, {$ref: 'pets/dog.yaml#/components/schemas/Dog'}], "
      "discriminator: {propertyName: kind, mapping: {cat: ";
  const Document document = document_of(with_schemas(body + "pets/cat.yaml}}}", pets), options);
  EXPECT_EQ(post(document, "/a", R"({"kind":"cat","claws":1})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"cat","claws":""})"),
            "422 schema_body; body #/claws type");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Dog"})"), "ok");
  EXPECT_NE(refused(with_schemas(body + "pets/cow.yaml}}}", pets), options).find("no such file"),
            string::npos);
}

TEST(Discriminator, WhatLeadsNowhereIsRefused) {
  const auto with = [](const string& rest) {
    return refused(with_schemas(string(one_of_pets) + rest, pets));
  };
  EXPECT_EQ(with("}}"), "");
  EXPECT_NE(with(", mapping: {cow: Cow}}}").find("there is no schema of that name"), string::npos);
  EXPECT_NE(with(", mapping: {cow: '#/components/schemas/Cow'}}}").find("leads nowhere"),
            string::npos);
  EXPECT_NE(with(", mapping: {cow: 'https://x.example/cow.json'}}}").find("nothing is fetched"),
            string::npos);
  EXPECT_NE(with(", mapping: {cow: 5}}}").find("name of a schema"), string::npos);
  EXPECT_NE(with(", mapping: [Cat]}}").find("mapping of values"), string::npos);
  EXPECT_NE(with(", mappings: {cow: Cat}}}").find("has no field 'mappings'"), string::npos);
  const auto only = [](const string& body, string_view schemas = pets) {
    return refused(with_schemas(body, schemas));
  };
  // A kind that is there, and that the list has not.
  EXPECT_NE(
      only("{oneOf: [{$ref: '#/components/schemas/Cat'}], discriminator: {propertyName: kind, "
           "mapping: {d: Dog}}}")
          .find("the oneOf beside it does not list"),
      string::npos);
  EXPECT_NE(only("{oneOf: [{$ref: '#/components/schemas/Cat'}], discriminator: {}}")
                .find("needs 'propertyName'"),
            string::npos);
  EXPECT_NE(only("{oneOf: [{$ref: '#/components/schemas/Cat'}], discriminator: kind}")
                .find("is a mapping with"),
            string::npos);
  // What is not named can be chosen by what it pins only.
  EXPECT_NE(only("{oneOf: [{type: object, required: [kind], properties: {kind: {type: string}}}], "
                 "discriminator: {propertyName: kind}}")
                .find("no value of 'kind' leads to this kind"),
            string::npos);
  EXPECT_EQ(only("{oneOf: [{type: object, required: [kind], properties: {kind: {enum: [cat]}}}], "
                 "discriminator: {propertyName: kind}}"),
            "");
  EXPECT_NE(only("{oneOf: [{$ref: '#/components/schemas/Fish'}, {type: object, properties: {kind: "
                 "{const: fish}}}], "
                 "discriminator: {propertyName: kind}}")
                .find("two kinds have the name 'fish'"),
            string::npos);
}

TEST(Discriminator, WhatIsNoObjectIsJudgedByTheList) {
  const string body =
      "{oneOf: [{$ref: '#/components/schemas/Cat'}, {type: 'null'}], "
      "discriminator: {propertyName: kind}}";
  const Document document = document_of(with_schemas(body, pets));
  EXPECT_EQ(post(document, "/a", "null"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat"})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","claws":"x"})"),
            "422 schema_body; body #/claws type");
  EXPECT_EQ(post(document, "/a", "5"), "422 schema_body; body # oneOf");
}

// As the specification has it, and springdoc: a base class that its children have in their allOf.
constexpr string_view family = R"(
    Pet: {type: object, required: [kind, name], properties: {kind: {type: string}, name: {type: string}, friends: {type: array, items: {$ref: '#/components/schemas/Pet'}}}, discriminator: {propertyName: kind%}}
    Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object, required: [claws], properties: {claws: {type: integer}}}]}
    Dog: {type: object, properties: {bark: {type: string}}, allOf: [{$ref: '#/components/schemas/Pet'}]}
    Puppy: {allOf: [{$ref: '#/components/schemas/Dog'}, {properties: {weeks: {type: integer}}}]}
)";
string family_with(const string& mapping) {
  string out(family);
  const std::size_t at = out.find('%');
  return out.replace(at, 1, mapping);
}

TEST(BaseClass, ItsChildrenAreChosen) {
  for (const string version : {"3.0.3", "3.1.0"}) {
    const Document document =
        document_of(with_schemas("{$ref: '#/components/schemas/Pet'}", family_with(""), version));
    EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","name":"a","claws":1})"), "ok");
    EXPECT_EQ(post(document, "/a", R"({"kind":"Dog","name":"a","bark":"x"})"), "ok");
    EXPECT_EQ(post(document, "/a", R"({"kind":"Puppy","name":"a","bark":"x","weeks":3})"), "ok");
    EXPECT_EQ(post(document, "/a", R"({"kind":"Pet","name":"a"})"), "ok");
    EXPECT_EQ(post(document, "/a", R"({"kind":"Pet","name":"a","claws":1})"),
              "422 schema_body; body # unevaluatedProperties");
    EXPECT_EQ(post(document, "/a", R"({"kind":"Dog","name":"a","weeks":3})"),
              "422 schema_body; body # unevaluatedProperties");
    EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","name":"a"})"),
              "422 schema_body; body # required");
    // Told once, though the base class and its child both say so.
    EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","claws":1})"),
              "422 schema_body; body # required");
    EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","name":1,"claws":1})"),
              "422 schema_body; body #/name type");
    EXPECT_EQ(post(document, "/a", R"({"kind":"cat","name":"a"})"),
              "422 schema_body; body #/kind enum");
    EXPECT_EQ(post(document, "/a", R"({"name":"a"})"), "422 schema_body; body # required");
    EXPECT_EQ(post(document, "/a", R"({"kind":"__proto__","name":"a"})"),
              "422 schema_body; body #/kind enum");
    // In each other, too.
    EXPECT_EQ(post(document, "/a",
                   R"({"kind":"Dog","name":"a","friends":[{"kind":"Cat","name":"b","claws":2}]})"),
              "ok");
    EXPECT_EQ(post(document, "/a",
                   R"({"kind":"Dog","name":"a","friends":[{"kind":"Cat","name":"b","bark":"x"}]})"),
              "422 schema_body; body #/friends/0 required");
  }
}

TEST(BaseClass, ItsMappingNamesThem) {
  const Document document = document_of(with_schemas(
      "{type: array, items: {allOf: [{$ref: '#/components/schemas/Pet'}], description: wrapped}}",
      family_with(", mapping: {cat: '#/components/schemas/Cat', dog: Dog}")));
  EXPECT_EQ(
      post(document, "/a", R"([{"kind":"cat","name":"a","claws":1},{"kind":"dog","name":"b"}])"),
      "ok");
  EXPECT_EQ(post(document, "/a", R"([{"kind":"cat","name":"a","bark":"x","claws":1}])"),
            "422 schema_body; body #/0 unevaluatedProperties");
  // With a mapping that does not name it, a base class is none of its kinds.
  EXPECT_EQ(post(document, "/a", R"([{"kind":"Pet","name":"a"}])"),
            "422 schema_body; body #/0/kind enum");
}

TEST(BaseClass, AChildThatIsAskedForIsThatChild) {
  const Document document = document_of(with_schemas(
      "{type: object, properties: {cat: {$ref: '#/components/schemas/Cat'}, dog: {$ref: "
      "'#/components/schemas/Dog'}, any: {oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: "
      "'#/components/schemas/Dog'}]}}}",
      family_with("")));
  EXPECT_EQ(post(document, "/a", R"({"cat":{"kind":"Cat","name":"a","claws":1}})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"cat":{"kind":"Dog","name":"a","claws":1}})"),
            "422 schema_body; body #/cat/kind enum");
  EXPECT_EQ(post(document, "/a", R"({"cat":{"kind":"Pet","name":"a","claws":1}})"),
            "422 schema_body; body #/cat/kind enum");
  EXPECT_EQ(post(document, "/a", R"({"dog":{"kind":"Puppy","name":"a"}})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"dog":{"kind":"Cat","name":"a"}})"),
            "422 schema_body; body #/dog/kind enum");
  // A list without a discriminator of its own has that of the base class.
  EXPECT_EQ(post(document, "/a", R"({"any":{"kind":"Dog","name":"a","bark":"x"}})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"any":{"kind":"Cat","name":"a","bark":"x"}})"),
            "422 schema_body; body #/any oneOf");
}

TEST(BaseClass, OneThatNobodyExtendsIsASchemaLikeOthers) {
  const Document document =
      document_of(with_schemas("{$ref: '#/components/schemas/Pet'}",
                               "    Pet: {type: object, required: [kind], properties: {kind: "
                               "{type: string}}, discriminator: {propertyName: kind}}\n"));
  EXPECT_EQ(post(document, "/a", R"({"kind":"any"})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"any","x":1})"),
            "422 schema_body; body # unevaluatedProperties");
}

TEST(BaseClass, OneThatListsItsChildrenDoesNotGoInCircles) {
  const Document document = document_of(with_schemas("{$ref: '#/components/schemas/Pet'}", R"(
    Pet: {type: object, required: [kind], properties: {kind: {type: string}}, oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: kind}}
    Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {properties: {claws: {type: integer}}}]}
    Dog: {allOf: [{$ref: '#/components/schemas/Pet'}, {properties: {bark: {type: string}}}]}
)"));
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","claws":1})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"kind":"Cat","bark":"x"})"),
            "422 schema_body; body # unevaluatedProperties");
}

TEST(Discriminator, OfManyKindsOneIsFoundFast) {
  string list, schemas;
  for (int i = 0; i < 300; ++i) {
    const string name = "K" + std::to_string(i);
    list += (i == 0 ? "" : ", ") + string("{$ref: '#/components/schemas/") + name + "'}";
    schemas += "    " + name +
               ": {type: object, required: [kind], properties: {kind: {type: string}, m" +
               std::to_string(i) + ": {type: integer}}}\n";
  }
  const Document document = document_of(with_schemas(
      "{type: array, items: {oneOf: [" + list + "], discriminator: {propertyName: kind}}}",
      schemas));
  string body = "[";
  for (int i = 0; i < 300; ++i)
    body += (i == 0 ? "" : ",") + string(R"({"kind":"K)") + std::to_string(i) + R"(","m)" +
            std::to_string(i) + R"(":1})";
  EXPECT_EQ(post(document, "/a", body + "]"), "ok");
  EXPECT_EQ(post(document, "/a", R"([{"kind":"K299","m298":1}])"),
            "422 schema_body; body #/0 unevaluatedProperties");
}

TEST(Discriminator, FormsObeyItToo) {
  string text = with_schemas(string(one_of_pets) + "}}", pets);
  text.replace(text.find("application/json"), 16, "application/x-www-form-urlencoded");
  const Document document = document_of(text);
  const string form = "application/x-www-form-urlencoded";
  EXPECT_EQ(post(document, "/a", "kind=Cat&claws=3", form), "ok");
  EXPECT_NE(post(document, "/a", "kind=Dog&claws=3", form), "ok");
  EXPECT_NE(post(document, "/a", "kind=Cat&bark=x", form), "ok");
  EXPECT_NE(post(document, "/a", "kind=Cow&claws=3", form), "ok");
}

}  // namespace
}  // namespace moat::openapi
