// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "moat/openapi/internal/orders_fixture.h"

namespace moat::openapi {
namespace {

using std::string;

TEST(Document, TellsItsOperations) {
  const Document document = document_of(orders);
  string names;
  for (const Operation* operation : document.operations()) names += name_of(*operation) + "\n";
  EXPECT_EQ(names,
            "GET /orders (listOrders)\nPOST /orders (createOrder)\nGET /orders/{id}\n"
            "DELETE /orders/{id}\nGET /orders/mine\n");
  const auto lines = describe(*document.find("POST", "/orders")->operation);
  EXPECT_EQ(lines, std::vector<string>{"body: application/json, required"});
  EXPECT_EQ(describe(*document.find("GET", "/orders/1")->operation)[0],
            "header X-Trace: string, required");
}

TEST(Document, MayBeJson) {
  EXPECT_EQ(refused(R"({"openapi":"3.0.3","info":{},"paths":{"/a":{"get":{"responses":{}}}}})"),
            "");
  EXPECT_EQ(refused("{\"openapi\":\"3.0.3\",\n\"paths\":{},}"),
            "openapi.yaml:2: this is no JSON: syntax\n");
}

TEST(Document, SaysWhereItIsWrong) {
  const std::vector<std::pair<string, string>> bad = {
      {"a: 1",
       "openapi.yaml:1: 'openapi' is the version as a text: 3.0.x and 3.1.x are understood\n"},
      {"openapi: 3.1",
       "openapi.yaml:1: /openapi: 'openapi' is the version as a text: 3.0.x and 3.1.x are "
       "understood\n"},
      {"openapi: 3.2.0",
       "openapi.yaml:1: /openapi: 'openapi' is the version as a text: 3.0.x and 3.1.x are "
       "understood\n"},
      {"swagger: '2.0'",
       "openapi.yaml:1: this is Swagger 2.0; OpenAPI 3.0 and 3.1 are understood\n"},
      {"- 1",
       "openapi.yaml:1: an OpenAPI document is a mapping that begins with 'openapi: 3.1.0'\n"},
      {"openapi: 3.1.0\npaths: {}", "openapi.yaml:1: a document needs the field 'info'\n"},
      {"openapi: 3.1.0\ninfo: {}\npaths: {}",
       "openapi.yaml:1: it describes no operation, so that every request would be refused\n"},
      {with_paths("  /a:\n    gets: {}\n"),
       "openapi.yaml:5: /paths/~1a/gets: a path item has no field 'gets'; did you mean 'get'?\n"},
      {with_paths("  /a:\n    get:\n      paramters: []\n"),
       "openapi.yaml:6: /paths/~1a/get/paramters: an operation has no field 'paramters'; did you "
       "mean "
       "'parameters'?\n"},
      {with_paths("  a: {get: {}}\n"), "openapi.yaml:4: /paths/a: a path begins with a slash\n"},
      {with_paths("  /a: {get: {parameters: {}}}\n"),
       "openapi.yaml:4: /paths/~1a/get/parameters: this is a list\n"},
      {with_paths("  /a: {get: {parameters: [{name: x, in: body, schema: {}}]}}\n"),
       "openapi.yaml:4: /paths/~1a/get/parameters/0: 'in' is path, query, header or cookie\n"},
      {with_paths("  /a: {get: {parameters: [{name: x, in: query}]}}\n"),
       "openapi.yaml:4: /paths/~1a/get/parameters/0: a parameter has a schema, or content of one "
       "type\n"},
      {with_paths("  /a: {get: {parameters: [{name: x, in: query, style: simple, schema: {}}]}}\n"),
       "openapi.yaml:4: /paths/~1a/get/parameters/0/style: the styles of such a parameter are: "
       "form, "
       "spaceDelimited, pipeDelimited, deepObject\n"},
      {with_paths("  /a: {get: {parameters: [{name: x, in: query, schema: {}}, {name: x, in: "
                  "query, schema: {}}]}}\n"),
       "openapi.yaml:4: /paths/~1a/get/parameters/1: the parameter 'x' stands here twice\n"},
      {with_paths("  /a/{b}: {get: {}}\n"),
       "openapi.yaml:4: /paths/~1a~1{b}/get: no parameter describes '{b}' of the path\n"},
      {with_paths("  /a: {get: {parameters: [{name: x, in: path, required: true, schema: {}}]}}\n"),
       "openapi.yaml:4: /paths/~1a/get/parameters/0: the path has no '{x}'\n"},
      {with_paths("  /{b}: {get: {parameters: [{name: b, in: path, schema: {}}]}}\n"),
       "openapi.yaml:4: /paths/~1{b}/get/parameters/0: a parameter in the path is 'required: "
       "true'\n"},
      {with_paths("  /{a}{b}: {get: {}}\n"),
       "openapi.yaml:4: /paths/~1{a}{b}: between 'a' and 'b' stands nothing: where one ends could "
       "not be "
       "told\n"},
      {with_paths("  /{a: {get: {}}\n"),
       "openapi.yaml:4: /paths/~1{a: '{' without '}' in its segment\n"},
      {with_paths("  /a: {get: {operationId: x}, put: {operationId: x}}\n"),
       "openapi.yaml:4: /paths/~1a/put: two operations have the operationId 'x'\n"},
      {with_paths("  /a: {post: {requestBody: {content: {json: {}}}}}\n"),
       "openapi.yaml:4: /paths/~1a/post/requestBody/content/json: this is no media type: "
       "\"application/json\", \"image/*\", \"*/*\"\n"},
      {with_paths("  /a: {post: {requestBody: {$ref: '#/components/requestBodies/X'}}}\n"),
       "openapi.yaml:4: /paths/~1a/post/requestBody/$ref: this reference leads nowhere\n"},
      {with_paths(
           "  /a: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/x'}}}}}}\n"),
       "openapi.yaml:4: /paths/~1a/post/requestBody/content/application~1json/schema/$ref: this "
       "reference "
       "leads nowhere\n"},
      {with_paths(
           "  /a: {post: {requestBody: {content: {application/json: {schema: {type: strin}}}}}}\n"),
       "openapi.yaml:4: /paths/~1a/post/requestBody/content/application~1json/schema/type: "},
      {with_paths("  /a: {post: {requestBody: {content: {application/json: {schema: {pattern: "
                  "'(?=a)'}}}}}}\n"),
       "openapi.yaml:4: /paths/~1a/post/requestBody/content/application~1json/schema/pattern: "},
      {"openapi: 3.0.0\ninfo: {}\npaths:\n  /a: {post: {requestBody: {content: {a/b: {schema: "
       "{const: 1}}}}}}\n",
       "openapi.yaml:4: /paths/~1a/post/requestBody/content/a~1b/schema/const: a schema of OpenAPI "
       "3.0 has no "
       "'const'\n"},
      {"openapi: 3.0.0\ninfo: {}\nwebhooks: {}\npaths: {/a: {get: {}}}\n",
       "openapi.yaml:3: /webhooks: 'webhooks' came with OpenAPI 3.1\n"},
  };
  for (const auto& [text, why] : bad) {
    const string said = refused(text);
    EXPECT_EQ(said.substr(0, why.size()), why) << text;
  }
}

TEST(Document, TellsOfAllProblems) {
  EXPECT_EQ(
      refused(with_paths(
          "  /a: {post: {requestBody: {content: {application/json: {schema: {type: x}}}}}}\n"
          "  /b: {post: {requestBody: {content: {application/json: {schema: {minimum: x}}}}}}\n")),
      "openapi.yaml:4: /paths/~1a/post/requestBody/content/application~1json/schema/type: type is "
      "one of "
      "null, boolean, integer, number, string, array, object, or a list of them without "
      "repetition\n"
      "openapi.yaml:5: /paths/~1b/post/requestBody/content/application~1json/schema/minimum: "
      "minimum is a "
      "number\n");
}

TEST(Document, PathsOfOneShapeAreOne) {
  const string parameter = "parameters: [{name: NAME, in: path, required: true, schema: {}}]";
  const auto item = [&](const string& path, const string& name, const string& method = "get") {
    string text = parameter;
    text.replace(text.find("NAME"), 4, name);
    return "  " + path + ": {" + method + ": {" + text + "}}\n";
  };
  EXPECT_EQ(refused(with_paths(item("/a/{x}", "x") + item("/a/{y}", "y"))),
            "openapi.yaml:5: /paths/~1a~1{y}/get: two operations have this method and this path, "
            "'/a/{x}'\n");
  EXPECT_EQ(refused(with_paths(item("/a/{x}/b", "x") + item("/a/{y}/c", "y"))), "");
  // Google's services have one method here and another there.
  const Document document =
      document_of(with_paths(item("/a/{x}", "x") + item("/a/{y}", "y", "delete")));
  EXPECT_EQ(ask(document, "GET /a/5"), "ok");
  EXPECT_EQ(ask(document, "DELETE /a/5"), "ok");
  EXPECT_EQ(ask(document, "PUT /a/5"), "405 schema_no_method");
  EXPECT_EQ(document.find("PUT", "/a/5").error().allow, "GET, DELETE, HEAD");
}

TEST(Document, StandsBehindItsServers) {
  const string paths = "paths: {/a: {get: {}}}\n";
  const auto with = [&](const string& servers, const DocumentOptions& options = {}) {
    return document_of("openapi: 3.1.0\ninfo: {}\n" + servers + paths, options);
  };
  const Document plain = with("");
  EXPECT_EQ(ask(plain, "GET /a"), "ok");
  const Document two = with("servers: [{url: 'https://api.example.com/v1/'}, {url: /v2}]\n");
  EXPECT_EQ(ask(two, "GET /a"), "404 schema_no_operation");
  EXPECT_EQ(ask(two, "GET /v1/a"), "ok");
  EXPECT_EQ(ask(two, "GET /v2/a"), "ok");
  const Document variable = with(
      "servers: [{url: 'https://{host}/{base}', variables: {host: {default: x}, base: {default: "
      "v3}}}]\n");
  EXPECT_EQ(ask(variable, "GET /v3/a"), "ok");
  const Document given = with("servers: [{url: /v2}]\n", {.base_path = "/api/"});
  EXPECT_EQ(ask(given, "GET /api/a"), "ok");
  EXPECT_EQ(ask(given, "GET /v2/a"), "404 schema_no_operation");
  EXPECT_EQ(refused("openapi: 3.1.0\ninfo: {}\nservers: [{url: '/{x}'}]\n" + paths),
            "openapi.yaml:3: /servers/0/url: the variable 'x' has no default\n");
  const Document own = document_of(
      with_paths("  /a: {servers: [{url: /x}], get: {}, put: {servers: [{url: /y}]}}\n"));
  EXPECT_EQ(ask(own, "GET /x/a"), "ok");
  EXPECT_EQ(ask(own, "PUT /y/a"), "ok");
  EXPECT_EQ(ask(own, "PUT /x/a"), "405 schema_no_method");
}

TEST(Document, OfVersion30HasItsOwnSchemas) {
  const Document document = document_of(R"(
openapi: 3.0.3
info: {}
paths:
  /a:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                maybe: {type: string, nullable: true}
                text: {type: string}
                above: {type: integer, minimum: 3, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false}
                both: {allOf: [{type: object, properties: {n: {type: integer, nullable: true}}}]}
)");
  EXPECT_EQ(post(document, "/a", R"({"maybe":null,"above":4,"both":{"n":null}})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"above":9})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"text":null})"), "422 schema_body; body #/text type");
  EXPECT_EQ(post(document, "/a", R"({"above":3})"),
            "422 schema_body; body #/above exclusiveMinimum");
  EXPECT_EQ(post(document, "/a", R"({"above":10})"), "422 schema_body; body #/above maximum");
  EXPECT_EQ(post(document, "/a", R"({"both":{"m":1}})"),
            "422 schema_body; body #/both unevaluatedProperties");
}

TEST(Document, FollowsReferencesIntoItsFolder) {
  const std::map<string, string, std::less<>> files = {
      {"schemas/order.yaml",
       "Order: {type: object, required: [item], properties: {item: {$ref: 'parts/item.json'}, "
       "next: {$ref: '#/Order'}}}"},
      {"schemas/parts/item.json", R"({"type":"string","maxLength":3})"},
      {"paths/a.yaml", "post: {requestBody: {$ref: '../bodies.yaml#/order'}}"},
      {"bodies.yaml",
       "order: {content: {application/json: {schema: {$ref: 'schemas/order.yaml#/Order'}}}}"},
      {"broken.yaml", "a: [1"},
      {"typo.yaml", "psot: {}"},
  };
  std::vector<string> asked;
  DocumentOptions options;
  options.loader = [&](std::string_view name) -> Result<string, string> {
    asked.emplace_back(name);
    const auto file = files.find(name);
    if (file == files.end()) return Error{string("there is no such file")};
    return file->second;
  };
  const Document document = document_of(with_paths("  /a: {$ref: 'paths/a.yaml'}\n"), options);
  EXPECT_EQ(post(document, "/a", R"({"item":"abc","next":{"item":"x"}})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"item":"abcd"})"), "422 schema_body; body #/item maxLength");
  EXPECT_EQ(post(document, "/a", R"({"item":"a","next":{}})"),
            "422 schema_body; body #/next required");
  EXPECT_EQ(asked, (std::vector<string>{"paths/a.yaml", "bodies.yaml", "schemas/order.yaml",
                                        "schemas/parts/item.json"}));
  const auto with = [&](const string& reference) {
    return refused(with_paths("  /a: {$ref: '" + reference + "'}\n"), options);
  };
  EXPECT_EQ(with("none.yaml"),
            "openapi.yaml:4: /paths/~1a/$ref: cannot read 'none.yaml': there is no such file\n");
  EXPECT_EQ(with("broken.yaml"),
            "openapi.yaml:4: /paths/~1a/$ref: broken.yaml:2: did not find expected ',' or ']'\n");
  EXPECT_EQ(with("typo.yaml"),
            "typo.yaml:1: /psot: a path item has no field 'psot'; did you mean 'post'?\n");
  asked.clear();
  for (const string outside :
       {"../x.yaml", "/etc/passwd", "https://example.com/a.yaml", "file:///etc/passwd",
        "a/../../x.yaml", "..\\\\x.yaml", "%2e%2e/x.yaml", "//example.com/x"})
    EXPECT_NE(with(outside).find("in its folder or below; nothing is fetched"), string::npos)
        << with(outside);
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(refused(with_paths("  /a: {$ref: 'x.yaml'}\n")),
            "openapi.yaml:4: /paths/~1a/$ref: other files cannot be read here\n");
}

TEST(Document, ReferencesDoNotGoRound) {
  EXPECT_EQ(
      refused(
          with_paths("  /a: {get: {parameters: [{$ref: '#/components/parameters/A'}]}}\n"
                     "components: {parameters: {A: {$ref: '#/components/parameters/B'}, B: {$ref: "
                     "'#/components/parameters/A'}}}\n"))
          .find("openapi.yaml:4: /paths/~1a/get/parameters/0/$ref: references lead in a circle\n"),
      0u);
  EXPECT_NE(
      refused(with_paths(
          "  /a: {post: {requestBody: {content: {a/json: {}, application/json: {schema: {$ref: "
          "'#/components/schemas/A'}}}}}}\n"
          "components: {schemas: {A: {$ref: '#/components/schemas/A'}}}\n")),
      "");
}

TEST(Document, WritesNothingToTheTerminalThatItWouldObey) {
  EXPECT_EQ(refused(with_paths("  \"/a\\e[2J\": {gets: {}}\n")),
            "openapi.yaml:4: /paths/~1a?[2J/gets: a path item has no field 'gets'; did you mean "
            "'get'?\n");
  const Document document =
      document_of(with_paths("  /a: {get: {operationId: \"x\\e[2J\", parameters: [{name: \"y\\a\", "
                             "in: query, schema: {}}]}}\n"));
  EXPECT_EQ(name_of(*document.operations()[0]), "GET /a (x?[2J)");
  EXPECT_EQ(describe(*document.operations()[0])[0], "query y?: a value");
}

TEST(Document, KeepsItsLimits) {
  DocumentOptions options;
  options.max_bytes = orders.size();
  EXPECT_EQ(refused(orders, options), "");
  options.max_bytes = orders.size() - 1;
  EXPECT_EQ(refused(orders, options), "openapi.yaml: the document has more than " +
                                          std::to_string(orders.size() - 1) + " bytes\n");
}

}  // namespace
}  // namespace moat::openapi
