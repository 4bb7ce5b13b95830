// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/openapi/internal/orders_fixture.h"

namespace moat::openapi {
namespace {

TEST(Formats, OfNamesBeyondAsciiAreChecked) {
  for (const auto* version : {"3.0.3", "3.1.0"}) {
    const Document document = document_of("openapi: " + std::string(version) + R"(
info: {title: Sites, version: '1'}
paths:
  /sites:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties:
                host: {type: string, format: idn-hostname}
                mail: {type: string, format: idn-email}
                page: {type: string, format: iri}
                link: {type: string, format: iri-reference}
                name: {type: string, format: hostname}
      responses: {'204': {description: made}}
)");
    for (const auto* good :
         {R"({"host":"münchen.de"})", R"({"mail":"ü@münchen.de"})", R"({"page":"https://ü.de/ü"})",
          R"({"link":"/ü?ü#ü"})", R"({"name":"xn--mnchen-3ya.de"})"})
      EXPECT_EQ(post(document, "/sites", good), "ok") << version << good;
    for (const auto* bad :
         {R"({"host":"MÜNCHEN.de"})", R"({"mail":"ü@xn--a.de"})", R"({"page":"//ü.de/ü"})",
          R"({"link":"\\ü"})", R"({"name":"xn--a.de"})", R"({"name":"münchen.de"})"})
      EXPECT_NE(post(document, "/sites", bad), "ok") << version << bad;
  }
}

}  // namespace
}  // namespace moat::openapi
