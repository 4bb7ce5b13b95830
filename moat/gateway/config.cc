// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/config.h"

#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/gateway/internal/config_table.h"
#include "moat/gateway/nearest.h"

namespace moat::gateway {

std::string Origin::to_string() const {
  return line > 0 ? source + ":" + std::to_string(line) : source;
}
std::string ConfigProblem::to_string() const {
  return origin.source.empty() ? message : origin.to_string() + ": " + message;
}
std::string Upstream::authority() const {
  const bool bare_v6 = host.find(':') != std::string::npos;
  const std::string name = bare_v6 ? "[" + host + "]" : host;
  if (kind == Kind::unix_socket || port == (kind == Kind::tls ? 443 : 80)) return name;
  return name + ":" + std::to_string(port);
}
std::string Upstream::to_string() const {
  switch (kind) {
    case Kind::plain:
      return "http://" + authority();
    case Kind::tls:
      return "https://" + authority();
    case Kind::unix_socket:
      break;
  }
  return "unix:" + path;
}

namespace {

bool is_local_name(std::string_view name) {
  const std::string lower = ascii_lower(name);
  if (lower == "localhost" ||
      (lower.size() > 10 && lower.substr(lower.size() - 10) == ".localhost"))
    return true;
  const auto address = IpAddress::parse(lower);
  return address && address->is_loopback();
}

void check_domains(const Config& config, ConfigTable& top) {
  for (std::string_view domain : config.domains) {
    // RFC 6125 section 6.4.3: the whole first label, and never a whole registry below one name.
    const bool wildcard = domain.substr(0, 2) == "*.";
    const bool first = domain == config.domains.front();
    if (wildcard && (first || domain.find('.', 2) == std::string_view::npos)) {
      top.report(Origin{"domain", 0},
                 "'" + std::string(domain) +
                     "': a wildcard stands behind the site's own name, and before a name with a "
                     "dot: domain = [\"example.com\", \"*.example.com\"]");
    }
    if (wildcard) domain.remove_prefix(2);
    const auto parsed = HostPort::parse(domain);
    const bool good = IpAddress::parse(domain) || (parsed && !parsed->port);
    if (!good)
      top.report(Origin{"domain", 0}, "'" + std::string(domain) +
                                          "' is no host name (write it without scheme and port)");
  }
}

// A name of one of our sections, or close to one of ours. Not a problem: others' variables begin
// with MOAT_ too where an orchestrator announces a service of that name.
void note_unknown(const Environment& environment, const std::vector<std::string>& variables,
                  std::vector<std::string>& notes) {
  for (const auto& [name, value] : environment) {
    if (std::find(variables.begin(), variables.end(), name) != variables.end()) continue;
    const std::size_t end = name.find('_', 5);
    const std::string section = name.substr(0, end == std::string::npos ? end : end + 1);
    const bool ours = end != std::string::npos &&
                      std::any_of(variables.begin(), variables.end(), [&](const std::string& one) {
                        return one.substr(0, end + 1) == section;
                      });
    const auto near = nearest(name, variables);
    if (!near && !ours) continue;
    std::string note = name + " is no setting of Moat and is passed over";
    if (near) note += "; did you mean " + *near + "?";
    notes.push_back(std::move(note));
  }
}

}  // namespace

bool Upstream::leaves_in_clear() const { return kind == Kind::plain && !is_local_name(host); }

std::vector<std::string> Config::scopes() const {
  std::vector<std::string> out = token_scopes;
  for (const Route& route : routes) out.insert(out.end(), route.scopes.begin(), route.scopes.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool Config::asks_clients() const {
  return std::any_of(routes.begin(), routes.end(), [](const Route& route) {
    return route.client_certificate != ClientCertificates::none;
  });
}

std::vector<CertificatePair> Config::certificate_pairs() const {
  std::vector<CertificatePair> pairs;
  if (!certificate_file.empty())
    pairs.push_back({certificate_file, key_file, Origin{"tls.certificate", 0}});
  pairs.insert(pairs.end(), more_certificates.begin(), more_certificates.end());
  return pairs;
}

bool Config::is_localhost() const {
  return std::all_of(domains.begin(), domains.end(),
                     [](const std::string& name) { return is_local_name(name); });
}

Level log_level(const Config& config) {
  if (config.log_level == "debug") return Level::debug;
  if (config.log_level == "warn") return Level::warn;
  if (config.log_level == "error") return Level::error;
  return Level::info;
}

Result<Config, std::vector<ConfigProblem>> parse_config(std::string_view text,
                                                        std::string_view file,
                                                        const Environment& environment) {
  std::vector<ConfigProblem> problems;
  toml::table parsed;
  try {
    parsed = toml::parse(text, std::string(file));
  } catch (const toml::parse_error& error) {
    const int line = static_cast<int>(error.source().begin.line);
    problems.push_back({Origin{std::string(file), line}, std::string(error.description())});
    return Error{std::move(problems)};
  }
  Config config;
  std::vector<std::string> variables;
  ConfigTable top(&parsed, "", file, environment, variables, problems);
  int version = 1;
  top.integer("version", version, 1, 1);
  const bool named = top.list("domain", config.domains);
  top.text("email", config.email);
  top.text("data", config.data);
  check_domains(config, top);
  if (named && !config.is_localhost()) {
    config.https = {":443"};
    config.http = {":80"};
  }
  auto csrf = *top.table("csrf");
  csrf.list("trusted_origins", config.trusted_origins);
  csrf.choice<CsrfMode>("mode", config.csrf,
                        {{"enforce", CsrfMode::enforce}, {"report", CsrfMode::report}});
  csrf.finish();
  read_routes(top, config);
  read_issuers(top, config);
  read_server(*top.table("server"), config);
  read_tls(*top.table("tls"), config);
  read_accounts(*top.table("accounts"), config);
  read_password(*top.table("password"), config);
  read_session(*top.table("session"), config);
  read_token(*top.table("token"), config);
  read_limits(*top.table("limits"), config);
  read_secrets(*top.table("secrets"), config);
  auto identity = *top.table("identity");
  identity.text("audience", config.assertion_audience);
  identity.finish();
  auto log = *top.table("log");
  log.choice<std::string>(
      "level", config.log_level,
      {{"debug", "debug"}, {"info", "info"}, {"warn", "warn"}, {"error", "error"}});
  log.choice<AccessFormat>("access", config.access_log,
                           {{"off", AccessFormat::off},
                            {"json", AccessFormat::json},
                            {"combined", AccessFormat::combined}});
  log.text("access_path", config.access_path);
  log.choice<bool>("trace", config.start_traces, {{"start", true}, {"pass", false}});
  log.finish();
  auto admin = *top.table("admin");
  admin.text("listen", config.admin_listen);
  admin.finish();
  top.finish();
  if (!problems.empty()) return Error{std::move(problems)};
  note_unknown(environment, variables, config.notes);
  return config;
}

}  // namespace moat::gateway
