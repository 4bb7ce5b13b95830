// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/gateway.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "moat/accounts/service.h"
#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/gateway/admin.h"
#include "moat/gateway/certificates.h"
#include "moat/gateway/key_files.h"
#include "moat/gateway/keys.h"
#include "moat/gateway/pages.h"
#include "moat/gateway/worker.h"
#include "moat/https/hsts.h"
#include "moat/limit/fields.h"
#include "moat/net/hash_pool.h"
#include "moat/password/hasher.h"
#include "moat/session/cookies.h"
#include "moat/shield/users.h"
#include "moat/store/sqlite_store.h"

namespace moat::gateway {

namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

unsigned cores() { return std::max(1U, std::thread::hardware_concurrency()); }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

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
  rules.roles = route.roles;
  rules.allow_forged_requests = !route.csrf;
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

session::Options session_options(const Config& config) {
  session::Options options;
  options.lifetimes.access = duration_cast<seconds>(config.access_ttl);
  options.lifetimes.idle = duration_cast<seconds>(config.session_idle);
  options.lifetimes.absolute = duration_cast<seconds>(config.session_absolute);
  options.grace = duration_cast<seconds>(config.refresh_grace);
  return options;
}

}  // namespace

std::string default_data_directory() {
  if (::geteuid() == 0) return "/var/lib/moat";
  const std::string xdg = environment("XDG_DATA_HOME");
  if (!xdg.empty() && xdg[0] == '/') return xdg + "/moat";
  return environment("HOME") + "/.local/share/moat";
}

DataPaths::DataPaths(std::string_view data)
    : root(data),
      keys(root + "/keys"),
      store(root + "/store"),
      ca(root + "/ca"),
      admin_socket(root + "/admin.sock"),
      setup_link(root + "/setup-link") {}

std::vector<ConfigProblem> resolve_backends(Config& config) {
  std::vector<ConfigProblem> problems;
  for (Route& route : config.routes) {
    for (Upstream& upstream : route.backends) {
      if (const auto literal = IpAddress::parse(upstream.host)) {
        upstream.addresses = {*literal};
        continue;
      }
      if (upstream.host == "localhost") {
        upstream.addresses = {IpAddress::from_v4(0x7f000001), *IpAddress::parse("::1")};
        continue;
      }
      addrinfo hints{};
      hints.ai_socktype = SOCK_STREAM;
      addrinfo* list = nullptr;
      const int error = ::getaddrinfo(upstream.host.c_str(), nullptr, &hints, &list);
      if (error != 0) {
        problems.push_back({route.origin, "backend '" + upstream.host +
                                              "' cannot be resolved: " + ::gai_strerror(error)});
        continue;
      }
      for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
        if (item->ai_family == AF_INET) {
          sockaddr_in v4;
          std::memcpy(&v4, item->ai_addr, sizeof v4);
          upstream.addresses.push_back(IpAddress::from_v4(ntohl(v4.sin_addr.s_addr)));
        } else if (item->ai_family == AF_INET6) {
          sockaddr_in6 v6;
          std::memcpy(&v6, item->ai_addr, sizeof v6);
          std::array<std::uint8_t, 16> bytes;
          std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
          upstream.addresses.push_back(IpAddress::from_v6(bytes));
        }
      }
      ::freeaddrinfo(list);
    }
  }
  return problems;
}

// All that runs, in the order in which it is made; destroyed the other way round.
struct Gateway::Parts {
  Parts(Config c, Clock& k, const Log& l)
      : config(std::move(c)), clock(k), log(l), paths(config.data) {}

  Result<void, std::string> make_keys();
  Result<void, std::string> make_store();
  Result<void, std::string> make_accounts();
  Result<void, std::string> make_certificates();
  Result<void, std::string> make_access_log();
  Result<void, std::string> make_workers();
  Result<void, std::string> make_admin();
  Result<void, std::string> make_setup_link();
  AdminAnswer answer_admin(std::string_view method, std::string_view path, std::string_view body,
                           bool local);
  void stop();

