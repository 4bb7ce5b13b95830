// SPDX-License-Identifier: Apache-2.0
#include "moat/net/sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace moat::net {

namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address to_sockaddr(const Endpoint& endpoint) {
  Address out;
  const auto& bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, bytes.data() + 12, 4);
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.size = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, bytes.data(), 16);
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.size = sizeof v6;
  }
  return out;
}

Endpoint from_sockaddr(const sockaddr_storage& storage) {
  Endpoint out;
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage, sizeof v4);
    out.address = IpAddress::from_v4(ntohl(v4.sin_addr.s_addr));
    out.port = ntohs(v4.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &storage, sizeof v6);
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, 16);
    out.address = IpAddress::from_v6(bytes);
    out.port = ntohs(v6.sin6_port);
  }
  return out;
}

// What the kernel keeps for a client that does not read, and by how much such a client must move
// on before it counts as reading: megabytes otherwise.
constexpr int most_unsent = 128 * 1024;

int new_socket(const Endpoint& endpoint) {
  const int family = endpoint.address.is_v4() ? AF_INET : AF_INET6;
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

std::string explain(const Endpoint& endpoint, const char* what) {
  std::string text =
      std::string("cannot ") + what + " on " + endpoint.to_string() + ": " + std::strerror(errno);
  if (errno == EACCES)
    text += " (ports below 1024 need root or CAP_NET_BIND_SERVICE; try another port)";
  if (errno == EADDRINUSE)
    text += " (another program listens there; stop it or choose another port)";
  return text;
}

}  // namespace

std::string Endpoint::to_string() const {
  const std::string host = address.to_string();
  return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

Result<void, std::string> check_free(const Endpoint& endpoint) {
  const int fd = new_socket(endpoint);
  if (fd < 0) return Error{explain(endpoint, "open a socket")};
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (!endpoint.address.is_v4()) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  Address address = to_sockaddr(endpoint);
  const bool free = ::bind(fd, address.raw(), address.size) == 0 && ::listen(fd, 1) == 0;
  std::string why = free ? std::string() : explain(endpoint, "listen");
  ::close(fd);
  if (!free) return Error{std::move(why)};
  return {};
}

bool has_address(const IpAddress& address) {
  const Endpoint any_port{address, 0};
  const int fd = new_socket(any_port);
  if (fd < 0) return errno != EAFNOSUPPORT;
  Address raw = to_sockaddr(any_port);
  const bool has = ::bind(fd, raw.raw(), raw.size) == 0 || errno != EADDRNOTAVAIL;
  ::close(fd);
  return has;
}

Result<int, std::string> listen_on(const Endpoint& endpoint) {
  const int fd = new_socket(endpoint);
  if (fd < 0) return Error{explain(endpoint, "open a socket")};
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (!endpoint.address.is_v4()) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  Address address = to_sockaddr(endpoint);
  if (::bind(fd, address.raw(), address.size) != 0 || ::listen(fd, 1024) != 0) {
    std::string why = explain(endpoint, "listen");
    ::close(fd);
    return Error{std::move(why)};
  }
  return fd;
}

Endpoint local_endpoint(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (::getsockname(fd, address.raw(), &address.size) != 0) return {};
  return from_sockaddr(address.storage);
}

Listener::Listener(Loop& loop, int fd, OnAccept on_accept, std::function<void()> on_exhausted)
    : loop_(loop),
      descriptor_(loop, fd),
      on_accept_(std::move(on_accept)),
      on_exhausted_(std::move(on_exhausted)) {
  descriptor_.shares_file();  // listening sockets are passed on to the process that takes over
  spawn(accept_all());
}

Task<void> Listener::accept_all() {
  for (;;) {
    const Wait wait = co_await descriptor_.wait_readable(Tick::max());
    if (wait == Wait::cancelled) break;
    Address address;
    address.size = sizeof address.storage;
    const int fd =
        ::accept4(descriptor_.fd(), address.raw(), &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, most_unsent);
      on_accept_(fd, from_sockaddr(address.storage));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      descriptor_.readable = false;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // No descriptor to be had: serve the connections there are and look again soon.
      if (on_exhausted_) on_exhausted_();
      const std::chrono::milliseconds pause(100);
      co_await loop_.sleep_for(pause);
      if (descriptor_.cancelled()) break;
    }
  }
  closed_ = true;
}

