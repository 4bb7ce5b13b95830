// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/generation.h"

#include <algorithm>
#include <stdexcept>

#include "moat/https/hsts.h"
#include "moat/limit/fields.h"

namespace moat::gateway {

namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

shield::Rules rules_of(const Route& route) {
  shield::Rules rules;
  switch (route.login) {
    case Login::none:
      rules.login = shield::Rules::Login::none;
      break;
    case Login::optional:
      rules.login = shield::Rules::Login::optional;
      break;
    case Login::required:
      rules.login = shield::Rules::Login::required;
      break;
  }
  switch (route.on_anonymous) {
    case OnAnonymous::automatic:
      rules.on_anonymous = shield::Rules::OnAnonymous::automatic;
      break;
    case OnAnonymous::unauthorized:
      rules.on_anonymous = shield::Rules::OnAnonymous::unauthorized;
      break;
    case OnAnonymous::redirect:
      rules.on_anonymous = shield::Rules::OnAnonymous::redirect;
      break;
  }
  rules.needs_client_certificate = route.client_certificate == ClientCertificates::required;
  rules.roles = route.roles;
  rules.scopes = route.scopes;
  rules.allow_forged_requests = route.csrf == CsrfMode::off;
  rules.allow_forged_requests_and_report = route.csrf == CsrfMode::report;
  rules.needs_form_token = route.csrf == CsrfMode::token;
  return rules;
}

// Names beside the configured ones that mean this server: a workshop is reached by each of
// localhost's.
std::vector<std::string> known_hosts(const Config& config) {
  std::vector<std::string> hosts = config.domains;
  if (config.is_localhost()) {
    for (const char* name : {"localhost", "*.localhost", "127.0.0.1", "[::1]"})
      hosts.emplace_back(name);
  }
  for (std::string& host : hosts) {
    const auto address = IpAddress::parse(host);
    if (address && !address->is_v4()) host = "[" + host + "]";
  }
  return hosts;
}

limit::Policy policy_or(const std::string& text, const char* otherwise) {
  auto policy =
      limit::Policy::parse(text.empty() ? std::string_view(otherwise) : std::string_view(text));
  return policy ? *policy : limit::Policy();  // the configuration has been checked
}

session::Options session_options(const Config& config) {
  session::Options options;
  options.lifetimes.access = duration_cast<seconds>(config.access_ttl);
  options.lifetimes.idle = duration_cast<seconds>(config.session_idle);
  options.lifetimes.absolute = duration_cast<seconds>(config.session_absolute);
  options.api_lifetimes.idle = duration_cast<seconds>(config.token_idle);
  options.api_lifetimes.absolute = duration_cast<seconds>(config.token_refresh);
  options.grace = duration_cast<seconds>(config.refresh_grace);
  return options;
}

bool comes_from_environment(const SecretReference& secret) {
  return secret.reference.rfind("env:", 0) == 0;
}

// A route's counts go with what it matches, not with its place in the file.
std::uint64_t bucket_of(const Route& route) { return std::hash<std::string>{}(route.match) >> 8; }

}  // namespace

limit::LoginGuardOptions guard_options(const Config& config) {
  limit::LoginGuardOptions options =
      config.is_localhost() ? limit::LoginGuardOptions::workshop() : limit::LoginGuardOptions();
  if (!config.limit_login.empty())
    options.per_address = {policy_or(config.limit_login, "10/min/ip")};
  options.free_failures = config.lockout_free;
  options.first_delay = config.lockout_first;
  options.longest_delay = config.lockout_most;
  return options;
}

Result<std::shared_ptr<Generation>, std::string> Generation::make(const Lasting& lasting,
                                                                  Config config,
                                                                  const Generation* before) {
  std::shared_ptr<Generation> made(new Generation(std::move(config)));
  const Log& log = made->log_.emplace(lasting.log.at(log_level(made->config_)));
  auto done = made->make_keys(lasting, before);
  if (done) done = made->make_accounts(lasting);
  if (done) done = made->make_issuers(lasting, before);
  if (done) done = made->make_shield(lasting, log);
  if (done) {
    const BackendServers* known = before == nullptr ? nullptr : before->backends_.get();
    auto servers = BackendServers::create(made->config_, known);
    if (!servers) return Error{servers.error()};
    made->backends_ = std::move(*servers);
  }
  // Last: it may write a certificate of the local CA.
  if (done) done = made->make_certificates(lasting, before);
  if (!done) return Error{done.error()};
  made->make_shared(lasting, log);
  return made;
}

