// SPDX-License-Identifier: Apache-2.0
// `moat check` and `moat explain`: what the configuration means.
#include <algorithm>
#include <iostream>

#include "moat/cli/commands.h"
#include "moat/cli/hook_runner.h"
#include "moat/cli/log_directory.h"
#include "moat/cli/sandbox.h"
#include "moat/gateway/certificates.h"
#include "moat/gateway/gateway.h"
#include "moat/gateway/report_collector.h"
#include "moat/gateway/routes.h"
#include "moat/gateway/tls_report.h"
#include "moat/http/request.h"
#include "moat/http/security_headers.h"
#include "moat/https/tls.h"
#include "moat/shield/auth_api.h"

namespace moat::cli {

namespace {

std::string_view name_of(gateway::Login login) {
  switch (login) {
    case gateway::Login::none:
      return "none: the backend learns nothing of who asks";
    case gateway::Login::optional:
      return "optional: the backend learns who asks, if anybody is logged in";
    case gateway::Login::required:
      return "required";
  }
  return "";
}

}  // namespace

namespace {

std::string_view mode_of(gateway::SchemaMode mode) {
  switch (mode) {
    case gateway::SchemaMode::off:
      return "not looked at";
    case gateway::SchemaMode::shadow:
      return "only reported on";
    case gateway::SchemaMode::enforce:
      return "refused where they are not described";
  }
  return "";
}

void tell_schemas(const gateway::Config& config) {
  for (const gateway::Route& route : config.routes) {
    if (route.schema.learns())
      std::cout << "Route '" << route.match
                << "' is learned from: `moat schema learn` proposes a schema of its traffic.\n";
    if (route.schema.document == nullptr) continue;
    const auto outside = gateway::operations_outside(route.schema, route.match);
    const std::size_t all = route.schema.document->operations().size();
    std::cout << "Schema of route '" << route.match << "': " << route.schema.file << ", "
              << all - outside.size() << (all - outside.size() == 1 ? " operation" : " operations")
              << "; requests are " << mode_of(route.schema.requests) << ", answers "
              << mode_of(route.schema.responses) << ".\n";
    for (const std::string& remark : gateway::schema_remarks(route))
      std::cout << "remark: route '" << route.match << "': " << remark << ".\n";
    if (outside.empty()) continue;
    std::cout
        << "warning: " << outside.size() << " of its operations "
        << (outside.size() == 1 ? "is" : "are") << " outside the route, such as " << outside.front()
        << ": does the document's 'servers' or schema_base say what stands before its paths?\n";
  }
}

// What the route's document says of a request.
void explain_schema(const gateway::Route& route, const http::RequestHead& request) {
  const gateway::RouteSchema& schema = route.schema;
  std::cout << "schema      " << schema.file << ": ";
  const auto found = schema.document->find(request.method_text, request.path);
  if (!found) {
    std::cout << (schema.requests == gateway::SchemaMode::enforce ? "REFUSED "
                                                                  : "would be refused: ")
              << found.error().status << " " << found.error().code;
    if (!found.error().allow.empty()) std::cout << "; there are " << found.error().allow;
    std::cout << "\n";
    return;
  }
  std::cout << openapi::name_of(*found->operation)
            << (schema.requests == gateway::SchemaMode::shadow ? ", only reported on" : "") << "\n";
  for (const std::string& line : openapi::describe(*found->operation))
    std::cout << "            " << line << "\n";
}

}  // namespace

int check(const Arguments& arguments) {
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  auto problems = gateway::check_config(*config);
  if (problems.empty()) problems = gateway::resolve_backends(*config);
  const Time now = system_clock().now();
  const auto certificates = gateway::load_certificates(*config, now);
  if (problems.empty() && config->has_certificate_files() && !certificates)
    problems.push_back({gateway::Origin{"tls.certificate", 0}, certificates.error()});
  if (!problems.empty()) return report(problems);
  std::cout << "The configuration is good.\n";
  const auto weak = gateway::weakenings(*config);
  for (const auto& item : weak) {
    std::cout << "weakened: practice " << item.practice << ": " << item.message << " ("
              << item.origin.to_string() << ")\n";
  }
  if (weak.empty()) std::cout << "No practice is weakened.\n";
  std::cout << "Key exchange: " << https::describe_groups() << ".\n";
  for (const std::string& line : gateway::tls_report(*config, now)) std::cout << line << "\n";
  tell_schemas(*config);
  std::cout << "Sandbox: "
            << (config->allow_unsandboxed ? "off (server.allow_unsandboxed)"
                                          : describe(sandbox_support()))
            << ".\n";
  if (!config->acme.dns_hook.empty()) {
    const auto runnable = HookRunner::check_program(config->acme.dns_hook.front());
    if (!runnable) std::cout << "warning: tls.acme.dns_hook: " << runnable.error() << "\n";
  }
  const std::string beside = beside_the_log(*config);
  if (!beside.empty() && !config->allow_unsandboxed) {
    std::cout << "warning: " << log_directory(*config)
              << ", the directory of log.access_path, holds more than logs (" << beside
              << "), and the sandbox lets Moat write whatever is in it: give the log a directory "
                 "of its own\n";
  }
  return 0;
}

int explain(const Arguments& arguments) {
  if (arguments.positional().size() != 2)
    return fail("explain METHOD PATH, such as: moat explain POST /api/orders");
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  auto problems = gateway::check_config(*config);
  if (problems.empty()) problems = gateway::read_schemas(*config);
  if (!problems.empty()) return report(problems);
  const std::string& method = arguments.positional()[0];
  const std::string& target = arguments.positional()[1];
  const std::string head =
      method + " " + target + " HTTP/1.1\r\nHost: " + config->domains.front() + "\r\n\r\n";
  http::HeadLimits limits;
  limits.target = config->max_target;
  limits.allow_encoded_slash = true;
  http::RequestHead parsed;
  const http::ParseStatus status = http::parse_request_head(head, limits, parsed);
  if (!status.complete()) {
    std::cout << "refused     " << status.status << " " << status.code
              << ": not a canonical request (practice 2)\n";
    return 0;
  }
  if (parsed.path == gateway::reports_path) {
    std::cout << "answered by Moat itself (reports of browsers); see moat reports\n";
    return 0;
  }
  if (config->accounts && shield::AuthApi::handles(parsed.path)) {
    const bool all_need_one =
        std::all_of(config->routes.begin(), config->routes.end(), [](const gateway::Route& each) {
          return each.client_certificate == gateway::ClientCertificates::required;
        });
    if (all_need_one) std::cout << "certificate required of the client, as every route does\n";
    std::cout << "answered by Moat itself (accounts)\n"
                 "CSRF        a foreign Origin or Sec-Fetch-Site is refused with or without "
                 "cookies; forms need a token\n";
    return 0;
  }
  const gateway::Routes::Match match = gateway::Routes(config->routes).find(parsed.path);
  const gateway::Route* route = match.route;
  if (match.ambiguous) {
    std::cout << "refused     400 ambiguous_path: backends may read the path in ways that fall "
                 "under different routes (practice 2)\n";
    return 0;
  }
  if (route == nullptr) {
    std::cout << "refused     404 no_route: no route matches\n";
    return 0;
  }
  if (parsed.encoded_slash && !route->allow_encoded_slash) {
    std::cout << "refused     400 ambiguous_path: %2F in the path (practice 2; allow_encoded_slash "
                 "of the route)\n";
    return 0;
  }
  const std::string origin = route->origin.to_string();  // empty where options alone make a route
  std::cout << "route       " << route->match << (origin.empty() ? "" : " (" + origin + ")")
            << "\n";
  for (const auto& backend : route->backends)
    std::cout << "backend     " << backend.to_string() << "\n";
  if (!route->backend.certificate_file.empty())
    std::cout << "            over TLS Moat shows " << route->backend.certificate_file << "\n";
  std::cout << "login       " << name_of(route->login);
  for (const std::string& role : route->roles)
    std::cout << (role == route->roles.front() ? "; roles: " : ", ") << role;
  if (route->client_certificate != gateway::ClientCertificates::none)
    std::cout
        << "\ncertificate "
        << (route->client_certificate == gateway::ClientCertificates::required
                ? "required of the client, by TLS: without one 403 client_certificate_required"
                : "asked of the client, by TLS; the backend is told of one");
  if (!route->scopes.empty()) std::cout << "\nscopes      of tokens and API keys:";
  for (const std::string& scope : route->scopes) std::cout << " " << scope;
  std::cout << "\nlimits      " << config->limit_default;
  if (config->limit_user) std::cout << "; " << *config->limit_user;
  if (route->limit) std::cout << "; this route: " << *route->limit;
  std::cout << "\nbody        at most " << route->max_body << " bytes\n";
  if (route->schema.document != nullptr) explain_schema(*route, parsed);
  std::cout << "CSRF        "
            << (http::is_safe(parsed.method) ? "a safe method: not checked, but for WebSockets"
                : route->csrf == gateway::CsrfMode::report
                    ? "REPORTED ONLY for this route: with Moat's cookies Sec-Fetch-Site, else "
                      "Origin, else Referer should be ours"
                : route->csrf == gateway::CsrfMode::enforce
                    ? "with Moat's cookies: Sec-Fetch-Site, else Origin, else Referer must be ours"
                : route->csrf == gateway::CsrfMode::token
                    ? "with Moat's cookies: Sec-Fetch-Site, else Origin, else Referer must be "
                      "ours; and what a form can send needs the token, as X-CSRF-Token or as the "
                      "field _csrf in the beginning of the form"
                    : "OFF for this route")
            << "\n";
  if (route->csrf_forms == gateway::CsrfForms::inject)
    std::cout << "forms       each form of an HTML page that posts to this site gets the field "
                 "_csrf; the backend is asked for pages that are not compressed\n";
  if (route->csp != gateway::CspMode::off) {
    std::cout << "CSP         of pages that bring none, "
              << (route->csp == gateway::CspMode::enforce ? "enforced: " : "only reported: ")
              << (route->csp_policy.empty() ? http::SecurityHeaders::Options().proxied_csp
                                            : route->csp_policy)
              << "\n";
  }
  std::cout << "told        X-Forwarded-For, -Host, -Proto, Forwarded, X-Real-IP, X-Request-Id"
            << (route->login == gateway::Login::none
                    ? ""
                    : "; of a signed-in user X-Moat-User, -Email, -Roles, -Session, -Assertion; "
                      "of a token or API key -Scopes too")
            << (route->client_certificate == gateway::ClientCertificates::none
                    ? ""
                    : "; of a client certificate X-Moat-Client-Certificate-Sha256, -Serial, "
                      "-Subject, -Dns, -Email, -Uri")
            << "\n";
  return 0;
}

}  // namespace moat::cli
