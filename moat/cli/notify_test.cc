// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace moat::cli {
namespace {

TEST(NotifierTest, LinesArriveAtTheSocketThatWasNamed) {
  std::string directory = testing::TempDir() + "moat-notify-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const std::string path = directory + "/socket";
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size());
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  const Notifier notifier;
  ::unsetenv("NOTIFY_SOCKET");
  notifier.say("READY=1");
  char text[64];
  const ssize_t got = ::recv(socket, text, sizeof text, 0);
  ASSERT_GT(got, 0);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(got)), "READY=1");
  ::close(socket);
  ::unlink(path.c_str());
  ::rmdir(directory.c_str());
}

TEST(NotifierTest, WithoutASocketNothingIsSaid) {
  ::unsetenv("NOTIFY_SOCKET");
  Notifier().say("READY=1");
  ::setenv("NOTIFY_SOCKET", "relative/path", 1);
  Notifier().say("READY=1");
  ::setenv("NOTIFY_SOCKET", std::string(200, '/').c_str(), 1);
  Notifier().say("READY=1");
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace moat::cli
