// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/internal/wire.h"

#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "moat/fetch/internal/address.h"

namespace moat::fetch::internal {

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

bool Socket::connect(const IpAddress& address, std::uint16_t port, Tick deadline) {
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
  if (fd_ < 0) return false;
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&storage), size) == 0) return true;
  if (errno != EINPROGRESS || !wait_for(POLLOUT, deadline)) return false;
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
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
long Socket::receive(char* buffer, std::size_t size, Tick deadline) {
  for (;;) {
    if (!wait_for(POLLIN, deadline)) return -1;
    const ssize_t got = ::recv(fd_, buffer, size, 0);
    if (got >= 0) return static_cast<long>(got);
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
}

// ----------------------------------------------------------------------------------------------
// TLS

Wire::Wire(Socket& socket, const https::ClientContext* context, Tick deadline)
    : socket_(socket), deadline_(deadline), context_(context) {
  if (context_ == nullptr) return;
  ssl_ = SSL_new(context_->native());
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  if (ssl_ == nullptr || in_ == nullptr || out_ == nullptr) {
    BIO_free(in_);
    BIO_free(out_);
    SSL_free(ssl_);
    ssl_ = nullptr;
    return;
  }
  SSL_set_bio(ssl_, in_, out_);
  SSL_set_connect_state(ssl_);
}

Wire::~Wire() {
  SSL_free(ssl_);
  ERR_clear_error();
}

bool Wire::send_out() {
  std::array<char, 16384> buffer;
  for (;;) {
    const int size = BIO_read(out_, buffer.data(), static_cast<int>(buffer.size()));
    if (size <= 0) return true;
    if (!socket_.send({buffer.data(), static_cast<std::size_t>(size)}, deadline_)) return false;
  }
}

// Runs one of OpenSSL's calls to its end, carrying its bytes to and from the socket.
template <class Operation>
long Wire::drive(Operation operation) {
  std::array<char, 16384> buffer;
  for (;;) {
    ERR_clear_error();
    const int result = operation();
    const int why = SSL_get_error(ssl_, result);
    error_ = ERR_peek_error();
    if (!send_out()) return -1;
    if (result > 0) return result;
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    if (why != SSL_ERROR_WANT_READ) return -1;
    const long got = socket_.receive(buffer.data(), buffer.size(), deadline_);
    // RFC 8446 section 6.1: an end without close_notify may be anybody's who is on the way.
    if (got <= 0 || BIO_write(in_, buffer.data(), static_cast<int>(got)) != got) return -1;
  }
}

Result<void, std::string> Wire::handshake() {
  if (context_ == nullptr) return {};
  if (ssl_ == nullptr || !context_->prepare(ssl_)) return Error{std::string("OpenSSL failed")};
  if (drive([&] { return SSL_do_handshake(ssl_); }) == 1) return {};
  if (std::chrono::steady_clock::now() >= deadline_)
    return Error{std::string("no TLS handshake in time")};
  return Error{https::why_refused(ssl_, error_)};
}

bool Wire::write(std::string_view bytes) {
  if (context_ == nullptr) return socket_.send(bytes, deadline_);
  const int size = static_cast<int>(bytes.size());
  return drive([&] { return SSL_write(ssl_, bytes.data(), size); }) == size;
}

long Wire::read(char* buffer, std::size_t size) {
  if (context_ == nullptr) return socket_.receive(buffer, size, deadline_);
  return drive([&] { return SSL_read(ssl_, buffer, static_cast<int>(size)); });
}

}  // namespace moat::fetch::internal