// A variable of the environment is read once and removed: what came from one stays.
Result<void, std::string> Generation::make_keys(const Lasting& lasting, const Generation* before) {
  const bool from_environment =
      std::any_of(config_.secrets.begin(), config_.secrets.end(), comes_from_environment);
  if (before != nullptr && from_environment) {
    keys_ = before->keys_;
    return {};
  }
  const Rotation rotation = before == nullptr ? lasting.first_keys : Rotation::when_due;
  auto loaded = load_keys(config_, lasting.paths.keys, lasting.clock.now(), rotation);
  if (!loaded) return Error{loaded.error()};
  keys_ = std::make_shared<Keys>(std::move(*loaded));
  return {};
}

Result<void, std::string> Generation::make_accounts(const Lasting& lasting) {
  password::PolicyOptions policy;
  policy.min_code_points = config_.min_password;
  auto policy_made = password::Policy::create(policy);
  if (!policy_made)
    return Error{"password: " + std::string(password::to_string(policy_made.error()))};
  password_policy_ = *policy_made;

  accounts::Options options;
  options.signup =
      config_.signup_open ? accounts::Options::Signup::open : accounts::Options::Signup::closed;
  options.site_words = config_.domains;
  accounts_ = std::make_unique<accounts::Service>(lasting.store.accounts(), lasting.hashes,
                                                  password_policy_, system_random(), options);
  sessions_ =
      std::make_unique<session::Manager>(lasting.store.sessions(), lasting.revocations,
                                         keys_->session, session_options(config_), system_random());
  if (config_.accounts && config_.api_keys) {
    const session::ApiKeys::Options standard;
    api_keys_ = std::make_unique<session::ApiKeys>(lasting.store.keys(), lasting.revocations,
                                                   standard, system_random());
  }
  if (!sync(lasting.clock.now())) return Error{std::string("the store does not answer")};
  users_ = std::make_unique<shield::AccountUsers>(lasting.store.accounts());
  return {};
}

Result<void, std::string> Generation::make_issuers(const Lasting& lasting,
                                                   const Generation* before) {
  const IssuerKeys::Services services{lasting.clock, lasting.log, lasting.fetches,
                                      &lasting.stopping.over};
  const Issuers* known = before == nullptr ? nullptr : before->issuers_.get();
  auto made = Issuers::create(config_, services, known);
  if (!made) return Error{made.error()};
  issuers_ = std::move(*made);
  return {};
}

Result<void, session::StoreError> Generation::sync(Time now) {
  auto synced = sessions_->sync_revocations(now);
  if (!synced || api_keys_ == nullptr) return synced;
  return api_keys_->sync(now);
}

Result<void, std::string> Generation::make_shield(const Lasting& lasting, const Log& log) {
  shield::Shield::Options walk;
  walk.hosts = known_hosts(config_);
  walk.trusted_origins = config_.trusted_origins;
  walk.trusted_proxies = config_.trusted_proxies;
  walk.general = policy_or(config_.limit_default, "600/min/ip burst 100");
  if (config_.limit_user) walk.user = policy_or(*config_.limit_user, "600/min/user");
  const shield::Shield::Services services{*sessions_,       lasting.revocations, *users_,
                                          lasting.requests, api_keys_.get(),     issuers_.get(),
                                          &keys_->tokens};
  try {
    shield_ = std::make_unique<shield::Shield>(services, walk);
  } catch (const std::invalid_argument& error) {
    return Error{"csrf.trusted_origins: " + std::string(error.what())};
  }
  if (!config_.accounts) return {};
  pages_ = std::make_unique<WebPages>(config_.domains.front(), config_.min_password);
  const shield::AuthApi::Services auth_services{
      *shield_,      *sessions_,      *accounts_,     lasting.store.accounts(),
      lasting.guard, lasting.signups, keys_->tokens,  system_random(),
      log,           pages_.get(),    api_keys_.get()};
  shield::AuthApi::Options auth_options;
  auth_options.signup_limit =
      policy_or(config_.limit_signup, config_.is_localhost() ? "30/hour/ip" : "3/hour/ip");
  auth_options.signup_tries = policy_or(
      config_.limit_login, config_.is_localhost() ? "60/min/ip burst 60" : "10/min/ip burst 10");
  auth_options.signup_open = config_.signup_open;
  auth_options.tokens = config_.api_tokens;
  auth_options.scopes = config_.scopes();
  auth_options.confirmed_for = duration_cast<seconds>(config_.confirm_after);
  auth_options.site_name = config_.domains.front();
  auth_options.jwks = [this] { return keys_->assertion.public_jwks(); };
  auth_ = std::make_unique<shield::AuthApi>(auth_services, auth_options);
  return {};
}

