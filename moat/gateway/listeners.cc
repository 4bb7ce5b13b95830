// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/listeners.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

namespace moat::gateway {

namespace {

int option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

bool is_listening_stream(int fd) {
  return option(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM &&
         option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1 &&
         (option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET ||
          option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET6);
}

bool prepare(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
         ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

std::optional<int> number(const char* name) {
  const char* text = std::getenv(name);
  int value = 0;
  if (text == nullptr) return std::nullopt;
  const char* end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

void close_all(const std::vector<InheritedSocket>& sockets) {
  for (const InheritedSocket& socket : sockets) ::close(socket.fd);
}

// The kernel gives back what an io_uring held some milliseconds after its process was killed, and
// whoever starts it again may be faster.
Result<void, std::string> wait_until_free(const net::Endpoint& endpoint) {
  constexpr int most_tries = 20;
  for (int i = 0;; ++i) {
    auto free = net::check_free(endpoint);
    if (free || i == most_tries) return free;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
}

}  // namespace

Listeners::Listeners(Listeners&& other) noexcept
    : owned_(std::exchange(other.owned_, false)),
      sockets_(std::move(other.sockets_)),
      dual_(std::move(other.dual_)),
      urls_(std::move(other.urls_)),
      redirects_(std::move(other.redirects_)),
      https_port_(other.https_port_) {}

Listeners::~Listeners() {
  if (!owned_) return;
  for (const Socket& socket : sockets_) ::close(socket.fd);
}

// Port 0 is any port: of the sockets before for this use, or a free one, which is told in `port`.
Result<void, std::string> Listeners::add(const net::Endpoint& endpoint, bool secure,
                                         unsigned workers, std::vector<InheritedSocket>& inherited,
                                         std::uint16_t& port) {
  std::vector<int> fds;
  std::erase_if(inherited, [&](const InheritedSocket& socket) {
    const bool other_use = socket.use != InheritedSocket::Use::unknown &&
                           (socket.use == InheritedSocket::Use::https) != secure;
    const net::Endpoint local = net::local_endpoint(socket.fd);
    const bool same_port =
        local.port == port || (port == 0 && socket.use != InheritedSocket::Use::unknown);
    if (other_use || local.address != endpoint.address || !same_port) return false;
    fds.push_back(socket.fd);
    port = local.port;
    return true;
  });
  const auto covered = [&](const net::Endpoint& one) { return one.port == port; };
  if (fds.empty() && endpoint.address == IpAddress::from_v4(0) &&
      std::any_of(dual_.begin(), dual_.end(), covered))
    return {};
  if (fds.empty()) {
    auto free = wait_until_free({endpoint.address, port});
    if (!free) return Error{free.error()};
    while (fds.size() < workers) {
      auto fd = net::listen_on({endpoint.address, port});
      if (!fd) {
        for (const int open : fds) ::close(open);
        return Error{fd.error()};
      }
      fds.push_back(*fd);
      port = net::local_endpoint(*fd).port;  // of the first, where it was 0
    }
  } else if (!endpoint.address.is_v4() && option(fds.front(), IPPROTO_IPV6, IPV6_V6ONLY) == 0) {
    dual_.push_back({endpoint.address, port});
  }
  const std::size_t there = fds.size();
  for (std::size_t i = there; i < workers; ++i) {
    const int copy = ::fcntl(fds[i % there], F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
      for (const int open : fds) ::close(open);
      return Error{std::string("cannot share a listening socket: ") + std::strerror(errno)};
    }
    fds.push_back(copy);
  }
  for (std::size_t i = 0; i < fds.size(); ++i)
    sockets_.push_back({fds[i], secure, static_cast<unsigned>(i % workers)});
  return {};
}

Result<Listeners, std::string> Listeners::open(const Config& config, unsigned workers,
                                               std::vector<InheritedSocket> inherited) {
  Listeners made;
  for (const InheritedSocket& socket : inherited) {
    if (is_listening_stream(socket.fd) && prepare(socket.fd)) continue;
    close_all(inherited);
    return Error{"descriptor " + std::to_string(socket.fd) + " is no listening TCP socket"};
  }
  const std::string host = config.is_localhost() ? "localhost" : config.domains.front();
  for (const auto* list : {&config.https, &config.http}) {
    const bool secure = list == &config.https;
    for (const std::string& text : *list) {
      const auto listen = parse_listen(text);
      if (!listen) {
        close_all(inherited);
        return Error{listen.error()};
      }
      std::uint16_t port = listen->port;
      std::vector<IpAddress> addresses = listen->addresses;
      // IPv6 first: a socket of the service manager may serve both.
      std::stable_sort(addresses.begin(), addresses.end(),
                       [](const auto& a, const auto& b) { return !a.is_v4() && b.is_v4(); });
      for (const IpAddress& address : addresses) {
        // A host without IPv6 is still a host.
        if (!address.is_v4() && (list->size() > 1 || listen->addresses.size() > 1) &&
            !net::has_address(address))
          continue;
        auto added = made.add({address, port}, secure, workers, inherited, port);
        if (!added) {
          close_all(inherited);
          return Error{added.error()};
        }
      }
      if (secure && made.https_port_ == 443) made.https_port_ = port;
      const bool standard = port == (secure ? 443 : 80);
      const std::string url =
          (secure ? "https://" : "http://") + host + (standard ? "" : ":" + std::to_string(port));
      auto& urls = secure ? made.urls_ : made.redirects_;
      if (std::find(urls.begin(), urls.end(), url) == urls.end()) urls.push_back(url);
    }
  }
  close_all(inherited);
  for (const InheritedSocket& left : inherited) {
    if (left.use == InheritedSocket::Use::unknown) {
      return Error{
          std::string("the service manager passes a socket that neither server.https nor "
                      "server.http names; make its ListenStream= one of those")};
    }
  }
  return made;
}

Result<std::vector<InheritedSocket>, std::string> sockets_of_service_manager() {
  std::vector<InheritedSocket> sockets;
  const auto process = number("LISTEN_PID");
  const auto count = number("LISTEN_FDS");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  if (!process || *process != ::getpid() || !count) return sockets;
  if (*count < 0 || *count > 1024) return Error{std::string("LISTEN_FDS is no number of sockets")};
  constexpr int first = 3;  // SD_LISTEN_FDS_START
  for (int fd = first; fd < first + *count; ++fd) {
    if (!is_listening_stream(fd))
      return Error{"descriptor " + std::to_string(fd) +
                   " of the service manager is no listening TCP socket"};
    sockets.push_back({fd, InheritedSocket::Use::unknown});
  }
  return sockets;
}

}  // namespace moat::gateway
