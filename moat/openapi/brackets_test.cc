// SPDX-License-Identifier: Apache-2.0
// Names with brackets, in forms and queries.
#include "moat/openapi/internal/brackets.h"

#include <gtest/gtest.h>

#include "moat/openapi/internal/orders_fixture.h"

namespace moat::openapi {
namespace {

using std::string;
using std::string_view;

// "[a][b]=x&[a][c]=y" as JSON, or the keyword of its fault.
string read(string_view text, const BracketLimits& limits = {}) {
  const validate::KeyRules keys;
  Brackets out(limits, keys);
  while (!text.empty()) {
    const string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), field.size() + 1));
    const std::size_t equals = field.find('=');
    const auto fault = out.add(field.substr(0, equals), string(field.substr(equals + 1)));
    if (fault) return string(fault->keyword);
  }
  return json::serialize(out.take());
}

TEST(Brackets, MakeObjectsAndLists) {
  EXPECT_EQ(read("=x"), R"("x")");
  EXPECT_EQ(read("[a]=x&[b]=y"), R"({"a":"x","b":"y"})");
  EXPECT_EQ(read("[a][b][c]=x&[a][d]=y&[a][b][e]="), R"({"a":{"b":{"c":"x","e":""},"d":"y"}})");
  EXPECT_EQ(read("[]=x&[]=y&[]=x"), R"(["x","y","x"])");
  EXPECT_EQ(read("[0]=x&[1]=y"), R"(["x","y"])");
  EXPECT_EQ(read("[0][a]=x&[1][a]=y&[0][b][]=z"), R"([{"a":"x","b":["z"]},{"a":"y"}])");
  EXPECT_EQ(read("[0][0]=x&[0][1]=y&[1][]=z"), R"([["x","y"],["z"]])");
  EXPECT_EQ(read("[ a ]=x&[0a]=y&[-1]=z"), R"({" a ":"x","0a":"y","-1":"z"})");
}

TEST(Brackets, RefuseWhatProgramsReadDifferently) {
  for (const string text : {"=x&[a]=y", "[a]=x&=y", "[a]=x&[a][b]=y", "[a][b]=x&[a]=y",
                            "[]=x&[a]=y", "[a]=x&[]=y", "[0]=x&[a]=y", "[a]=x&[0]=y", "[]=x&[1]=y",
                            "[0]=x&[]=y", "=x&=y", "[a]=x&[a]=y", "[0]=x&[0]=y"})
    EXPECT_EQ(read(text), "repeated") << text;
  for (const string text : {"[1]=x", "[0]=x&[2]=y", "[01]=x", "[00]=x",
                            "[99999999999999999999999]=x", "[][a]=x", "[][]=x", "[a", "a]", "[a]b",
                            "[a]b[c]", "[a[b]]", "[[a]]", "[a]]", "]", "[", ".a", "[a].b"})
    EXPECT_EQ(read(text.find('=') == string::npos ? text + "=x" : text), "syntax") << text;
}

TEST(Brackets, RefuseUnsafeNames) {
  for (const string text : {"[__proto__]=x", "[constructor][prototype]=x", "[a][__proto__][b]=x",
                            "[$gt]=x", "[a][$where]=x", "[a.b]=x", "[0][$ne]=x", "[__class__]=x"})
    EXPECT_EQ(read(text), "unsafe_name") << text;
  EXPECT_EQ(read("[proto]=x&[gt$]=x"), R"({"proto":"x","gt$":"x"})");
}

TEST(Brackets, KeepTheirLimits) {
  const auto deep = [](int count) {
    string out;
    for (int i = 0; i < count; ++i) out += "[a]";
    return out + "=x";
  };
  EXPECT_NE(read(deep(15)), "limit");
  EXPECT_NE(read(deep(16)), "limit");
  EXPECT_EQ(read(deep(17)), "limit");
  EXPECT_EQ(read(deep(3), {.brackets = 2}), "limit");
  EXPECT_EQ(read(deep(2), {.brackets = 2}), R"({"a":{"a":"x"}})");
  EXPECT_EQ(read("[0]=x&[1]=x", {.index = 1}), R"(["x","x"])");
  EXPECT_EQ(read("[0]=x&[1]=x&[2]=x", {.index = 1}), "limit");
  const BracketLimits queries = BracketLimits::of_queries();
  EXPECT_NE(read(deep(5), queries), "limit");
  EXPECT_EQ(read(deep(6), queries), "limit");
}

