// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/backends.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace moat::gateway {
namespace {

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
  void make() { backends_ = std::make_unique<Backends>(loop_, config_); }

  net::Task<void> connect_into(std::size_t route, Backends::Lease& out, bool& ended) {
    auto connected = co_await backends_->connect(route);
    if (connected) out = std::move(*connected);
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

  static inline const IpAddress loopback = IpAddress::from_v4(0x7f000001);
  net::Loop loop_;
  Config config_;
  std::vector<std::unique_ptr<Server>> servers_;
  std::unique_ptr<Backends> backends_;
};

TEST_F(BackendsTest, AnIdleConnectionIsUsedAgain) {
  Server& server = serve();
  route_to({server.port});
  make();
  EXPECT_EQ(backends_->reuse(0).stream, nullptr);
  Backends::Lease lease = connect();
  ASSERT_NE(lease.stream, nullptr);
  EXPECT_FALSE(lease.reused);
  EXPECT_EQ(lease.upstream->port, server.port);
  settle();
  const net::Stream* first = lease.stream.get();
  backends_->give_back(std::move(lease));
  Backends::Lease again = backends_->reuse(0);
  EXPECT_EQ(again.stream.get(), first);
  EXPECT_TRUE(again.reused);
  EXPECT_EQ(backends_->reuse(0).stream, nullptr);  // it is on loan
  EXPECT_EQ(server.clients.size(), 1U);
}

TEST_F(BackendsTest, AClosedConnectionIsNot) {
  Server& server = serve();
  route_to({server.port});
  make();
  Backends::Lease lease = connect();
  settle();
  backends_->give_back(std::move(lease));
  hang_up(server);
  settle();
  EXPECT_EQ(backends_->reuse(0).stream, nullptr);
}

TEST_F(BackendsTest, AConnectionThatSaidSomethingUnaskedIsNot) {
  Server& server = serve();
  route_to({server.port});
  make();
  Backends::Lease lease = connect();
  settle();
  ASSERT_EQ(server.clients.size(), 1U);
  // An answer to nobody's question would be the next client's.
  ASSERT_EQ(::write(server.clients[0], "HTTP/1.1 200 OK\r\n\r\n", 19), 19);
  settle();
  backends_->give_back(std::move(lease));
  EXPECT_EQ(backends_->reuse(0).stream, nullptr);
}

TEST_F(BackendsTest, AnOldConnectionIsNot) {
  Server& server = serve();
  route_to({server.port});
  make();
  backends_->give_back(connect());
  const Tick until = loop_.in(milliseconds{4100});
  while (loop_.now() < until) loop_.turn(milliseconds{50});
  backends_->sweep();
  EXPECT_EQ(backends_->reuse(0).stream, nullptr);
}

TEST_F(BackendsTest, IdleConnectionsCanBeClosed) {
  Server& server = serve();
  route_to({server.port});
  make();
  backends_->give_back(connect());
  backends_->close_idle();
  EXPECT_EQ(backends_->reuse(0).stream, nullptr);
}

TEST_F(BackendsTest, ServersTakeTurns) {
  Server& one = serve();
  Server& two = serve();
  route_to({one.port, two.port});
  make();
  std::vector<std::uint16_t> used;
  for (int i = 0; i < 4; ++i) {
    Backends::Lease lease = connect();
    ASSERT_NE(lease.stream, nullptr);
    used.push_back(lease.upstream->port);
  }
  EXPECT_EQ(std::count(used.begin(), used.end(), one.port), 2);
  EXPECT_EQ(std::count(used.begin(), used.end(), two.port), 2);
}

TEST_F(BackendsTest, ADeadServerIsPassedOver) {
  const std::uint16_t dead = nobody();
  Server& alive = serve();
  route_to({dead, alive.port});
  make();
  for (int i = 0; i < 4; ++i) {
    Backends::Lease lease = connect();
    ASSERT_NE(lease.stream, nullptr);
    EXPECT_EQ(lease.upstream->port, alive.port);
  }
}

TEST_F(BackendsTest, WithoutAnyServerThereIsNoLease) {
  route_to({nobody(), nobody()});
  make();
  EXPECT_EQ(connect().stream, nullptr);
  EXPECT_EQ(connect().stream, nullptr);  // those that are known to be down are asked all the same
}

TEST_F(BackendsTest, ADeadAddressIsFollowedByTheNext) {
  Server& server = serve();
  route_to({server.port});
  // Nobody listens on the other loopback address.
  config_.routes[0].backends[0].addresses = {IpAddress::from_v4(0x7f0000fe), loopback};
  make();
  EXPECT_NE(connect().stream, nullptr);
  EXPECT_NE(connect().stream, nullptr);
}

TEST_F(BackendsTest, RoutesToOneServerShareItsConnections) {
  Server& server = serve();
  route_to({server.port});
  route_to({server.port});
  make();
  backends_->give_back(connect(0));
  EXPECT_NE(backends_->reuse(1).stream, nullptr);
}

}  // namespace
}  // namespace moat::gateway
