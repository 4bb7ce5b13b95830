// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/openapi/internal/orders_fixture.h"

namespace moat::openapi {
namespace {

using std::string;
using std::string_view;

class Orders : public testing::Test {
 protected:
  const Document document_ = document_of(orders);
};

TEST_F(Orders, FindsTheOperation) {
  EXPECT_EQ(ask(document_, "GET /orders"), "ok");
  EXPECT_EQ(ask(document_, "HEAD /orders"), "ok");
  EXPECT_EQ(ask(document_, "GET /orders/mine"), "ok");
  EXPECT_EQ(ask(document_, "GET /ord%65rs/m%69ne"), "ok");
  for (const string path : {"/", "/order", "/orders/", "/orders//", "/orders/1/2", "/Orders",
                            "/x/orders", "/orders%2Fmine", "/orders;a=1"})
    EXPECT_EQ(ask(document_, "GET " + path), "404 schema_no_operation") << path;
  EXPECT_EQ(ask(document_, "PUT /orders"), "405 schema_no_method");
  EXPECT_EQ(ask(document_, "get /orders"), "405 schema_no_method");
  EXPECT_EQ(ask(document_, "OPTIONS /orders"), "405 schema_no_method");
  const auto found = document_.find("PATCH", "/orders");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().allow, "GET, POST, HEAD");
}

TEST_F(Orders, ReadsPathParameters) {
  EXPECT_EQ(ask(document_, "GET /orders/7", {{"x-trace", "abc"}}), "ok");
  EXPECT_EQ(ask(document_, "GET /orders/%37", {{"X-TRACE", "abc"}}), "ok");
  EXPECT_EQ(ask(document_, "GET /orders/0", {{"x-trace", "abc"}}),
            "400 schema_parameters; path id # minimum");
  for (const string id : {"x", "7.5", "07", "+7", "7%20", "%zz", "%00", "7%2F8", "%FF"})
    EXPECT_EQ(ask(document_, "GET /orders/" + id, {{"x-trace", "abc"}}).substr(0, 32),
              "400 schema_parameters; path id #")
        << id;
  // The operation's own parameter overrides the path's.
  EXPECT_EQ(ask(document_, "DELETE /orders/100"), "ok");
  EXPECT_EQ(ask(document_, "DELETE /orders/99"), "400 schema_parameters; path id # minimum");
}

TEST_F(Orders, ReadsQueryParameters) {
  for (const string query :
       {"limit=1", "limit=%31", "limit=100", "tag=a&tag=b&tag=c", "tag=a%2Cb", "sort=name,date",
        "open=false", "filter[status]=open&filter%5Bmax%5D=3", "note=", "note=3",
        "where=%7B%22a%22:1%7D", "limit=1&open=true&tag=x+y"})
    EXPECT_EQ(ask(document_, "GET /orders?" + query), "ok") << query;
  const std::vector<std::pair<string, string>> bad = {
      {"limit=0", "query limit # minimum"},
      {"limit=101", "query limit # maximum"},
      {"limit=x", "query limit # type"},
      {"limit=", "query limit # type"},
      {"limit", "query limit # type"},
      {"limit=1&limit=2", "query limit # repeated"},
      {"limit=%31%", "query limit # syntax"},
      {"limit=%2531", "query limit # type"},  // decoded once
      {"limit=1%00", "query limit # syntax"},
      {"tag=a&tag=b&tag=c&tag=d", "query tag # maxItems"},
      {"sort=name,size", "query sort #/1 enum"},
      {"sort=name&sort=date", "query sort # repeated"},
      {"open=0", "query open # type"},
      {"open=False", "query open # type"},
      {"filter[status]=gone", "query filter #/status enum"},
      {"filter[other]=1", "query filter # unevaluatedProperties"},
      {"filter[status]=open&filter[status]=done", "query filter # repeated"},
      {"filter[status][a]=open", "query filter #/status enum"},
      {"filter[]=1", "query filter # type"},
      {"filterx[a]=1", "query # unknown"},
      {"filter=open", "query filter # type"},
      {"where=%7B%22a%22:%221%22%7D", "query where #/a type"},
      {"where={", "query where # syntax"},
      {"other=1", "query # unknown"},
      {"_method=DELETE", "query # unknown"},
      {"Limit=1", "query # unknown"},
      {"limit=1&&open=true", "query # syntax"},
      {"=1", "query # syntax"},
      {"%FF=1", "query # syntax"},
  };
  for (const auto& [query, why] : bad)
    EXPECT_EQ(ask(document_, "GET /orders?" + query), "400 schema_parameters; " + why) << query;
  EXPECT_EQ(ask(document_, "GET /orders/mine?a=1"), "400 schema_parameters; query # unknown");
  const Document loose = document_of(orders, {.allow_unknown_query = true});
  EXPECT_EQ(ask(loose, "GET /orders/mine?a=1"), "ok");
  EXPECT_EQ(ask(loose, "GET /orders?a=1&limit=0"), "400 schema_parameters; query limit # minimum");
}

TEST_F(Orders, ReadsHeadersAndCookies) {
  const auto with = [&](const Fields& headers, string_view cookie = "") {
    return ask(document_, "GET /orders/7", headers, cookie);
  };
  EXPECT_EQ(with({}), "400 schema_parameters; header X-Trace # missing");
  EXPECT_EQ(with({{"X-Trace", "ABC"}}), "400 schema_parameters; header X-Trace # pattern");
  EXPECT_EQ(with({{"X-Trace", "a"}, {"x-trace", "b"}}),
            "400 schema_parameters; header X-Trace # repeated");
  EXPECT_EQ(with({{"X-Trace", "a"}, {"X-List", "1, 2"}, {"x-list", "3"}, {"Other", "x"}}), "ok");
  EXPECT_EQ(with({{"X-Trace", "a"}, {"X-List", "1,x"}}),
            "400 schema_parameters; header X-List #/1 type");
  EXPECT_EQ(with({{"X-Trace", "a"}}, "a=b; theme=dark; c=d"), "ok");
  EXPECT_EQ(with({{"X-Trace", "a"}}, "theme=blue"), "400 schema_parameters; cookie theme # enum");
  EXPECT_EQ(with({{"X-Trace", "a"}}, "theme=dark; theme=light"),
            "400 schema_parameters; cookie theme # repeated");
  EXPECT_EQ(with({{"X-Trace", "a"}, {"x-http-method-override", "DELETE"}}),
            "400 schema_parameters; header # unknown");
}

TEST_F(Orders, ReadsBodies) {
  const auto with = [&](string_view body, string_view type = "application/json") {
    return post(document_, "/orders", body, type);
  };
  EXPECT_EQ(with(R"({"item":"a"})"), "ok");
  EXPECT_EQ(with(R"({"item":"a"})", "Application/JSON; charset=\"UTF-8\""), "ok");
  EXPECT_EQ(with(R"({"item":"a","count":-2147483648,"mail":"a@example.com","free":{"x":1}})"),
            "ok");
  EXPECT_EQ(with(R"({"item":""})"), "422 schema_body; body #/item minLength");
  EXPECT_EQ(with(R"({"count":"1"})"), "422 schema_body; body # required; body #/count type");
  EXPECT_EQ(with(R"({"item":"a","count":2147483648})"), "422 schema_body; body #/count maximum");
  EXPECT_EQ(with(R"({"item":"a","mail":"x"})"), "422 schema_body; body #/mail format");
  EXPECT_EQ(with(R"({"item":"a","is_admin":true})"),
            "422 schema_body; body # unevaluatedProperties");
  EXPECT_EQ(with(R"({"item":"a","lines":[{"sku":"x"},{"sku":"x","price":0}]})"),
            "422 schema_body; body #/lines/1 unevaluatedProperties");
  // The server's own member is not the client's to set.
  EXPECT_EQ(with(R"({"item":"a","id":7})").substr(0, 23), "422 schema_body; body #");
  EXPECT_EQ(with(R"({"item":"a","item":"b"})"), "400 schema_body_syntax; body # syntax");
  EXPECT_EQ(with("{"), "400 schema_body_syntax; body # syntax");
  EXPECT_EQ(with(""), "400 schema_body_syntax; body # syntax");
  for (const string_view type : {"text/json", "application/xml", "", "json", "application/json;",
                                 "application/json; charset"})
    EXPECT_EQ(with("{}", type), type == "application/json;"
                                    ? "422 schema_body; body # required"
                                    : "415 schema_content_type; body # type")
        << type;
  EXPECT_EQ(with(R"({"item":"a"})", "application/json; charset=utf-16"),
            "415 schema_content_type; body # type");
  EXPECT_EQ(with(R"({"item":"a"})", "application/json; charset=utf-8; charset=utf-7"),
            "415 schema_content_type; body # type");
}

TEST_F(Orders, ReadsTheParametersOfATypeAsEverybodyDoes) {
  const auto with = [&](string_view type) {
    return post(document_, "/orders", R"({"item":"a"})", type);
  };
  for (const string_view type :
       {R"(application/json; profile="https://example.com/a=b")", R"(application/json; x="a b")"})
    EXPECT_EQ(with(type), "ok") << type;
  // RFC 2231, which Django and Werkzeug know; and quotes, which Rack does not.
  for (const string_view type :
       {"application/json; charset*=utf-8''utf-7", "application/json; charset*0=utf-7",
        "application/json; x*=utf-8''y", R"(application/json; x="a;charset=utf-7;b")",
        R"(application/json; x="a,charset=utf-7")", R"(application/json; x="\a")",
        R"(application/json; x="\";charset=utf-7;y=")"})
    EXPECT_EQ(with(type), "415 schema_content_type; body # type") << type;
}

TEST_F(Orders, KnowsWhereABodyMayBe) {
  Request request{.method = "POST", .path = "/orders"};
  auto match = document_.find(request.method, request.path);
  ASSERT_TRUE(match);
  EXPECT_EQ(summary(document_.check_head(*match, request)),
            "400 schema_body_missing; body # missing");
  request.has_body = request.is_encoded = true;
  request.content_type = "application/json";
  EXPECT_EQ(summary(document_.check_head(*match, request)), "415 schema_content_type; body # type");
  request = {
      .method = "GET", .path = "/orders", .content_type = "application/json", .has_body = true};
  match = document_.find(request.method, request.path);
  ASSERT_TRUE(match);
  EXPECT_EQ(summary(document_.check_head(*match, request)),
            "400 schema_body_unexpected; body # unknown");
}

TEST_F(Orders, SaysInWordsWhatIsWrong) {
  const auto refusal = document_.check_body(*document_.find("POST", "/orders")->operation,
                                            "application/json", "{\"item\":\n 7}");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(
      to_problem_json(*refusal),
      R"({"type":"about:blank","title":"The body is not what is expected here.","status":422,)"
      R"("code":"schema_body","errors":[{"in":"body","pointer":"#/item","keyword":"type",)"
      R"("detail":"must be a string"}]})");
  const auto broken = document_.check_body(*document_.find("POST", "/orders")->operation,
                                           "application/json", "{\"item\":\n 7,}");
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->errors[0].message.substr(0, 34), "is no valid JSON: line 2, column 4")
      << broken->errors[0].message;
}

TEST(Responses, AreCheckedWhereAsked) {
  const Document document = document_of(orders, {.checks_responses = true});
  const Operation& create = *document.find("POST", "/orders")->operation;
  const auto head = [&](int status, string_view type, const Fields& fields = {}) {
    return summary(document.check_response_head(create, status, type, !type.empty(), fields));
  };
  EXPECT_EQ(head(201, "application/json", {{"x-count", "3"}}), "ok");
  EXPECT_EQ(head(201, "application/json", {{"x-count", "three"}}),
            "502 schema_response_headers; header X-Count # type");
  EXPECT_EQ(head(201, "application/json"), "502 schema_response_headers; header X-Count # missing");
  EXPECT_EQ(head(201, "text/html", {{"x-count", "3"}}), "502 schema_response_type; body # type");
  EXPECT_EQ(head(204, ""), "ok");
  EXPECT_EQ(head(204, "text/html"), "502 schema_response_type; body # type");
  EXPECT_EQ(head(404, "application/problem+json"), "ok");
  EXPECT_EQ(head(500, "text/html"), "502 schema_response_status; body # status");
  EXPECT_EQ(head(304, ""), "ok");
  EXPECT_TRUE(document.reads_response(create, 201, "application/json"));
  EXPECT_FALSE(document.reads_response(create, 500, "application/json"));
  const auto body = [&](string_view text) {
    return summary(document.check_response_body(create, 201, "application/json", text));
  };
  EXPECT_EQ(body(R"({"id":1,"item":"a"})"), "ok");
  EXPECT_EQ(body(R"({"item":"a"})"), "502 schema_response_body; body # required");
  // What only ever goes in must not come out.
  EXPECT_EQ(body(R"({"id":1,"item":"a","secret":"x"})").substr(0, 32),
            "502 schema_response_body; body #");
  EXPECT_EQ(body(R"({"id":1,"item":"a","password_hash":"x"})"),
            "502 schema_response_body; body # unevaluatedProperties");
  const Document unasked = document_of(orders);
  EXPECT_EQ(summary(unasked.check_response_head(create, 500, "text/html", true, {})), "ok");
}

TEST(Styles, OfPathsAreRead) {
  const Document document = document_of(with_paths(R"(
  /l/{l}: {get: {parameters: [{name: l, in: path, required: true, style: label, schema: {type: array, items: {type: integer}}}]}}
  /le/{l}: {get: {parameters: [{name: l, in: path, required: true, style: label, explode: true, schema: {type: array, items: {type: integer}}}]}}
  /m/{m}: {get: {parameters: [{name: m, in: path, required: true, style: matrix, schema: {type: integer}}]}}
  /me/{m}: {get: {parameters: [{name: m, in: path, required: true, style: matrix, explode: true, schema: {type: array, items: {type: integer}}}]}}
  /o/{o}: {get: {parameters: [{name: o, in: path, required: true, schema: {type: object, properties: {a: {type: integer}, b: {type: boolean}}}}]}}
  /oe/{o}: {get: {parameters: [{name: o, in: path, required: true, explode: true, schema: {type: object, properties: {a: {type: integer}, b: {type: boolean}}}}]}}
  /mo/{o}: {get: {parameters: [{name: o, in: path, required: true, style: matrix, explode: true, schema: {type: object, properties: {a: {type: integer}, b: {type: boolean}}}}]}}
  /f/{name}.{ext}: {get: {parameters: [{name: name, in: path, required: true, schema: {type: string}}, {name: ext, in: path, required: true, schema: {enum: [png]}}]}}
  /r/{a}-{b}.json: {get: {parameters: [{name: a, in: path, required: true, schema: {type: integer}}, {name: b, in: path, required: true, schema: {type: integer}}]}}
)"));
  for (const string path : {"/l/.1,2", "/le/.1.2", "/m/;m=1", "/me/;m=1;m=2", "/o/a,1,b,true",
                            "/oe/a=1,b=true", "/mo/;a=1;b=false", "/f/x.png", "/r/1-2.json"})
    EXPECT_EQ(ask(document, "GET " + path), "ok") << path;
  for (const string path :
       {"/l/1,2", "/l/.1.2", "/le/.1,2", "/m/1", "/m/;n=1", "/me/;m=1;n=2", "/o/a,1,b",
        "/o/a,1,a,2", "/oe/a,1", "/oe/a=1,c=2", "/mo/a=1;b=false", "/f/x.gif", "/r/a-2.json"})
    EXPECT_EQ(ask(document, "GET " + path).substr(0, 21), "400 schema_parameters") << path;
  for (const string path : {"/f/x", "/f/.png", "/f/x.", "/r/1-2", "/r/-2.json", "/r/1-.json",
                            "/r/1-2%2Ejson", "/r/.json"})
    EXPECT_EQ(ask(document, "GET " + path), "404 schema_no_operation") << path;
}

TEST(Styles, OfQueriesAreRead) {
  const Document document = document_of(with_paths(R"(
  /a:
    get:
      parameters:
        - {name: s, in: query, style: spaceDelimited, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: p, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: o, in: query, explode: false, schema: {type: object, properties: {a: {type: integer}}}}
        - {name: e, in: query, schema: {type: object, properties: {x: {type: integer}, y: {type: boolean}}}}
  /b:
    get:
      parameters:
        - {name: any, in: query, schema: {type: object, additionalProperties: {type: integer}}}
        - {name: q, in: query, schema: {type: string}}
)"));
  for (const string query : {"s=1%202", "s=1+2", "p=1|2", "p=1%7C2", "o=a,1", "x=1&y=true", "x=1"})
    EXPECT_EQ(ask(document, "GET /a?" + query), "ok") << query;
  EXPECT_EQ(ask(document, "GET /a?s=1,2"), "400 schema_parameters; query s #/0 type");
  EXPECT_EQ(ask(document, "GET /a?e=1"), "400 schema_parameters; query # unknown");
  EXPECT_EQ(ask(document, "GET /a?x=1&x=2"), "400 schema_parameters; query e # repeated");
  EXPECT_EQ(ask(document, "GET /b?q=text&other=1&more=2"), "ok");
  EXPECT_EQ(ask(document, "GET /b?other=x"), "400 schema_parameters; query any # type");
}

constexpr string_view forms = R"(
  /a:
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [name]
              properties:
                name: {type: string, minLength: 1}
                count: {type: integer}
                tags: {type: array, items: {type: string}}
                agree: {type: boolean}
          multipart/form-data:
            schema:
              type: object
              required: [title, file]
              properties:
                title: {type: string}
                count: {type: integer}
                more: {type: object, properties: {a: {type: integer}}}
                file: {type: string, contentMediaType: image/png, maxLength: 13}
            encoding: {file: {contentType: 'image/png, image/x-*'}}
  /open:
    post:
      requestBody:
        content:
          application/json: {schema: {type: object}}
          text/plain: {schema: {type: string, maxLength: 3}}
          image/*: {}
)";

TEST(Bodies, MayBeForms) {
  const Document document = document_of(with_paths(forms));
  const auto form = [&](string_view body) {
    return post(document, "/a", body, "application/x-www-form-urlencoded");
  };
  EXPECT_EQ(form("name=x&count=3&tags=a&tags=b&agree=false"), "ok");
  EXPECT_EQ(form("name=x&tags=a"), "ok");
  EXPECT_EQ(form("count=3"), "422 schema_body; body # required");
  EXPECT_EQ(form("name=x&count=03"), "422 schema_body; body #/count type");
  EXPECT_EQ(form("name=x&agree=0"), "422 schema_body; body #/agree type");
  EXPECT_EQ(form("name=x&name=y"), "422 schema_body; body # repeated");
  EXPECT_EQ(form("name=x&is_admin=1"), "422 schema_body; body # unevaluatedProperties");
  EXPECT_EQ(form("name[$ne]=x"), "422 schema_body; body # unsafe_name");
  EXPECT_EQ(form("name=%zz"), "400 schema_body_syntax; body # syntax");
}

TEST(Bodies, PassOverTheFieldsOfOthers) {
  const Document document = document_of(with_paths(forms), {.other_form_fields = {"_csrf"}});
  EXPECT_EQ(post(document, "/a", "_csrf=x&name=y", "application/x-www-form-urlencoded"), "ok");
  EXPECT_EQ(post(document, "/a", "_csrf=x&name=y&_other=z", "application/x-www-form-urlencoded"),
            "422 schema_body; body # unevaluatedProperties");
  EXPECT_EQ(post(document, "/a", "_csrf=x&_csrf=x&name=y", "application/x-www-form-urlencoded"),
            "422 schema_body; body # repeated");
  EXPECT_EQ(post(document, "/open", R"({"_csrf":"x"})"), "ok");
}

TEST(Bodies, MayBeMultipart) {
  const Document document = document_of(with_paths(forms));
  const auto part = [](const string& name, const string& more, const string& bytes) {
    return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" +
           bytes + "\r\n";
  };
  const auto send = [&](const string& parts) {
    return post(document, "/a", parts + "--b--\r\n", "multipart/form-data; boundary=b");
  };
  const string png = "; filename=\"a.png\"\r\nContent-Type: image/png";
  const string title = part("title", "", "x"), head = "\x89PNG\r\n\x1a\n",
               file = part("file", png, head + "12345");
  EXPECT_EQ(send(title + file), "ok");
  EXPECT_EQ(send(title + file + part("count", "", "3")), "ok");
  EXPECT_EQ(send(title + file + part("more", "\r\nContent-Type: application/json", "{\"a\":1}")),
            "ok");
  EXPECT_EQ(
      send(title + file + part("more", "\r\nContent-Type: application/json", "{\"a\":\"1\"}")),
      "422 schema_body; body #/more/a type");
  EXPECT_EQ(send(title), "422 schema_body; body # required");
  EXPECT_EQ(send(title + part("file", png, head + "123456")),
            "422 schema_body; body #/file maxLength");
  EXPECT_EQ(send(title + part("file", "; filename=\"a.gif\"\r\nContent-Type: image/gif", "1")),
            "422 schema_body; body #/file file");
  EXPECT_EQ(send(part("title", png, "x") + file), "422 schema_body; body #/title file");
  EXPECT_EQ(send(title + file + part("other", png, "x")),
            "422 schema_body; body # unevaluatedProperties");
  // A file that nobody chose, which some backends read as an empty text.
  const string none = "; filename=\"\"\r\nContent-Type: application/octet-stream";
  EXPECT_EQ(send(title + part("file", none, "")), "422 schema_body; body # required");
  EXPECT_EQ(send(file + part("title", none, "")), "422 schema_body; body #/title file");
  EXPECT_EQ(send(title + file + part("other", none, "")),
            "422 schema_body; body # unevaluatedProperties");
  EXPECT_EQ(send(title + file + part("file[$ne]", none, "")),
            "422 schema_body; body # unsafe_name");
  EXPECT_EQ(send(title + title + file), "422 schema_body; body # repeated");
  EXPECT_EQ(send(title + file + "--b\r\n"), "400 schema_body_syntax; body # syntax");
  EXPECT_EQ(post(document, "/a", title + file, "multipart/form-data"),
            "400 schema_body_syntax; body # syntax");
}

TEST(Bodies, AreRefusedWithoutTheNamesOfStrangers) {
  const Document document = document_of(
      with_paths("  /a: {post: {requestBody: {content: {application/json: {schema: {type: object, "
                 "properties: {o: {}, a/b: {}}}}}}}}\n"));
  const auto send = [&](string_view member) {
    return post(document, "/a", "{" + string(member) + "}");
  };
  EXPECT_EQ(send(R"("o":{"$gt":1})"), "422 schema_body; body #/o unsafe_name");
  EXPECT_EQ(send(R"("a/b":{"$gt":1})"), "422 schema_body; body #/a~1b unsafe_name");
  EXPECT_EQ(send(R"("o":[{"<script>":{"$gt":1}}])"), "422 schema_body; body #/o unsafe_name");
}

TEST(Bodies, OfOpenObjectsHaveNoUnsafeNames) {
  const Document document = document_of(with_paths(forms));
  EXPECT_EQ(post(document, "/open", R"({"a":{"b":1}})"), "ok");
  for (const string name : {"$gt", "__proto__", "constructor", "a.b"})
    EXPECT_EQ(post(document, "/open", R"({"a":[{")" + name + R"(":1}]})"),
              "422 schema_body; body # unsafe_name")
        << name;
  const Document loose = document_of(with_paths(forms), {.allow_unsafe_keys = true});
  EXPECT_EQ(post(loose, "/open", R"({"$gt":1})"), "ok");
  const Document dotted = document_of(with_paths(forms), {.allow_dotted_keys = true});
  EXPECT_EQ(post(dotted, "/open", R"({"a.b":1})"), "ok");
  for (const string name : {"$gt", "__proto__", "a.__proto__"})
    EXPECT_EQ(post(dotted, "/open", "{\"" + name + "\":1}"), "422 schema_body; body # unsafe_name")
        << name;
  // What the document lists is its own.
  const Document listed =
      document_of(with_paths("  /a: {post: {requestBody: {content: {application/json: {schema: "
                             "{properties: {$ref: {}, a.b: {}}}}}}}}\n"));
  EXPECT_EQ(post(listed, "/a", R"({"$ref":1,"a.b":2})"), "ok");
}

TEST(Bodies, MayBeOfOtherTypes) {
  const Document document = document_of(with_paths(forms));
  EXPECT_EQ(post(document, "/open", "abc", "text/plain"), "ok");
  EXPECT_EQ(post(document, "/open", "abcd", "text/plain; charset=UTF-8"),
            "422 schema_body; body # maxLength");
  EXPECT_EQ(post(document, "/open", "\xff", "text/plain"), "400 schema_body_syntax; body # syntax");
  EXPECT_EQ(post(document, "/open", "\x89PNG", "image/png"), "ok");
  EXPECT_EQ(post(document, "/open", "x", "video/mp4"), "415 schema_content_type; body # type");
  EXPECT_FALSE(document.reads_body(*document.find("POST", "/open")->operation, "image/png"));
}

TEST(Limits, HoldForParameters) {
  DocumentOptions options;
  options.body.members = 3;
  const Document document = document_of(orders, options);
  EXPECT_EQ(ask(document, "GET /orders?tag=a&tag=b&tag=c"), "ok");
  EXPECT_EQ(ask(document, "GET /orders?tag=a&tag=b&tag=c&open=true"),
            "400 schema_parameters; query # limit");
}

TEST(Limits, OfWhatCheckingCostsFollowTheOthers) {
  const string list = "[" + [] {
    string out;
    for (int i = 0; i < 40'000; ++i) out += string(i > 0 ? "," : "") + R"({"id":1,"item":"a"})";
    return out;
  }() + "]";
  const Document document = document_of(orders, {.checks_responses = true});
  const Operation& all = *document.find("GET", "/orders")->operation;
  EXPECT_EQ(summary(document.check_response_body(all, 200, "application/json", list)), "ok");
  // A schema that branches and recurs doubles the work with each level.
  const Document tree = document_of(with_paths(
      "  /a: {post: {requestBody: {content: {application/json: {schema: {$ref: "
      "'#/components/schemas/N'}}}}}}\ncomponents: {schemas: {N: {type: object, properties: {b: "
      "{anyOf: [{$ref: '#/components/schemas/N'}, {$ref: '#/components/schemas/N'}]}}}}}\n"));
  const auto nested = [&](int depth) {
    string body;
    for (int i = 0; i < depth; ++i) body += R"({"b":)";
    body += "1" + string(static_cast<std::size_t>(depth), '}');
    return post(tree, "/a", body);
  };
  // Texts that fill a body, with a pattern such as is usual.
  const Document texts = document_of(with_paths(
      "  /a: {post: {requestBody: {content: {application/json: {schema: {type: array, items: "
      "{type: string, pattern: '^[A-Za-z0-9+/]*={0,2}$'}}}}}}}\n"));
  string body;
  for (int i = 0; i < 15; ++i) body += (i == 0 ? "[\"" : ",\"") + string(65'536, 'a') + "\"";
  EXPECT_EQ(post(texts, "/a", body + "]"), "ok");
  EXPECT_EQ(nested(5), "422 schema_body; body #/b anyOf");
  EXPECT_EQ(nested(30), "422 schema_body; body # limit");
}

}  // namespace
}  // namespace moat::openapi
