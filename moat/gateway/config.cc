// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/config.h"

#include <toml++/toml.h>
#include <algorithm>
#include <charconv>
#include <limits>

#include "moat/base/clock.h"
#include "moat/base/encoding.h"
#include "moat/gateway/nearest.h"
#include "moat/limit/limit.h"

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

using std::chrono::milliseconds;

// One place a value may come from, with its text form and where it was written.
struct Found {
  const toml::node* node = nullptr;  // null: from the environment
  std::string text;
  Origin origin;
};

// Reads the keys of one table. Each getter leaves its target alone when the key is absent; finish()
// reports the keys that nobody asked for.
class Table {
 public:
  Table(const toml::table* table, std::string section, std::string_view file,
        const Environment& environment, std::vector<std::string>& variables,
        std::vector<ConfigProblem>& problems)
      : table_(table),
        section_(std::move(section)),
        file_(file),
        environment_(environment),
        variables_(variables),
        problems_(problems) {}

  void text(std::string_view key, std::string& out) {
    const auto found = find(key);
    if (!found) return;
    if (found->node != nullptr && !found->node->is_string())
      return wrong(*found, key, "a text in quotes");
    out = found->text;
  }

  void boolean(std::string_view key, bool& out) {
    const auto found = find(key);
    if (!found) return;
    if (found->text == "true") {
      out = true;
    } else if (found->text == "false") {
      out = false;
    } else {
      wrong(*found, key, "true or false");
    }
  }

