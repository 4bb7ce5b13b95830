// SPDX-License-Identifier: Apache-2.0
// What one configuration hands to the next.
#include <gtest/gtest.h>

#include "moat/gateway/internal/backends_fixture.h"

namespace moat::gateway {
namespace {

TEST_F(BackendsTest, AReloadBringsNoServerBack) {
  Server& one = serve();
  Server& two = serve();
  route_to({one.port, two.port});
  make();
  fail(*backends_, 0);
  config_.routes[0].backend.balance = Balance::least_connections;  // the route's affair
  config_.routes.insert(config_.routes.begin(), Route());
  reload();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(connect(1).upstream->port, two.port);
  earlier_->answered(0, 200);  // to a request of the configuration before
  EXPECT_TRUE(state(0).may_be_asked(loop_.now()));
  EXPECT_EQ(count_logged("backend_down"), 1U);
  EXPECT_EQ(count_logged("backend_up"), 1U);
}

TEST_F(BackendsTest, FailuresBeforeAReloadCount) {
  route_to({serve().port});
  make();
  backends_->failed(0, "test");
  earlier_shared_ = std::move(shared_);
  make();
  backends_->failed(0, "test");
  EXPECT_EQ(count_logged("backend_down"), 0U);
  backends_->failed(0, "test");
  EXPECT_EQ(count_logged("backend_down"), 1U);
}

TEST_F(BackendsTest, AnotherServerIsNotJudgedByTheOneBefore) {
  route_to({serve().port, serve().port});
  make();
  fail(*backends_, 0);
  fail(*backends_, 1);
  config_.routes[0].backends[0].port = serve().port;
  config_.routes[0].backends[1].addresses = {IpAddress::from_v4(0x7f000002)};
  reload();
  EXPECT_TRUE(state(0).may_be_asked(loop_.now()));
  EXPECT_TRUE(state(1).may_be_asked(loop_.now()));
}

TEST_F(BackendsTest, TheOrderOfAddressesDoesNotMakeAnotherServer) {
  route_to({serve().port});
  config_.routes[0].backends[0].addresses = {loopback, IpAddress::from_v4(0x7f000002)};
  make();
  fail(*backends_, 0);
  auto& addresses = config_.routes[0].backends[0].addresses;
  std::swap(addresses[0], addresses[1]);
  reload();
  EXPECT_FALSE(state(0).may_be_asked(loop_.now()));
}

TEST_F(BackendsTest, RequestsBeforeAndAfterAReloadAreCountedTogether) {
  route_to({serve().port});
  config_.routes[0].backend.max_connections = 2;
  make();
  Backends::Lease first = connect();
  reload();
  Backends::Lease second = connect();
  ASSERT_NE(second.stream, nullptr);
  EXPECT_EQ(connect().stream, nullptr);
  EXPECT_EQ(why_.kind, Backends::Unavailable::busy);
  first = Backends::Lease();
  EXPECT_NE(connect().stream, nullptr);
  second = Backends::Lease();
  EXPECT_EQ(state(0).requests(), 0U);
}

TEST_F(BackendsTest, AnotherLimitHoldsForThoseUnderWayToo) {
  route_to({serve().port});
  config_.routes[0].backend.max_connections = 3;
  make();
  Backends::Lease first = connect();
  Backends::Lease second = connect();
  fail(*backends_, 0);
  config_.routes[0].backend.max_connections = 2;
  reload();
  EXPECT_FALSE(state(0).may_be_asked(loop_.now()));  // it is as dead as before
  EXPECT_EQ(connect().stream, nullptr);
  EXPECT_EQ(why_.kind, Backends::Unavailable::busy);
  second = Backends::Lease();
  EXPECT_NE(connect().stream, nullptr);
}

TEST_F(BackendsTest, AnotherCheckOfHealthStartsOverButForTheRequests) {
  route_to({serve().port});
  config_.routes[0].backend.max_connections = 1;
  make();
  Backends::Lease first = connect();
  fail(*backends_, 0);
  config_.routes[0].backend.health_path = "/healthz";
  reload();
  EXPECT_TRUE(state(0).may_be_asked(loop_.now()));
  EXPECT_EQ(connect().stream, nullptr);
  EXPECT_EQ(why_.kind, Backends::Unavailable::busy);
  first = Backends::Lease();
  EXPECT_NE(connect().stream, nullptr);
}

TEST_F(BackendsTest, RoutesOfOneServerKeepTheirOwnCounts) {
  const std::uint16_t port = serve().port;
  route_to({port});
  route_to({port});
  config_.routes[0].backend.max_connections = 1;
  config_.routes[1].backend.max_connections = 2;
  make();
  Backends::Lease first = connect(0);
  std::swap(config_.routes[0], config_.routes[1]);
  config_.routes[0].backend.max_connections = 3;  // the other is found by its settings
  reload();
  EXPECT_EQ(connect(1).stream, nullptr);
  EXPECT_NE(connect(0).stream, nullptr);
  EXPECT_EQ(state(0).requests(), 0U);
  EXPECT_EQ(state(1).requests(), 1U);
}

TEST_F(HealthTest, AReloadDoesNotBringBackWhoFailedTheCheck) {
  Server& server = serve();
  route_to({server.port});
  check(config_.routes[0]);
  make();
  backends_->start_checks();
  answer_until(server, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
               [&] { return count_logged("backend_down") == 1; });
  backends_->stop_checks();
  for (int i = 0; i < 200 && backends_->checking(); ++i) loop_.turn(milliseconds{5});
  config_.routes[0].backend.health_every = milliseconds{40};
  reload();
  EXPECT_EQ(connect().stream, nullptr);
  EXPECT_EQ(why_.kind, Backends::Unavailable::down);
  backends_->start_checks();
  answer_until(server, "HTTP/1.1 200 OK\r\n\r\n", [&] { return count_logged("backend_up") == 1; });
  EXPECT_NE(connect().stream, nullptr);
}

}  // namespace
}  // namespace moat::gateway
