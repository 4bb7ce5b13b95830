// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/gateway/config.h"

namespace moat::gateway {
namespace {

constexpr std::string_view document = R"(
openapi: 3.1.0
info: {}
security: [{key: []}]
paths:
  /a: {get: {responses: {}}, post: {responses: {}}}
  /b: {get: {security: [{oauth: []}], responses: {}}}
  /c: {get: {security: [], responses: {}}}
  /d: {get: {security: [{tls: []}], responses: {}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    oauth: {type: oauth2, flows: {}}
    tls: {type: mutualTLS}
)";

Route route_with(std::string_view text, const std::string& match = "/*") {
  Route route;
  route.match = match;
  auto parsed = openapi::Document::parse(text);
  EXPECT_TRUE(parsed);
  route.schema.document = std::make_shared<const openapi::Document>(std::move(*parsed));
  return route;
}

std::string remarks(const Route& route) {
  std::string out;
  for (const std::string& remark : schema_remarks(route))
    out += remark.substr(0, remark.find(" for ")).substr(0, 60) + "\n";
  return out;
}

TEST(SchemaRemarks, SayWhereTheDocumentAsksForMoreThanTheRoute) {
  Route route = route_with(document);
  EXPECT_EQ(
      remarks(route),
      "2 operations, such as GET /a, ask\nthe operation GET /b asks\nthe operation GET /d asks\n");
  route.client_certificate = ClientCertificates::required;
  EXPECT_EQ(remarks(route), "2 operations, such as GET /a, ask\nthe operation GET /b asks\n");
  route.login = Login::none;
  EXPECT_EQ(remarks(route), "2 operations, such as GET /a, ask\nthe operation GET /b asks\n");
}

TEST(SchemaRemarks, SayWhereTheRouteAsksForMoreThanTheDocument) {
  Route route = route_with(document);
  route.client_certificate = ClientCertificates::required;
  route.login = Login::required;
  EXPECT_EQ(remarks(route), "the operation GET /c lets everybody in by the document, and \n");
}

TEST(SchemaRemarks, AreOfTheOperationsThatTheRouteServes) {
  EXPECT_EQ(remarks(route_with(document, "/c")), "");
  EXPECT_EQ(remarks(route_with(document, "/b")), "the operation GET /b asks\n");
  Route route = route_with(document, "/a*");
  route.login = Login::required;
  EXPECT_EQ(remarks(route), "");
}

TEST(SchemaRemarks, SayWhereAKeyNeverReachesTheBackend) {
  std::string text(document);
  text.replace(text.find("X-Key"), 5, "x_key");
  Route route = route_with(text, "/a");
  route.login = Login::required;
  EXPECT_EQ(remarks(route), "2 operations, such as GET /a, take a key in a header with a \n");
  route.allow_underscore_headers = true;
  EXPECT_EQ(remarks(route), "");
  EXPECT_EQ(remarks(route_with(text, "/c")), "");
}

TEST(SchemaRemarks, ADocumentThatSaysNothingIsNotContradicted) {
  Route route = route_with("openapi: 3.1.0\ninfo: {}\npaths: {/a: {get: {responses: {}}}}\n");
  EXPECT_EQ(remarks(route), "");
  route.login = Login::required;
  EXPECT_EQ(remarks(route), "");
  EXPECT_EQ(remarks(Route()), "");
}

}  // namespace
}  // namespace moat::gateway
