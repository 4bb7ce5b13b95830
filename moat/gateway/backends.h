// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/log.h"
#include "moat/gateway/config.h"
#include "moat/gateway/server_state.h"
#include "moat/https/client_tls.h"
#include "moat/net/sockets.h"
#include "moat/net/stream.h"
#include "moat/net/task.h"

namespace moat::gateway {

// One backend server as all workers see it.
struct BackendServer {
  BackendServer(Upstream u, BackendSettings s) : upstream(std::move(u)), settings(std::move(s)) {}
  const Upstream upstream;
  const BackendSettings settings;
  std::optional<https::ClientContext> tls;
  // Of all configurations that know this server.
  std::shared_ptr<ServerState> state;
  bool full() const { return state->full(settings.max_connections); }
  [[nodiscard]] bool take_place() const { return state->take_place(settings.max_connections); }
};

// BackendServers are the servers of a configuration whose names are resolved. Routes that name one
// server with the same settings share it. Workers share one such object.
class BackendServers final {
 public:
  // What `before` knows of servers that are there again goes on, and their requests are counted
  // together; null: nothing is known. A server is the same by its name and addresses; where the
  // settings that its health or TLS go by have changed, its requests alone are taken over. The
  // error is a sentence.
  static Result<std::unique_ptr<BackendServers>, std::string> create(const Config& config,
                                                                     const BackendServers* before);

  struct RouteServers {
    Balance balance = Balance::round_robin;
    std::vector<std::size_t> servers;
  };
  const std::deque<BackendServer>& servers() const { return servers_; }
  const std::vector<RouteServers>& routes() const { return routes_; }

 private:
  BackendServers() = default;
  void take_over(const BackendServers* before);

  std::deque<BackendServer> servers_;
  std::vector<RouteServers> routes_;
};

// Backends holds one worker's connections to the backend servers. Idle ones are kept for reuse; a
// server that fails is left alone while others are there (ServerState).
class Backends final {
 public:
  // All three must outlive it.
  Backends(net::Loop& loop, const BackendServers& servers, const Log& log,
           std::chrono::milliseconds connect_timeout);
  Backends(const Backends&) = delete;  // checks of health point here
  Backends& operator=(const Backends&) = delete;
  ~Backends();

  // One of a server's places for requests, held as long as this lives.
  class Place final {
   public:
    Place() = default;
    explicit Place(ServerState& state) : state_(&state) {}
    Place(Place&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(state_, other.state_);
      return *this;
    }
    ~Place() {
      if (state_ != nullptr) state_->leave_place();
    }

   private:
    ServerState* state_ = nullptr;
  };

  // A connection on loan. Give it back when the answer was read to its end, or let it close.
  struct Lease {
    std::unique_ptr<net::Stream> stream;
    std::size_t server = 0;
    bool reused = false;  // it was idle before: the backend may have closed it meanwhile
    bool bound = false;  // it is authenticated as somebody: for nobody else, so not to be kept here
    const Upstream* upstream = nullptr;
    Place place;
  };
  // Why there is no connection.
  struct Unavailable {
    enum Kind {
      unreachable,
      timed_out,
      busy,  // each server has as many requests as it may have
      down   // no server passes the check of its health
    };
    Kind kind = unreachable;
    bool ours = false;   // the fault is not the server's
    std::string server;  // the last that was tried
    std::string reason;
  };
  // An idle connection to the server whose turn it is, or an empty lease.
  Lease reuse(std::size_t route);
  // A new connection to the next server of the route that can be reached.
  net::Task<Result<Lease, Unavailable>> connect(std::size_t route);
  void give_back(Lease lease);
  // Whether a connection on loan is fit for another request: it is there, and silent.
  static bool is_fit(const Lease& lease);

  // What became of a request: the status of its answer, or why there was none.
  void answered(std::size_t server, int status);
  void failed(std::size_t server, std::string_view reason);

  // Asks for the health of those servers that have a path for it, until stop_checks(). For one
  // worker of all: the others see the outcome.
  void start_checks();
  void stop_checks();
  bool checking() const { return checking_ > 0; }  // for a few turns after stop_checks() too

  // Closes idle connections older than the longest that backends are known to keep theirs (Node.js:
  // 5 s).
  void sweep();
  void close_idle();

 private:
  using Some = std::bitset<most_backends>;  // of a route's servers
  struct Idle {
    std::unique_ptr<net::Stream> stream;
    Tick since;
  };
  // This worker's side of a server.
  struct Own {
    std::vector<Idle> idle;
    std::size_t good_address = 0;  // the one that answered last
  };
  // A server that is asked for its health.
  struct Check {
    Check(net::Loop& loop, std::size_t index) : server(index), pause(loop) {}
    const std::size_t server;
    net::Descriptor pause;  // waited on between two questions
    net::Stream* stream = nullptr;
  };

  const BackendServer& server(std::size_t index) const { return shared_.servers()[index]; }
  std::optional<std::size_t> choose(std::size_t route, const Some& tried, const Some& passed) const;
  Unavailable none_to_choose(std::size_t route) const;
  void take_turn(std::size_t route, std::size_t position);
  net::Task<Result<std::unique_ptr<net::Stream>, Unavailable>> open(
      std::size_t index, std::chrono::milliseconds at_most);
  net::Task<Result<std::unique_ptr<net::Stream>, Unavailable>> open_tls(
      const BackendServer& to, net::Endpoint endpoint, std::chrono::milliseconds at_most);
  net::Task<void> keep_checking(Check& check);
  net::Task<std::string> ask_health(Check& check);
  void log_change(std::size_t index, ServerState::Change change, std::string_view reason) const;

  static constexpr std::chrono::seconds keep_idle{4};
  static constexpr std::size_t most_idle = 128;
  net::Loop& loop_;
  const BackendServers& shared_;
  const Log& log_;
  std::chrono::milliseconds connect_timeout_;
  std::vector<Own> own_;           // by server
  std::vector<std::size_t> next_;  // by route: whose turn it is
  std::vector<std::unique_ptr<Check>> checks_;
  std::size_t checking_ = 0;
  bool stopping_ = false;
};

}  // namespace moat::gateway