  Config config;
  Clock& clock;
  const Log& log;
  DataPaths paths;
  Started started;
  std::optional<DirectoryLock> lock;  // of the data directory

  std::optional<Keys> keys;
  std::unique_ptr<store::SqliteStore> store;
  std::optional<password::Hasher> hasher;
  std::unique_ptr<net::WorkerPool> hash_threads;
  std::unique_ptr<net::HashPool> hashes;
  password::Policy password_policy;
  std::unique_ptr<accounts::Service> accounts;
  std::unique_ptr<session::RevocationList> revocations;
  std::unique_ptr<session::Manager> sessions;
  std::unique_ptr<shield::AccountUsers> users;
  std::unique_ptr<limit::Table> requests;
  std::unique_ptr<limit::Table> signups;
  std::unique_ptr<limit::LoginGuard> guard;
  std::unique_ptr<shield::Shield> shield;
  std::unique_ptr<WebPages> pages;
  std::unique_ptr<shield::AuthApi> auth;
  std::unique_ptr<Certificates> certificates;
  std::unique_ptr<net::WorkerPool> blocking;
  std::unique_ptr<AccessLog> access;
  std::uint64_t access_lines_lost = 0;  // at the last look
  RouteLabels labels;
  std::unique_ptr<Shared> shared;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  std::unique_ptr<Admin> admin;
  Tick next_certificates{};
  std::uint64_t hashes_seen = 0;  // at the last look for quiet
  Tick next_revocations{};
  Tick next_sweep{};
  bool stopped = false;
};

Result<void, std::string> Gateway::Parts::make_keys() {
  for (const std::string* directory : {&paths.root, &paths.keys}) {
    auto made = make_private_directory(*directory);
    if (!made) return Error{made.error()};
  }
  auto locked = DirectoryLock::take(paths.root);
  if (!locked) return Error{locked.error()};
  lock.emplace(std::move(*locked));
  auto loaded = load_keys(config, paths.keys, clock.now());
  if (!loaded) return Error{loaded.error()};
  keys.emplace(std::move(*loaded));
  return {};
}

Result<void, std::string> Gateway::Parts::make_store() {
  auto opened = store::SqliteStore::open(paths.store);
  if (!opened) return Error{opened.error().detail};
  store = std::move(*opened);
  return {};
}