// Files are read anew; what was made here for the same names goes on.
Result<void, std::string> Generation::make_certificates(const Lasting& lasting,
                                                        const Generation* before) {
  if (before != nullptr && !config_.has_certificate_files() &&
      !before->config_.has_certificate_files() && config_.domains == before->config_.domains &&
      config_.issuer == before->config_.issuer && config_.acme == before->config_.acme &&
      config_.email == before->config_.email) {
    certificates_ = before->certificates_;
    return {};
  }
  std::shared_ptr<https::TicketKeys> tickets;
  if (before != nullptr) tickets = before->certificates_->tickets();
  const std::string& acme = config_.storage.empty() ? lasting.paths.acme : config_.storage;
  const Certificates::Services services{lasting.clock, lasting.log, lasting.dns};
  auto made = Certificates::start(config_, {lasting.paths.ca, acme}, services, std::move(tickets));
  if (!made) return Error{made.error()};
  certificates_ = std::move(*made);
  return {};
}

namespace {

// Policies say where violations are reported to.
http::SecurityHeaders security_headers() {
  http::SecurityHeaders::Options options;
  options.report_uri = reports_path;
  return http::SecurityHeaders(options);
}

}  // namespace

void Generation::make_shared(const Lasting& lasting, const Log& log) {
  shared_ = std::unique_ptr<Shared>(new Shared{config_,
                                               *shield_,
                                               auth_.get(),
                                               log,
                                               lasting.clock,
                                               lasting.blocking,
                                               *backends_,
                                               security_headers(),
                                               Routes(config_.routes),
                                               {},
                                               {},
                                               {},
                                               {},
                                               lasting.connections,
                                               lasting.stopping,
                                               lasting.reports,
                                               lasting.access.enabled() ? &lasting.access : nullptr,
                                               issuers_.get(),
                                               certificates_->acme_tokens()});
  https::HstsOptions hsts;
  hsts.max_age = config_.hsts_max_age;
  hsts.include_subdomains = config_.hsts_subdomains;
  hsts.preload = config_.hsts_preload;
  if (!config_.is_localhost()) {
    auto& fields = shared_->hsts.by_step;
    for (std::size_t i = 0; i < fields.size(); ++i)
      fields[i] = https::hsts_header(config_.domains.front(), https::HstsRamp::options(hsts, i))
                      .value_or("");
    if (config_.hsts_ramp) {
      lasting.ramp.start(lasting.clock.now(), log);
      shared_->hsts.step = &lasting.ramp.step();
    }
  }
  shared_->rate_limit_policy =
      "RateLimit-Policy: " + limit::rate_limit_policy_field("default", shield_->options().general) +
      "\r\n";
  for (const Route& route : config_.routes) {
    PreparedRoute& prepared = shared_->routes.emplace_back();
    prepared.route = &route;
    prepared.label = lasting.labels.number_of(route.match);
    prepared.rules = rules_of(route);
    prepared.rules.route = bucket_of(route);
    if (route.limit) prepared.limit = policy_or(*route.limit, "600/min/ip");
    if (!route.csp_policy.empty()) prepared.csp = shared_->security.policy(route.csp_policy);
    if (route.schema.learns()) prepared.learner = lasting.learner.of(route.match);
    prepared.script_cookies.assign(route.script_cookies.begin(), route.script_cookies.end());
  }
  // Where nothing else can be reached without one, Moat's own pages cannot either.
  shared_->all_need_client_certificate = std::all_of(
      config_.routes.begin(), config_.routes.end(),
      [](const Route& route) { return route.client_certificate == ClientCertificates::required; });
  for (PreparedRoute& prepared : shared_->routes) {
    if (prepared.limit) prepared.rules.limit = &*prepared.limit;
  }
  shared_->redirect.https_port = lasting.https_port;
  for (const std::string& name : shield_->options().hosts) {
    const bool v6 = name.front() == '[';
    shared_->redirect.known_hosts.push_back(v6 ? name.substr(1, name.size() - 2) : name);
  }
}

