// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <numeric>

#include "moat/base/encoding.h"
#include "moat/gateway/config.h"
#include "moat/gateway/held_bytes.h"
#include "moat/gateway/internal/config_issuers.h"
#include "moat/gateway/internal/config_tls.h"
#include "moat/gateway/nearest.h"
#include "moat/gateway/routes.h"
#include "moat/http/csp.h"
#include "moat/net/sockets.h"
#include "moat/session/scopes.h"

namespace moat::gateway {

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t substitute = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() ||
      value > 65535) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(value);
}

// Whether whatever `later` matches is matched by `earlier` already.
bool covers(std::string_view earlier, std::string_view later) {
  if (later.empty() || later.back() != '*') return pattern_matches(earlier, later);
  later.remove_suffix(1);
  if (earlier.empty() || earlier.back() != '*') return false;
  earlier.remove_suffix(1);
  return later.substr(0, earlier.size()) == earlier;
}

void check_forms(const std::vector<Route>& routes, std::vector<ConfigProblem>& problems) {
  const auto asks = [](const Route& route) { return route.csrf == CsrfMode::token; };
  if (std::any_of(routes.begin(), routes.end(), asks)) return;
  for (const Route& route : routes) {
    if (route.csrf_forms != CsrfForms::inject) continue;
    problems.push_back({route.origin,
                        "csrf_forms = \"inject\" puts tokens into forms, but no route asks for "
                        "them: add csrf = \"token\" to the one that the forms are sent to"});
  }
}

void check_acme(const Config& config, std::vector<ConfigProblem>& problems) {
  if (config.acme.account_id.empty() != config.acme.account_key_file.empty()) {
    problems.push_back({Origin{"tls.acme", 0}, "'account_id' and 'account_key_file' go together"});
  }
  const auto& challenges = config.acme.challenges;
  const bool by_dns = std::find(challenges.begin(), challenges.end(),
                                acme::ChallengeType::dns_01) != challenges.end();
  if (by_dns && config.acme.dns_hook.empty()) {
    problems.push_back({Origin{"tls.acme.challenges", 0},
                        "\"dns-01\" needs 'tls.acme.dns_hook': the program that sets the record"});
  }
  if (!by_dns && !config.acme.dns_hook.empty()) {
    problems.push_back({Origin{"tls.acme.challenges", 0},
                        "'tls.acme.dns_hook' is never run: \"dns-01\" is not among 'challenges'"});
  }
  for (const std::string& name : config.domains) {
    if (!config.uses_acme() || by_dns || name.front() != '*') continue;
    problems.push_back(
        {Origin{"domain", 0},
         "a CA proves '" + name + "' by DNS alone: name a program in 'tls.acme.dns_hook'"});
  }
  const bool address =
      std::any_of(config.domains.begin(), config.domains.end(),
                  [](const std::string& name) { return IpAddress::parse(name).has_value(); });
  const bool by_dns_alone = by_dns && challenges.size() == 1;
  if (config.uses_acme() && address && by_dns_alone) {
    problems.push_back({Origin{"tls.acme.challenges", 0},
                        "an IP address is never proved by DNS: add \"tls-alpn-01\""});
  }
}

// The first route that matches serves: one behind a wider one would be a rule that nobody keeps.
void check_order(const std::vector<Route>& routes, std::vector<ConfigProblem>& problems) {
  for (std::size_t i = 1; i < routes.size(); ++i) {
    const Route& route = routes[i];
    const auto before =
        std::find_if(routes.begin(), routes.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const Route& earlier) { return covers(earlier.match, route.match); });
    // Two patterns of one `login` list that overlap mean the same.
    if (before == routes.begin() + static_cast<std::ptrdiff_t>(i) ||
        (before->origin.line == route.origin.line && before->login == route.login))
      continue;
    problems.push_back({route.origin, "route '" + route.match + "' is never reached: '" +
                                          before->match + "' stands before it and matches first"});
  }
}

void check_backend_settings(const Route& route, std::vector<ConfigProblem>& problems) {
  const BackendSettings& settings = route.backend;
  const auto report = [&](const std::string& what) {
    problems.push_back({route.origin, "route '" + route.match + "' " + what});
  };
  if (route.backends.size() > most_backends)
    report("has more than " + std::to_string(most_backends) + " backends");
  const bool tls = std::any_of(route.backends.begin(), route.backends.end(),
                               [](const auto& one) { return one.kind == Upstream::Kind::tls; });
  const bool about_tls =
      !settings.name.empty() || !settings.ca_file.empty() || settings.allow_unverified;
  if (about_tls && !tls && !route.backends.empty()) {
    report("has backend_name, backend_ca or allow_unverified_backend, but no https:// backend");
  }
  if (settings.allow_unverified && !settings.ca_file.empty())
    report("names a backend_ca and verifies nothing (allow_unverified_backend): choose one");
  const std::string& path = settings.health_path;
  if (!path.empty() && (path.front() != '/' || path.size() > 1024 ||
                        std::any_of(path.begin(), path.end(),
                                    [](char c) { return c <= ' ' || c > '~' || c == '#'; }))) {
    report("has a health_path that is no path: begin with '/', printable ASCII without spaces");
  }
}

