// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal: what a Gateway is made of.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "moat/gateway/admin.h"
#include "moat/gateway/gateway.h"
#include "moat/gateway/generation.h"
#include "moat/gateway/key_files.h"
#include "moat/gateway/worker.h"
#include "moat/net/hash_pool.h"
#include "moat/password/hasher.h"
#include "moat/store/sqlite_store.h"

namespace moat::gateway {

unsigned cores();  // one at least
// The connections that there are descriptors for, `wanted` at most; fewer are logged.
std::uint32_t affordable_connections(std::uint32_t wanted, const Log& log);

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
  std::unique_ptr<net::WorkerPool> fetches;
  std::optional<ConnectionLimits> connections;
  std::unique_ptr<AccessLog> access;
  HstsRampFile ramp{paths.hsts_ramp};
  std::uint64_t access_lines_lost = 0;  // at the last look
  RouteLabels labels;
  ReportCollector reports;
  TrafficLearner learner;
  std::optional<Lasting> lasting;
  std::mutex reload_mutex;  // one reload at a time
  mutable std::mutex current_mutex;
  std::shared_ptr<Generation> current;  // of the requests to come
  std::vector<std::weak_ptr<Generation>> generations;
  std::vector<std::shared_ptr<Certificates>> retired;  // of earlier ones; under reload_mutex
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
  Tick next_release{};  // of the hashes' memory
  Tick next_sweep{};
  std::atomic<std::size_t> workers_ended{0};
  bool stopped = false;
};

}  // namespace moat::gateway
