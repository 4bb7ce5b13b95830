// SPDX-License-Identifier: Apache-2.0
// What a gateway is made of, step by step.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "moat/gateway/internal/gateway_parts.h"

namespace moat::gateway {

// A share is kept for connections to backends, for files and for the store: clients must not be
// able to take them all.
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
  net::WorkerPool::Options fetching;
  fetching.threads = 4;
  fetching.queue = 2 * most_issuers;
  fetching.name = "moat-fetch";
  fetches = std::make_unique<net::WorkerPool>(fetching);
  connections.emplace(affordable_connections(config.max_connections, log),
                      config.max_connections_per_address);
  connections->held().set_most(config.max_held_bodies);
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
  lasting.emplace(Lasting{clock,
                          log,
                          paths,
                          *store,
                          *hashes,
                          *revocations,
                          *requests,
                          *signups,
                          *guard,
                          *blocking,
                          *fetches,
                          *connections,
                          *access,
                          labels,
                          reports,
                          learner,
                          stopping,
                          startup.listeners->https_port(),
                          worker_count(config),
                          first_keys,
                          ramp,
                          startup.dns.get()});
  auto made = Generation::make(*lasting, config, nullptr);
  if (!made) return Error{made.error()};
  serve_by_now_on(std::move(*made));
  started.root_certificate = current->certificates().root_certificate();
  started.certificate = current->certificates().description();
  started.trusted = current->certificates().trusted();
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

}  // namespace moat::gateway
