// SPDX-License-Identifier: Apache-2.0
// `security`: who brings nothing of what an operation asks for is told so.
#include <gtest/gtest.h>

#include "moat/openapi/internal/orders_fixture.h"

namespace moat::openapi {
namespace {

using std::string;
using std::string_view;

// A document whose GET /a asks for `security`.
string asking(const string& security, const string& more = "") {
  return R"(
openapi: 3.1.0
info: {}
)" + more +
         R"(
paths:
  /a:
    get:
      )" +
         (security.empty() ? "" : "security: " + security) +
         R"(
      parameters: [{name: q, in: query, schema: {type: integer}}]
      responses: {'200': {description: ok}}
components:
  securitySchemes:
    header: {type: apiKey, in: header, name: X-Key}
    query: {type: apiKey, in: query, name: key}
    cookie: {type: apiKey, in: cookie, name: sid}
    bearer: {type: http, scheme: Bearer, bearerFormat: JWT}
    basic: {type: http, scheme: basic}
    digest: {type: http, scheme: digest}
    oauth: {type: oauth2, flows: {implicit: {authorizationUrl: 'https://x.example/', scopes: {}}}}
    oidc: {type: openIdConnect, openIdConnectUrl: 'https://x.example/'}
    tls: {type: mutualTLS}
    raw: {type: apiKey, in: header, name: Authorization}
    cookies: {type: apiKey, in: header, name: Cookie}
)";
}

constexpr string_view missing = "401 schema_credentials; ";
string told(const string& answer) { return answer.substr(0, missing.size()); }

TEST(Security, AKeyIsThere) {
  const Document header = document_of(asking("[{header: []}]"));
  EXPECT_EQ(ask(header, "GET /a"), "401 schema_credentials; header X-Key # missing");
  EXPECT_EQ(ask(header, "GET /a", {{"x-key", "k"}}), "ok");
  EXPECT_EQ(ask(header, "GET /a", {{"X-Key", " "}}),
            "401 schema_credentials; header X-Key # missing");
  EXPECT_EQ(ask(header, "GET /a", {{"X-Keys", "k"}}),
            "401 schema_credentials; header X-Key # missing");
  EXPECT_EQ(ask(header, "GET /a", {{"X-Key", "k"}, {"X-Key", "l"}}),
            "400 schema_parameters; header X-Key # repeated");
  const Document query = document_of(asking("[{query: []}]"));
  EXPECT_EQ(ask(query, "GET /a?key=k"), "ok");
  EXPECT_EQ(ask(query, "GET /a?q=1&ke%79=k"), "ok");
  EXPECT_EQ(ask(query, "GET /a"), "401 schema_credentials; query key # missing");
  EXPECT_EQ(ask(query, "GET /a?key="), "401 schema_credentials; query key # missing");
  EXPECT_EQ(ask(query, "GET /a?key"), "401 schema_credentials; query key # missing");
  EXPECT_EQ(ask(query, "GET /a?Key=k"), "401 schema_credentials; query key # missing");
  EXPECT_EQ(ask(query, "GET /a?key=k&key=l"), "400 schema_parameters; query key # repeated");
  // Who brings none learns nothing of the parameters.
  EXPECT_EQ(ask(query, "GET /a?q=x&other=1"), "401 schema_credentials; query key # missing");
  EXPECT_EQ(ask(query, "GET /a?key=k&other=1"), "400 schema_parameters; query # unknown");
  const Document cookie = document_of(asking("[{cookie: []}]"));
  EXPECT_EQ(ask(cookie, "GET /a", {}, "a=b; sid=x"), "ok");
  EXPECT_EQ(ask(cookie, "GET /a", {}, "a=b; sid="), "401 schema_credentials; cookie sid # missing");
  EXPECT_EQ(ask(cookie, "GET /a", {}, "sidx=1; SID=x"),
            "401 schema_credentials; cookie sid # missing");
  EXPECT_EQ(ask(cookie, "GET /a", {}, "sid=x; sid=y"),
            "400 schema_parameters; cookie sid # repeated");
  // As some documents have it; over HTTP/2 in several lines.
  const Document cookies = document_of(asking("[{cookies: []}]"));
  EXPECT_EQ(ask(cookies, "GET /a", {{"cookie", "a=b"}, {"cookie", "c=d"}}, "a=b; c=d"), "ok");
  EXPECT_EQ(ask(cookies, "GET /a", {{"cookie", "a=b"}}, ""),
            "401 schema_credentials; header Cookie # missing");
  // Nobody has described a key where none is asked for.
  EXPECT_EQ(ask(document_of(asking("[]")), "GET /a?key=k"),
            "400 schema_parameters; query # unknown");
}

