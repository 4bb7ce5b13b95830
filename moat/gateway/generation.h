// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "moat/accounts/service.h"
#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/gateway/certificates.h"
#include "moat/gateway/config.h"
#include "moat/gateway/gateway.h"
#include "moat/gateway/hsts_ramp_file.h"
#include "moat/gateway/issuers.h"
#include "moat/gateway/keys.h"
#include "moat/gateway/pages.h"
#include "moat/gateway/worker.h"
#include "moat/limit/login_guard.h"
#include "moat/password/policy.h"
#include "moat/session/api_keys.h"
#include "moat/session/session.h"
#include "moat/shield/auth_api.h"
#include "moat/shield/shield.h"
#include "moat/shield/users.h"
#include "moat/store/sqlite_store.h"

namespace moat::gateway {

// Lasting is what every configuration of one process works with: a reload resets none of it.
struct Lasting {
  Clock& clock;
  const Log& log;
  const DataPaths& paths;
  store::SqliteStore& store;
  password::Engine& hashes;
  session::RevocationList& revocations;
  limit::Table& requests;
  limit::Table& signups;
  limit::LoginGuard& guard;
  net::WorkerPool& blocking;
  net::WorkerPool& fetches;  // of issuers' keys
  ConnectionLimits& connections;
  AccessLog& access;
  RouteLabels& labels;
  ReportCollector& reports;
  TrafficLearner& learner;
  const Stopping& stopping;
  std::uint16_t https_port;  // where plain HTTP is redirected to
  unsigned workers;
  Rotation first_keys;  // of the first configuration
  HstsRampFile& ramp;
  DnsHook* dns;  // null: none
};

// Generation is one configuration with all that is derived from it. Whoever serves a request under
// it holds it; the last one to let go destroys it.
class Generation final {
 public:
  // Prepares everything, or nothing: the error is a sentence. Of `before`, where there is one, it
  // takes over the keys and certificates that are the same, and what is known of the backends.
  // `lasting` must outlive it.
  [[nodiscard]] static Result<std::shared_ptr<Generation>, std::string> make(
      const Lasting& lasting, Config config, const Generation* before);

  Generation(const Generation&) = delete;  // its parts point at each other
  Generation& operator=(const Generation&) = delete;

  const Config& config() const { return config_; }
  const Shared& shared() const { return *shared_; }
  accounts::Service& accounts() { return *accounts_; }
  // Learns what other processes have revoked, and notes which API keys were used: every second.
  Result<void, session::StoreError> sync(Time now);
  Certificates& certificates() { return *certificates_; }
  const std::shared_ptr<Certificates>& shared_certificates() const { return certificates_; }
  const Keys& keys() const { return *keys_; }
  // One for each worker.
  Result<https::ServerContext, std::string> tls_context() const;

 private:
  explicit Generation(Config config) : config_(std::move(config)) {}
  Result<void, std::string> make_keys(const Lasting& lasting, const Generation* before);
  Result<void, std::string> make_accounts(const Lasting& lasting);
  Result<void, std::string> make_issuers(const Lasting& lasting, const Generation* before);
  Result<void, std::string> make_shield(const Lasting& lasting, const Log& log);
  Result<void, std::string> make_certificates(const Lasting& lasting, const Generation* before);
  void make_shared(const Lasting& lasting, const Log& log);

  Config config_;
  std::optional<Log> log_;  // at this configuration's level
  std::shared_ptr<Keys> keys_;
  password::Policy password_policy_;
  std::unique_ptr<accounts::Service> accounts_;
  std::unique_ptr<session::Manager> sessions_;
  std::unique_ptr<session::ApiKeys> api_keys_;  // null: there are none
  std::unique_ptr<shield::AccountUsers> users_;
  std::unique_ptr<Issuers> issuers_;
  std::unique_ptr<shield::Shield> shield_;
  std::unique_ptr<WebPages> pages_;
  std::unique_ptr<shield::AuthApi> auth_;
  std::shared_ptr<Certificates> certificates_;
  std::unique_ptr<BackendServers> backends_;
  std::unique_ptr<Shared> shared_;
};

// What the guard of logins is made with; it lasts, and so do these.
limit::LoginGuardOptions guard_options(const Config& config);
// The longest that a revocation must be known, whatever a later configuration says.
inline constexpr std::chrono::seconds longest_revocation = std::chrono::minutes{16};

// What `next` asks for that a process cannot change while it runs. `next` takes over the secrets of
// `running` that came from environment variables, which are read once.
[[nodiscard]] std::vector<ConfigProblem> needs_restart(const Config& running, Config& next);

}  // namespace moat::gateway
