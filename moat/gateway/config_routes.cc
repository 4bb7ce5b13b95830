// SPDX-License-Identifier: Apache-2.0
// The routes of a configuration, and what stands at its top in their place.
#include <algorithm>

#include "moat/gateway/internal/config_table.h"

namespace moat::gateway {

namespace {

using std::chrono::milliseconds;

void read_upstreams(ConfigTable& table, std::string_view key, std::vector<Upstream>& out) {
  std::vector<std::string> texts;
  Origin where;
  if (!table.list(key, texts, &where)) return;
  out.clear();
  for (const std::string& text : texts) {
    auto upstream = parse_upstream(text);
    if (upstream) {
      out.push_back(std::move(*upstream));
    } else {
      table.report(where, upstream.error());
    }
  }
}

void read_backend_settings(ConfigTable& table, BackendSettings& out) {
  table.choice<Balance>(
      "balance", out.balance,
      {{"round_robin", Balance::round_robin}, {"least_connections", Balance::least_connections}});
  std::uint32_t most = 0;
  table.integer("backend_max_connections", most, 1, 1'000'000);
  if (most > 0) out.max_connections = most;
  table.text("backend_name", out.name);
  table.text("backend_ca", out.ca_file);
  table.boolean("allow_unverified_backend", out.allow_unverified);
  table.text("backend_certificate", out.certificate_file);
  table.text("backend_key", out.key_file);
  table.text("health_path", out.health_path);
  constexpr milliseconds least{50};
  table.duration("health_every", out.health_every, least, milliseconds{3'600'000});
  table.duration("health_timeout", out.health_timeout, least, milliseconds{60'000});
  table.integer("health_expect", out.health_expect, 200, 599);
}

void read_schema_settings(ConfigTable& table, RouteSchema& out) {
  const std::initializer_list<std::pair<std::string_view, SchemaMode>> modes = {
      {"shadow", SchemaMode::shadow}, {"enforce", SchemaMode::enforce}};
  table.text("schema", out.file);
  table.choice<SchemaMode>("schema_mode", out.requests, modes);
  table.choice<SchemaMode>(
      "schema_responses", out.responses,
      {{"off", SchemaMode::off}, {"shadow", SchemaMode::shadow}, {"enforce", SchemaMode::enforce}});
  std::string base;
  table.text("schema_base", base);
  if (!base.empty()) out.base = base;
  table.boolean("allow_unknown_query", out.allow_unknown_query);
  table.boolean("allow_unknown_members", out.allow_unknown_members);
  table.boolean("allow_unsafe_keys", out.allow_unsafe_keys);
  table.boolean("allow_dotted_keys", out.allow_dotted_keys);
  table.boolean("allow_missing_credentials", out.allow_missing_credentials);
  table.list("allow_unread_bodies", out.allow_unread_bodies);
  table.boolean("allow_mismatched_uploads", out.allow_mismatched_uploads);
  table.integer("schema_max_members", out.max_members, 1, 1'000'000);
  table.size("schema_max_answer", out.max_answer, 1, std::uint64_t{1} << 30);
  table.boolean("schema_learn", out.learn);
  table.size("schema_max_string", out.max_string, 1, std::uint64_t{1} << 30);
}

void read_route(ConfigTable table, Route& route) {
  table.text("match", route.match);
  read_upstreams(table, "backend", route.backends);
  read_backend_settings(table, route.backend);
  table.choice<Login>(
      "login", route.login,
      {{"none", Login::none}, {"optional", Login::optional}, {"required", Login::required}});
  table.choice<ClientCertificates>("client_certificate", route.client_certificate,
                                   {{"none", ClientCertificates::none},
                                    {"optional", ClientCertificates::optional},
                                    {"required", ClientCertificates::required}});
  table.list("roles", route.roles);
  table.list("scopes", route.scopes);
  table.choice<OnAnonymous>("on_anonymous", route.on_anonymous,
                            {{"auto", OnAnonymous::automatic},
                             {"401", OnAnonymous::unauthorized},
                             {"redirect", OnAnonymous::redirect}});
  std::string limit;
  read_limit(table, "limit", limit);
  if (!limit.empty()) route.limit = limit;
  table.size("max_body", route.max_body, 0, std::uint64_t{1} << 50);
  table.boolean("websocket", route.websocket);
  table.choice<CsrfMode>("csrf", route.csrf,
                         {{"enforce", CsrfMode::enforce},
                          {"report", CsrfMode::report},
                          {"off", CsrfMode::off},
                          {"token", CsrfMode::token}});
  table.choice<CsrfForms>("csrf_forms", route.csrf_forms,
                          {{"off", CsrfForms::off}, {"inject", CsrfForms::inject}});
  table.boolean("allow_encoded_slash", route.allow_encoded_slash);
  table.boolean("allow_underscore_headers", route.allow_underscore_headers);
  table.boolean("allow_unknown_methods", route.allow_unknown_methods);
  table.choice<CspMode>("csp", route.csp,
                        {{"report-only", CspMode::report_only},
                         {"enforce", CspMode::enforce},
                         {"off", CspMode::off}});
  table.text("csp_policy", route.csp_policy);
  table.list("script_cookies", route.script_cookies);
  read_schema_settings(table, route.schema);
  table.choice<bool>("host", route.preserve_host, {{"preserve", true}, {"backend", false}});
  table.finish();
}

}  // namespace

// `backend`, what belongs to it, and `login` at the top are shorthand for a route that requires a
// login and one for the rest.
void read_routes(ConfigTable& top, Config& config) {
  std::vector<Upstream> backends;
  std::vector<std::string> login;
  Origin login_origin;
  const auto shorthand = top.find("backend");
  read_upstreams(top, "backend", backends);
  top.list("login", login, &login_origin);
  BackendSettings settings;
  read_backend_settings(top, settings);
  RouteSchema schema;
  read_schema_settings(top, schema);
  const bool set = settings != BackendSettings() || schema != RouteSchema();
  const toml::array* tables = top.tables("route");
  if (tables != nullptr && (shorthand || set || !login.empty())) {
    Origin where = shorthand ? shorthand->origin : login_origin;
    if (where.source.empty()) where = top.origin_of(*tables);
    top.report(where,
               "'backend', its settings and 'login' at the top are shorthand; with [[route]] "
               "tables write them there");
    return;
  }
  if (tables == nullptr) {
    for (const std::string& pattern : login) {
      Route route;
      route.csrf = config.csrf;
      route.match = pattern;
      route.backends = backends;
      route.backend = settings;
      route.schema = schema;
      route.login = Login::required;
      route.origin = login_origin;
      config.routes.push_back(std::move(route));
    }
    const bool all = std::find(login.begin(), login.end(), "/*") != login.end();
    if ((shorthand || set || !login.empty()) && !all) {
      Route route;
      route.csrf = config.csrf;
      route.backends = backends;
      route.backend = settings;
      route.schema = schema;
      route.origin = shorthand ? shorthand->origin : login_origin;
      config.routes.push_back(std::move(route));
    }
    return;
  }
  for (const toml::node& node : *tables) {
    Route route;
    route.csrf = config.csrf;
    route.origin = top.origin_of(node);
    read_route(top.element("route", node), route);
    config.routes.push_back(std::move(route));
  }
}

}  // namespace moat::gateway