Result<https::ServerContext, std::string> Generation::tls_context() const {
  https::TlsPolicy policy;
  if (config_.http2) policy.protocols.insert(policy.protocols.begin(), "h2");
  policy.clients = config_.clients;
  if (config_.tls_modern) policy.versions = https::TlsPolicy::Versions::modern;
  auto context =
      https::ServerContext::create(policy, certificates_->store(), certificates_->tickets());
  if (!context) return Error{"TLS: " + std::string(https::to_string(context.error()))};
  return std::move(*context);
}

std::vector<ConfigProblem> needs_restart(const Config& running, Config& next) {
  std::vector<ConfigProblem> problems;
  const auto keep = [&](const char* key, bool same) {
    if (same) return;
    problems.push_back({Origin{key, 0}, std::string("'") + key +
                                            "' cannot change while Moat runs: it needs a restart"});
  };
  keep("data", running.data == next.data);
  keep("server.https", running.https == next.https);
  keep("server.http", running.http == next.http);
  keep("server.workers", running.workers == next.workers);
  keep("server.engine", running.engine == next.engine);
  keep("server.user", running.user == next.user);
  keep("server.group", running.group == next.group);
  keep("server.allow_unsandboxed", running.allow_unsandboxed == next.allow_unsandboxed);
  // What the process that runs it may be asked for was fixed when it was forked.
  keep("tls.acme.dns_hook", running.acme.dns_hook == next.acme.dns_hook &&
                                running.acme.dns_environment == next.acme.dns_environment);
  keep("domain", running.acme.dns_hook.empty() || running.domains == next.domains);
  keep("tls.storage", running.storage == next.storage);
  keep("log.access", running.access_log == next.access_log);
  keep("log.access_path", running.access_path == next.access_path);
  keep("admin.listen", running.admin_listen == next.admin_listen);
  keep("password.hash", running.argon2_memory_kib == next.argon2_memory_kib &&
                            running.argon2_iterations == next.argon2_iterations &&
                            running.argon2_lanes == next.argon2_lanes);
  keep("password.workers", running.password_workers == next.password_workers);
  // The guard's counts were made by its rules, and localhost has others.
  keep("limits.login", running.limit_login == next.limit_login);
  keep("limits.lockout", running.lockout_free == next.lockout_free &&
                             running.lockout_first == next.lockout_first &&
                             running.lockout_most == next.lockout_most);
  keep("domain", running.is_localhost() == next.is_localhost());

  for (const SecretReference& old : running.secrets) {
    const bool there = std::any_of(next.secrets.begin(), next.secrets.end(),
                                   [&](const auto& secret) { return secret.name == old.name; });
    // Its variable was removed when it was read.
    if (comes_from_environment(old) && old.origin.line == 0 && !there) next.secrets.push_back(old);
  }
  const auto from_environment = [](const Config& config) {
    std::vector<std::pair<std::string, std::string>> list;
    if (std::any_of(config.secrets.begin(), config.secrets.end(), comes_from_environment)) {
      for (const SecretReference& secret : config.secrets)
        list.emplace_back(secret.name, secret.reference);
    }
    std::sort(list.begin(), list.end());
    return list;
  };
  keep("secrets", from_environment(running) == from_environment(next));
  return problems;
}

}  // namespace moat::gateway
