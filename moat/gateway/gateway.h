// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/gateway/config.h"
#include "moat/gateway/dns_hook.h"
#include "moat/gateway/listeners.h"

namespace moat::gateway {

// Where data is kept when the configuration does not say: /var/lib/moat for root, else the XDG data
// directory.
std::string default_data_directory();
// Fills in the addresses of the backends' names and what their routes' files hold. The error names
// the backend.
[[nodiscard]] std::vector<ConfigProblem> resolve_backends(Config& config);
// Reads the OpenAPI documents of the routes: a part of the above.
[[nodiscard]] std::vector<ConfigProblem> read_schemas(Config& config);

// The parts of the data directory.
struct DataPaths {
  explicit DataPaths(std::string_view data);
  std::string root, keys, store, ca, acme, admin_socket, setup_link, hsts_ramp;
};

// What a person at the terminal wants to know once it runs.
struct Started {
  std::vector<std::string> urls;          // https://localhost:8443
  std::vector<std::string> redirects;     // http://localhost:8080
  std::string root_certificate;           // of the local CA; empty when files serve
  std::optional<std::string> setup_link;  // for the first admin, while there is none
  std::string certificate;                // "local CA, until 2026-12-01"
  bool trusted = true;                    // false: a public name shows what no browser trusts
  std::size_t workers = 0;
  std::string engine;      // "io_uring", "epoll"
  std::string why_engine;  // what io_uring lacks here; empty: nothing
};

// The files that a configuration names: certificate, key and secrets.
std::vector<std::string> files_named_by(const Config& config);
// Threads that serve: server.workers, or one a core.
unsigned worker_count(const Config& config);

// What whoever starts the gateway may bring along.
struct Startup {
  std::optional<Listeners> listeners;  // opened with more rights, or inherited; else opened here
  int directory_lock = -1;             // inherited, taken over; else it is taken here
  // Called when all is made and all threads but the workers' run: the last moment before strangers
  // are served. An error refuses the start.
  std::function<Result<void, std::string>()> before_serving;
  // Runs tls.acme.dns_hook; null: nobody does.
  std::shared_ptr<DnsHook> dns;
  // Reads the configuration again, for reload().
  std::function<Result<Config, std::vector<ConfigProblem>>()> load;
};

// Gateway is the running product: listeners, workers, store, keys. Made once; the pieces it wires
// live as long as it.
class Gateway final {
 public:
  // Starts everything and accepts connections. The error is a sentence for the terminal. `clock`
  // and `log` must outlive the gateway.
  static Result<std::unique_ptr<Gateway>, std::string> start(Config config, Clock& clock,
                                                             const Log& log, Startup startup = {});
  ~Gateway();
  Gateway(const Gateway&) = delete;  // owns threads and sockets
  Gateway& operator=(const Gateway&) = delete;

  const Started& started() const;
  // What has to be done now and then (certificates, expired rows, tickets); cheap to call each
  // second.
  void housekeeping();
  // Reads the configuration again and serves what comes from now on by it; requests in flight end
  // under the one before. All or nothing: with any problem everything stays as it is, and the
  // problems are logged and given back. From any thread.
  std::vector<ConfigProblem> reload();
  // The files that the configuration names: a change of theirs asks for a reload.
  std::vector<std::string> watched_files() const;

  // For the process that takes over: descriptors that stay this gateway's.
  std::vector<Listeners::Socket> sockets() const;
  int directory_lock() const;
  const Config& started_with() const;

  // Opens the access log's file again, after a rotation has moved it away.
  void reopen_logs();
  // Stops accepting, lets requests in flight finish for the configured time, ends. Returns when all
  // is over. Patiently: connections between two requests may send one more, since another process
  // goes on.
  enum class Stop { at_once, patiently };
  void stop(Stop how = Stop::at_once);

 private:
  struct Parts;
  explicit Gateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace moat::gateway
