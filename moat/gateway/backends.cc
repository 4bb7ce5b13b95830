// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/backends.h"

#include <algorithm>

namespace moat::gateway {

Backends::Backends(net::Loop& loop, const Config& config)
    : loop_(loop), connect_timeout_(config.timeouts.connect) {
  for (const Route& route : config.routes) {
    RouteState state;
    for (const Upstream& upstream : route.backends) {
      const auto known = std::find_if(servers_.begin(), servers_.end(), [&](const Server& server) {
        return server.upstream.authority() == upstream.authority();
      });
      state.servers.push_back(static_cast<std::size_t>(known - servers_.begin()));
      if (known == servers_.end()) {
        Server server;
        server.upstream = upstream;
        servers_.push_back(std::move(server));
      }
    }
    routes_.push_back(std::move(state));
  }
}

Backends::~Backends() = default;

Backends::Lease Backends::reuse(std::size_t route) {
  RouteState& state = routes_[route];
  for (std::size_t i = 0; i < state.servers.size(); ++i) {
    Server& server = servers_[state.servers[(state.next + i) % state.servers.size()]];
    if (server.down_until > loop_.now()) continue;
    while (!server.idle.empty()) {
      Idle idle = std::move(server.idle.back());
      server.idle.pop_back();
      if (idle.stream->stale() || idle.since + keep_idle < loop_.now()) continue;
      Lease lease;
      lease.stream = std::move(idle.stream);
      lease.server = static_cast<std::size_t>(&server - servers_.data());
      lease.reused = true;
      lease.upstream = &server.upstream;
      state.next = (state.next + i + 1) % state.servers.size();
      return lease;
    }
    // The turn is this server's: a new connection to it rather than an idle one to the next.
    if (state.servers.size() > 1) break;
  }
  return {};
}

net::Task<Result<Backends::Lease, net::ConnectError>> Backends::connect(std::size_t route) {
  RouteState& state = routes_[route];
  net::ConnectError last = net::ConnectError::unreachable;
  const std::size_t count = state.servers.size();
  // First those that are not known to be down, then any. The walk is this request's own: others
  // take their turns meanwhile.
  const std::size_t first = state.next;
  state.next = (first + 1) % count;
  for (std::size_t attempt = 0; attempt < 2 * count; ++attempt) {
    const std::size_t index = state.servers[(first + attempt) % count];
    Server& server = servers_[index];
    const bool down = server.down_until > loop_.now();
    if (down != (attempt >= count)) continue;
    auto stream = co_await connect_server(server);
    if (!stream) {
      last = stream.error();
      server.down_until = loop_.in(std::chrono::seconds{1});
      continue;
    }
    server.down_until = Tick{};
    Lease lease;
    lease.stream = std::move(*stream);
    lease.server = index;
    lease.upstream = &server.upstream;
    co_return lease;
  }
  co_return Error{last};
}

net::Task<Result<std::unique_ptr<net::TcpStream>, net::ConnectError>> Backends::connect_server(
    Server& server) {
  net::ConnectError last = net::ConnectError::unreachable;
  const std::size_t count = server.upstream.addresses.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t which = (server.good_address + i) % count;
    const net::Endpoint endpoint{server.upstream.addresses[which], server.upstream.port};
    auto stream = co_await net::connect_to(loop_, endpoint, loop_.in(connect_timeout_));
    if (stream) {
      server.good_address = which;
      co_return std::move(*stream);
    }
    last = stream.error();
  }
  co_return Error{last};
}

void Backends::give_back(Lease lease) {
  Server& server = servers_[lease.server];
  if (server.idle.size() >= most_idle || lease.stream->stale()) return;
  Idle idle;
  idle.stream = std::move(lease.stream);
  idle.since = loop_.now();
  server.idle.push_back(std::move(idle));
}

void Backends::sweep() {
  for (Server& server : servers_) {
    std::erase_if(server.idle, [&](const Idle& idle) {
      return idle.stream->stale() || idle.since + keep_idle < loop_.now();
    });
  }
}

void Backends::close_idle() {
  for (Server& server : servers_) server.idle.clear();
}

}  // namespace moat::gateway