Result<void, std::string> Gateway::Parts::make_accounts() {
  password::Params params;
  params.memory_kib = config.argon2_memory_kib;
  params.iterations = config.argon2_iterations;
  params.lanes = config.argon2_lanes;
  auto made = password::Hasher::create(params, system_random());
  if (!made) return Error{"password.hash: " + std::string(password::to_string(made.error()))};
  hasher = std::move(*made);
  const unsigned threads_wanted = config.password_workers != 0 ? config.password_workers : cores();
  net::WorkerPool::Options pool;
  pool.threads = threads_wanted;
  pool.queue = 4 * threads_wanted;
  pool.nice = 10;  // hashing takes what the requests leave
  pool.name = "moat-hash";
  hash_threads = std::make_unique<net::WorkerPool>(pool);
  hashes = std::make_unique<net::HashPool>(*hasher, *hash_threads);
  password::PolicyOptions policy;
  policy.min_code_points = config.min_password;
  auto policy_made = password::Policy::create(policy);
  if (!policy_made)
    return Error{"password: " + std::string(password::to_string(policy_made.error()))};
  password_policy = *policy_made;

  accounts::Options options;
  options.signup =
      config.signup_open ? accounts::Options::Signup::open : accounts::Options::Signup::closed;
  options.site_words = config.domains;
  accounts = std::make_unique<accounts::Service>(store->accounts(), *hashes, password_policy,
                                                 system_random(), options);
  const session::Options sessions_options = session_options(config);
  revocations = std::make_unique<session::RevocationList>(sessions_options.lifetimes.access +
                                                          sessions_options.skew);
  sessions = std::make_unique<session::Manager>(store->sessions(), *revocations, keys->session,
                                                sessions_options, system_random());
  if (!sessions->sync_revocations(clock.now()))
    return Error{std::string("the store does not answer")};
  users = std::make_unique<shield::AccountUsers>(store->accounts());
  requests = std::make_unique<limit::Table>(1 << 17);
  signups = std::make_unique<limit::Table>(1 << 15);
  guard = std::make_unique<limit::LoginGuard>(guard_options(config));

  shield::Shield::Options walk;
  walk.hosts = known_hosts(config);
  walk.trusted_origins = config.trusted_origins;
  walk.trusted_proxies = config.trusted_proxies;
  walk.general = policy_or(config.limit_default, "600/min/ip burst 100");
  if (config.limit_user) walk.user = policy_or(*config.limit_user, "600/min/user");
  const shield::Shield::Services services{*sessions, *revocations, *users, *requests};
  try {
    shield = std::make_unique<shield::Shield>(services, walk);
  } catch (const std::invalid_argument& error) {
    return Error{"csrf.trusted_origins: " + std::string(error.what())};
  }
  if (!config.accounts) return {};
  pages = std::make_unique<WebPages>(config.domains.front(), config.min_password);
  const shield::AuthApi::Services auth_services{
      *shield,      *sessions,       *accounts, store->accounts(), *guard, *signups,
      keys->tokens, system_random(), log,       pages.get()};
  shield::AuthApi::Options auth_options;
  auth_options.signup_limit =
      policy_or(config.limit_signup, config.is_localhost() ? "30/hour/ip" : "3/hour/ip");
  auth_options.signup_tries = policy_or(
      config.limit_login, config.is_localhost() ? "60/min/ip burst 60" : "10/min/ip burst 10");
  auth_options.signup_open = config.signup_open;
  auth_options.site_name = config.domains.front();
  auth_options.jwks = [this] { return keys->assertion.public_jwks(); };
  auth = std::make_unique<shield::AuthApi>(auth_services, auth_options);
  return {};
}

Result<void, std::string> Gateway::Parts::make_certificates() {
  auto made = Certificates::start(config, paths.ca, clock, log);
  if (!made) return Error{made.error()};
  certificates = std::move(*made);
  started.root_certificate = certificates->root_certificate();
  started.certificate = certificates->description();
  return {};
}

Result<void, std::string> Gateway::Parts::make_access_log() {
  auto opened = AccessLog::open(config, clock, log);
  if (!opened) return Error{opened.error()};
  access = std::move(*opened);
  return {};
}