TEST(Security, AuthorizationIsOfTheScheme) {
  const Document bearer = document_of(asking("[{bearer: []}]"));
  const auto with = [&](const Document& document, string_view value) {
    return ask(document, "GET /a", {{"Authorization", value}});
  };
  for (const string_view good : {"Bearer a.b.c", "bearer abc==", "BEARER  a-b_c~+/1"})
    EXPECT_EQ(with(bearer, good), "ok") << good;
  for (const string_view bad : {"", "Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer =",
                                "Bearera", "Basic YTpi", "Bearer\ta", "a.b.c", "Bearer \"a\""})
    EXPECT_EQ(told(with(bearer, bad)), missing) << bad;
  const Document basic = document_of(asking("[{basic: []}]"));
  EXPECT_EQ(with(basic, "Basic YTpi"), "ok");
  EXPECT_EQ(told(with(basic, "Bearer YTpi")), missing);
  EXPECT_EQ(with(document_of(asking("[{raw: []}]")), "anything at all"), "ok");
  EXPECT_EQ(told(ask(document_of(asking("[{raw: []}]")), "GET /a")), missing);
  EXPECT_EQ(ask(bearer, "GET /a", {{"Authorization", "Bearer a"}, {"Authorization", "Bearer b"}})
                .substr(0, 3),
            "400");
}

TEST(Security, OneOfTheAlternativesIsEnoughAndAllOfItsSchemesAreNeeded) {
  const Document document = document_of(asking("[{header: [], cookie: []}, {bearer: []}]"));
  EXPECT_EQ(told(ask(document, "GET /a")), missing);
  EXPECT_EQ(told(ask(document, "GET /a", {{"X-Key", "k"}})), missing);
  EXPECT_EQ(told(ask(document, "GET /a", {}, "sid=x")), missing);
  EXPECT_EQ(ask(document, "GET /a", {{"X-Key", "k"}}, "sid=x"), "ok");
  EXPECT_EQ(ask(document, "GET /a", {{"Authorization", "Bearer a"}}), "ok");
}

TEST(Security, OptionalAndNoSecurityLetThrough) {
  EXPECT_EQ(ask(document_of(asking("[{}, {header: []}]")), "GET /a"), "ok");
  EXPECT_EQ(ask(document_of(asking("[{header: []}, {}]")), "GET /a"), "ok");
  EXPECT_EQ(ask(document_of(asking("[]")), "GET /a"), "ok");
  EXPECT_EQ(ask(document_of(asking("")), "GET /a"), "ok");
  // An operation's own goes before the document's.
  EXPECT_EQ(told(ask(document_of(asking("", "security: [{header: []}]")), "GET /a")), missing);
  EXPECT_EQ(ask(document_of(asking("[]", "security: [{header: []}]")), "GET /a"), "ok");
  EXPECT_EQ(ask(document_of(asking("[{bearer: []}]", "security: [{header: []}]")), "GET /a",
                {{"Authorization", "Bearer a"}}),
            "ok");
}

TEST(Security, WhatNoRequestShowsIsNotMissed) {
  for (const string name : {"oauth", "oidc", "digest", "tls"})
    EXPECT_EQ(ask(document_of(asking("[{" + name + ": []}]")), "GET /a"), "ok") << name;
  EXPECT_EQ(ask(document_of(asking("[{oauth: [read]}, {header: []}]")), "GET /a"), "ok");
  // Beside it the rest is still needed.
  EXPECT_EQ(told(ask(document_of(asking("[{oauth: [read], header: []}]")), "GET /a")), missing);
}

TEST(Security, WhoIsKnownAlreadyNeedsNoMore) {
  const Document document = document_of(asking("[{bearer: []}]"));
  Request request{.method = "GET", .path = "/a"};
  const Match match = *document.find("GET", "/a");
  EXPECT_EQ(told(summary(document.check_head(match, request))), missing);
  request.authenticated = true;
  EXPECT_EQ(summary(document.check_head(match, request)), "ok");
  // What does not reach the backend is not there.
  request.authenticated = false;
  const Fields fields = {{"Authorization", "Bearer a"}};
  request.headers = fields;
  EXPECT_EQ(summary(document.check_head(match, request)), "ok");
  request.without_authorization = true;
  EXPECT_EQ(told(summary(document.check_head(match, request))), missing);
  EXPECT_EQ(
      ask(document_of(asking("[{bearer: []}]"), {.allow_missing_credentials = true}), "GET /a"),
      "ok");
}

