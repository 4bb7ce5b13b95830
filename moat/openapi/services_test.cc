// SPDX-License-Identifier: Apache-2.0
// Documents as people and generators write them: they load, and sensible requests pass.
#include <gtest/gtest.h>

#include "moat/openapi/internal/orders_fixture.h"

namespace moat::openapi {
namespace {

using std::string;
using std::string_view;

// By hand, 3.0, with what grows out of the petstore of the specification.
constexpr string_view petstore = R"(
openapi: 3.0.4
info: {title: Petstore, version: 1.0.0, license: {name: MIT}}
servers: [{url: 'https://petstore.example/v2', description: all}]
tags: [{name: pets}]
security: [{key: []}]
paths:
  /pets:
    get:
      tags: [pets]
      operationId: findPets
      parameters:
        - {name: tags, in: query, style: form, schema: {type: array, items: {type: string}}}
        - {name: limit, in: query, schema: {type: integer, format: int32, default: '20'}}
      responses:
        '200': {description: pets, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}
        default: {description: error, content: {application/json: {schema: {$ref: '#/components/schemas/Error'}}}}
    post:
      operationId: addPet
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/NewPet'}, examples: {cat: {value: {name: Tom}}}}
      responses: {'200': {description: pet, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
  /pets/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, format: int64}}]
    get: {operationId: findPet, responses: {'200': {description: pet}}}
    put:
      operationId: replacePet
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
      responses: {'204': {description: done}}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    Base:
      type: object
      properties: {id: {type: integer, format: int64, readOnly: true}, made: {$ref: '#/components/schemas/Moment'}}
    Moment: {type: string, format: date-time, readOnly: true}
    Pet:
      required: [id, made, name]
      allOf:
        - $ref: '#/components/schemas/Base'
        - $ref: '#/components/schemas/NewPet'
        - required: [id]
    NewPet:
      type: object
      required: [name]
      properties:
        name: {type: string}
        tag: {type: string, nullable: true}
        kind: {$ref: '#/components/schemas/Kind', example: cat, deprecated: true}
        weight: {type: number, minimum: 0, exclusiveMinimum: true}
    Kind: {type: string, enum: [cat, dog]}
    Error: {type: object, required: [code], properties: {code: {type: integer}, message: {type: string}}}
)";

TEST(Services, ThePetstore) {
  const Document document = document_of(petstore, {.checks_responses = true});
  const Fields key = {{"X-Key", "k"}};
  EXPECT_EQ(ask(document, "GET /v2/pets", key), "ok");
  EXPECT_EQ(ask(document, "GET /v2/pets"), "401 schema_credentials; header X-Key # missing");
  EXPECT_EQ(ask(document, "GET /v2/pets?tags=a&tags=b&limit=5", key), "ok");
  EXPECT_EQ(ask(document, "GET /v2/pets?limit=5000000000", key),
            "400 schema_parameters; query limit # maximum");
  EXPECT_EQ(ask(document, "GET /v2/pets/5", key), "ok");
  const auto add = [&](string_view body) {
    return post(document, "/v2/pets", body, "application/json", key);
  };
  EXPECT_EQ(add(R"({"name":"Tom","tag":null,"kind":"cat","weight":0.5})"), "ok");
  EXPECT_EQ(add(R"({"name":"Tom","kind":"cow"})"), "422 schema_body; body #/kind enum");
  const Operation& put = *document.find("PUT", "/v2/pets/5")->operation;
  const auto replace = [&](string_view body) {
    return summary(document.check_body(put, "application/json", body));
  };
  // What only the server says is not demanded of a client, wherever the document demands it.
  EXPECT_EQ(replace(R"({"name":"Tom"})"), "ok");
  EXPECT_EQ(replace(R"({"tag":"x"})"), "422 schema_body; body # required");
  EXPECT_EQ(replace(R"({"name":"Tom","id":7})").substr(0, 27), "422 schema_body; body #/id ");
  EXPECT_EQ(replace(R"({"name":"Tom","made":"2026-01-01T00:00:00Z"})").substr(0, 29),
            "422 schema_body; body #/made ");
  const Operation& get = *document.find("GET", "/v2/pets")->operation;
  const auto answer = [&](string_view body) {
    return summary(document.check_response_body(get, 200, "application/json", body));
  };
  EXPECT_EQ(answer(R"([{"id":1,"made":"2026-01-01T00:00:00Z","name":"Tom"}])"), "ok");
  EXPECT_EQ(answer(R"([{"id":1,"name":"Tom"}])").substr(0, 26), "502 schema_response_body; ");
}