// As Stripe writes it.
constexpr string_view charges = R"(
openapi: 3.0.0
info: {title: Stripe API, version: '2024-06-20', contact: {name: Stripe Dev Platform Team}}
servers: [{url: 'https://api.stripe.com/'}]
security: [{basicAuth: []}, {bearerAuth: []}]
paths:
  /v1/payment_intents:
    get:
      operationId: GetPaymentIntents
      parameters:
        - {name: expand, in: query, explode: true, style: deepObject, schema: {type: array, items: {maxLength: 5000, type: string}}}
        - {name: automatic_tax, in: query, explode: true, style: deepObject, schema: {type: object, required: [enabled], properties: {enabled: {type: boolean}, liability: {type: object, properties: {account: {type: string}, type: {type: string, enum: [account, self]}}}}}}
        - {name: created, in: query, explode: true, style: deepObject, schema: {anyOf: [{type: object, properties: {gt: {type: integer}, gte: {type: integer}}}, {type: integer}]}}
      requestBody: {content: {application/x-www-form-urlencoded: {encoding: {}, schema: {properties: {}, type: object}}}, required: false}
      responses: {'200': {description: Successful response.}}
    post:
      operationId: PostPaymentIntents
      requestBody:
        content:
          application/x-www-form-urlencoded:
            encoding:
              automatic_payment_methods: {explode: true, style: deepObject}
              expand: {explode: true, style: deepObject}
              items: {explode: true, style: deepObject}
              metadata: {explode: true, style: deepObject}
              shipping: {explode: true, style: deepObject}
              excluded: {explode: false, style: form}
            schema:
              type: object
              required: [amount, currency]
              properties:
                amount: {type: integer}
                currency: {type: string}
                automatic_payment_methods: {title: param, type: object, required: [enabled], properties: {enabled: {type: boolean}}}
                confirm: {type: boolean}
                excluded: {type: array, items: {type: string, enum: [a, b]}}
                expand: {type: array, items: {maxLength: 5000, type: string}}
                items: {type: array, items: {type: object, required: [price], properties: {price: {type: string}, quantity: {type: integer}, tax_rates: {anyOf: [{type: array, items: {type: string}}, {enum: [''], type: string}]}, codes: {type: array, items: {type: integer}}}}}
                metadata: {anyOf: [{additionalProperties: {type: string}, type: object}, {enum: [''], type: string}]}
                shipping: {anyOf: [{type: object, required: [name], properties: {name: {type: string}, address: {type: object, properties: {city: {type: string}, line1: {type: string}}}}}, {enum: [''], type: string}]}
      responses: {'200': {description: Successful response.}}
components:
  securitySchemes: {basicAuth: {description: 'Basic HTTP authentication.', scheme: basic, type: http}, bearerAuth: {bearerFormat: auth-scheme, scheme: bearer, type: http}}
)";

const string form = "application/x-www-form-urlencoded";
const Fields token = {{"Authorization", "Bearer sk_test_1"}};

TEST(FormStyles, ReadWhatStripesClientsSend) {
  const Document document = document_of(charges);
  const auto sent = [&](const string& fields) {
    return post(document, "/v1/payment_intents", "amount=5&currency=usd&" + fields, form, token);
  };
  for (const string fields :
       {"confirm=true", "automatic_payment_methods[enabled]=true",
        "expand[]=customer&expand[]=invoice", "expand[0]=customer&expand[1]=invoice",
        "metadata[order_id]=6735&metadata[note]=a+b", "metadata=", "metadata%5Border_id%5D=1",
        "shipping[name]=A&shipping[address][city]=B&shipping[address][line1]=C", "shipping=",
        "items[0][price]=p1&items[0][quantity]=2&items[1][price]=p2&items[1][tax_rates][0]=t",
        "items[0][price]=p1&items[0][codes][]=1&items[0][codes][]=2",
        "items[0][price]=p1&items[0][tax_rates]=", "excluded=a", "excluded=a,b", "excluded=a%2Cb"})
    EXPECT_EQ(sent(fields), "ok") << fields;
}

