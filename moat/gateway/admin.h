// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/net/loop.h"
#include "moat/net/sockets.h"
#include "moat/net/stream.h"

namespace moat::gateway {

struct AdminAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

// Admin serves health, metrics and the operator's commands: everything on a socket in the data
// directory that only its owner can open, and over TCP, where asked for, health and metrics only.
// It has a thread of its own, so it answers while the workers are busy.
class Admin final {
 public:
  // Called on the admin thread. `local`: through the socket, so commands are allowed.
  using Handler = std::function<AdminAnswer(std::string_view method, std::string_view path,
                                            std::string_view body, bool local)>;
  static Result<std::unique_ptr<Admin>, std::string> start(const std::string& socket_path,
                                                           const std::vector<net::Endpoint>& tcp,
                                                           Handler handler);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

 private:
  explicit Admin(Handler handler) : handler_(std::move(handler)) {}
  net::Task<void> serve(int fd, bool local);
  void listen(int fd, bool local);

  Handler handler_;
  net::Loop loop_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::vector<net::Stream*> open_;
  std::string socket_path_;
  std::uint64_t socket_inode_ = 0;
  std::thread thread_;
};

// Sends one request to the socket of a running Moat and gives the answer's status and body.
struct AdminReply {
  int status = 0;
  std::string body;
};
[[nodiscard]] Result<AdminReply, std::string> ask_admin(const std::string& socket_path,
                                                        std::string_view method,
                                                        std::string_view path,
                                                        std::string_view body);

}  // namespace moat::gateway
