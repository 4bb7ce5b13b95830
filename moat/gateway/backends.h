// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "moat/gateway/config.h"
#include "moat/net/sockets.h"
#include "moat/net/stream.h"
#include "moat/net/task.h"

namespace moat::gateway {

// Backends holds one worker's connections to the backend servers: idle ones are kept for reuse, a
// server that cannot be reached is left alone for a second while others are there.
class Backends final {
 public:
  Backends(net::Loop& loop, const Config& config);
  ~Backends();

  // A connection on loan. Give it back when the answer was read to its end, or let it close.
  struct Lease {
    std::unique_ptr<net::TcpStream> stream;
    std::size_t server = 0;
    bool reused = false;  // it was idle before: the backend may have closed it meanwhile
    const Upstream* upstream = nullptr;
  };
  // An idle connection for the route, or an empty lease.
  Lease reuse(std::size_t route);
  // A new connection to the next server of the route that can be reached.
  net::Task<Result<Lease, net::ConnectError>> connect(std::size_t route);
  void give_back(Lease lease);
  // Closes idle connections older than the longest that backends are known to keep theirs (Node.js:
  // 5 s).
  void sweep();
  void close_idle();

 private:
  struct Idle {
    std::unique_ptr<net::TcpStream> stream;
    Tick since;
  };
  struct Server {
    Upstream upstream;
    std::vector<Idle> idle;
    Tick down_until{};
    std::size_t good_address = 0;  // the one that answered last
  };
  struct RouteState {
    std::vector<std::size_t> servers;
    std::size_t next = 0;
  };
  net::Task<Result<std::unique_ptr<net::TcpStream>, net::ConnectError>> connect_server(
      Server& server);

  static constexpr std::chrono::seconds keep_idle{4};
  static constexpr std::size_t most_idle = 128;
  net::Loop& loop_;
  std::chrono::milliseconds connect_timeout_;
  std::vector<Server> servers_;
  std::vector<RouteState> routes_;
};

}  // namespace moat::gateway
