// SPDX-License-Identifier: Apache-2.0
// Requests that one program reads in one way and another in another: what is judged must be what
// the backend will see.
#include <gtest/gtest.h>

#include "moat/openapi/internal/orders_fixture.h"

namespace moat::openapi {
namespace {

using std::string;
using std::string_view;

string path_parameter(string_view name, string_view schema = "{type: string}") {
  return "{name: " + string(name) + ", in: path, required: true, schema: " + string(schema) + "}";
}

TEST(TwoReadings, OfASegmentThatIsNearlyALiteralAreRefused) {
  const Document document = document_of(
      with_paths("  /users/me: {get: {}, delete: {}}\n  /users/{name}: {get: {parameters: [" +
                 path_parameter("name") + "]}}\n  /users/{name}/keys: {get: {parameters: [" +
                 path_parameter("name") + "]}}\n  /users/admin/keys/all: {get: {}}\n"));
  for (const string name : {"mee", "m", "me2", "m.e", "x.me", "me-x", "a;me", "%2B", "m%C3%A9"})
    EXPECT_EQ(ask(document, "GET /users/" + name), "ok") << name;
  // Express folds case, Tomcat cuts off what is behind a ';', Rails what is behind a dot, Windows
  // dots and spaces.
  for (const string name : {"ME", "Me", "m%45", "me;x=1", "me;", "me.json", "ME.json;x", "me.",
                            "me%20", "me%3Bx", "me.JSON"})
    EXPECT_EQ(ask(document, "GET /users/" + name), "404 schema_no_operation") << name;
  // Where the literal leads nowhere, the parameter may look like it.
  EXPECT_EQ(ask(document, "GET /users/me/keys"), "ok");
  EXPECT_EQ(ask(document, "GET /users/ME/keys"), "ok");
  EXPECT_EQ(ask(document, "GET /users/Admin"), "ok");
  EXPECT_EQ(ask(document, "GET /users/admin/keys"), "ok");
}

TEST(TwoReadings, OfAnEncodedLiteralAreRefused) {
  const Document document =
      document_of(with_paths("  /jobs/{id}: {get: {parameters: [" + path_parameter("id") +
                             "]}}\n  /jobs/{id}:stop: {get: {parameters: [" +
                             path_parameter("id", "{type: integer}") + "]}}\n"));
  EXPECT_EQ(ask(document, "GET /jobs/5"), "ok");
  EXPECT_EQ(ask(document, "GET /jobs/5%20x"), "ok");
  EXPECT_EQ(ask(document, "GET /jobs/%35:stop"), "ok");
  EXPECT_EQ(ask(document, "GET /jobs/x:stop"), "400 schema_parameters; path id # type");
  // Whoever decodes it first finds the other operation.
  EXPECT_EQ(ask(document, "GET /jobs/x%3Astop"), "404 schema_no_operation");
  EXPECT_EQ(ask(document, "GET /jobs/x:st%6Fp"), "404 schema_no_operation");
}

TEST(TwoReadings, OfPartsOfASegmentMustBothFit) {
  const Document document = document_of(with_paths(
      "  /r/{a}-{b}: {get: {parameters: [" + path_parameter("a", "{type: string, maxLength: 3}") +
      ", " + path_parameter("b", "{type: string, maxLength: 3}") +
      "]}}\n  /f/{n}.{e}: {get: " + "{parameters: [" + path_parameter("n") + ", " +
      path_parameter("e", "{enum: [png]}") + "]}}\n  /t/{a}-{b}-{c}: {get: {parameters: [" +
      path_parameter("a", "{type: string, maxLength: 1}") + ", " + path_parameter("b") + ", " +
      path_parameter("c", "{type: string, maxLength: 1}") + "]}}\n"));
  for (const string path : {"/r/a-b", "/r/abc-def", "/r/a-b-c", "/f/a.png", "/t/a-b-c"})
    EXPECT_EQ(ask(document, "GET " + path), "ok") << path;
  // As "a" and "b-cd" to the one, as "a-b" and "cd" to the other.
  EXPECT_EQ(ask(document, "GET /r/a-b-cd"), "400 schema_parameters; path b # maxLength");
  EXPECT_EQ(ask(document, "GET /r/ab-c-d"), "400 schema_parameters; path a # maxLength");
  EXPECT_EQ(ask(document, "GET /f/a.gif.png"), "400 schema_parameters; path e # enum");
  EXPECT_EQ(ask(document, "GET /t/a-b-c-d"), "400 schema_parameters; path c # maxLength");
  // A separator that is encoded is one to whoever decodes first.
  EXPECT_EQ(ask(document, "GET /r/a%2Db-c"), "404 schema_no_operation");
  EXPECT_EQ(ask(document, "GET /r/a%62-c"), "ok");
}

TEST(TwoReadings, OfAPathDoNotCostMoreThanItsTemplates) {
  string paths;
  string path;
  for (int i = 0; i < 40; ++i) {
    path += "/a";
    string other = path + "/{x" + std::to_string(i) + "}";
    paths +=
        "  " + other + ": {get: {parameters: [" + path_parameter("x" + std::to_string(i)) + "]}}\n";
  }
  const Document document = document_of(with_paths(paths));
  string asked;
  for (int i = 0; i < 40; ++i) asked += i % 2 == 0 ? "/A" : "/a";
  EXPECT_EQ(ask(document, "GET " + asked + "/b"), "404 schema_no_operation");
}

TEST(TwoReadings, OfAQueryAreRefused) {
  const Document document = document_of(orders);
  for (const string query : {"tag=a;limit=1000", "tag=a;", ";limit=1", "tag=;;"})
    EXPECT_EQ(ask(document, "GET /orders?" + query), "400 schema_parameters; query # syntax")
        << query;
  EXPECT_EQ(ask(document, "GET /orders?tag=a%3Blimit=1000"), "ok");
  const Document loose = document_of(orders, {.allow_unknown_query = true});
  EXPECT_EQ(ask(loose, "GET /orders?other=1"), "ok");
  EXPECT_EQ(ask(loose, "GET /orders?tag=a;limit=1000"), "400 schema_parameters; query # syntax");
  EXPECT_EQ(ask(loose, "GET /orders?_method=DELETE"), "400 schema_parameters; query # unknown");
}

TEST(TwoReadings, OfEncodedSeparatorsMustBothFit) {
  const Document document = document_of(with_paths(R"(
  /a:
    get:
      parameters:
        - {name: c, in: query, explode: false, schema: {type: array, items: {type: string}, maxItems: 2}}
        - {name: p, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: string}, maxItems: 2}}
        - {name: s, in: query, style: spaceDelimited, explode: false, schema: {type: array, items: {type: string}, maxItems: 2}}
        - {name: o, in: query, explode: false, schema: {type: object, properties: {a: {type: string}}}}
  /p/{l}: {get: {parameters: [{name: l, in: path, required: true, schema: {type: array, items: {type: string}, maxItems: 2}}]}}
)"));
  for (const string target :
       {"/a?c=a,b", "/a?c=a%2Cb", "/a?p=a%7Cb", "/a?s=a%20b", "/a?o=a,x", "/p/a%2Cb"})
    EXPECT_EQ(ask(document, "GET " + target), "ok") << target;
  for (const string target :
       {"/a?c=a%2Cb%2cc", "/a?c=a,b%2Cc", "/a?p=a|b%7Cc", "/a?s=a+b%20c", "/p/a%2Cb%2Cc"})
    EXPECT_NE(ask(document, "GET " + target).find("maxItems"), string::npos) << target;
  EXPECT_NE(ask(document, "GET /a?o=a,x%2Cb,y"), "ok");
}

TEST(TwoReadings, OfACookieMustAllFit) {
  const Document document = document_of(with_paths(
      "  /a: {get: {parameters: [{name: c, in: cookie, schema: {type: string, pattern: '^[^<]*$', "
      "maxLength: 12}}, {name: n, in: cookie, schema: {type: integer}}]}}\n"));
  const auto with = [&](string_view cookie) { return ask(document, "GET /a", {}, cookie); };
  for (const string cookie : {"c=x", "c=\"x y\"", "c=a%20b", "c=100%", "c=a%zz", "n=5", "other=<",
                              "c=\"", "c=\"\"", "c="})
    EXPECT_EQ(with(cookie), "ok") << cookie;
  EXPECT_EQ(with("c=<"), "400 schema_parameters; cookie c # pattern");
  EXPECT_EQ(with("c=%3Cscript"), "400 schema_parameters; cookie c # pattern");
  EXPECT_EQ(with("c=\"%3Cx\""), "400 schema_parameters; cookie c # pattern");
  // White space around the sign.
  for (const string cookie : {"n =x", "n= x", " n = x", "a=b;n\t=x"})
    EXPECT_EQ(with(cookie), "400 schema_parameters; cookie n # type") << cookie;
  EXPECT_EQ(with("n=1; n =2"), "400 schema_parameters; cookie n # repeated");
  EXPECT_EQ(with("n=\"5\""), "400 schema_parameters; cookie n # type");
}

TEST(TwoReadings, OfTheMethodAreRefused) {
  const Document plain = document_of(orders);
  for (const string name :
       {"X-HTTP-Method-Override", "x_http_method_override", "X-Http_Method", "x-method-override"})
    EXPECT_EQ(ask(plain, "GET /orders", {{name, "DELETE"}}),
              "400 schema_parameters; header # unknown")
        << name;
  EXPECT_EQ(ask(plain, "GET /orders", {{"X-HTTP-Methods", "DELETE"}}), "ok");
  const Document document = document_of(with_paths(R"(
  /a:
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded: {}
          multipart/form-data: {schema: {type: object}}
          application/json: {}
  /b:
    post:
      requestBody:
        content:
          application/json: {schema: {type: object, properties: {_method: {enum: [put]}}}}
          application/x-www-form-urlencoded: {schema: {type: object, properties: {_method: {enum: [put]}}}}
)"));
  const string form = "application/x-www-form-urlencoded";
  EXPECT_EQ(post(document, "/a", "x=1&method=DELETE", form), "ok");
  EXPECT_EQ(post(document, "/a", "x=1&_method=DELETE", form), "422 schema_body; body # unknown");
  EXPECT_EQ(post(document, "/a", "%5Fmethod=DELETE", form), "422 schema_body; body # unknown");
  EXPECT_EQ(post(document, "/b", "_method=put", form), "ok");
  EXPECT_EQ(post(document, "/a",
                 "--b\r\nContent-Disposition: form-data; name=\"_method\"\r\n\r\nDELETE\r\n--b--",
                 "multipart/form-data; boundary=b"),
            "422 schema_body; body # unknown");
  EXPECT_EQ(post(document, "/a", R"({"x":1,"_method":"DELETE"})"),
            "422 schema_body; body # unknown");
  EXPECT_EQ(post(document, "/a", R"({"x":{"_method":1},"method":"DELETE"})"), "ok");
  EXPECT_EQ(post(document, "/a", R"(["_method"])"), "ok");
  EXPECT_EQ(post(document, "/b", R"({"_method":"put"})"), "ok");
  // Rack and PHP take it for a text, whatever type it has.
  EXPECT_EQ(post(document, "/a",
                 "--b\r\nContent-Disposition: form-data; name=\"_method\"\r\n"
                 "Content-Type: text/html\r\n\r\nDELETE\r\n--b--",
                 "multipart/form-data; boundary=b"),
            "422 schema_body; body # unknown");
}

TEST(TwoReadings, OfATypeThatARangeStandsForAreRefused) {
  const Document document = document_of(with_paths(R"(
  /any: {post: {requestBody: {content: {'*/*': {schema: {type: object, properties: {a: {type: integer}}}}}}}}
  /app: {post: {requestBody: {content: {'application/*': {schema: {type: array}}}}}}
  /file: {post: {requestBody: {content: {'*/*': {schema: {type: string, format: binary}}}}}}
  /free: {post: {requestBody: {content: {'*/*': {}}}}}
  /xml: {post: {requestBody: {content: {application/xml: {schema: {type: object}}}}}}
)"),
                                        {.allow_unread_bodies = {"application/xml"}});
  EXPECT_EQ(post(document, "/any", "{\"a\":1}"), "ok");
  EXPECT_EQ(post(document, "/any", "{\"a\":1}", "application/vnd.api+json"), "ok");
  EXPECT_EQ(post(document, "/any", "a=1", "application/x-www-form-urlencoded"), "ok");
  EXPECT_EQ(post(document, "/any", "{\"a\":\"x\"}"), "422 schema_body; body #/a type");
  for (const string type : {"text/json", "application/jsonrequest", "application/x-json", "a/b",
                            "application/yaml", "text/html"})
    EXPECT_EQ(post(document, "/any", "{\"a\":\"x\"}", type), "415 schema_content_type; body # type")
        << type;
  EXPECT_EQ(post(document, "/app", "<a/>", "application/xml"),
            "415 schema_content_type; body # type");
  EXPECT_EQ(post(document, "/file", "\x89PNG", "image/png"), "ok");
  EXPECT_EQ(post(document, "/free", "x", "image/png"), "ok");
  EXPECT_EQ(post(document, "/xml", "<a/>", "application/xml"), "ok");
}

TEST(Answers, AreNotMuchLongerThanTheRequest) {
  string parameters;
  string query;
  for (int i = 0; i < 40; ++i) {
    const string name = "p" + std::to_string(i);
    parameters += "{name: " + name + ", in: query, schema: {type: array, items: {type: integer}}},";
    for (int k = 0; k < 20; ++k) query += (query.empty() ? "" : "&") + name + "=x";
  }
  const Document document =
      document_of(with_paths("  /a: {get: {parameters: [" + parameters + "]}}\n"));
  const auto match = document.find("GET", "/a");
  ASSERT_TRUE(match);
  const auto refusal = document.check_head(*match, {.method = "GET", .path = "/a", .query = query});
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->errors.size(), 64u);
}

TEST(Answers, MaySetSeveralCookies) {
  const Document document = document_of(
      with_paths("  /a: {get: {responses: {'200': {description: x, headers: {Set-Cookie: {schema: "
                 "{type: string, maxLength: 5}}, X-One: {schema: {type: string}}}}}}}\n"),
      {.checks_responses = true});
  const Operation& operation = *document.find("GET", "/a")->operation;
  const auto with = [&](const Fields& fields) {
    return summary(document.check_response_head(operation, 200, "", false, fields));
  };
  EXPECT_EQ(with({{"set-cookie", "a=1"}, {"Set-Cookie", "b=22"}}), "ok");
  EXPECT_EQ(with({{"set-cookie", "a=1"}, {"Set-Cookie", "b=2222"}}),
            "502 schema_response_headers; header Set-Cookie # maxLength");
  EXPECT_EQ(with({{"x-one", "a"}, {"x-one", "b"}}),
            "502 schema_response_headers; header X-One # repeated");
}

}  // namespace
}  // namespace moat::openapi
