// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/gateway/config.h"

namespace moat::gateway {

// Where data is kept when the configuration does not say: /var/lib/moat for root, else the XDG data
// directory.
std::string default_data_directory();
// Fills in the addresses of the backends' names. The error names the backend.
[[nodiscard]] std::vector<ConfigProblem> resolve_backends(Config& config);

// The parts of the data directory.
struct DataPaths {
  explicit DataPaths(std::string_view data);
  std::string root, keys, store, ca, admin_socket, setup_link;
};

// What a person at the terminal wants to know once it runs.
struct Started {
  std::vector<std::string> urls;          // https://localhost:8443
  std::vector<std::string> redirects;     // http://localhost:8080
  std::string root_certificate;           // of the local CA; empty when files serve
  std::optional<std::string> setup_link;  // for the first admin, while there is none
  std::string certificate;                // "local CA, until 2026-12-01"
  std::size_t workers = 0;
};

// Gateway is the running product: listeners, workers, store, keys. Made once; the pieces it wires
// live as long as it.
class Gateway final {
 public:
  // Starts everything and accepts connections. The error is a sentence for the terminal. `clock`
  // and `log` must outlive the gateway.
  static Result<std::unique_ptr<Gateway>, std::string> start(Config config, Clock& clock,
                                                             const Log& log);
  ~Gateway();
  Gateway(const Gateway&) = delete;  // owns threads and sockets
  Gateway& operator=(const Gateway&) = delete;

  const Started& started() const;
  // What has to be done now and then (certificates, expired rows, tickets); cheap to call each
  // second.
  void housekeeping();
  // Looks at the certificate files now; housekeeping() does so each minute.
  void reload_certificates();
  // Opens the access log's file again, after a rotation has moved it away.
  void reopen_logs();
  // Stops accepting, lets requests in flight finish for the configured time, ends. Returns when all
  // is over.
  void stop();

 private:
  struct Parts;
  explicit Gateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace moat::gateway
