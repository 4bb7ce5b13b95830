// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/gateway/backends.h"

// What the tests of backends share: servers that are there, and the gateway's side of them.
namespace moat::gateway {

using std::chrono::milliseconds;

// Backend servers on this loop that accept and say nothing.
class BackendsTest : public ::testing::Test {
 protected:
  struct Server {
    std::unique_ptr<net::Listener> listener;
    std::vector<int> clients;
    std::uint16_t port = 0;
  };
  ~BackendsTest() override {
    backends_.reset();
    earlier_.reset();
    for (const auto& server : servers_) {
      hang_up(*server);
      if (server->listener) server->listener->close();
    }
    for (int i = 0; i < 20; ++i) loop_.turn(milliseconds{1});
  }
  Server& serve() {
    const int fd = net::listen_on({loopback, 0}).value();
    Server& server = *servers_.emplace_back(std::make_unique<Server>());
    server.port = net::local_endpoint(fd).port;
    server.listener = std::make_unique<net::Listener>(
        loop_, fd,
        [&server](int client, const net::Endpoint&) { server.clients.push_back(client); });
    return server;
  }
  static void hang_up(Server& server) {
    for (const int fd : server.clients) ::close(fd);
    server.clients.clear();
  }
  // A port that nobody listens on.
  static std::uint16_t nobody() {
    const int fd = net::listen_on({loopback, 0}).value();
    const std::uint16_t port = net::local_endpoint(fd).port;
    ::close(fd);
    return port;
  }
  void route_to(std::initializer_list<std::uint16_t> ports) {
    Route route;
    for (const std::uint16_t port : ports) {
      Upstream upstream;
      upstream.host = "127.0.0.1";
      upstream.port = port;
      upstream.addresses = {loopback};
      route.backends.push_back(upstream);
    }
    config_.routes.push_back(route);
  }
  void make() {
    shared_ = BackendServers::create(config_, earlier_shared_.get()).value();
    backends_ = std::make_unique<Backends>(loop_, *shared_, log_, std::chrono::milliseconds{5000});
  }
  // The one before goes on beside it.
  void reload() {
    earlier_ = std::move(backends_);
    earlier_shared_ = std::move(shared_);
    make();
  }
  void fail(Backends& backends, std::size_t server) {
    for (unsigned i = 0; i < ServerState::most_failures; ++i) backends.failed(server, "test");
  }
  const ServerState& state(std::size_t server) const { return *shared_->servers()[server].state; }

  net::Task<void> connect_into(std::size_t route, Backends::Lease& out, bool& ended) {
    auto connected = co_await backends_->connect(route);
    if (connected) {
      out = std::move(*connected);
    } else {
      why_ = std::move(connected.error());
    }
    ended = true;
  }
  Backends::Lease connect(std::size_t route = 0) {
    Backends::Lease lease;
    bool ended = false;
    net::spawn(connect_into(route, lease, ended));
    for (int i = 0; i < 2000 && !ended; ++i) loop_.turn(milliseconds{5});
    EXPECT_TRUE(ended);
    return lease;
  }
  void settle() {
    for (int i = 0; i < 10; ++i) loop_.turn(milliseconds{2});
  }

  void turn_for(milliseconds span) {
    const Tick until = loop_.in(span);
    while (loop_.now() < until) loop_.turn(milliseconds{5});
  }
  std::size_t count_logged(std::string_view event) const {
    return static_cast<std::size_t>(
        std::count_if(logged_.begin(), logged_.end(), [&](const std::string& line) {
          return line.find("\"" + std::string(event) + "\"") != std::string::npos;
        }));
  }

  static inline const IpAddress loopback = IpAddress::from_v4(0x7f000001);
  net::Loop loop_;
  ManualClock clock_{Time{}};
  std::vector<std::string> logged_;
  Log log_{clock_, [this](std::string_view line) { logged_.emplace_back(line); }};
  Config config_;
  Backends::Unavailable why_;
  std::unique_ptr<BackendServers> earlier_shared_;
  std::unique_ptr<BackendServers> shared_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::unique_ptr<Backends> earlier_;
  std::unique_ptr<Backends> backends_;
};

// Servers that are asked for their health.
class HealthTest : public BackendsTest {
 protected:
  void check(Route& route) {
    route.backend.health_path = "/healthz";
    route.backend.health_every = milliseconds{50};
    route.backend.health_timeout = milliseconds{200};
  }
  // Answers whoever is connected until `done`.
  template <class Done>
  void answer_until(Server& server, std::string_view text, Done done) {
    for (int i = 0; i < 1000 && !done(); ++i) {
      loop_.turn(milliseconds{5});
      for (const int fd : server.clients) {
        char request[1000];
        const ssize_t got = ::recv(fd, request, sizeof request, MSG_DONTWAIT);
        if (got <= 0) continue;
        asked_.assign(request, static_cast<std::size_t>(got));
        EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
      }
    }
    EXPECT_TRUE(done());
    hang_up(server);
  }
  ~HealthTest() override {
    backends_->stop_checks();
    for (int i = 0; i < 200 && backends_->checking(); ++i) loop_.turn(milliseconds{5});
    EXPECT_FALSE(backends_->checking());
  }
  std::string asked_;
};

}  // namespace moat::gateway