  template <class N>
  void integer(std::string_view key, N& out, std::int64_t least, std::int64_t most) {
    const auto found = find(key);
    if (!found) return;
    std::int64_t value = 0;
    const char* end = found->text.data() + found->text.size();
    const auto parsed = std::from_chars(found->text.data(), end, value);
    const bool is_number = found->node == nullptr || found->node->is_integer();
    if (!is_number || parsed.ec != std::errc() || parsed.ptr != end || value < least ||
        value > most) {
      return wrong(*found, key,
                   "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    out = static_cast<N>(value);
  }

  void duration(std::string_view key, milliseconds& out, milliseconds least, milliseconds most) {
    const auto found = find(key);
    if (!found) return;
    const auto value = parse_duration(found->text);
    if (!value || *value < least || *value > most) {
      return wrong(*found, key,
                   "a duration such as \"30s\", from " + show(least) + " to " + show(most));
    }
    out = *value;
  }

  void size(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
    const auto found = find(key);
    if (!found) return;
    const auto value = parse_size(found->text);
    if (!value || *value < least || *value > most) {
      return wrong(*found, key,
                   "a size such as \"1MiB\", from " + std::to_string(least) + " to " +
                       std::to_string(most) + " bytes");
    }
    out = *value;
  }

  template <class E>
  void choice(std::string_view key, E& out,
              std::initializer_list<std::pair<std::string_view, E>> choices) {
    const auto found = find(key);
    if (!found) return;
    std::string names;
    for (const auto& [name, value] : choices) {
      if (found->text == name) {
        out = value;
        return;
      }
      names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    wrong(*found, key, "one of " + names);
  }

  // A text or an array of texts; in the environment separated by commas.
  bool list(std::string_view key, std::vector<std::string>& out, Origin* where = nullptr) {
    const auto found = find(key);
    if (!found) return false;
    if (where != nullptr) *where = found->origin;
    std::vector<std::string> values;
    if (found->node == nullptr) {
      std::string_view rest = found->text;
      while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        values.emplace_back(trim(rest.substr(0, comma)));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
      }
    } else if (found->node->is_string()) {
      values.push_back(found->text);
    } else if (const toml::array* array = found->node->as_array()) {
      for (const toml::node& item : *array) {
        const auto text = item.value<std::string>();
        if (!text || !item.is_string()) {
          wrong(*found, key, "a list of texts in quotes");
          return false;
        }
        values.push_back(*text);
      }
    } else {
      wrong(*found, key, "a text in quotes or a list of them");
      return false;
    }
    out = std::move(values);
    return true;
  }

  std::optional<Table> table(std::string_view key) {
    known_.emplace_back(key);
    const toml::table* inner = nullptr;
    if (table_ != nullptr && table_->contains(key)) {
      inner = table_->get(key)->as_table();
      if (inner == nullptr) {
        report(origin_of(*table_->get(key)),
               "'" + path(key) + "' must be a table: [" + path(key) + "]");
      }
    }
    return Table(inner, path(key), file_, environment_, variables_, problems_);
  }

  // One [[key]] table. The environment has no say in it.
  Table element(std::string_view key, const toml::node& node) const {
    Table made(node.as_table(), path(key), file_, environment_, variables_, problems_);
    made.in_array_ = true;
    return made;
  }

  const toml::array* tables(std::string_view key) {
    known_.emplace_back(key);
    if (table_ == nullptr || !table_->contains(key)) return nullptr;
    const toml::array* array = table_->get(key)->as_array();
    if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
      report(origin_of(*table_->get(key)),
             "'" + path(key) + "' must be written as [[" + path(key) + "]] tables");
      return nullptr;
    }
    return array;
  }

  std::optional<Found> find(std::string_view key) {
    known_.emplace_back(key);
    if (auto variable = from_environment(key)) return variable;
    if (table_ == nullptr) return std::nullopt;
    const toml::node* node = table_->get(key);
    if (node == nullptr) return std::nullopt;
    Found found{node, {}, origin_of(*node)};
    if (const auto* text = node->as_string()) found.text = text->get();
    if (const auto* number = node->as_integer()) found.text = std::to_string(number->get());
    if (const auto* truth = node->as_boolean()) found.text = truth->get() ? "true" : "false";
    return found;
  }

  std::optional<Found> from_environment(std::string_view key) {
    if (in_array_) return std::nullopt;
    std::string name = "MOAT_";
    for (const char c : path(key))
      name.push_back(c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
    variables_.push_back(name);
    for (const auto& [variable, value] : environment_) {
      if (variable == name) return Found{nullptr, value, Origin{name, 0}};
    }
    return std::nullopt;
  }

  bool in_file(std::string_view key) const { return table_ != nullptr && table_->contains(key); }

  void wrong(const Found& found, std::string_view key, const std::string& expected) {
    report(found.origin, "'" + path(key) + "' must be " + expected);
  }
  void report(Origin origin, std::string message) {
    problems_.push_back({std::move(origin), std::move(message)});
  }
  Origin origin_of(const toml::node& node) const {
    return Origin{std::string(file_), static_cast<int>(node.source().begin.line)};
  }

  void finish() {
    if (table_ == nullptr) return;
    for (const auto& [key, node] : *table_) {
      const std::string name(key.str());
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      std::string message = "unknown key '" + path(name) + "'";
      if (const auto near = nearest(name, known_))
        message += "; did you mean '" + path(*near) + "'?";
      report(Origin{std::string(file_), static_cast<int>(key.source().begin.line)},
             std::move(message));
    }
  }

 private:
  std::string path(std::string_view key) const {
    return section_.empty() ? std::string(key) : section_ + "." + std::string(key);
  }
  static std::string show(milliseconds value) {
    const auto ms = value.count();
    if (ms % 3'600'000 == 0 && ms > 0) return std::to_string(ms / 3'600'000) + "h";
    if (ms % 60'000 == 0 && ms > 0) return std::to_string(ms / 60'000) + "m";
    if (ms % 1000 == 0) return std::to_string(ms / 1000) + "s";
    return std::to_string(ms) + "ms";
  }

  const toml::table* table_;
  std::string section_;
  std::string_view file_;
  const Environment& environment_;
  std::vector<std::string>& variables_;  // names that mean something
  std::vector<ConfigProblem>& problems_;
  std::vector<std::string> known_;
  bool in_array_ = false;
};

void read_upstreams(Table& table, std::string_view key, std::vector<Upstream>& out) {
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

void read_limit(Table& table, std::string_view key, std::string& out) {
  const auto found = table.find(key);
  if (!found) return;
  if (!limit::Policy::parse(found->text)) {
    return table.wrong(*found, key, "a limit such as \"600/min/ip\" or \"120/min/user burst 20\"");
  }
  out = found->text;
}

void read_server(Table table, Config& config) {
  table.list("https", config.https);
  table.list("http", config.http);
  table.boolean("http2", config.http2);
  table.integer("workers", config.workers, 0, 1024);
  table.choice<net::Engine>("engine", config.engine,
                            {{"auto", net::Engine::automatic},
                             {"epoll", net::Engine::epoll},
                             {"io_uring", net::Engine::io_uring}});
  table.integer("max_connections", config.max_connections, 1, 10'000'000);
  table.integer("max_connections_per_address", config.max_connections_per_address, 1, 10'000'000);
  table.text("user", config.user);
  table.text("group", config.group);
  table.boolean("allow_unsandboxed", config.allow_unsandboxed);
  table.size("max_header", config.max_header, 1024, 20 * 1024);
  table.size("max_target", config.max_target, 256, 8 * 1024);
  std::vector<std::string> proxies;
  Origin where;
  if (table.list("trusted_proxies", proxies, &where)) {
    for (const std::string& text : proxies) {
      if (const auto cidr = Cidr::parse(text)) {
        config.trusted_proxies.push_back(*cidr);
      } else {
        table.report(where, "'" + text + "' is not a network such as 10.0.0.0/8");
      }
    }
  }
  table.boolean("proxy_protocol", config.proxy_protocol);
  auto timeouts = *table.table("timeouts");
  constexpr milliseconds least{50};
  constexpr milliseconds hour{3'600'000};
  Timeouts& t = config.timeouts;
  timeouts.duration("handshake", t.handshake, least, hour);
  timeouts.duration("header", t.header, least, hour);
  timeouts.duration("body", t.body_idle, least, hour);
  timeouts.duration("send", t.send, least, hour);
  timeouts.duration("idle", t.idle, least, hour);
  timeouts.duration("connect", t.connect, least, hour);
  timeouts.duration("backend", t.backend, least, 24 * hour);
  timeouts.duration("websocket", t.websocket, least, 24 * hour);
  timeouts.duration("drain", t.drain, milliseconds{0}, hour);
  timeouts.finish();
  table.finish();
}

void read_tls(Table table, Config& config) {
  table.choice<Issuer>(
      "issuer", config.issuer,
      {{"auto", Issuer::automatic}, {"local-ca", Issuer::local_ca}, {"files", Issuer::files}});
  table.text("certificate", config.certificate_file);
  table.text("key", config.key_file);
  table.boolean("allow_key_readable_by_all", config.allow_key_readable_by_all);
  table.choice<bool>("min", config.tls_modern, {{"1.2", false}, {"1.3", true}});
  auto hsts = *table.table("hsts");
  milliseconds age = config.hsts_max_age;
  hsts.duration("max_age", age, milliseconds{0}, milliseconds{std::chrono::hours{24 * 3650}});
  config.hsts_max_age = std::chrono::duration_cast<std::chrono::seconds>(age);
  hsts.boolean("subdomains", config.hsts_subdomains);
  hsts.boolean("preload", config.hsts_preload);
  hsts.finish();
  table.finish();
}

void read_backend_settings(Table& table, BackendSettings& out) {
  table.choice<Balance>(
      "balance", out.balance,
      {{"round_robin", Balance::round_robin}, {"least_connections", Balance::least_connections}});
  std::uint32_t most = 0;
  table.integer("backend_max_connections", most, 1, 1'000'000);
  if (most > 0) out.max_connections = most;
  table.text("backend_name", out.name);
  table.text("backend_ca", out.ca_file);
  table.boolean("allow_unverified_backend", out.allow_unverified);
  table.text("health_path", out.health_path);
  constexpr milliseconds least{50};
  table.duration("health_every", out.health_every, least, milliseconds{3'600'000});
  table.duration("health_timeout", out.health_timeout, least, milliseconds{60'000});
  table.integer("health_expect", out.health_expect, 200, 599);
}

void read_route(Table table, Route& route) {
  table.text("match", route.match);
  read_upstreams(table, "backend", route.backends);
  read_backend_settings(table, route.backend);
  table.choice<Login>(
      "login", route.login,
      {{"none", Login::none}, {"optional", Login::optional}, {"required", Login::required}});
  table.list("roles", route.roles);
  table.choice<OnAnonymous>("on_anonymous", route.on_anonymous,
                            {{"auto", OnAnonymous::automatic},
                             {"401", OnAnonymous::unauthorized},
                             {"redirect", OnAnonymous::redirect}});
  std::string limit;
  read_limit(table, "limit", limit);
  if (!limit.empty()) route.limit = limit;
  table.size("max_body", route.max_body, 0, std::uint64_t{1} << 50);
  table.boolean("websocket", route.websocket);
  table.choice<bool>("csrf", route.csrf, {{"enforce", true}, {"off", false}});
  table.boolean("allow_encoded_slash", route.allow_encoded_slash);
  table.boolean("allow_underscore_headers", route.allow_underscore_headers);
  table.boolean("allow_unknown_methods", route.allow_unknown_methods);
  table.choice<CspMode>("csp", route.csp,
                        {{"report-only", CspMode::report_only},
                         {"enforce", CspMode::enforce},
                         {"off", CspMode::off}});
  table.list("script_cookies", route.script_cookies);
  table.choice<bool>("host", route.preserve_host, {{"preserve", true}, {"backend", false}});
  table.finish();
}

// `backend`, what belongs to it, and `login` at the top are shorthand for a route that requires a
// login and one for the rest.
void read_routes(Table& top, Config& config) {
  std::vector<Upstream> backends;
  std::vector<std::string> login;
  Origin login_origin;
  const auto shorthand = top.find("backend");
  read_upstreams(top, "backend", backends);
  top.list("login", login, &login_origin);
  BackendSettings settings;
  read_backend_settings(top, settings);
  const bool set = settings != BackendSettings();
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
      route.match = pattern;
      route.backends = backends;
      route.backend = settings;
      route.login = Login::required;
      route.origin = login_origin;
      config.routes.push_back(std::move(route));
    }
    const bool all = std::find(login.begin(), login.end(), "/*") != login.end();
    if ((shorthand || set || !login.empty()) && !all) {
      Route route;
      route.backends = backends;
      route.backend = settings;
      route.origin = shorthand ? shorthand->origin : login_origin;
      config.routes.push_back(std::move(route));
    }
    return;
  }
  for (const toml::node& node : *tables) {
    Route route;
    route.origin = top.origin_of(node);
    read_route(top.element("route", node), route);
    config.routes.push_back(std::move(route));
  }
}

void read_accounts(Table table, Config& config) {
  table.boolean("enabled", config.accounts);
  table.choice<bool>("signup", config.signup_open, {{"open", true}, {"closed", false}});
  table.finish();
}

void read_password(Table table, Config& config) {
  auto hash = *table.table("hash");
  std::uint64_t memory = std::uint64_t{config.argon2_memory_kib} * 1024;
  hash.size("memory", memory, 12'288 * 1024, std::uint64_t{4} << 30);
  config.argon2_memory_kib = static_cast<std::uint32_t>(memory / 1024);
  hash.integer("iterations", config.argon2_iterations, 1, 100);
  hash.integer("lanes", config.argon2_lanes, 1, 16);
  hash.finish();
  table.integer("workers", config.password_workers, 0, 1024);
  table.integer("min_length", config.min_password, 15, 64);
  table.finish();
}

void read_session(Table table, Config& config) {
  constexpr milliseconds second{1000};
  constexpr milliseconds day{86'400'000};
  table.duration("idle", config.session_idle, second, 30 * day);
  table.duration("absolute", config.session_absolute, second, 400 * day);
  table.duration("access", config.access_ttl, second, milliseconds{15 * 60'000});
  table.duration("refresh_grace", config.refresh_grace, milliseconds{0}, milliseconds{300'000});
  table.finish();
}

void read_limits(Table table, Config& config) {
  read_limit(table, "default", config.limit_default);
  std::string user;
  read_limit(table, "user", user);
  if (!user.empty()) config.limit_user = user;
  read_limit(table, "signup", config.limit_signup);
  read_limit(table, "login", config.limit_login);
  auto lockout = *table.table("lockout");
  lockout.integer("after", config.lockout_free, 1, 100);
  lockout.duration("first", config.lockout_first, milliseconds{100}, milliseconds{3'600'000});
  lockout.duration("most", config.lockout_most, milliseconds{1000}, milliseconds{86'400'000});
  lockout.finish();
  table.finish();
}

void read_secrets(Table table, Config& config) {
  table.boolean("allow_readable_by_all", config.allow_secrets_readable_by_all);
  for (const char* name : {"session_keys", "assertion_keys", "csrf_key"}) {
    const auto found = table.find(name);
    if (!found) continue;
    if (found->node == nullptr && table.in_file(name)) {
      table.report(found->origin,
                   std::string("secret '") + name + "' is given twice: here and in the file");
      continue;
    }
    // In the environment the value itself may stand; in the file only a reference, since files end
    // up in git.
    const bool reference = found->text.rfind("file:", 0) == 0 || found->text.rfind("env:", 0) == 0;
    if (!reference && found->node != nullptr) {
      table.report(
          found->origin,
          std::string("secret '") + name +
              "' stands in the file itself; name where it is: \"file:PATH\" or \"env:NAME\"");
      continue;
    }
    config.secrets.push_back(
        {name, reference ? found->text : "env:" + found->origin.source, found->origin});
  }
  table.finish();
}

bool is_local_name(std::string_view name) {
  const std::string lower = ascii_lower(name);
  if (lower == "localhost" ||
      (lower.size() > 10 && lower.substr(lower.size() - 10) == ".localhost"))
    return true;
  const auto address = IpAddress::parse(lower);
  return address && address->is_loopback();
}

void check_domains(const Config& config, Table& top) {
  for (const std::string& domain : config.domains) {
    const auto parsed = HostPort::parse(domain);
    const bool good = IpAddress::parse(domain) || (parsed && !parsed->port);
    if (!good)
      top.report(Origin{"domain", 0},
                 "'" + domain + "' is no host name (write it without scheme and port)");
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
  Table top(&parsed, "", file, environment, variables, problems);
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
  read_routes(top, config);
  read_server(*top.table("server"), config);
  read_tls(*top.table("tls"), config);
  read_accounts(*top.table("accounts"), config);
  read_password(*top.table("password"), config);
  read_session(*top.table("session"), config);
  read_limits(*top.table("limits"), config);
  read_secrets(*top.table("secrets"), config);
  auto csrf = *top.table("csrf");
  csrf.list("trusted_origins", config.trusted_origins);
  csrf.finish();
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
