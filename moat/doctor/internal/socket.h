// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/base/ip.h"
#include "moat/doctor/tls_facts.h"

namespace moat::doctor::internal {

// Socket is a TCP connection whose calls block until a deadline.
class Socket final {
 public:
  Socket() = default;
  Socket(const Socket&) = delete;  // owns the descriptor
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  [[nodiscard]] Reach connect(const IpAddress& address, std::uint16_t port, Tick deadline);
  [[nodiscard]] bool send(std::string_view bytes, Tick deadline);
  // How many bytes came; 0: the end, by a reset too.
  enum class Trouble { none, late };
  struct Received {
    std::size_t size = 0;
    Trouble trouble = Trouble::none;
  };
  [[nodiscard]] Received receive(char* buffer, std::size_t size, Tick deadline);

 private:
  bool wait_for(short events, Tick deadline) const;
  int fd_ = -1;
};

}  // namespace moat::doctor::internal