Result<void, std::string> Gateway::Parts::make_workers() {
  net::WorkerPool::Options pool;
  pool.threads = 16;
  pool.queue = 64;
  pool.name = "moat-wait";
  blocking = std::make_unique<net::WorkerPool>(pool);
  shared = std::unique_ptr<Shared>(
      new Shared{config,
                 *shield,
                 auth.get(),
                 log,
                 clock,
                 *blocking,
                 {},
                 Routes(config.routes),
                 {},
                 {},
                 {},
                 {},
                 ConnectionLimits(config.max_connections, config.max_connections_per_address)});
  if (access->enabled()) shared->access = access.get();
  https::HstsOptions hsts;
  hsts.max_age = config.hsts_max_age;
  hsts.include_subdomains = config.hsts_subdomains;
  hsts.preload = config.hsts_preload;
  if (!config.is_localhost())
    shared->hsts = https::hsts_header(config.domains.front(), hsts).value_or("");
  shared->rate_limit_policy =
      "RateLimit-Policy: " + limit::rate_limit_policy_field("default", shield->options().general) +
      "\r\n";
  for (const Route& route : config.routes) {
    PreparedRoute& prepared = shared->routes.emplace_back();
    prepared.route = &route;
    prepared.label = labels.number_of(route.match);
    prepared.rules = rules_of(route);
    prepared.rules.route = shared->routes.size();
    if (route.limit) prepared.limit = policy_or(*route.limit, "600/min/ip");
    prepared.script_cookies.assign(route.script_cookies.begin(), route.script_cookies.end());
  }
  for (PreparedRoute& prepared : shared->routes) {
    if (prepared.limit) prepared.rules.limit = &*prepared.limit;
  }

  https::TlsPolicy policy;
  if (config.http2) policy.protocols.insert(policy.protocols.begin(), "h2");
  if (config.tls_modern) policy.versions = https::TlsPolicy::Versions::modern;
  const unsigned count = config.workers != 0 ? config.workers : cores();
  for (unsigned i = 0; i < count; ++i) {
    auto context =
        https::ServerContext::create(policy, certificates->store(), certificates->tickets());
    if (!context) return Error{"TLS: " + std::string(https::to_string(context.error()))};
    workers.push_back(std::make_unique<Worker>(*shared, std::move(*context), keys->assertion, i));
  }
  const std::string host = config.is_localhost() ? "localhost" : config.domains.front();
  for (const auto* list : {&config.https, &config.http}) {
    const bool secure = list == &config.https;
    for (const std::string& text : *list) {
      const auto listen = parse_listen(text);
      if (!listen) return Error{listen.error()};
      std::uint16_t port = listen->port;
      for (const IpAddress& address : listen->addresses) {
        // A host without IPv6 is still a host.
        if (!address.is_v4() && (list->size() > 1 || listen->addresses.size() > 1) &&
            !net::has_address(address))
          continue;
        auto free = net::check_free({address, port});
        if (!free) return Error{free.error()};
        for (const auto& worker : workers) {
          auto fd = net::listen_on({address, port});
          if (!fd) return Error{fd.error()};
          port = net::local_endpoint(*fd).port;  // of the first, where it was 0
          if (secure) {
            worker->listen_https(*fd);
          } else {
            worker->listen_http(*fd);
          }
        }
      }
      if (secure && shared->redirect.https_port == 443) shared->redirect.https_port = port;
      const bool standard = port == (secure ? 443 : 80);
      const std::string url =
          (secure ? "https://" : "http://") + host + (standard ? "" : ":" + std::to_string(port));
      auto& urls = secure ? started.urls : started.redirects;
      if (std::find(urls.begin(), urls.end(), url) == urls.end()) urls.push_back(url);
    }
  }
  for (const std::string& name : shield->options().hosts) {
    const bool v6 = name.front() == '[';
    shared->redirect.known_hosts.push_back(v6 ? name.substr(1, name.size() - 2) : name);
  }
  started.workers = count;
  for (const auto& worker : workers) threads.emplace_back([raw = worker.get()] { raw->run(); });
  return {};
}

Result<void, std::string> Gateway::Parts::make_admin() {
  std::vector<net::Endpoint> tcp;
  if (!config.admin_listen.empty()) {
    const auto listen = parse_listen(config.admin_listen);
    if (!listen) return Error{listen.error()};
    for (const IpAddress& address : listen->addresses) {
      if (address.is_v4() || listen->addresses.size() == 1 || net::has_address(address))
        tcp.push_back({address, listen->port});
    }
  }
  auto made =
      Admin::start(paths.admin_socket, tcp,
                   [this](std::string_view method, std::string_view path, std::string_view body,
                          bool local) { return answer_admin(method, path, body, local); });
  if (!made) return Error{made.error()};
  admin = std::move(*made);
  return {};
}