TEST(Security, TheChallengeNamesWhatIsWanted) {
  const auto challenge = [](const string& security) {
    const Document document = document_of(asking(security));
    const auto refusal =
        document.check_head(*document.find("GET", "/a"), {.method = "GET", .path = "/a"});
    return refusal ? refusal->challenge : "";
  };
  EXPECT_EQ(challenge("[{bearer: []}]"), R"(Bearer realm="api")");
  EXPECT_EQ(challenge("[{basic: []}, {bearer: []}]"),
            R"(Basic realm="api", charset="UTF-8", Bearer realm="api")");
  EXPECT_EQ(challenge("[{header: []}]"), R"(ApiKey realm="api", in="header", name="X-Key")");
  EXPECT_EQ(challenge("[{oauth: [], cookie: []}]"),
            R"(ApiKey realm="api", in="cookie", name="sid")");
}

TEST(Security, OfADocumentIsRefusedWhereItIsNotUnderstood) {
  const auto problem = [](const string& security, const string& more = "") {
    return refused(asking(security, more));
  };
  EXPECT_EQ(problem("[{header: []}]"), "");
  EXPECT_NE(problem("[{heder: []}]").find("securitySchemes has no 'heder'"), string::npos);
  EXPECT_NE(problem("", "security: [{heder: []}]").find("securitySchemes has no 'heder'"),
            string::npos);
  EXPECT_NE(problem("[{header: {}}]").find("list of scopes"), string::npos);
  EXPECT_NE(problem("[{oauth: [1]}]").find("list of scopes"), string::npos);
  EXPECT_NE(problem("[header]").find("is a mapping of the names"), string::npos);
  EXPECT_NE(problem("{header: []}").find("list of security requirements"), string::npos);
  const auto scheme = [](const string& text, const string& version = "3.1.0") {
    return refused(
        "openapi: " + version +
        "\ninfo: {}\npaths: {/a: {get: {responses: {}}}}\ncomponents: {securitySchemes: {s: " +
        text + "}}\n");
  };
  EXPECT_EQ(scheme("{type: apiKey, in: query, name: k, x-a: 1}"), "");
  EXPECT_NE(scheme("{type: apiKey, in: body, name: k}").find("'in' of a key"), string::npos);
  EXPECT_NE(scheme("{type: apiKey, in: query}").find("needs 'name'"), string::npos);
  EXPECT_NE(scheme("{type: http}").find("needs 'scheme'"), string::npos);
  EXPECT_NE(scheme("{type: oauth2}").find("needs 'flows'"), string::npos);
  EXPECT_NE(scheme("{type: openIdConnect}").find("needs 'openIdConnectUrl'"), string::npos);
  EXPECT_NE(scheme("{type: basic}").find("the types of security schemes are"), string::npos);
  EXPECT_NE(scheme("{in: query, name: k}").find("needs the field 'type'"), string::npos);
  EXPECT_NE(scheme("{type: http, schema: bearer}").find("has no field 'schema'"), string::npos);
  EXPECT_NE(scheme("{type: mutualTLS}", "3.0.3").find("came with OpenAPI 3.1"), string::npos);
  EXPECT_EQ(scheme("{type: mutualTLS}"), "");
}

TEST(Security, SaysWhereACertificateIsAskedFor) {
  const auto asks = [](const string& security) {
    const Document document = document_of(asking(security));
    return asks_for_certificate(*document.operations().front());
  };
  EXPECT_TRUE(asks("[{tls: []}]"));
  EXPECT_TRUE(asks("[{tls: [], header: []}, {tls: [], bearer: []}]"));
  EXPECT_FALSE(asks("[{tls: []}, {bearer: []}]"));
  EXPECT_FALSE(asks("[{tls: []}, {}]"));
  EXPECT_FALSE(asks("[{bearer: []}]"));
  EXPECT_FALSE(asks("[]"));
}

TEST(Security, SaysWhichHeadersBringKeys) {
  const Document document = document_of(asking("[{header: []}, {raw: [], query: []}]"));
  EXPECT_EQ(key_headers(*document.operations().front()),
            (std::vector<string>{"X-Key", "Authorization"}));
  EXPECT_EQ(key_headers(*document_of(asking("[{bearer: []}]")).operations().front()),
            std::vector<string>());
}

TEST(Security, IsToldToPeople) {
  const auto said = [](const string& security) {
    const Document document = document_of(asking(security));
    const Operation& operation = *document.operations().front();
    return std::to_string(static_cast<int>(asked_by(operation))) + " " + describe(operation).back();
  };
  EXPECT_EQ(said("[{header: [], cookie: []}, {bearer: []}]"),
            "1 credentials: a key in the header 'X-Key' and a key in the cookie 'sid', or a bearer "
            "token");
  EXPECT_EQ(said("[{oauth: []}, {header: []}]"),
            "2 credentials: a login that is not looked at here, or a key in the header 'X-Key'");
  EXPECT_EQ(said("[{}, {header: []}]"), "0 credentials: nothing, or a key in the header 'X-Key'");
}

}  // namespace
}  // namespace moat::openapi
