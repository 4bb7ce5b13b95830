// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::cli {

// Notifier tells the service manager how things stand (sd_notify(3)), where it asked to be told by
// NOTIFY_SOCKET. What cannot be sent is lost.
class Notifier final {
 public:
  Notifier();                          // connects, so that later no file has to be reached
  Notifier(const Notifier&) = delete;  // owns a socket
  Notifier& operator=(const Notifier&) = delete;
  ~Notifier();
  // Lines such as "READY=1".
  void say(std::string_view lines) const;

 private:
  int socket_ = -1;
};

}  // namespace moat::cli