// Forms and queries with members in brackets.
constexpr string_view payments = R"(
openapi: 3.0.0
info: {title: Payments, version: '2024-01-01'}
servers: [{url: 'https://api.payments.example/'}]
paths:
  /v1/charges:
    get:
      operationId: GetCharges
      parameters:
        - {name: created, in: query, required: false, style: deepObject, explode: true, schema: {anyOf: [{properties: {gt: {type: integer}, lte: {type: integer}}, title: range_query_specs, type: object}, {type: integer}]}}
        - {name: expand, in: query, style: deepObject, explode: true, schema: {type: array, items: {maxLength: 5000, type: string}}}
        - {name: metadata, in: query, style: deepObject, explode: true, schema: {type: object, additionalProperties: {type: string}}}
        - {name: limit, in: query, style: form, schema: {type: integer}}
      requestBody: {content: {application/x-www-form-urlencoded: {encoding: {}, schema: {properties: {}, type: object}}}, required: false}
      responses: {'200': {description: all}}
    post:
      operationId: PostCharges
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              properties:
                amount: {type: integer}
                currency: {type: string, maxLength: 3}
                description: {anyOf: [{type: string, maxLength: 40000}, {type: string, enum: ['']}]}
                capture: {type: boolean}
      responses: {'200': {description: made}}
)";

TEST(Services, AFormApi) {
  const Document document = document_of(payments);
  for (const string query :
       {"", "?limit=3", "?created=1700000000", "?created[gt]=1&created[lte]=2",
        "?created%5Bgt%5D=1", "?expand[]=a&expand[]=b", "?expand[0]=a&expand[1]=b",
        "?metadata[order]=6735", "?metadata[a]=1&metadata[b]=x"})
    EXPECT_EQ(ask(document, "GET /v1/charges" + query), "ok") << query;
  for (const string query :
       {"?created=x", "?created[gt]=x", "?created[ne]=1", "?created=1&created[gt]=2",
        "?created[gt]=1&created[gt]=2", "?created[]=1", "?expand[a]=1", "?metadata[$gt]=1",
        "?metadata[a][b]=1", "?metadata[a]]=1", "?metadata[]=1", "?metadata[a=1",
        "?created=1&created=2", "?expandx[]=1"})
    EXPECT_NE(ask(document, "GET /v1/charges" + query), "ok") << query;
  const string form = "application/x-www-form-urlencoded";
  EXPECT_EQ(
      post(document, "/v1/charges", "amount=2000&currency=usd&description=&capture=true", form),
      "ok");
  EXPECT_EQ(post(document, "/v1/charges", "amount=2e3&currency=usd", form),
            "422 schema_body; body #/amount type");
  EXPECT_EQ(post(document, "/v1/charges", "amount=1&currency=euros", form),
            "422 schema_body; body #/currency maxLength");
}

