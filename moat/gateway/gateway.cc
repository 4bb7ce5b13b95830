// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/gateway.h"

#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include "moat/gateway/admin.h"
#include "moat/gateway/generation.h"
#include "moat/gateway/key_files.h"
#include "moat/gateway/worker.h"
#include "moat/net/hash_pool.h"
#include "moat/password/hasher.h"
#include "moat/store/sqlite_store.h"

namespace moat::gateway {

namespace {

unsigned cores() { return std::max(1U, std::thread::hardware_concurrency()); }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

std::string default_data_directory() {
  if (::geteuid() == 0) return "/var/lib/moat";
  const std::string xdg = environment("XDG_DATA_HOME");
  if (!xdg.empty() && xdg[0] == '/') return xdg + "/moat";
  return environment("HOME") + "/.local/share/moat";
}

std::vector<std::string> files_named_by(const Config& config) {
  std::vector<std::string> files;
  for (const std::string* file : {&config.certificate_file, &config.key_file}) {
    if (!file->empty()) files.push_back(*file);
  }
  for (const Route& route : config.routes) {
    if (!route.backend.ca_file.empty()) files.push_back(route.backend.ca_file);
  }
  for (const SecretReference& secret : config.secrets) {
    if (secret.reference.rfind("file:", 0) == 0) files.push_back(secret.reference.substr(5));
  }
  return files;
}

unsigned worker_count(const Config& config) {
  return config.workers != 0 ? config.workers : cores();
}

DataPaths::DataPaths(std::string_view data)
    : root(data),
      keys(root + "/keys"),
      store(root + "/store"),
      ca(root + "/ca"),
      admin_socket(root + "/admin.sock"),
      setup_link(root + "/setup-link") {}

namespace {

Result<std::string, std::string> read_roots(const std::string& path) {
  constexpr std::size_t most = 1024 * 1024;
  std::ifstream file(path, std::ios::binary);
  std::string text(most + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.eof()) return Error{"backend_ca '" + path + "' cannot be read"};
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

std::vector<ConfigProblem> resolve_backends(Config& config) {
  std::vector<ConfigProblem> problems;
  for (Route& route : config.routes) {
    if (!route.backend.ca_file.empty()) {
      auto roots = read_roots(route.backend.ca_file);
      if (!roots) {
        problems.push_back({route.origin, roots.error()});
        continue;
      }
      route.backend.ca = std::move(*roots);
      if (route.backend.ca.empty()) {
        // No roots would mean the system's.
        problems.push_back(
            {route.origin, "backend_ca '" + route.backend.ca_file + "' holds no certificate"});
        continue;
      }
    }
    for (Upstream& upstream : route.backends) {
      if (upstream.kind == Upstream::Kind::unix_socket) continue;
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
  if (problems.empty()) {
    const auto servers = BackendServers::create(config, nullptr);
    if (!servers) problems.push_back({Origin{"backend", 0}, servers.error()});
  }
  return problems;
}

// The connections that there are descriptors for. A share is kept for those to backends, for files
// and for the store: clients must not be able to take them all.
std::uint32_t affordable_connections(std::uint32_t wanted, const Log& log) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const rlim_t share = std::clamp<rlim_t>(limit.rlim_cur / 8, 32, 2048) + 64;
  const rlim_t left = limit.rlim_cur > share ? limit.rlim_cur - share : 1;
  if (left >= wanted) return wanted;
  log.warn("max_connections_lowered",
           {{"from", static_cast<std::int64_t>(wanted)},
            {"to", static_cast<std::int64_t>(left)},
            {"reason", "open files are limited to " + std::to_string(limit.rlim_cur)},
            {"hint", "raise the limit (LimitNOFILE, ulimit -n) or lower server.max_connections"}});
  return static_cast<std::uint32_t>(left);
}

// All that runs, in the order in which it is made; destroyed the other way round.
struct Gateway::Parts {
  Parts(Config c, Clock& k, const Log& l, Startup s)
      : config(std::move(c)), clock(k), log(l), startup(std::move(s)), paths(config.data) {}

  Result<void, std::string> make_directories();
  Result<void, std::string> make_store();
  Result<void, std::string> make_services();
  Result<void, std::string> make_generation();
  Result<void, std::string> make_workers();
  Result<void, std::string> make_admin();
  Result<void, std::string> make_setup_link();
  Result<void, std::string> serve();
  AdminAnswer answer_admin(std::string_view method, std::string_view path, std::string_view body,
                           bool local);
  std::string metrics();
  std::vector<ConfigProblem> reload();
  std::vector<ConfigProblem> prepare_and_switch();
  Result<void, std::string> switch_to(std::shared_ptr<Generation> next);
  std::shared_ptr<Generation> now_serving() const {
    const std::lock_guard lock(current_mutex);
    return current;
  }
  void serve_by_now_on(std::shared_ptr<Generation> next) {
    const std::lock_guard lock(current_mutex);
    std::erase_if(generations, [](const auto& one) { return one.expired(); });
    generations.push_back(next);
    current = std::move(next);
  }
  std::uint64_t live_generations() const {
    const std::lock_guard lock(current_mutex);
    return static_cast<std::uint64_t>(std::count_if(
        generations.begin(), generations.end(), [](const auto& one) { return !one.expired(); }));
  }
  void stop(Stop how);

  const Config config;  // that it was started with; what can change is the generation's
  Clock& clock;
  const Log& log;
  Startup startup;
  DataPaths paths;
  Started started;
  std::optional<DirectoryLock> directory;  // the lock of the data directory
  Rotation first_keys = Rotation::when_due;
  Stopping stopping;
  std::atomic<bool> serving{false};

  std::unique_ptr<store::SqliteStore> store;
  std::optional<password::Hasher> hasher;
  std::unique_ptr<net::WorkerPool> hash_threads;
  std::unique_ptr<net::HashPool> hashes;
  std::unique_ptr<session::RevocationList> revocations;
  std::unique_ptr<limit::Table> requests;
  std::unique_ptr<limit::Table> signups;
  std::unique_ptr<limit::LoginGuard> guard;
  std::unique_ptr<net::WorkerPool> blocking;
  std::optional<ConnectionLimits> connections;
  std::unique_ptr<AccessLog> access;
  std::uint64_t access_lines_lost = 0;  // at the last look
  RouteLabels labels;
  std::optional<Lasting> lasting;
  std::mutex reload_mutex;  // one reload at a time
  mutable std::mutex current_mutex;
  std::shared_ptr<Generation> current;  // of the requests to come
  std::vector<std::weak_ptr<Generation>> generations;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> threads;
  std::unique_ptr<Admin> admin;
  std::atomic<std::uint64_t> reloads{0};
  std::atomic<std::uint64_t> reloads_refused{0};
  std::atomic<bool> last_reload_refused{false};
  std::vector<Listeners::Socket> listening;  // the workers' sockets
  Tick next_certificates{};
  std::uint64_t hashes_seen = 0;  // at the last look for quiet
  Tick next_revocations{};
  Tick next_sweep{};
  std::atomic<std::size_t> workers_ended{0};
  bool stopped = false;
};

Result<void, std::string> Gateway::Parts::make_directories() {
  for (const std::string* path : {&paths.root, &paths.keys}) {
    auto made = make_private_directory(*path);
    if (!made) return Error{made.error()};
  }
  if (startup.directory_lock >= 0) first_keys = Rotation::not_now;
  auto locked = startup.directory_lock < 0
                    ? DirectoryLock::take(paths.root)
                    : DirectoryLock::inherit(paths.root, std::exchange(startup.directory_lock, -1));
  if (!locked) return Error{locked.error()};
  directory.emplace(std::move(*locked));
  return {};
}

Result<void, std::string> Gateway::Parts::make_store() {
  auto opened = store::SqliteStore::open(paths.store);
  if (!opened) return Error{opened.error().detail};
  store = std::move(*opened);
  return {};
}

Result<void, std::string> Gateway::Parts::make_services() {
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
  revocations = std::make_unique<session::RevocationList>(longest_revocation);
  requests = std::make_unique<limit::Table>(1 << 17);
  signups = std::make_unique<limit::Table>(1 << 15);
  guard = std::make_unique<limit::LoginGuard>(guard_options(config));
  net::WorkerPool::Options waiting;
  waiting.threads = 16;
  waiting.queue = 64;
  waiting.name = "moat-wait";
  blocking = std::make_unique<net::WorkerPool>(waiting);
  connections.emplace(affordable_connections(config.max_connections, log),
                      config.max_connections_per_address);
  auto opened = AccessLog::open(config, clock, log);
  if (!opened) return Error{opened.error()};
  access = std::move(*opened);
  return {};
}

Result<void, std::string> Gateway::Parts::make_generation() {
  if (!startup.listeners) {
    auto opened = Listeners::open(config, worker_count(config), {});
    if (!opened) return Error{opened.error()};
    startup.listeners.emplace(std::move(*opened));
  }
  started.urls = startup.listeners->urls();
  started.redirects = startup.listeners->redirects();
  started.workers = worker_count(config);
  lasting.emplace(Lasting{clock, log, paths, *store, *hashes, *revocations, *requests, *signups,
                          *guard, *blocking, *connections, *access, labels, stopping,
                          startup.listeners->https_port(), worker_count(config), first_keys});
  auto made = Generation::make(*lasting, config, nullptr);
  if (!made) return Error{made.error()};
  serve_by_now_on(std::move(*made));
  started.root_certificate = current->certificates().root_certificate();
  started.certificate = current->certificates().description();
  return {};
}

Result<void, std::string> Gateway::Parts::make_workers() {
  const Config& now = current->config();
  std::string why_not;
  const net::Engine best = net::best_engine(&why_not);
  if (now.engine == net::Engine::io_uring && best != net::Engine::io_uring)
    return Error{"server.engine = \"io_uring\" is not to be had here: " + why_not};
  const net::Engine engine = now.engine == net::Engine::automatic ? best : now.engine;
  started.engine = net::to_string(engine);
  started.why_engine = why_not;
  for (unsigned i = 0; i < lasting->workers; ++i) {
    auto context = current->tls_context();
    if (!context) return Error{context.error()};
    const std::shared_ptr<const Shared> shared(current, &current->shared());
    workers.push_back(std::make_unique<Worker>(shared, std::move(*context),
                                               current->keys().assertion, i, engine));
  }
  return {};
}

// The last step: until here a client waits in the queue.
Result<void, std::string> Gateway::Parts::serve() {
  if (startup.before_serving) {
    auto ready = startup.before_serving();
    if (!ready) return Error{ready.error()};
  }
  startup.listeners->release();
  listening = startup.listeners->sockets();
  for (const Listeners::Socket& socket : listening) {
    Worker& worker = *workers[socket.worker];
    if (socket.secure) {
      worker.listen_https(socket.fd);
    } else {
      worker.listen_http(socket.fd);
    }
  }
  workers.front()->check_backends();
  for (const auto& worker : workers) {
    threads.emplace_back([this, raw = worker.get()] {
      raw->run();
      workers_ended += 1;
    });
  }
  serving = true;
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
    const bool ready =
        serving && !stopping.draining && store->accounts().count_admins().has_value();
    answer.status = ready ? 200 : 503;
    answer.body = ready ? "{\"status\":\"ready\"}\n" : "{\"status\":\"not_ready\"}\n";
  } else if (get && path == "/metrics") {
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = metrics();
  } else if (local && method == "POST" && path == "/unlock") {
    guard->unlock(body);
    log.info("unlocked", {{"email", body}});
    answer.body = "{\"status\":\"unlocked\"}\n";
  } else if (local && method == "POST" && path == "/reload") {
    const std::vector<ConfigProblem> problems = reload();
    answer.status = problems.empty() ? 200 : 422;
    answer.content_type = "text/plain; charset=utf-8";
    for (const ConfigProblem& problem : problems) answer.body += problem.to_string() + "\n";
  } else {
    answer.status = 404;
    answer.body = "{\"code\":\"not_found\"}\n";
  }
  return answer;
}

std::string Gateway::Parts::metrics() {
  std::vector<const Metrics*> all;
  for (const auto& worker : workers) all.push_back(&worker->metrics());
  std::string out = prometheus(all, labels, {connections->open_now(), access->dropped()});
  const auto add = [&](const std::string& name, const char* type, const char* help,
                       std::uint64_t value) {
    out += "# HELP moat_" + name + " " + help + "\n# TYPE moat_" + name + " " + type + "\nmoat_" +
           name + " " + std::to_string(value) + "\n";
  };
  add("config_reloads_total", "counter", "Reloads that took effect.", reloads);
  add("config_reload_failures_total", "counter", "Reloads that were refused as a whole.",
      reloads_refused);
  add("config_generations", "gauge",
      "Configurations in use: the present one, and those of requests that began before a reload.",
      live_generations());
  add("config_last_reload_successful", "gauge", "0 while the last reload was refused.",
      last_reload_refused ? 0 : 1);
  std::vector<BackendMetrics> servers;
  const std::shared_ptr<Generation> generation = now_serving();
  for (const BackendServer& server : generation->shared().backends.servers()) {
    BackendMetrics& one = servers.emplace_back();
    one.server = server.upstream.to_string();
    one.up = server.state->healthy() && server.state->may_be_asked(clock.tick());
    one.requests = server.state->requests();
  }
  out += prometheus(servers);
  return out;
}

// The link carries its token in the fragment, which no server and no log ever sees.
Result<void, std::string> Gateway::Parts::make_setup_link() {
  if (!config.accounts) return {};
  auto token = current->accounts().create_setup_token(clock.now());
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
                                                             const Log& log, Startup startup) {
  auto parts = std::make_unique<Parts>(std::move(config), clock, log, std::move(startup));
  for (const auto step : {&Parts::make_directories, &Parts::make_store, &Parts::make_services,
                          &Parts::make_generation, &Parts::make_workers, &Parts::make_admin,
                          &Parts::make_setup_link, &Parts::serve}) {
    auto done = (*parts.*step)();
    if (!done) {
      parts->stop(Stop::at_once);
      return Error{done.error()};
    }
  }
  return std::unique_ptr<Gateway>(new Gateway(std::move(parts)));
}

Gateway::~Gateway() { parts_->stop(Stop::at_once); }
const Started& Gateway::started() const { return parts_->started; }

void Gateway::housekeeping() {
  Parts& p = *parts_;
  const std::unique_lock quiet(p.reload_mutex, std::try_to_lock);
  if (!quiet.owns_lock()) return;  // a reload reads and makes the same files
  const Tick tick = p.clock.tick();
  const Time now = p.clock.now();
  const std::shared_ptr<Generation> current = p.now_serving();
  const std::uint64_t lost = p.access->dropped();
  if (lost > p.access_lines_lost)
    p.log.warn("access_lines_dropped", {{"count", lost - p.access_lines_lost}});
  p.access_lines_lost = lost;
  if (tick >= p.next_certificates) {
    p.next_certificates = tick + std::chrono::minutes{1};
    current->certificates().maintain(now);
  }
  if (tick >= p.next_revocations) {
    p.next_revocations = tick + std::chrono::seconds{5};
    if (!current->sessions().sync_revocations(now)) p.log.error("revocations_not_read");
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

// ----------------------------------------------------------------------------------------- reload

std::vector<ConfigProblem> Gateway::reload() { return parts_->reload(); }

std::vector<ConfigProblem> Gateway::Parts::reload() {
  const std::lock_guard one(reload_mutex);
  const std::vector<ConfigProblem> problems = prepare_and_switch();
  last_reload_refused = !problems.empty();
  if (problems.empty()) {
    reloads += 1;
    log.info("config_reloaded", {{"certificate", now_serving()->certificates().description()}});
    return problems;
  }
  reloads_refused += 1;
  std::string all;
  for (const ConfigProblem& problem : problems)
    all += (all.empty() ? "" : "; ") + problem.to_string();
  log.error("config_reload_refused", {{"problem", all}, {"serving", "the configuration before"}});
  return problems;
}

// Everything is made before anything changes.
std::vector<ConfigProblem> Gateway::Parts::prepare_and_switch() {
  const auto refuse = [](std::string why) {
    return std::vector<ConfigProblem>{ConfigProblem{Origin{}, std::move(why)}};
  };
  if (!startup.load) return refuse("there is no configuration to read again");
  if (stopping.draining) return refuse("Moat is stopping");
  auto loaded = startup.load();
  if (!loaded) return loaded.error();
  Config next = std::move(*loaded);
  auto problems = check_config(next);
  const std::shared_ptr<Generation> before = now_serving();
  if (problems.empty()) problems = needs_restart(before->config(), next);
  if (problems.empty()) problems = resolve_backends(next);
  if (!problems.empty()) return problems;
  auto made = Generation::make(*lasting, std::move(next), before.get());
  if (!made) return refuse(made.error());
  auto switched = switch_to(std::move(*made));
  if (!switched) return refuse(switched.error());
  return {};
}

Result<void, std::string> Gateway::Parts::switch_to(std::shared_ptr<Generation> next) {
  std::vector<https::ServerContext> contexts;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    auto context = next->tls_context();
    if (!context) return Error{context.error()};
    contexts.push_back(std::move(*context));
  }
  struct Taken {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t count = 0;
  };
  const auto taken = std::make_shared<Taken>();
  connections->set(affordable_connections(next->config().max_connections, log),
                   next->config().max_connections_per_address);
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const std::shared_ptr<const Shared> shared(next, &next->shared());
    workers[i]->serve_by(shared, std::move(contexts[i]), next->keys().assertion, [taken] {
      const std::lock_guard lock(taken->mutex);
      ++taken->count;
      taken->changed.notify_all();
    });
  }
  serve_by_now_on(std::move(next));
  // So that whoever asked for the reload sees it in the next request. A worker that is stopping
  // answers no more.
  std::unique_lock lock(taken->mutex);
  taken->changed.wait_for(lock, std::chrono::seconds{2},
                          [&] { return taken->count == workers.size(); });
  return {};
}

std::vector<std::string> Gateway::watched_files() const {
  return files_named_by(parts_->now_serving()->config());
}

// ------------------------------------------------------------------------------------------- stop

std::vector<Listeners::Socket> Gateway::sockets() const { return parts_->listening; }
int Gateway::directory_lock() const { return parts_->directory->descriptor(); }
const Config& Gateway::started_with() const { return parts_->config; }

void Gateway::stop(Stop how) { parts_->stop(how); }

void Gateway::Parts::stop(Stop how) {
  if (stopped) return;
  stopped = true;
  const bool patient = how == Stop::patiently;
  stopping.patient = patient;
  stopping.draining = true;
  const std::chrono::milliseconds at_most =
      current != nullptr ? now_serving()->config().timeouts.drain : config.timeouts.drain;
  for (const auto& worker : workers) {
    worker->drain(at_most, patient ? Worker::Drain::patiently : Worker::Drain::at_once);
  }
  // Meanwhile sessions may be ended by a process that has taken over.
  for (Tick next{}; workers_ended < threads.size();) {
    if (clock.tick() >= next) {
      next = clock.tick() + std::chrono::seconds{1};
      if (!now_serving()->sessions().sync_revocations(clock.now()))
        log.error("revocations_not_read");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  for (std::thread& thread : threads) thread.join();
  blocking.reset();  // a job that is still running ends on a loop that is there
  admin.reset();
}

}  // namespace moat::gateway