TEST(FormStyles, RefuseTheRest) {
  const Document document = document_of(charges);
  const auto sent = [&](const string& fields) {
    return post(document, "/v1/payment_intents", "amount=5&currency=usd&" + fields, form, token);
  };
  EXPECT_EQ(sent("metadata[__proto__]=x"), "422 schema_body; body # unsafe_name");
  EXPECT_EQ(sent("metadata[$gt]=x"), "422 schema_body; body # unsafe_name");
  EXPECT_EQ(sent("metadata[a][b]=x"), "422 schema_body; body #/metadata type");
  EXPECT_EQ(sent("metadata[0]=x"), "422 schema_body; body #/metadata anyOf");
  EXPECT_EQ(sent("metadata[a]=x&metadata="), "422 schema_body; body #/metadata repeated");
  EXPECT_EQ(sent("metadata[a]=x&metadata[a]=y"), "422 schema_body; body # repeated");
  EXPECT_EQ(sent("metadata[a=x"), "422 schema_body; body #/metadata syntax");
  EXPECT_EQ(sent("metadata[a]b=x"), "422 schema_body; body #/metadata syntax");
  EXPECT_EQ(sent("expand[1]=x"), "422 schema_body; body #/expand syntax");
  EXPECT_EQ(sent("expand[]=x&expand[0]=y"), "422 schema_body; body #/expand repeated");
  EXPECT_EQ(sent("expand[a]=x"), "422 schema_body; body #/expand type");
  // To most programs these are texts.
  EXPECT_EQ(sent("expand=x"), "422 schema_body; body # type");
  EXPECT_EQ(sent("items[0][price]=p&items[0][codes]=1"), "422 schema_body; body # type");
  EXPECT_EQ(sent("items[0][price]=p1&items[0][quantity]=x"),
            "422 schema_body; body #/items/0/quantity type");
  EXPECT_EQ(sent("items[0][quantity]=1"), "422 schema_body; body #/items/0 required");
  EXPECT_EQ(sent("items[][price]=1"), "422 schema_body; body #/items syntax");
  EXPECT_EQ(sent("automatic_payment_methods[enabled]=true&automatic_payment_methods[x]=1"),
            "422 schema_body; body #/automatic_payment_methods unevaluatedProperties");
  // Only what has the style has brackets.
  EXPECT_EQ(sent("confirm[]=true"), "422 schema_body; body # unevaluatedProperties");
  EXPECT_EQ(sent("excluded[]=a"), "422 schema_body; body # unevaluatedProperties");
  EXPECT_EQ(sent("excluded=a&excluded=b"), "422 schema_body; body # repeated");
  EXPECT_EQ(sent("excluded=a,c"), "422 schema_body; body #/excluded/1 enum");
  EXPECT_EQ(sent("excluded=a,"), "422 schema_body; body #/excluded/1 enum");
}

TEST(FormStyles, KeepTheirLimits) {
  const Document document = document_of(charges, {.body = {.members = 20}});
  const auto sent = [&](int count) {
    string fields = "amount=5&currency=usd";
    for (int i = 0; i < count; ++i) fields += "&expand[" + std::to_string(i) + "]=x";
    return post(document, "/v1/payment_intents", fields, form, token);
  };
  EXPECT_EQ(sent(17), "ok");
  EXPECT_EQ(sent(18), "ok");
  EXPECT_EQ(sent(19), "400 schema_body_syntax; body # syntax");
}

TEST(FormStyles, QueriesHaveThemToo) {
  const Document document = document_of(charges);
  const string path = "GET /v1/payment_intents";
  for (const string query :
       {"?expand[]=a", "?expand[0]=a&expand[1]=b", "?automatic_tax[enabled]=true",
        "?automatic_tax[enabled]=true&automatic_tax[liability][type]=self", "?created=5",
        "?created[gt]=5", "?automatic_tax%5Benabled%5D=false"})
    EXPECT_EQ(ask(document, path + query, token), "ok") << query;
  for (const string query :
       {"?expand=a", "?expand[1]=a", "?automatic_tax[enabled]=x", "?automatic_tax[liability]=self",
        "?automatic_tax[enabled]=true&automatic_tax[liability][__proto__]=x", "?created[$gt]=5",
        "?created=5&created[gt]=6", "?created[gt]=5&created[gt]=6",
        "?automatic_tax[enabled]=true&automatic_tax[x]=1", "?created[gt][a]=1", "?created[gt",
        "?created[gt]x=1"})
    EXPECT_NE(ask(document, path + query, token), "ok") << query;
  string most = path + "?expand[0]=a", more;
  for (int i = 1; i <= 20; ++i) most += "&expand[" + std::to_string(i) + "]=a";
  EXPECT_EQ(ask(document, most, token), "ok");
  EXPECT_EQ(ask(document, most + "&expand[21]=a", token),
            "400 schema_parameters; query expand # limit");
}

