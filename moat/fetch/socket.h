// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/base/ip.h"

namespace moat::fetch {

// Socket is a TCP connection whose calls block until a deadline, or until `cancelled` (which may be
// null, and outlives it) is true: that is looked at several times a second.
class Socket final {
 public:
  explicit Socket(const std::atomic<bool>* cancelled = nullptr) : cancelled_(cancelled) {}
  Socket(const Socket&) = delete;  // owns the descriptor
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  // 0, or the system's number of why not: ETIMEDOUT where it was not done in time.
  [[nodiscard]] int connect(const IpAddress& address, std::uint16_t port, Tick deadline);
  [[nodiscard]] bool send(std::string_view bytes, Tick deadline);
  // How many bytes came. 0 without trouble: the end that the other side meant.
  enum class Trouble { none, late, failed /* a reset, for one */ };
  struct Received {
    std::size_t size = 0;
    Trouble trouble = Trouble::none;
  };
  [[nodiscard]] Received receive(char* buffer, std::size_t size, Tick deadline);

 private:
  bool wait_for(short events, Tick deadline) const;
  void close();
  const std::atomic<bool>* cancelled_;
  int fd_ = -1;
};

}  // namespace moat::fetch
