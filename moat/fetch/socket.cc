// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/socket.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "moat/fetch/internal/address.h"

namespace moat::fetch {

using internal::cancel_looks;

Socket::~Socket() { close(); }

void Socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool Socket::wait_for(short events, Tick deadline) const {
  for (;;) {
    const Tick now = std::chrono::steady_clock::now();
    if (now >= deadline || (cancelled_ != nullptr && *cancelled_)) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
    const long longest = cancelled_ == nullptr ? 60'000 : cancel_looks.count();
    pollfd waited{fd_, events, 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(std::min<long>(left, longest)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

int Socket::connect(const IpAddress& address, std::uint16_t port, Tick deadline) {
  close();
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes().data() + 12, 4);
    std::memcpy(&storage, &v4, size = sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&storage, &v6, size = sizeof v6);
  }
  fd_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return errno;
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&storage), size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  // It may have come about while this machine was busy with something else.
  pollfd done{fd_, POLLOUT, 0};
  if (!wait_for(POLLOUT, deadline) && ::poll(&done, 1, 0) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

bool Socket::send(std::string_view bytes, Tick deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for(POLLOUT, deadline)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

// The deadline holds for a server too that always has one byte more.
Socket::Received Socket::receive(char* buffer, std::size_t size, Tick deadline) {
  for (;;) {
    if (!wait_for(POLLIN, deadline)) return {0, Trouble::late};
    const ssize_t got = ::recv(fd_, buffer, size, 0);
    if (got >= 0) return {static_cast<std::size_t>(got), Trouble::none};
    if (errno != EAGAIN && errno != EINTR) return {0, Trouble::failed};
  }
}

}  // namespace moat::fetch