string styled(const string& type, const string& encoding, const string& version = "3.1.0") {
  return "openapi: " + version + R"(
info: {}
paths:
  /a:
    post:
      requestBody:
        content:
          )" +
         type + R"(:
            encoding: )" +
         encoding + R"(
            schema:
              type: object
              properties:
                n: {type: integer}
                list: {type: array, items: {type: string, maxLength: 3}}
                map: {type: object, properties: {a: {type: integer}}}
      responses: {'200': {description: ok}}
)";
}

TEST(FormStyles, ListsMayBeOneText) {
  const auto with = [](const string& style, const string& body) {
    return post(document_of(styled(form, "{list: {" + style + "}}")), "/a", body, form);
  };
  EXPECT_EQ(with("style: spaceDelimited, explode: false", "list=abc+def%20g"), "ok");
  EXPECT_EQ(with("style: pipeDelimited", "list=abc|def%7Cg"), "ok");
  EXPECT_EQ(with("style: form, explode: false", "list=abc,def"), "ok");
  EXPECT_EQ(with("style: form", "list=abc&list=def"), "ok");
  EXPECT_EQ(with("explode: false", "list=abc,defg"), "422 schema_body; body #/list/1 maxLength");
  EXPECT_EQ(with("style: pipeDelimited", "list=abc|defg"),
            "422 schema_body; body #/list/1 maxLength");
  EXPECT_EQ(with("style: spaceDelimited", "list=abc&list=def"), "422 schema_body; body # repeated");
  EXPECT_EQ(with("style: spaceDelimited", "list[]=abc"),
            "422 schema_body; body # unevaluatedProperties");
  EXPECT_EQ(with("allowReserved: true", "list=a:/"), "ok");
}

TEST(FormStyles, OfMultipartFormsHoldSince31) {
  const string type = "multipart/form-data";
  const Document document =
      document_of(styled(type, "{map: {style: deepObject}, list: {style: pipeDelimited}}"));
  const auto sent = [&](const string& name, const string& value, const string& more = "") {
    return post(document, "/a",
                "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" +
                    value + "\r\n--b--\r\n",
                type + "; boundary=b");
  };
  EXPECT_EQ(sent("map[a]", "5"), "ok");
  EXPECT_EQ(sent("map[a]", "x"), "422 schema_body; body #/map/a type");
  EXPECT_EQ(sent("map[__proto__]", "5"), "422 schema_body; body # unsafe_name");
  EXPECT_EQ(sent("list", "a|b"), "ok");
  EXPECT_EQ(sent("map[a]", "5", "\r\nContent-Type: application/json"),
            "422 schema_body; body #/map syntax");
  EXPECT_NE(sent("map[a]", "5", "; filename=\"x\"\r\nContent-Type: text/plain"), "ok");
  // OpenAPI 3.0 lets it count for nothing there, and Stripe means what it says.
  EXPECT_EQ(refused(styled(type, "{map: {style: deepObject}}", "3.0.3")), "");
}

TEST(FormStyles, OfADocumentThatCannotBeReadInOneWayAreProblems) {
  const auto problem = [](const string& encoding) { return refused(styled(form, encoding)); };
  EXPECT_EQ(
      problem(
          "{map: {style: deepObject, explode: true}, list: {style: deepObject}, n: {style: form}}"),
      "");
  EXPECT_NE(problem("{map: {style: form}}").find("an object in a form is a deepObject"),
            string::npos);
  EXPECT_NE(problem("{map: {style: pipeDelimited}}").find("an object in a form is a deepObject"),
            string::npos);
  EXPECT_NE(
      problem("{list: {style: spaceDelimited, explode: true}}").find("needs 'explode: false'"),
      string::npos);
  EXPECT_NE(problem("{list: {style: simple}}").find("the styles of a form are"), string::npos);
  EXPECT_NE(problem("{lst: {style: deepObject}}").find("has no member 'lst'"), string::npos);
  EXPECT_NE(
      problem("{map: {style: deepObject, contentType: text/plain}}").find("leave one of them out"),
      string::npos);
  EXPECT_NE(problem("{map: {style: deepObject, explode: 1}}").find("true or false"), string::npos);
  EXPECT_NE(problem("{map: {style: deepObject, headers: {X-A: {schema: {type: string}}}}}")
                .find("not obeyed here"),
            string::npos);
}

}  // namespace
}  // namespace moat::openapi
