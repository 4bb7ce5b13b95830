// SPDX-License-Identifier: Apache-2.0
// Questions for health.
#include <gtest/gtest.h>

#include "moat/gateway/internal/backends_fixture.h"

namespace moat::gateway {
namespace {

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
