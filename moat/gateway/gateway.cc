// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/gateway.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "moat/gateway/internal/gateway_parts.h"

namespace moat::gateway {

unsigned cores() { return std::max(1U, std::thread::hardware_concurrency()); }

namespace {

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
  for (const CertificatePair& pair : config.certificate_pairs()) {
    for (const std::string& file : {pair.certificate_file, pair.key_file}) {
      if (!file.empty()) files.push_back(file);
    }
  }
  for (const std::string* file : {&config.client_ca_file, &config.client_crl_file}) {
    if (!file->empty()) files.push_back(*file);
  }
  for (const Route& route : config.routes) {
    for (const std::string* file :
         {&route.backend.ca_file, &route.backend.certificate_file, &route.backend.key_file}) {
      if (!file->empty()) files.push_back(*file);
    }
    files.insert(files.end(), route.schema.files.begin(), route.schema.files.end());
  }
  if (!config.acme.ca_file.empty()) files.push_back(config.acme.ca_file);
  for (const TrustedIssuer& issuer : config.issuers) {
    if (!issuer.ca_file.empty()) files.push_back(issuer.ca_file);
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
      acme(root + "/acme"),
      admin_socket(root + "/admin.sock"),
      setup_link(root + "/setup-link"),
      hsts_ramp(root + "/hsts-ramp") {}

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
  std::erase_if(p.retired, [](const auto& one) { return one.use_count() == 1; });
  if (tick >= p.next_certificates) {
    p.next_certificates = tick + std::chrono::minutes{1};
    current->certificates().maintain(now);
  }
  if (tick >= p.next_revocations) {
    // What another process has ended (`moat user logout`).
    p.next_revocations = tick + std::chrono::seconds{1};
    if (!current->sync(now)) p.log.error("revocations_not_read");
    p.revocations->expire(now);
    if (current->config().hsts_ramp) p.ramp.maintain(now, p.log);
  }
  if (tick >= p.next_release) {
    p.next_release = tick + std::chrono::seconds{5};
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

std::vector<ConfigProblem> Gateway::reload() { return parts_->reload(); }

std::vector<std::string> Gateway::watched_files() const {
  return files_named_by(parts_->now_serving()->config());
}

std::vector<Listeners::Socket> Gateway::sockets() const { return parts_->listening; }
int Gateway::directory_lock() const { return parts_->directory->descriptor(); }
const Config& Gateway::started_with() const { return parts_->config; }

void Gateway::stop(Stop how) { parts_->stop(how); }

void Gateway::Parts::stop(Stop how) {
  if (stopped) return;
  stopped = true;
  if (current != nullptr) now_serving()->certificates().end();
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
      if (!now_serving()->sync(clock.now())) log.error("revocations_not_read");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  for (std::thread& thread : threads) thread.join();
  stopping.over = true;
  fetches.reset();
  blocking.reset();  // a job that is still running ends on a loop that is there
  // The last uses of API keys.
  if (current != nullptr && !now_serving()->sync(clock.now())) log.error("key_uses_not_noted");
  admin.reset();
}

}  // namespace moat::gateway