// Many references, and paths of many kinds.
constexpr string_view code_host = R"(
openapi: 3.0.3
info: {title: Code, version: 1.1.4}
paths:
  /repos/{owner}/{repo}:
    get:
      operationId: repos/get
      parameters: [{$ref: '#/components/parameters/owner'}, {$ref: '#/components/parameters/repo'}]
      responses: {'200': {$ref: '#/components/responses/repo'}, '301': {$ref: '#/components/responses/moved'}}
      x-github: {githubCloudOnly: false}
  /repos/{owner}/{repo}/compare/{basehead}:
    get:
      operationId: repos/compare
      parameters: [{$ref: '#/components/parameters/owner'}, {$ref: '#/components/parameters/repo'}, {name: basehead, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: diff}}
  /repos/{owner}/{repo}/issues:
    post:
      operationId: issues/create
      parameters: [{$ref: '#/components/parameters/owner'}, {$ref: '#/components/parameters/repo'}]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [title]
              properties:
                title: {oneOf: [{type: string}, {type: integer}]}
                body: {type: string}
                milestone: {nullable: true, oneOf: [{type: string}, {type: integer, description: The number}]}
                labels: {type: array, items: {oneOf: [{type: string}, {type: object, properties: {id: {type: integer}, name: {type: string}, color: {type: string, nullable: true}}}]}}
                assignee: {$ref: '#/components/schemas/nullable-simple-user'}
      responses: {'201': {description: made}}
  /search/issues: {get: {operationId: search/issues, parameters: [{name: q, in: query, required: true, schema: {type: string}}, {$ref: '#/components/parameters/page'}], responses: {'200': {description: found}}}}
  /users/{username}: {get: {parameters: [{name: username, in: path, required: true, schema: {type: string}}], responses: {'200': {description: user}}}}
  /user: {get: {responses: {'200': {description: me}}}}
components:
  parameters:
    owner: {name: owner, in: path, required: true, schema: {type: string}}
    repo: {name: repo, in: path, required: true, schema: {type: string}}
    page: {name: page, in: query, schema: {type: integer, default: 1}}
  responses:
    repo: {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/repo'}, examples: {default: {$ref: '#/components/examples/repo'}}}}, headers: {Link: {example: '<https://x>; rel=next', schema: {type: string}}}}
    moved: {description: moved, content: {application/json: {schema: {type: object, properties: {url: {type: string}}}}}}
  examples: {repo: {value: {id: 1}}}
  schemas:
    repo: {title: Repo, type: object, required: [id, owner], properties: {id: {type: integer}, owner: {$ref: '#/components/schemas/simple-user'}, template: {$ref: '#/components/schemas/repo'}, parent: {type: object, allOf: [{$ref: '#/components/schemas/repo'}]}}}
    simple-user: {type: object, required: [login], properties: {login: {type: string}, email: {type: string, nullable: true}, starred_at: {type: string, example: '"2020-07-09T00:17:55Z"'}}}
    nullable-simple-user: {title: Simple User, type: object, nullable: true, required: [login], properties: {login: {type: string}}}
)";

TEST(Services, ACodeHost) {
  const Document document = document_of(code_host, {.checks_responses = true});
  for (const string path : {"/repos/octocat/hello.world", "/repos/o/r/compare/main...dev",
                            "/repos/o/r/compare/a%2Fb...c", "/repos/o/r/compare/v1.0.0...v1.1.0",
                            "/search/issues?q=is:open+label:bug&page=2",
                            "/search/issues?q=repo%3Aa%2Fb%20x", "/users/octocat", "/user"})
    EXPECT_EQ(ask(document, "GET " + path), "ok") << path;
  EXPECT_EQ(ask(document, "GET /search/issues"), "400 schema_parameters; query q # missing");
  const auto issue = [&](string_view body) {
    return post(document, "/repos/o/r/issues", body, "application/json");
  };
  for (const string body : {R"({"title":"x"})", R"({"title":5})",
                            R"({"title":"x","labels":["bug",{"name":"a","color":null}]})",
                            R"({"title":"x","assignee":null})", R"({"title":"x","milestone":3})",
                            R"({"title":"x","assignee":{"login":"o"}})"})
    EXPECT_EQ(issue(body), "ok") << body;
  EXPECT_EQ(issue(R"({"title":"x","labels":[{"nme":"a"}]})").substr(0, 17), "422 schema_body; ");
  const Operation& get = *document.find("GET", "/repos/o/r")->operation;
  EXPECT_EQ(
      summary(document.check_response_body(
          get, 200, "application/json; charset=utf-8",
          R"({"id":1,"owner":{"login":"o","email":null},"parent":{"id":2,"owner":{"login":"p"}}})")),
      "ok");
}

