// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/backends.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "moat/gateway/internal/backends_fixture.h"

namespace moat::gateway {
namespace {

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

TEST_F(BackendsTest, RoutesWithOtherSettingsDoNot) {
  Server& server = serve();
  route_to({server.port});
  route_to({server.port});
  config_.routes[1].backend.max_connections = 5;
  make();
  backends_->give_back(connect(0));
  EXPECT_EQ(backends_->reuse(1).stream, nullptr);
  EXPECT_NE(backends_->reuse(0).stream, nullptr);
}

TEST_F(BackendsTest, ABoundConnectionIsNeverShared) {
  Server& server = serve();
  route_to({server.port});
  make();
  Backends::Lease lease = connect();
  settle();
  lease.bound = true;
  backends_->give_back(std::move(lease));
  EXPECT_EQ(backends_->reuse(0).stream, nullptr);
}

TEST_F(BackendsTest, AUnixSocketIsReached) {
  const std::string path =
      ::testing::TempDir() + "moat-backends-test-" + std::to_string(::getpid()) + ".sock";
  ::unlink(path.c_str());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(fd, 8), 0);
  Route route;
  route.backends.push_back(parse_upstream("unix:" + path).value());
  config_.routes.push_back(route);
  make();
  Backends::Lease lease = connect();
  ASSERT_NE(lease.stream, nullptr);
  EXPECT_EQ(lease.upstream->authority(), "localhost");
  backends_->give_back(std::move(lease));
  EXPECT_NE(backends_->reuse(0).stream, nullptr);
  ::close(fd);
  EXPECT_EQ(connect().stream, nullptr);
  EXPECT_EQ(why_.reason, "connection refused");
  EXPECT_EQ(why_.server, "unix:" + path);
  ::unlink(path.c_str());
  EXPECT_EQ(connect().stream, nullptr);
  EXPECT_EQ(why_.reason, "no such socket");
}

TEST_F(BackendsTest, AServerThatFailsIsLeftAloneAndTriedAgain) {
  Server& shaky = serve();
  Server& steady = serve();
  route_to({shaky.port, steady.port});
  make();
  for (unsigned i = 0; i < ServerState::most_failures; ++i) backends_->failed(0, "no answer");
  EXPECT_EQ(count_logged("backend_down"), 1U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(connect().upstream->port, steady.port);
  turn_for(milliseconds{1050});
  int trials = 0;
  for (int i = 0; i < 4; ++i) trials += connect().upstream->port == shaky.port ? 1 : 0;
  EXPECT_EQ(trials, 1);
  backends_->answered(0, 200);
  EXPECT_EQ(count_logged("backend_up"), 1U);
  for (int i = 0; i < 4; ++i) trials += connect().upstream->port == shaky.port ? 1 : 0;
  EXPECT_EQ(trials, 3);
}

TEST_F(BackendsTest, AnswersOfABrokenGatewayBehindUsAreFailures) {
  Server& one = serve();
  Server& two = serve();
  route_to({one.port, two.port});
  make();
  for (int i = 0; i < 10; ++i) backends_->answered(0, 500);  // the application's own business
  EXPECT_EQ(count_logged("backend_down"), 0U);
  for (unsigned i = 0; i < ServerState::most_failures; ++i) backends_->answered(0, 502);
  EXPECT_EQ(count_logged("backend_down"), 1U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(connect().upstream->port, two.port);
}

TEST_F(BackendsTest, WhereAllFailTheyAreAskedAllTheSame) {
  Server& one = serve();
  Server& two = serve();
  route_to({one.port, two.port});
  make();
  for (const std::size_t server : {0U, 1U}) {
    for (unsigned i = 0; i < ServerState::most_failures; ++i) backends_->failed(server, "x");
  }
  EXPECT_EQ(count_logged("backend_down"), 2U);
  for (int i = 0; i < 4; ++i) EXPECT_NE(connect().stream, nullptr);
}

TEST_F(BackendsTest, RefusedConnectionsAreFailures) {
  const std::uint16_t dead = nobody();
  Server& alive = serve();
  route_to({dead, alive.port});
  make();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(connect().upstream->port, alive.port);
  EXPECT_EQ(count_logged("backend_down"), 1U);
}

TEST_F(BackendsTest, AServerHasAsManyRequestsAsItMayHave) {
  Server& one = serve();
  Server& two = serve();
  route_to({one.port, two.port});
  config_.routes[0].backend.max_connections = 1;
  make();
  Backends::Lease first = connect();
  Backends::Lease second = connect();
  ASSERT_NE(first.stream, nullptr);
  ASSERT_NE(second.stream, nullptr);
  EXPECT_NE(first.upstream->port, second.upstream->port);
  EXPECT_EQ(connect().stream, nullptr);
  EXPECT_EQ(why_.kind, Backends::Unavailable::busy);
  const std::uint16_t free = first.upstream->port;
  settle();
  backends_->give_back(std::move(first));  // its place is free, its connection is kept
  Backends::Lease third = backends_->reuse(0);
  ASSERT_NE(third.stream, nullptr);
  EXPECT_EQ(third.upstream->port, free);
  EXPECT_EQ(connect().stream, nullptr);
  second = Backends::Lease();  // it closes
  EXPECT_NE(connect().stream, nullptr);
}

TEST_F(BackendsTest, AFailedConnectionLeavesItsPlace) {
  route_to({nobody()});
  config_.routes[0].backend.max_connections = 1;
  make();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(connect().stream, nullptr);
    EXPECT_EQ(why_.kind, Backends::Unavailable::unreachable);
  }
}

TEST_F(BackendsTest, LeastConnectionsPrefersTheIdlest) {
  Server& one = serve();
  Server& two = serve();
  route_to({one.port, two.port});
  config_.routes[0].backend.balance = Balance::least_connections;
  make();
  Backends::Lease first = connect();
  const std::uint16_t other = first.upstream->port == one.port ? two.port : one.port;
  Backends::Lease second = connect();
  EXPECT_EQ(second.upstream->port, other);
  second = Backends::Lease();
  // The first is still at work, so the other gets each of these.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(connect().upstream->port, other);
}

}  // namespace
}  // namespace moat::gateway