void check_scopes(const std::vector<std::string>& scopes, const Origin& origin,
                  std::vector<ConfigProblem>& problems) {
  for (const std::string& scope : scopes) {
    if (session::is_valid_scope(scope)) continue;
    problems.push_back({origin, "'" + scope +
                                    "' is no scope: a-z, 0-9, ':', '.', '_' and '-', at most 64 "
                                    "of them"});
  }
}

void check_csp(const Route& route, std::vector<ConfigProblem>& problems) {
  if (route.csp_policy.empty()) return;
  const std::string name = "csp_policy of route '" + route.match + "'";
  const auto policy = http::ContentSecurityPolicy::parse(route.csp_policy);
  if (!policy) problems.push_back({route.origin, name + ": " + policy.error()});
  if (route.csp == CspMode::off)
    problems.push_back({route.origin, name + " goes nowhere with csp = \"off\""});
}

void check_schema(const Route& route, std::vector<ConfigProblem>& problems) {
  const RouteSchema& schema = route.schema;
  RouteSchema plain;
  plain.document = schema.document;
  plain.files = schema.files;
  plain.learn = schema.learn;
  if (schema.file.empty() && schema != plain)
    problems.push_back({route.origin, "route '" + route.match +
                                          "' says how its schema is obeyed, but has none: add "
                                          "schema = \"openapi.yaml\""});
  if (schema.learn && !schema.file.empty() && schema.requests == SchemaMode::enforce)
    problems.push_back(
        {route.origin, "route '" + route.match +
                           "' has nothing to learn: what its schema does not describe is refused; "
                           "leave schema_learn out, or say schema_mode = \"shadow\""});
  if (schema.base && schema.base->front() != '/')
    problems.push_back(
        {route.origin, "route '" + route.match + "': 'schema_base' begins with '/'"});
}