// As FastAPI writes it.
constexpr string_view fast = R"({
"openapi":"3.1.0","info":{"title":"FastAPI","version":"0.1.0"},
"paths":{
 "/items/{item_id}":{"put":{"summary":"Update","operationId":"update_items__item_id__put",
  "parameters":[{"name":"item_id","in":"path","required":true,"schema":{"type":"integer","title":"Item Id"}},
   {"name":"q","in":"query","required":false,"schema":{"anyOf":[{"type":"string","maxLength":50},{"type":"null"}],"title":"Q"}},
   {"name":"size","in":"query","required":false,"schema":{"anyOf":[{"type":"integer"},{"type":"null"}],"title":"Size"}},
   {"name":"tag","in":"query","required":false,"schema":{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}],"title":"Tag"}},
   {"name":"user-agent","in":"header","required":false,"schema":{"anyOf":[{"type":"string"},{"type":"null"}],"title":"User-Agent"}},
   {"name":"ads_id","in":"cookie","required":false,"schema":{"anyOf":[{"type":"string"},{"type":"null"}],"title":"Ads Id"}}],
  "requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Item"}}}},
  "responses":{"200":{"description":"Successful Response","content":{"application/json":{"schema":{}}}},
   "422":{"description":"Validation Error","content":{"application/json":{"schema":{"$ref":"#/components/schemas/HTTPValidationError"}}}}}}},
 "/upload":{"post":{"operationId":"upload","requestBody":{"required":true,"content":{"multipart/form-data":{"schema":{"$ref":"#/components/schemas/Body_upload"}}}},
  "responses":{"200":{"description":"ok"}}}}},
"components":{"schemas":{
 "Body_upload":{"type":"object","title":"Body_upload","required":["file"],"properties":{
  "file":{"type":"string","format":"binary","title":"File"},
  "more":{"anyOf":[{"type":"string","contentMediaType":"application/octet-stream"},{"type":"null"}],"title":"More"},
  "many":{"anyOf":[{"type":"array","items":{"type":"string","format":"binary"}},{"type":"null"}],"default":[],"title":"Many"},
  "note":{"anyOf":[{"type":"string"},{"type":"null"}],"title":"Note"}}},
 "Item":{"type":"object","title":"Item","required":["name","price"],"properties":{
  "name":{"type":"string","title":"Name"},
  "price":{"anyOf":[{"type":"number","exclusiveMinimum":0.0},{"type":"string"}],"title":"Price"},
  "tax":{"anyOf":[{"type":"number"},{"type":"null"}],"title":"Tax"},
  "id":{"type":"string","format":"uuid","title":"Id"},
  "extra":{"additionalProperties":true,"type":"object","title":"Extra"},
  "image":{"anyOf":[{"$ref":"#/components/schemas/Image"},{"type":"null"}]},
  "pet":{"oneOf":[{"$ref":"#/components/schemas/Cat"},{"$ref":"#/components/schemas/Dog"}],"discriminator":{"propertyName":"kind","mapping":{"cat":"#/components/schemas/Cat"}}},
  "pair":{"prefixItems":[{"type":"integer"},{"type":"string"}],"type":"array","maxItems":2,"minItems":2}}},
 "Image":{"type":"object","required":["url"],"properties":{"url":{"type":"string","maxLength":2083,"minLength":1,"format":"uri"}}},
 "Cat":{"type":"object","required":["kind"],"properties":{"kind":{"type":"string","const":"cat"},"claws":{"type":"integer"}}},
 "Dog":{"type":"object","required":["kind"],"properties":{"kind":{"type":"string","const":"dog"},"bark":{"type":"string"}}},
 "HTTPValidationError":{"type":"object","properties":{"detail":{"type":"array","items":{"$ref":"#/components/schemas/ValidationError"}}}},
 "ValidationError":{"type":"object","required":["loc","msg","type"],"properties":{"loc":{"type":"array","items":{"anyOf":[{"type":"string"},{"type":"integer"}]}},"msg":{"type":"string"},"type":{"type":"string"}}}}}
})";

