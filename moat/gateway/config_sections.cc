// SPDX-License-Identifier: Apache-2.0
// The sections of a configuration, but for the routes.
#include "moat/gateway/internal/config_table.h"
#include "moat/limit/limit.h"

namespace moat::gateway {

using std::chrono::milliseconds;

void read_limit(ConfigTable& table, std::string_view key, std::string& out) {
  const auto found = table.find(key);
  if (!found) return;
  if (!limit::Policy::parse(found->text)) {
    return table.wrong(*found, key, "a limit such as \"600/min/ip\" or \"120/min/user burst 20\"");
  }
  out = found->text;
}

void read_server(ConfigTable table, Config& config) {
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
  table.size("max_held_bodies", config.max_held_bodies, 8 * 1024 * 1024, std::uint64_t{1} << 40);
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

void read_challenges(ConfigTable& table, AcmeSettings& acme) {
  std::vector<std::string> names;
  Origin where;
  if (!table.list("challenges", names, &where)) {
    // Whoever has a hook mostly has it since the CA cannot reach this machine.
    if (!acme.dns_hook.empty()) acme.challenges = {acme::ChallengeType::dns_01};
    return;
  }
  acme.challenges.clear();
  for (const std::string& name : names) {
    const auto type = acme::parse_challenge_type(name);
    if (!type)
      table.report(where, "'" + name + "' is none of \"tls-alpn-01\", \"http-01\" and \"dns-01\"");
    if (type) acme.challenges.push_back(*type);
  }
  if (names.empty())
    table.report(where, "at least one of \"tls-alpn-01\", \"http-01\" and \"dns-01\"");
}

void read_dns_hook(ConfigTable& table, AcmeSettings& acme) {
  Origin where;
  if (table.list("dns_hook", acme.dns_hook, &where) &&
      (acme.dns_hook.empty() || acme.dns_hook.front().rfind('/', 0) != 0))
    table.report(where, "'tls.acme.dns_hook' begins with a program by its whole path: \"/usr/…\"");
  if (table.list("dns_environment", acme.dns_environment, &where)) {
    for (const std::string& name : acme.dns_environment) {
      const bool good =
          !name.empty() && name.size() <= 256 && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                   c == '_';
          });
      if (!good) table.report(where, "'" + name + "' is no name of an environment variable");
    }
  }
  table.duration("dns_timeout", acme.dns_timeout, milliseconds{1'000}, milliseconds{1'800'000});
  table.duration("dns_wait", acme.dns_wait, milliseconds{0}, milliseconds{3'600'000});
}

void read_acme(ConfigTable table, AcmeSettings& acme) {
  // Short for the two that most people mean.
  const auto url = [&](std::string_view key, std::string& out) {
    const auto found = table.find(key);
    if (!found) return;
    out = found->text == "letsencrypt" ? "https://acme-v02.api.letsencrypt.org/directory"
          : found->text == "letsencrypt-staging"
              ? "https://acme-staging-v02.api.letsencrypt.org/directory"
              : found->text;
    if (out.rfind("https://", 0) != 0)
      table.wrong(*found, key, "an https:// URL, \"letsencrypt\" or \"letsencrypt-staging\"");
  };
  url("directory", acme.directory);
  url("fallback", acme.fallback);
  table.boolean("agree_to_terms", acme.agree_to_terms);
  table.text("profile", acme.profile);
  read_dns_hook(table, acme);
  read_challenges(table, acme);
  table.text("ca_file", acme.ca_file);
  table.text("account_id", acme.account_id);
  table.text("account_key_file", acme.account_key_file);
  table.finish();
}

// One pair as two keys, or several as tables.
void read_certificates(ConfigTable& table, Config& config) {
  table.text("key", config.key_file);
  if (!table.is_tables("certificate")) return table.text("certificate", config.certificate_file);
  const toml::array* const tables = table.tables("certificate");
  if (tables == nullptr) return;
  for (const toml::node& node : *tables) {
    CertificatePair pair;
    ConfigTable one = table.element("certificate", node);
    one.text("certificate_file", pair.certificate_file);
    one.text("key_file", pair.key_file);
    one.finish();
    pair.origin = table.origin_of(node);
    config.more_certificates.push_back(std::move(pair));
  }
}

void read_tls(ConfigTable table, Config& config) {
  table.choice<Issuer>("issuer", config.issuer,
                       {{"auto", Issuer::automatic},
                        {"local-ca", Issuer::local_ca},
                        {"files", Issuer::files},
                        {"acme", Issuer::acme}});
  read_certificates(table, config);
  table.boolean("allow_key_readable_by_all", config.allow_key_readable_by_all);
  table.text("client_ca_file", config.client_ca_file);
  table.text("client_crl_file", config.client_crl_file);
  table.choice<bool>("min", config.tls_modern, {{"1.2", false}, {"1.3", true}});
  auto hsts = *table.table("hsts");
  milliseconds age = config.hsts_max_age;
  hsts.duration("max_age", age, milliseconds{0}, milliseconds{std::chrono::hours{24 * 3650}});
  config.hsts_max_age = std::chrono::duration_cast<std::chrono::seconds>(age);
  hsts.boolean("subdomains", config.hsts_subdomains);
  hsts.boolean("preload", config.hsts_preload);
  hsts.boolean("ramp", config.hsts_ramp);
  hsts.finish();
  table.text("storage", config.storage);
  read_acme(*table.table("acme"), config.acme);
  table.finish();
}

void read_accounts(ConfigTable table, Config& config) {
  table.boolean("enabled", config.accounts);
  table.choice<bool>("signup", config.signup_open, {{"open", true}, {"closed", false}});
  table.boolean("api_tokens", config.api_tokens);
  table.boolean("api_keys", config.api_keys);
  table.finish();
}

void read_password(ConfigTable table, Config& config) {
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

void read_session(ConfigTable table, Config& config) {
  constexpr milliseconds second{1000};
  constexpr milliseconds day{86'400'000};
  table.duration("idle", config.session_idle, second, 30 * day);
  table.duration("absolute", config.session_absolute, second, 400 * day);
  table.duration("access", config.access_ttl, second, milliseconds{15 * 60'000});
  table.duration("refresh_grace", config.refresh_grace, milliseconds{0}, milliseconds{300'000});
  table.duration("confirm_after", config.confirm_after, milliseconds{0}, milliseconds{3'600'000});
  table.finish();
}

void read_token(ConfigTable table, Config& config) {
  constexpr milliseconds second{1000};
  constexpr milliseconds day{86'400'000};
  table.duration("idle", config.token_idle, second, 400 * day);
  table.duration("refresh", config.token_refresh, second, 400 * day);
  table.list("scopes", config.token_scopes);
  table.finish();
}

void read_limits(ConfigTable table, Config& config) {
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

void read_secrets(ConfigTable table, Config& config) {
  table.boolean("allow_readable_by_all", config.allow_secrets_readable_by_all);
  for (const char* name : {"session_keys", "assertion_keys", "csrf_key", "csrf_key_previous"}) {
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

}  // namespace moat::gateway
