// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/backends.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
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
  const std::string path = ::testing::TempDir() + "moat-backends-test.sock";
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

TEST_F(HealthTest, AServerThatFailsTheCheckGetsNoRequestsUntilItPasses) {
  Server& server = serve();
  route_to({server.port});
  check(config_.routes[0]);
  make();
  backends_->start_checks();
  answer_until(server, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
               [&] { return count_logged("backend_down") == 1; });
  EXPECT_EQ(asked_, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port) +
                        "\r\nUser-Agent: moat-health\r\nAccept: */*\r\nConnection: close\r\n\r\n");
  EXPECT_NE(logged_.back().find("answers 503"), std::string::npos);
  EXPECT_EQ(connect().stream, nullptr);
  EXPECT_EQ(why_.kind, Backends::Unavailable::down);
  EXPECT_EQ(backends_->reuse(0).stream, nullptr);
  answer_until(server, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
               [&] { return count_logged("backend_up") == 1; });
  EXPECT_NE(connect().stream, nullptr);
  EXPECT_EQ(count_logged("backend_down"), 1U);
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

TEST_F(HealthTest, SilenceAndRefusalsAreFaults) {
  Server& silent = serve();
  Server& alive = serve();
  route_to({silent.port});
  route_to({nobody()});
  route_to({alive.port});  // not checked
  check(config_.routes[0]);
  check(config_.routes[1]);
  make();
  backends_->start_checks();
  for (int i = 0; i < 1000 && count_logged("backend_down") < 2; ++i) loop_.turn(milliseconds{5});
  std::string all;
  for (const std::string& line : logged_) all += line;
  EXPECT_NE(all.find("no answer in time"), std::string::npos);
  EXPECT_NE(all.find("connection refused"), std::string::npos);
  EXPECT_EQ(connect(1).stream, nullptr);
  EXPECT_NE(connect(2).stream, nullptr);
}

TEST_F(HealthTest, OneServerDownLeavesTheOthers) {
  Server& alive = serve();
  route_to({nobody(), alive.port});
  check(config_.routes[0]);
  config_.routes[0].backend.health_expect = 204;
  make();
  backends_->start_checks();
  answer_until(alive, "HTTP/1.1 204 No Content\r\n\r\n",
               [&] { return count_logged("backend_down") == 1; });
  for (int i = 0; i < 4; ++i) EXPECT_EQ(connect().upstream->port, alive.port);
}

}  // namespace
}  // namespace moat::gateway