AdminAnswer Gateway::Parts::answer_admin(std::string_view method, std::string_view path,
                                         std::string_view body, bool local) {
  AdminAnswer answer;
  const bool get = method == "GET" || method == "HEAD";
  if (get && path == "/healthz") {
    answer.body = "{\"status\":\"ok\"}\n";
  } else if (get && path == "/readyz") {
    const bool ready = !shared->draining && store->accounts().count_admins().has_value();
    answer.status = ready ? 200 : 503;
    answer.body = ready ? "{\"status\":\"ready\"}\n" : "{\"status\":\"not_ready\"}\n";
  } else if (get && path == "/metrics") {
    std::vector<const Metrics*> all;
    for (const auto& worker : workers) all.push_back(&worker->metrics());
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = prometheus(all, labels, {shared->connections.open_now(), access->dropped()});
  } else if (local && method == "POST" && path == "/unlock") {
    guard->unlock(body);
    log.info("unlocked", {{"email", body}});
    answer.body = "{\"status\":\"unlocked\"}\n";
  } else {
    answer.status = 404;
    answer.body = "{\"code\":\"not_found\"}\n";
  }
  return answer;
}

// The link carries its token in the fragment, which no server and no log ever sees.
Result<void, std::string> Gateway::Parts::make_setup_link() {
  if (!config.accounts) return {};
  auto token = accounts->create_setup_token(clock.now());
  if (!token) {
    if (token.error() == accounts::StoreError::admin_exists) {
      ::unlink(paths.setup_link.c_str());
      return {};
    }
    return Error{std::string("the store does not answer")};
  }
  std::string link = started.urls.front() + "/auth/setup#" + std::string(token->reveal());
  started.setup_link = link;
  return write_private_file(paths.setup_link, Secret::copy_of(link + "\n"));
}

Gateway::Gateway(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Gateway>, std::string> Gateway::start(Config config, Clock& clock,
                                                             const Log& log) {
  auto parts = std::make_unique<Parts>(std::move(config), clock, log);
  for (const auto step : {&Parts::make_keys, &Parts::make_store, &Parts::make_accounts,
                          &Parts::make_certificates, &Parts::make_access_log, &Parts::make_workers,
                          &Parts::make_admin, &Parts::make_setup_link}) {
    auto done = (*parts.*step)();
    if (!done) {
      parts->stop();
      return Error{done.error()};
    }
  }
  return std::unique_ptr<Gateway>(new Gateway(std::move(parts)));
}

Gateway::~Gateway() { parts_->stop(); }
const Started& Gateway::started() const { return parts_->started; }

void Gateway::housekeeping() {
  Parts& p = *parts_;
  const Tick tick = p.clock.tick();
  const Time now = p.clock.now();
  const std::uint64_t lost = p.access->dropped();
  if (lost > p.access_lines_lost)
    p.log.warn("access_lines_dropped", {{"count", lost - p.access_lines_lost}});
  p.access_lines_lost = lost;
  if (tick >= p.next_certificates) {
    p.next_certificates = tick + std::chrono::minutes{1};
    p.certificates->maintain(now);
  }
  if (tick >= p.next_revocations) {
    p.next_revocations = tick + std::chrono::seconds{5};
    if (!p.sessions->sync_revocations(now)) p.log.error("revocations_not_read");
    p.revocations->expire(now);
    // Between logins the memory of the hashes is the system's.
    const std::uint64_t hashed = p.hashes->accepted();
    if (hashed == p.hashes_seen) p.hasher->release_memory();
    p.hashes_seen = hashed;
  }
  if (tick >= p.next_sweep) {
    p.next_sweep = tick + std::chrono::minutes{10};
    if (!p.store->sweep(now)) p.log.warn("sweep_failed");
  }
}

void Gateway::reopen_logs() {
  auto opened = parts_->access->reopen();
  if (!opened) parts_->log.error("access_log_not_reopened", {{"reason", opened.error()}});
}

void Gateway::reload_certificates() {
  parts_->next_certificates = Tick{};
  housekeeping();
}

void Gateway::stop() { parts_->stop(); }

void Gateway::Parts::stop() {
  if (stopped) return;
  stopped = true;
  if (shared != nullptr) shared->draining = true;
  for (const auto& worker : workers) worker->drain(config.timeouts.drain);
  for (std::thread& thread : threads) thread.join();
  admin.reset();
}

}  // namespace moat::gateway