TEST(Services, FastApi) {
  const Document document = document_of(fast, {.checks_responses = true});
  const auto put = [&](string_view target, string_view body, const Fields& fields = {},
                       string_view cookie = "") {
    Request request{.method = "PUT", .path = target.substr(0, target.find('?'))};
    request.query = target.substr(std::min(target.size(), request.path.size() + 1));
    request.content_type = "application/json";
    request.has_body = true;
    request.headers = fields;
    request.cookie = cookie;
    const auto match = document.find(request.method, request.path);
    if (!match) return summary(match.error());
    const auto refusal = document.check_head(*match, request);
    return summary(refusal ? refusal
                           : document.check_body(*match->operation, "application/json", body));
  };
  const string item = R"({"name":"a","price":"1.5"})";
  for (const string target : {"/items/1", "/items/1?q=x", "/items/1?q=", "/items/1?size=5",
                              "/items/1?size=", "/items/1?tag=a&tag=b", "/items/1?tag=a"})
    EXPECT_EQ(put(target, item), "ok") << target;
  EXPECT_EQ(put("/items/1", item, {{"User-Agent", "curl/8"}}, "ads_id=x"), "ok");
  EXPECT_NE(put("/items/1?size=x", item), "ok");
  EXPECT_NE(put("/items/x", item), "ok");
  for (
      const string body :
      {R"({"name":"a","price":3,"tax":null,"image":null,"extra":{"any":[1]},"pair":[1,"x"]})",
       R"({"name":"a","price":3,"image":{"url":"https://x.example/"},"pet":{"kind":"dog","bark":"x"}})",
       R"({"name":"a","price":3,"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6"})"})
    EXPECT_EQ(put("/items/1", body), "ok") << body;
  for (const string body :
       {R"({"name":"a","price":0})", R"({"name":"a","price":3,"pet":{"kind":"dog","claws":1}})",
        R"({"name":"a","price":3,"pair":[1,"x",2]})", R"({"name":"a","price":3,"admin":true})",
        R"({"name":"a","price":3,"image":{"url":"x","x":1}})"})
    EXPECT_EQ(put("/items/1", body).substr(0, 17), "422 schema_body; ") << body;
  const auto part = [](const string& name, const string& more, const string& bytes) {
    return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" +
           bytes + "\r\n";
  };
  const string file = "; filename=\"a.bin\"\r\nContent-Type: application/octet-stream";
  const auto upload = [&](const string& parts) {
    return post(document, "/upload", parts + "--b--\r\n", "multipart/form-data; boundary=b");
  };
  EXPECT_EQ(upload(part("file", file, "x")), "ok");
  EXPECT_EQ(upload(part("file", file, "x") + part("more", file, "y") + part("note", "", "n")),
            "ok");
  EXPECT_EQ(upload(part("file", file, "x") + part("many", file, "y") + part("many", file, "z")),
            "ok");
  EXPECT_EQ(upload(part("file", file, "x") + part("many", file, "y")), "ok");
  EXPECT_NE(upload(part("file", file, "x") + part("note", file, "y")), "ok");
  EXPECT_NE(upload(part("more", file, "x")), "ok");
  const Operation& operation = *document.find("PUT", "/items/1")->operation;
  EXPECT_EQ(summary(document.check_response_body(
                operation, 422, "application/json",
                R"({"detail":[{"loc":["body",0],"msg":"x","type":"missing"}]})")),
            "ok");
}

// As springdoc writes it.
constexpr string_view spring = R"(
openapi: 3.0.1
info: {title: OpenAPI definition, version: v0}
servers: [{url: 'http://localhost:8080', description: Generated server url}]
paths:
  /api/books:
    get:
      tags: [book-controller]
      operationId: findAll
      parameters:
        - {name: pageable, in: query, required: true, schema: {$ref: '#/components/schemas/Pageable'}}
        - {name: since, in: query, required: false, schema: {type: string, format: date}}
      responses: {'200': {description: OK, content: {'*/*': {schema: {$ref: '#/components/schemas/PageBook'}}}}}
    post:
      tags: [book-controller]
      operationId: add
      requestBody: {content: {application/json: {schema: {oneOf: [{$ref: '#/components/schemas/Novel'}, {$ref: '#/components/schemas/Atlas'}]}}}, required: true}
      responses: {'200': {description: OK, content: {'*/*': {schema: {$ref: '#/components/schemas/Book'}}}}}
  /api/books/{id}:
    delete: {operationId: remove, parameters: [{name: id, in: path, required: true, schema: {type: integer, format: int64}}], responses: {'200': {description: OK}}}
