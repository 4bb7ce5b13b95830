// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "moat/base/result.h"
#include "moat/gateway/config.h"
#include "moat/net/sockets.h"

namespace moat::gateway {

// A listening socket that another process opened: the one before, at an upgrade, or the service
// manager. Clients that wait in its queue are served as long as it is not closed.
struct InheritedSocket {
  int fd = -1;
  enum class Use { unknown, https, http } use = Use::unknown;
};

// Listeners is the sockets of server.https and server.http: opened, or inherited. It closes them,
// until somebody takes them over.
class Listeners final {
 public:
  struct Socket {
    int fd = -1;
    bool secure = true;
    unsigned worker = 0;  // whose it is
  };
  // One socket an address and worker. Inherited ones are shared out first; where they are fewer
  // than the workers, several workers accept from one. Inherited sockets that no address names are
  // closed; of unknown use they are an error, since somebody meant them to serve. All descriptors
  // of `inherited` are taken over. The error is a sentence.
  [[nodiscard]] static Result<Listeners, std::string> open(const Config& config, unsigned workers,
                                                           std::vector<InheritedSocket> inherited);
  Listeners(Listeners&& other) noexcept;
  Listeners& operator=(Listeners&&) = delete;
  ~Listeners();

  const std::vector<Socket>& sockets() const { return sockets_; }
  // Their descriptors are the caller's from now on.
  void release() { owned_ = false; }

  const std::vector<std::string>& urls() const { return urls_; }  // https://localhost:8443
  const std::vector<std::string>& redirects() const { return redirects_; }  // http://localhost:8080
  std::uint16_t https_port() const { return https_port_; }

 private:
  Listeners() = default;
  struct Group;
  Result<void, std::string> add(const net::Endpoint& endpoint, bool secure, unsigned workers,
                                std::vector<InheritedSocket>& inherited, std::uint16_t& port);

  bool owned_ = true;
  std::vector<Socket> sockets_;
  std::vector<net::Endpoint> dual_;  // [::] sockets that serve IPv4 too
  std::vector<std::string> urls_;
  std::vector<std::string> redirects_;
  std::uint16_t https_port_ = 443;
};

// The sockets that systemd passes to this process by LISTEN_PID and LISTEN_FDS (sd_listen_fds(3)),
// and removes both variables. An error for what is no listening stream socket.
[[nodiscard]] Result<std::vector<InheritedSocket>, std::string> sockets_of_service_manager();

}  // namespace moat::gateway
