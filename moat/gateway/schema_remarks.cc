// SPDX-License-Identifier: Apache-2.0
// Where the OpenAPI document of a route and the route say different things.
#include <algorithm>

#include "moat/gateway/config.h"

namespace moat::gateway {

namespace {

// Operations that have one thing in common.
struct Group {
  std::size_t count = 0;
  std::string first;

  void add(const openapi::Operation& operation) {
    if (count++ == 0) first = openapi::name_of(operation);
  }
  // "3 operations, such as GET /a,"
  std::string words() const {
    return count == 1 ? "the operation " + first
                      : std::to_string(count) + " operations, such as " + first + ",";
  }
  std::string verb(std::string_view one, std::string_view many) const {
    return " " + std::string(count == 1 ? one : many);
  }
};

}  // namespace

std::vector<std::string> schema_remarks(const Route& route) {
  std::vector<std::string> out;
  if (route.schema.document == nullptr) return out;
  Group open, asking, unseen, certificate, dropped;
  bool asks = false;
  for (const openapi::Operation* operation : route.schema.document->operations()) {
    const openapi::Asked asked = openapi::asked_by(*operation);
    asks = asks || asked != openapi::Asked::nothing;
    if (!serves(route.match, *operation)) continue;
    const bool shown = openapi::asks_for_certificate(*operation);
    if (shown && route.client_certificate != ClientCertificates::required)
      certificate.add(*operation);
    const auto keys = openapi::key_headers(*operation);
    if (!route.allow_underscore_headers &&
        std::any_of(keys.begin(), keys.end(),
                    [](const std::string& name) { return name.find('_') != std::string::npos; }))
      dropped.add(*operation);
    if (asked == openapi::Asked::nothing) open.add(*operation);
    if (asked == openapi::Asked::credentials) asking.add(*operation);
    if (asked == openapi::Asked::unseen && !shown) unseen.add(*operation);
  }
  const bool login = route.login == Login::required;
  if (asking.count > 0 && !login)
    out.push_back(asking.words() + asking.verb("asks", "ask") +
                  " for credentials ('security'): Moat looks whether they came, and whether they "
                  "are good is the backend's to check, or add login = \"required\"");
  if (unseen.count > 0 && !login)
    out.push_back(unseen.words() + unseen.verb("asks", "ask") +
                  " for a login ('security') that Moat cannot see: who brings none reaches the "
                  "backend, which has to check it, or add login = \"required\"");
  if (certificate.count > 0)
    out.push_back(certificate.words() + certificate.verb("asks", "ask") +
                  " for a client certificate (mutualTLS), and the route does not: add "
                  "client_certificate = \"required\"");
  if (dropped.count > 0)
    out.push_back(dropped.words() + dropped.verb("takes", "take") +
                  " a key in a header with a '_' in its name, which no backend gets: rename it, or "
                  "add allow_underscore_headers = true");
  // A document that speaks of no credentials at all leaves them to others.
  if (open.count > 0 && login && asks)
    out.push_back(open.words() + open.verb("lets", "let") +
                  " everybody in by the document, and the route does not (login = \"required\")");
  return out;
}

}  // namespace moat::gateway
