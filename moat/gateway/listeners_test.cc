// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/listeners.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace moat::gateway {
namespace {

using Use = InheritedSocket::Use;

const IpAddress loopback = IpAddress::from_v4(0x7f000001);

int listening_socket() { return net::listen_on({loopback, 0}).value(); }
std::string address_of(int fd) { return net::local_endpoint(fd).to_string(); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

Config config_of(std::vector<std::string> https, std::vector<std::string> http = {}) {
  Config config;
  config.https = std::move(https);
  config.http = std::move(http);
  return config;
}

// A client that waits in the queue of the address.
int client_of(const net::Endpoint& endpoint) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(endpoint.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  return fd;
}

TEST(ListenersTest, EachWorkerHasASocketOfEachAddress) {
  auto made = Listeners::open(config_of({"127.0.0.1:0"}, {"127.0.0.1:0"}), 2, {});
  ASSERT_TRUE(made.has_value()) << made.error();
  ASSERT_EQ(made->sockets().size(), 4U);
  std::set<std::pair<unsigned, bool>> seen;
  std::set<std::uint16_t> ports;
  for (const auto& socket : made->sockets()) {
    seen.insert({socket.worker, socket.secure});
    ports.insert(net::local_endpoint(socket.fd).port);
  }
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_EQ(ports.size(), 2U) << "the workers of one address share its port";
  EXPECT_EQ(made->urls(),
            std::vector<std::string>{"https://localhost:" + std::to_string(made->https_port())});
}

TEST(ListenersTest, AnAddressThatAnotherHoldsIsRefused) {
  const int other = listening_socket();
  const auto made = Listeners::open(config_of({address_of(other)}), 1, {});
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().find("another program listens there"), std::string::npos);
  ::close(other);
}

TEST(ListenersTest, ThoseThatNobodyTookOverAreClosed) {
  int fd = -1;
  {
    auto made = Listeners::open(config_of({"127.0.0.1:0"}), 1, {});
    ASSERT_TRUE(made.has_value());
    fd = made->sockets()[0].fd;
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
  {
    auto made = Listeners::open(config_of({"127.0.0.1:0"}), 1, {});
    ASSERT_TRUE(made.has_value());
    fd = made->sockets()[0].fd;
    made->release();
  }
  EXPECT_TRUE(is_open(fd));
  ::close(fd);
}

TEST(ListenersTest, AnInheritedSocketServesWithItsQueue) {
  const int before = listening_socket();
  const net::Endpoint endpoint = net::local_endpoint(before);
  const int client = client_of(endpoint);
  auto made = Listeners::open(config_of({endpoint.to_string()}), 1, {{before, Use::https}});
  ASSERT_TRUE(made.has_value()) << made.error();
  ASSERT_EQ(made->sockets().size(), 1U);
  EXPECT_EQ(made->sockets()[0].fd, before);
  const int accepted = ::accept4(before, nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_GE(accepted, 0);
  ::close(accepted);
  ::close(client);
}

TEST(ListenersTest, FewerWorkersTakeAllSocketsAndMoreShareThem) {
  const int first = listening_socket();
  const std::string address = address_of(first);
  const int second = net::listen_on(net::local_endpoint(first)).value();
  auto fewer =
      Listeners::open(config_of({address}), 1, {{first, Use::https}, {second, Use::https}});
  ASSERT_TRUE(fewer.has_value());
  ASSERT_EQ(fewer->sockets().size(), 2U);
  EXPECT_EQ(fewer->sockets()[0].worker, 0U);
  EXPECT_EQ(fewer->sockets()[1].worker, 0U);
  fewer->release();
  auto more = Listeners::open(config_of({address}), 5, {{first, Use::https}, {second, Use::https}});
  ASSERT_TRUE(more.has_value());
  std::set<unsigned> workers;
  for (const auto& socket : more->sockets()) {
    EXPECT_EQ(address_of(socket.fd), address);
    workers.insert(socket.worker);
  }
  EXPECT_EQ(workers.size(), 5U);
}

TEST(ListenersTest, AnAddressThatIsGoneIsClosedAndANewOneOpened) {
  const int gone = listening_socket();
  const net::Endpoint before = net::local_endpoint(gone);
  auto made = Listeners::open(config_of({"127.0.0.1:0"}), 1, {{gone, Use::http}});
  ASSERT_TRUE(made.has_value()) << made.error();
  ASSERT_EQ(made->sockets().size(), 1U);
  EXPECT_TRUE(net::check_free(before).has_value());
}

TEST(ListenersTest, TheUseOfASocketIsNotChanged) {
  const int plain = listening_socket();
  const auto made = Listeners::open(config_of({address_of(plain)}), 1, {{plain, Use::http}});
  ASSERT_FALSE(made.has_value()) << "the port is still held by the plain socket";
}

TEST(ListenersTest, AnyPortIsThePortBefore) {
  const int https = listening_socket();
  const int http = listening_socket();
  const std::string address = address_of(https);
  auto made = Listeners::open(config_of({"127.0.0.1:0"}, {"127.0.0.1:0"}), 1,
                              {{http, Use::http}, {https, Use::https}});
  ASSERT_TRUE(made.has_value());
  ASSERT_EQ(made->sockets().size(), 2U);
  EXPECT_EQ(made->sockets()[0].fd, https);
  EXPECT_EQ(made->sockets()[1].fd, http);
}

TEST(ListenersTest, ASocketOfTheServiceManagerMustBeNamed) {
  const int named = listening_socket();
  auto made = Listeners::open(config_of({address_of(named)}), 1, {{named, Use::unknown}});
  EXPECT_TRUE(made.has_value());
  const int unnamed = listening_socket();
  const auto refused = Listeners::open(config_of({"127.0.0.1:0"}), 1, {{unnamed, Use::unknown}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().find("neither server.https nor server.http names"), std::string::npos);
}

TEST(ListenersTest, OneSocketOfBothFamiliesServesAllAddresses) {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int off = 0;
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  if (fd < 0 || ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0)
    GTEST_SKIP() << "no IPv6 here";
  ASSERT_EQ(::listen(fd, 8), 0);
  const std::string port = ":" + std::to_string(net::local_endpoint(fd).port);
  auto made = Listeners::open(config_of({port}), 2, {{fd, Use::unknown}});
  ASSERT_TRUE(made.has_value()) << made.error();
  EXPECT_EQ(made->sockets().size(), 2U) << "one a worker, and none for IPv4 alone";
}

TEST(ListenersTest, WhatIsNoListeningSocketIsRefused) {
  const int unbound = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_FALSE(Listeners::open(config_of({"127.0.0.1:0"}), 1, {{unbound, Use::https}}).has_value());
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_FALSE(Listeners::open(config_of({"127.0.0.1:0"}), 1, {{file, Use::https}}).has_value());
}

class ServiceManagerTest : public testing::Test {
 protected:
  ~ServiceManagerTest() override {
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS"}) ::unsetenv(name);
  }
  static void pass(const std::string& pid, const std::string& count) {
    ::setenv("LISTEN_PID", pid.c_str(), 1);
    ::setenv("LISTEN_FDS", count.c_str(), 1);
  }
};

TEST_F(ServiceManagerTest, NothingIsPassedWithoutTheVariables) {
  const auto passed = sockets_of_service_manager();
  ASSERT_TRUE(passed.has_value());
  EXPECT_TRUE(passed->empty());
}

TEST_F(ServiceManagerTest, WhatIsMeantForAnotherProcessIsNotTaken) {
  pass(std::to_string(::getppid()), "1");
  const auto passed = sockets_of_service_manager();
  ASSERT_TRUE(passed.has_value());
  EXPECT_TRUE(passed->empty());
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr) << "nor by a child of this one";
}

TEST_F(ServiceManagerTest, ANumberThatIsNoneIsRefused) {
  pass(std::to_string(::getpid()), "-1");
  EXPECT_FALSE(sockets_of_service_manager().has_value());
  pass(std::to_string(::getpid()), "100000");
  EXPECT_FALSE(sockets_of_service_manager().has_value());
}

}  // namespace
}  // namespace moat::gateway