components:
  schemas:
    Pageable: {type: object, properties: {page: {minimum: 0, type: integer, format: int32}, size: {minimum: 1, type: integer, format: int32}, sort: {type: array, items: {type: string}}}}
    Book:
      required: [kind]
      type: object
      properties: {kind: {type: string}, title: {maxLength: 100, minLength: 0, type: string}, price: {type: number, format: double}, made: {type: string, format: date-time}, tags: {uniqueItems: true, type: array, items: {type: string}}}
      discriminator: {propertyName: kind, mapping: {novel: '#/components/schemas/Novel', atlas: '#/components/schemas/Atlas'}}
    Novel: {type: object, allOf: [{$ref: '#/components/schemas/Book'}, {type: object, required: [author], properties: {author: {type: string}}}]}
    Atlas: {type: object, allOf: [{$ref: '#/components/schemas/Book'}, {type: object, required: [scale], properties: {scale: {type: integer, format: int32}}}]}
    PageBook: {type: object, properties: {content: {type: array, items: {$ref: '#/components/schemas/Book'}}, totalElements: {type: integer, format: int64}, last: {type: boolean}}}
)";

TEST(Services, Springdoc) {
  const Document document = document_of(spring, {.checks_responses = true});
  for (const string query : {"?page=0&size=20", "?page=0&size=20&sort=title,asc&sort=price,desc",
                             "?page=0&sort=title&since=2026-01-31"})
    EXPECT_EQ(ask(document, "GET /api/books" + query), "ok") << query;
  EXPECT_NE(ask(document, "GET /api/books?page=-1"), "ok");
  EXPECT_NE(ask(document, "GET /api/books?page=0&since=31.1.2026"), "ok");
  EXPECT_EQ(ask(document, "DELETE /api/books/7"), "ok");
  EXPECT_EQ(post(document, "/api/books",
                 R"({"kind":"novel","title":"x","author":"y","price":1.5,"tags":["a","b"]})"),
            "ok");
  EXPECT_EQ(post(document, "/api/books", R"({"kind":"atlas","scale":5})"), "ok");
  EXPECT_NE(post(document, "/api/books", R"({"kind":"atlas","scale":5,"owner":1})"), "ok");
  EXPECT_NE(post(document, "/api/books", R"({"kind":"atlas"})"), "ok");
  const Operation& get = *document.find("GET", "/api/books")->operation;
  const auto page = [&](const string& book) {
    return summary(document.check_response_body(
        get, 200, "application/json",
        R"({"content":[)" + book + R"(],"totalElements":1,"last":true})"));
  };
  EXPECT_EQ(page(R"({"kind":"novel","title":"t","author":"y"},{"kind":"atlas","scale":2})"), "ok");
  EXPECT_EQ(page(R"({"kind":"x","title":"t"})"),
            "502 schema_response_body; body #/content/0/kind enum");
  EXPECT_EQ(page(R"({"kind":"atlas","scale":"2"})"),
            "502 schema_response_body; body #/content/0/scale type");
}

// As NestJS writes it (@nestjs/swagger, with ApiExtraModels, ApiBearerAuth and ApiCookieAuth).
constexpr string_view nest = R"({
"openapi":"3.0.0","info":{"title":"Shapes","description":"","version":"1.0","contact":{}},"tags":[],"servers":[],
"paths":{
 "/shapes":{"post":{"operationId":"ShapesController_create","summary":"","parameters":[],
  "requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/CreateShapesDto"}}}},
  "responses":{"201":{"description":""}},"tags":["shapes"],"security":[{"bearer":[]}]},
  "get":{"operationId":"ShapesController_all","parameters":[{"name":"kind","required":false,"in":"query","schema":{"enum":["circle","square"],"type":"string"}}],
   "responses":{"200":{"description":"","content":{"application/json":{"schema":{"type":"array","items":{"oneOf":[{"$ref":"#/components/schemas/Circle"},{"$ref":"#/components/schemas/Square"}]}}}}}},
   "security":[{"cookie":[]},{"bearer":[]}]}}},
