// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/internal/socket.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace moat::doctor::internal {
namespace {

Reach reach_of(int error) {
  switch (error) {
    case 0:
      return Reach::open;
    case ECONNREFUSED:
      return Reach::refused;
    case ETIMEDOUT:
      return Reach::timed_out;
    case ENETUNREACH:
    case EADDRNOTAVAIL:  // no address of that family here
    case EAFNOSUPPORT:
    case EACCES:  // a rule of this machine
    case EPERM:
      return Reach::no_route;
    default:
      return Reach::failed;
  }
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

bool Socket::wait_for(short events, Tick deadline) const {
  for (;;) {
    const Tick now = std::chrono::steady_clock::now();
    if (now >= deadline) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
    pollfd waited{fd_, events, 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(std::min<long>(left, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

Reach Socket::connect(const IpAddress& address, std::uint16_t port, Tick deadline) {
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
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return reach_of(errno);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&storage), size) == 0) return Reach::open;
  if (errno != EINPROGRESS) return reach_of(errno);
  // It may have come about while this machine was busy with something else.
  pollfd done{fd_, POLLOUT, 0};
  if (!wait_for(POLLOUT, deadline) && ::poll(&done, 1, 0) != 1) return Reach::timed_out;
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return Reach::failed;
  return reach_of(error);
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
    if (errno != EAGAIN && errno != EINTR) return {};
  }
}

}  // namespace moat::doctor::internal
