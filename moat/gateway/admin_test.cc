// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/admin.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>

namespace moat::gateway {
namespace {

class AdminTest : public ::testing::Test {
 protected:
  AdminTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "moat-admin-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    // A port that is free now; the listener shares it by SO_REUSEPORT.
    probe_ = net::listen_on({IpAddress::from_v4(0x7f000001), 0}).value();
    tcp_ = net::local_endpoint(probe_);
    ::close(probe_);
  }
  ~AdminTest() override {
    admin_.reset();
    std::filesystem::remove_all(root_);
  }
  std::string socket() const { return root_ + "/admin.sock"; }
  void start() {
    auto made = Admin::start(
        socket(), {tcp_},
        [](std::string_view method, std::string_view path, std::string_view body, bool local) {
          AdminAnswer answer;
          answer.body = std::string(method) + " " + std::string(path) + " " + std::string(body) +
                        (local ? " local" : " remote");
          return answer;
        });
    ASSERT_TRUE(made.has_value()) << made.error();
    admin_ = std::move(*made);
  }
  // Sends `bytes` over TCP and gives all that comes back.
  std::string ask(std::string_view bytes) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(tcp_.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    std::string out;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
      out.append(buffer, static_cast<std::size_t>(n));
    ::close(fd);
    return out;
  }
  std::string root_;
  int probe_ = -1;
  net::Endpoint tcp_;
  std::unique_ptr<Admin> admin_;
};

TEST_F(AdminTest, TheOwnersSocketTakesCommands) {
  start();
  const auto reply = ask_admin(socket(), "POST", "/unlock", "ada@example.com");
  ASSERT_TRUE(reply.has_value()) << reply.error();
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "POST /unlock ada@example.com local");
}

TEST_F(AdminTest, TheSocketIsForItsOwnerAndGoesWithTheProgram) {
  start();
  struct stat info {};
  ASSERT_EQ(::stat(socket().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  admin_.reset();
  EXPECT_NE(::stat(socket().c_str(), &info), 0);
  EXPECT_FALSE(ask_admin(socket(), "GET", "/healthz", ""));
}

TEST_F(AdminTest, ASocketLeftBehindIsReplaced) {
  start();
  admin_.reset();
  {
    const int fd = ::open(socket().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ::close(fd);
  }
  start();
  EXPECT_TRUE(ask_admin(socket(), "GET", "/healthz", ""));
}

TEST_F(AdminTest, TheSocketOfTheOneThatTookOverIsLeft) {
  start();
  auto before = std::move(admin_);
  start();
  before.reset();
  const auto reply = ask_admin(socket(), "POST", "/unlock", "x");
  ASSERT_TRUE(reply.has_value()) << reply.error();
  EXPECT_EQ(reply->status, 200);
}

TEST_F(AdminTest, OverTcpItIsNotLocal) {
  start();
  const std::string out = ask("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_EQ(out.rfind("HTTP/1.1 200 OK\r\n", 0), 0U);
  EXPECT_NE(out.find("GET /metrics  remote"), std::string::npos);
  EXPECT_NE(out.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
  EXPECT_NE(out.find("Cache-Control: no-store\r\n"), std::string::npos);
}

TEST_F(AdminTest, ANameInHostIsDnsRebinding) {
  start();
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:9000", "localhost", "localhost:1", "[::1]:9000", "192.0.2.1"}) {
    const std::string out = ask("GET /x HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    EXPECT_EQ(out.rfind("HTTP/1.1 200", 0), 0U) << host;
  }
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example"}) {
    const std::string out = ask("GET /x HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    EXPECT_EQ(out.rfind("HTTP/1.1 400", 0), 0U) << host;
  }
}

TEST_F(AdminTest, GarbageIsRefusedAndTheNextIsServed) {
  start();
  for (const std::string& bytes :
       {std::string("garbage\r\n\r\n"), std::string("\x16\x03\x01\x02", 4) + std::string(600, 'x'),
        std::string("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999\r\n\r\n"),
        std::string(
            "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "GET /" + std::string(30000, 'a') + " HTTP/1.1\r\n\r\n"}) {
    EXPECT_EQ(ask(bytes).rfind("HTTP/1.1 400", 0), 0U);
  }
  EXPECT_NE(ask("GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").find("200 OK"), std::string::npos);
}

TEST_F(AdminTest, HeadHasNoBody) {
  start();
  const std::string out = ask("HEAD /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_EQ(out.substr(out.size() - 4), "\r\n\r\n");
}

TEST_F(AdminTest, APathThatIsTooLongSaysSo) {
  const auto made = Admin::start("/" + std::string(200, 'a'), {}, {});
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().find("too long"), std::string::npos);
}

}  // namespace
}  // namespace moat::gateway