"components":{"securitySchemes":{"bearer":{"scheme":"bearer","bearerFormat":"JWT","type":"http"},"cookie":{"type":"apiKey","in":"cookie","name":"connect.sid"}},
 "schemas":{
  "Circle":{"type":"object","properties":{"kind":{"type":"string","enum":["circle"]},"radius":{"type":"number","minimum":0}},"required":["kind","radius"]},
  "Square":{"type":"object","properties":{"kind":{"type":"string","enum":["square"]},"side":{"type":"number","minimum":0}},"required":["kind","side"]},
  "CreateShapesDto":{"type":"object","properties":{"shapes":{"type":"array","items":{"oneOf":[{"$ref":"#/components/schemas/Circle"},{"$ref":"#/components/schemas/Square"}],
    "discriminator":{"propertyName":"kind","mapping":{"circle":"#/components/schemas/Circle","square":"#/components/schemas/Square"}}}}},"required":["shapes"]}}}
})";

TEST(Services, NestJs) {
  const Document document = document_of(nest, {.checks_responses = true});
  const auto create = [&](string_view body, const Fields& fields) {
    return post(document, "/shapes", body, "application/json", fields);
  };
  const Fields token = {{"Authorization", "Bearer a.b.c"}};
  EXPECT_EQ(
      create(R"({"shapes":[{"kind":"circle","radius":2},{"kind":"square","side":1}]})", token),
      "ok");
  EXPECT_EQ(create(R"({"shapes":[{"kind":"circle","side":1}]})", token).substr(0, 40),
            "422 schema_body; body #/shapes/0 require");
  EXPECT_EQ(create(R"({"shapes":[{"kind":"square","side":-1}]})", token),
            "422 schema_body; body #/shapes/0/side minimum");
  EXPECT_EQ(create(R"({"shapes":[{"kind":"Circle","radius":1}]})", token),
            "422 schema_body; body #/shapes/0/kind enum");
  EXPECT_EQ(create("{}", {}), "401 schema_credentials; header Authorization # missing");
  EXPECT_EQ(ask(document, "GET /shapes?kind=circle", {}, "connect.sid=s%3Aabc"), "ok");
  EXPECT_EQ(ask(document, "GET /shapes?kind=circle", token), "ok");
  EXPECT_EQ(ask(document, "GET /shapes", {}, "sid=1").substr(0, 3), "401");
}

// Documents of large services are large.
TEST(Services, MayHaveManySchemas) {
  string text =
      "openapi: 3.1.0\ninfo: {}\npaths:\n  /a:\n    post:\n      requestBody:\n        content:\n"
      "          application/json:\n            schema:\n              properties:\n";
  for (int i = 0; i < 11'000; ++i)
    text += "                p" + std::to_string(i) + ": {type: string}\n";
  for (int i = 0; i < 300; ++i)
    text +=
        "                q" + std::to_string(i) + ": {pattern: '^a" + std::to_string(i) + "$'}\n";
  const Document document = document_of(text);
  EXPECT_EQ(post(document, "/a", R"({"p10999":"x","q299":"a299"})"), "ok");
  EXPECT_EQ(post(document, "/a", R"({"q299":"a298"})"), "422 schema_body; body #/q299 pattern");
}

// References that part and meet again lead to a schema in a million ways.
TEST(Services, MayReferToTheSameInManyWays) {
  string text =
      "  /a: {post: {parameters: [{name: q, in: query, schema: {$ref: "
      "'#/components/schemas/A0'}}], requestBody: {content: {multipart/form-data: "
      "{schema: {required: [x], allOf: [{$ref: '#/components/schemas/A0'}]}}}}}}\n"
      "components:\n  schemas:\n";
  for (int i = 0; i < 40; ++i) {
    const string next = "{$ref: '#/components/schemas/A" + std::to_string(i + 1) + "'}";
    text += "    A" + std::to_string(i) + ": {allOf: [" + next + ", " + next + "]}\n";
  }
  EXPECT_EQ(refused(with_paths(text + "    A40: {maxProperties: 3}\n")), "");
}

}  // namespace
}  // namespace moat::openapi