std::string_view to_string(ConnectError error) {
  switch (error) {
    case ConnectError::refused:
      return "connection refused";
    case ConnectError::timed_out:
      return "connect timed out";
    case ConnectError::unreachable:
      return "unreachable";
    case ConnectError::no_descriptors:
      return "out of file descriptors";
    case ConnectError::no_such_socket:
      return "no such socket";
    case ConnectError::not_permitted:
      return "not permitted";
  }
  return "unknown";
}

namespace {

Result<void, ConnectError> outcome(int error) {
  switch (error) {
    case 0:
      return {};
    case ECONNREFUSED:
      return Error{ConnectError::refused};
    case ETIMEDOUT:
      return Error{ConnectError::timed_out};
    case ENOENT:
    case ENOTSOCK:
      return Error{ConnectError::no_such_socket};
    case EACCES:
    case EPERM:
      return Error{ConnectError::not_permitted};
    default:
      return Error{ConnectError::unreachable};
  }
}

// Begins a connection; `error` is what connect() said.
int begin_connect(const Endpoint& endpoint, int& error) {
  const int fd = new_socket(endpoint);
  if (fd < 0) return fd;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  Address address = to_sockaddr(endpoint);
  error = ::connect(fd, address.raw(), address.size) == 0 ? 0 : errno;
  return fd;
}

// Waits for what was begun.
Task<Result<void, ConnectError>> end_connect(Stream& stream, int error, Tick deadline) {
  if (error == EINPROGRESS) {
    Descriptor& descriptor = stream.descriptor();
    descriptor.writable = false;
    const Wait wait = co_await descriptor.wait_writable(deadline);
    if (wait != Wait::ready) co_return Error{ConnectError::timed_out};
    socklen_t size = sizeof error;
    if (::getsockopt(descriptor.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  }
  co_return outcome(error);
}

}  // namespace

Task<Result<std::unique_ptr<TcpStream>, ConnectError>> connect_to(Loop& loop, Endpoint endpoint,
                                                                  Tick deadline) {
  int error = 0;
  const int fd = begin_connect(endpoint, error);
  if (fd < 0) co_return Error{ConnectError::no_descriptors};
  auto stream = std::make_unique<TcpStream>(loop, fd, Stream::Use::watched);
  const auto connected = co_await end_connect(*stream, error, deadline);
  if (!connected) co_return Error{connected.error()};
  co_return stream;
}

Task<Result<std::unique_ptr<TlsStream>, ConnectError>> connect_to_tls(Loop& loop, Endpoint endpoint,
                                                                      ssl_ctx_st* context,
                                                                      Tick deadline) {
  int error = 0;
  const int fd = begin_connect(endpoint, error);
  if (fd < 0) co_return Error{ConnectError::no_descriptors};
  auto stream = std::make_unique<TlsStream>(loop, fd, context, TlsStream::Side::client);
  const auto connected = co_await end_connect(*stream, error, deadline);
  if (!connected) co_return Error{connected.error()};
  co_return stream;
}

Task<Result<std::unique_ptr<TcpStream>, ConnectError>> connect_to_unix(Loop& loop, std::string path,
                                                                       Tick deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) co_return Error{ConnectError::no_such_socket};
  std::memcpy(address.sun_path, path.data(), path.size());
  for (;;) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) co_return Error{ConnectError::no_descriptors};
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    const int error = ::connect(fd, raw, sizeof address) == 0 ? 0 : errno;
    auto stream = std::make_unique<TcpStream>(loop, fd, Stream::Use::watched);
    const auto connected = outcome(error);
    if (connected) co_return stream;
    // The listener's queue is full. There is nothing to wait on, so it is asked again.
    if (error != EAGAIN) co_return Error{connected.error()};
    stream.reset();
    if (loop.now() >= deadline) co_return Error{ConnectError::timed_out};
    const std::chrono::milliseconds pause(10);
    co_await loop.sleep_for(pause);
  }
}

}  // namespace moat::net
