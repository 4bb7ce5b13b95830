// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/internal/wire.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>

namespace moat::fetch::internal {

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
    const auto got = socket_.receive(buffer.data(), buffer.size(), deadline_);
    // RFC 8446 section 6.1: an end without close_notify may be anybody's who is on the way.
    const int size = static_cast<int>(got.size);
    if (size == 0 || BIO_write(in_, buffer.data(), size) != size) return -1;
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
  if (context_ == nullptr) {
    const Socket::Received got = socket_.receive(buffer, size, deadline_);
    return got.trouble == Socket::Trouble::none ? static_cast<long>(got.size) : -1;
  }
  return drive([&] { return SSL_read(ssl_, buffer, static_cast<int>(size)); });
}

}  // namespace moat::fetch::internal