void check_route(const Route& route, std::vector<ConfigProblem>& problems) {
  if (route.match.empty() || route.match.front() != '/') {
    problems.push_back({route.origin, "route '" + route.match + "' must begin with '/'"});
  }
  const std::size_t star = route.match.find('*');
  if (star != std::string::npos && star + 1 != route.match.size()) {
    problems.push_back(
        {route.origin, "route '" + route.match + "' may have a '*' at its end only"});
  }
  if (route.match.find_first_of("%;\\") != std::string::npos ||
      route.match.find("//") != std::string::npos) {
    problems.push_back({route.origin, "route '" + route.match +
                                          "' is compared with decoded paths: write it without "
                                          "%XX, ';', '\\' and '//'"});
  }
  if (std::any_of(route.match.begin(), route.match.end(),
                  [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    problems.push_back(
        {route.origin, "route '" + route.match +
                           "': backends differ in the case of other letters than a to z, so a "
                           "pattern is ASCII; end it before them: \"/prefix/*\""});
  }
  if (route.backends.empty())
    problems.push_back({route.origin, "route '" + route.match + "' has no backend"});
  check_backend_settings(route, problems);
  check_csp(route, problems);
  check_schema(route, problems);
  if (!route.roles.empty() && route.login != Login::required) {
    problems.push_back({route.origin, "route '" + route.match +
                                          "' names roles, so it needs login = \"required\""});
  }
  if (!route.scopes.empty() && route.login != Login::required) {
    problems.push_back({route.origin, "route '" + route.match +
                                          "' names scopes, so it needs login = \"required\""});
  }
  check_scopes(route.scopes, route.origin, problems);
}

}  // namespace

Result<Upstream, std::string> parse_upstream(std::string_view text) {
  const std::string shown = "'" + std::string(text) + "'";
  Upstream upstream;
  if (text.substr(0, 5) == "unix:") {
    text.remove_prefix(5);
    if (text.size() < 2 || text.front() != '/' || text.back() == '/' ||
        text.size() > net::longest_unix_path || text.find('\0') != std::string_view::npos)
      return Error{shown + ": a Unix socket is unix:/PATH, a whole path of at most " +
                   std::to_string(net::longest_unix_path) + " bytes"};
    upstream.kind = Upstream::Kind::unix_socket;
    upstream.host = "localhost";
    upstream.path = text;
    return upstream;
  }
  if (text.substr(0, 8) == "https://") {
    text.remove_prefix(8);
    upstream.kind = Upstream::Kind::tls;
  } else if (text.substr(0, 7) == "http://") {
    text.remove_prefix(7);
  }
  if (!text.empty() && text.back() == '/') text.remove_suffix(1);
  if (text.find("://") != std::string_view::npos)
    return Error{shown + ": a backend is http://HOST:PORT, https://HOST or unix:/PATH"};
  if (text.find('/') != std::string_view::npos) return Error{shown + ": a backend has no path"};
  if (text.empty()) return Error{std::string("a backend is http://HOST:PORT")};
  if (const auto port = parse_port(text[0] == ':' ? text.substr(1) : text); port && *port != 0) {
    upstream.host = "localhost";
    upstream.port = *port;
    return upstream;
  }
  const auto parsed = HostPort::parse(text);
  if (!parsed || (parsed->port && *parsed->port == 0))
    return Error{shown + " is no backend; write http://HOST:PORT"};
  upstream.host = parsed->host;
  upstream.port = parsed->port.value_or(upstream.kind == Upstream::Kind::tls ? 443 : 80);
  return upstream;
}

Result<Listen, std::string> parse_listen(std::string_view text) {
  Listen listen;
  const std::string error =
      "'" + std::string(text) + "' is no address to listen on; write 127.0.0.1:8443 or :8443";
  if (text.empty()) return Error{error};
  if (const auto port = parse_port(text[0] == ':' ? text.substr(1) : text)) {
    listen.port = *port;
    listen.addresses = {IpAddress::from_v4(0), IpAddress()};
    return listen;
  }
  const auto parsed = HostPort::parse(text);
  if (!parsed || !parsed->port) return Error{error};
  listen.port = *parsed->port;
  if (parsed->host == "localhost") {
    listen.addresses = {*IpAddress::parse("127.0.0.1"), *IpAddress::parse("::1")};
    return listen;
  }
  const auto address = IpAddress::parse(parsed->host);
  if (!address) return Error{error};
  listen.addresses = {*address};
  return listen;
}

std::vector<ConfigProblem> check_config(const Config& config) {
  std::vector<ConfigProblem> problems;
  if (config.routes.empty()) {
    problems.push_back({Origin{"backend", 0},
                        "no backend: name one with backend = \"http://127.0.0.1:3000\" or --to"});
  }
  for (const Route& route : config.routes) {
    check_route(route, problems);
    if (!route.schema.file.empty() && route.max_body > config.max_held_bodies / HeldBytes::shares)
      problems.push_back({route.origin, "route '" + route.match +
                                            "' has a schema and a 'max_body' that no address could "
                                            "send: it is more than an eighth of "
                                            "server.max_held_bodies"});
  }
  check_order(config.routes, problems);
  check_issuers(config, problems);
  check_forms(config.routes, problems);
  check_tls(config, problems);
  if (config.domains.empty()) problems.push_back({Origin{"domain", 0}, "'domain' is empty"});
  for (const auto* list : {&config.https, &config.http}) {
    for (const std::string& text : *list) {
      if (auto listen = parse_listen(text); !listen)
        problems.push_back({Origin{"server", 0}, listen.error()});
    }
  }
  if (!config.admin_listen.empty()) {
    if (auto listen = parse_listen(config.admin_listen); !listen)
      problems.push_back({Origin{"admin.listen", 0}, listen.error()});
  }
  if (config.https.empty())
    problems.push_back({Origin{"server.https", 0}, "Moat needs an HTTPS address"});
  if (config.proxy_protocol && config.trusted_proxies.empty()) {
    problems.push_back({Origin{"server.proxy_protocol", 0},
                        "proxy_protocol needs 'server.trusted_proxies': nobody else may connect"});
  }
  const bool files = config.has_certificate_files();
  if (config.issuer == Issuer::files && !files) {
    problems.push_back(
        {Origin{"tls.issuer", 0}, "issuer = \"files\" needs 'tls.certificate' and 'tls.key'"});
  }
  if (config.issuer == Issuer::acme && (files || config.is_localhost())) {
    problems.push_back({Origin{"tls.issuer", 0},
                        files ? "issuer = \"acme\" and 'tls.certificate' exclude each other"
                              : "issuer = \"acme\" needs a public name in 'domain'"});
  }
  if (config.issuer == Issuer::acme && !config.acme.agree_to_terms) {
    problems.push_back({Origin{"tls.acme.agree_to_terms", 0},
                        "the CA's terms of service need your consent: read them, and set "
                        "agree_to_terms = true"});
  }
  check_acme(config, problems);
  if (!config.storage.empty() && config.storage.front() != '/') {
    problems.push_back(
        {Origin{"tls.storage", 0}, "'tls.storage' is a directory by its whole path"});
  }
  if (config.user.empty() && !config.group.empty()) {
    problems.push_back({Origin{"server.group", 0}, "'server.group' needs 'server.user'"});
  }
  if (!config.access_path.empty() && config.access_log == AccessFormat::off) {
    problems.push_back({Origin{"log.access_path", 0},
                        "'log.access_path' needs 'log.access': \"json\" or \"combined\""});
  }
  if (config.session_absolute < config.session_idle) {
    problems.push_back({Origin{"session", 0}, "'session.absolute' is shorter than 'session.idle'"});
  }
  if (config.access_ttl > config.session_idle) {
    problems.push_back({Origin{"session", 0}, "'session.access' is longer than 'session.idle'"});
  }
  if (config.token_refresh < config.token_idle) {
    problems.push_back({Origin{"token", 0}, "'token.refresh' is shorter than 'token.idle'"});
  }
  if (config.token_idle <= config.access_ttl) {
    problems.push_back({Origin{"token", 0}, "'token.idle' is not longer than 'session.access'"});
  }
  check_scopes(config.token_scopes, Origin{"token.scopes", 0}, problems);
  if (config.hsts_preload &&
      (!config.hsts_subdomains || config.hsts_max_age < std::chrono::hours{24 * 365})) {
    problems.push_back(
        {Origin{"tls.hsts", 0}, "preload needs subdomains = true and max_age of a year or more"});
  }
  return problems;
}

namespace {

void add_schema_weakenings(const Route& route, const std::string& name,
                           std::vector<Weakening>& out) {
  const RouteSchema& schema = route.schema;
  const auto add = [&](const std::string& what) { out.push_back({2, route.origin, name + what}); };
  if (schema.file.empty()) return;
  if (schema.requests == SchemaMode::shadow)
    add("only reports what its schema does not describe (schema_mode = \"shadow\")");
  if (schema.allow_unknown_query)
    add("lets parameters through that its schema does not describe (allow_unknown_query = true)");
  if (schema.allow_unknown_members)
    add("lets members through that its schema does not describe (allow_unknown_members = true)");
  if (schema.allow_unsafe_keys)
    add("lets names such as $gt and __proto__ through (allow_unsafe_keys = true)");
  else if (schema.allow_dotted_keys)
    add("lets names with a dot through, which databases may read as a path (allow_dotted_keys = "
        "true)");
  if (schema.allow_missing_credentials)
    add("lets requests through without the credentials that its schema asks for "
        "(allow_missing_credentials = true)");
  for (const std::string& type : schema.allow_unread_bodies)
    add("lets bodies of the type " + type +
        " through that nobody has read (allow_unread_bodies), whatever its schema says of them");
  if (schema.allow_mismatched_uploads)
    add("lets files and bodies through that are not what their media type says "
        "(allow_mismatched_uploads = true)");
}

// ASVS 12.3.1 and 12.3.3. A name may be this machine's own, as that of a container is.
void add_clear_backends(const Config& config, std::vector<Weakening>& out) {
  std::vector<std::string> told;
  for (const Route& route : config.routes) {
    for (const Upstream& backend : route.backends) {
      const std::string name = backend.to_string();
      if (!backend.leaves_in_clear() || std::find(told.begin(), told.end(), name) != told.end())
        continue;
      told.push_back(name);
      out.push_back({1, route.origin,
                     "what is sent to " + name +
                         " is not encrypted: whoever stands between reads and changes it (use "
                         "https://, or unix: on this machine)"});
    }
  }
}

// It has neither TLS nor a login (ASVS 12.2.1).
void add_open_admin(const Config& config, std::vector<Weakening>& out) {
  if (config.admin_listen.empty()) return;
  const auto listen = parse_listen(config.admin_listen);
  if (!listen || std::all_of(listen->addresses.begin(), listen->addresses.end(),
                             [](const IpAddress& address) { return address.is_loopback(); }))
    return;
  out.push_back({1, Origin{"admin.listen", 0},
                 "metrics and health are told in the clear to whoever reaches " +
                     config.admin_listen + " (127.0.0.1:" + std::to_string(listen->port) +
                     " is for this machine alone)"});
}

}  // namespace

std::vector<Weakening> weakenings(const Config& config) {
  std::vector<Weakening> out;
  if (!config.is_localhost() && config.hsts_max_age < std::chrono::hours{24 * 365}) {
    out.push_back({1, Origin{"tls.hsts.max_age", 0}, "HSTS lasts less than a year"});
  }
  if (!config.is_localhost() && config.hsts_ramp) {
    out.push_back({1, Origin{"tls.hsts.ramp", 0},
                   "HSTS begins with five minutes and lasts less than a year for 30 days"});
  }
  if (config.lacks_certificate()) {
    out.push_back({1, Origin{"tls.certificate", 0},
                   "no certificate for " + config.domains.front() +
                       ": a self-signed one is shown, which no browser trusts (set "
                       "tls.acme.agree_to_terms to get one from Let's Encrypt)"});
  }
  if (config.allow_key_readable_by_all) {
    out.push_back({7, Origin{"tls.allow_key_readable_by_all", 0},
                   "the certificate's key may be readable by every user of this machine"});
  }
  if (config.allow_secrets_readable_by_all) {
    out.push_back({7, Origin{"secrets.allow_readable_by_all", 0},
                   "files of secrets may be readable by every user of this machine"});
  }
  if (config.allow_unsandboxed) {
    out.push_back({7, Origin{"server.allow_unsandboxed", 0},
                   "whoever breaks into Moat reads and runs all that its user may"});
  }
  add_clear_backends(config, out);
  add_open_admin(config, out);
  for (const Route& route : config.routes) {
    const std::string name = "route '" + route.match + "' ";
    if (route.csrf == CsrfMode::off) {
      out.push_back(
          {6, route.origin, name + "accepts forged cross-site requests (csrf = \"off\")"});
    }
    if (route.csrf == CsrfMode::report) {
      out.push_back(
          {6, route.origin, name + "only reports forged cross-site requests (csrf = \"report\")"});
    }
    if (route.allow_encoded_slash) {
      out.push_back({2, route.origin, name + "lets %2F through (allow_encoded_slash = true)"});
    }
    if (route.allow_underscore_headers) {
      out.push_back({2, route.origin,
                     name + "lets headers such as SCRIPT_NAME through "
                            "(allow_underscore_headers = true)"});
    }
    if (route.allow_unknown_methods) {
      out.push_back({2, route.origin,
                     name + "lets methods through that nobody has checked "
                            "(allow_unknown_methods = true)"});
    }
    if (route.backend.allow_unverified) {
      out.push_back({1, route.origin,
                     name + "takes any certificate for its backend's "
                            "(allow_unverified_backend = true)"});
    }
    add_schema_weakenings(route, name, out);
    if (route.csp == CspMode::off)
      out.push_back({2, route.origin, name + "adds no Content-Security-Policy"});
    const auto policy = http::ContentSecurityPolicy::parse(route.csp_policy);
    if (policy) {
      for (const std::string& weak : policy->weaknesses())
        out.push_back({2, route.origin, name + "has a policy that stops little: " + weak});
    }
  }
  for (const TrustedIssuer& issuer : config.issuers) add_weakenings(issuer, out);
  for (const std::string& origin : config.trusted_origins) {
    out.push_back({6, Origin{"csrf.trusted_origins", 0},
                   "requests from " + origin + " count as the site's own"});
  }
  for (const Cidr& cidr : config.trusted_proxies) {
    if (cidr.to_string() == "0.0.0.0/0" || cidr.to_string() == "::/0") {
      out.push_back({5, Origin{"server.trusted_proxies", 0},
                     "every client may name its own address (" + cidr.to_string() + ")"});
    }
  }
  for (const SecretReference& secret : config.secrets) {
    if (secret.reference.rfind("env:", 0) == 0) {
      out.push_back({7, secret.origin,
                     "secret '" + secret.name + "' comes from the environment; a file is safer"});
    }
  }
  return out;
}

std::string_view sample_config() {
  return R"(# moat.toml: everything that is left out is at its strict default. `moat check` reads it, `moat explain GET /x` tells
# what happens to a request.
domain  = "localhost"              # a public name listens on :443 and :80
backend = "http://127.0.0.1:3000"  # the only thing Moat must be told
login   = ["/account/*"]           # paths that need a signed-in user; the rest is public
# schema = "openapi.yaml"          # what this OpenAPI document does not describe is refused
# email = "ops@example.com"        # whom a certificate authority may write to
# data  = "/var/lib/moat"          # accounts, keys and certificates; made 0700 on first run
# tls.acme.agree_to_terms = true   # of Let's Encrypt, which then gives a public name its certificate
)";
}

}  // namespace moat::gateway
