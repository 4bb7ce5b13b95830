// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only: a server that gives one answer.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "moat/base/clock.h"
#include "moat/https/local_ca.h"

namespace moat::fetch::testing {

inline const https::LocalCaState& authority() {
  static const https::LocalCaState made =
      https::LocalCa::create({"other.test"})->make(system_clock().now()).value();
  return made;
}

// One answer on 127.0.0.1, then it waits for the client to leave.
class Server final {
 public:
  enum class Kind { plain, tls };
  enum class End { politely, cut, never };
  Server(Kind kind, std::string answer, End end = End::never)
      : kind_(kind), answer_(std::move(answer)), end_(end) {
    std::signal(SIGPIPE, SIG_IGN);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_, 4), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::string url(const char* host = "127.0.0.1") const {
    return std::string(kind_ == Kind::tls ? "https://" : "http://") + host + ":" +
           std::to_string(port_) + "/jwks.json?a=b";
  }
  // After the client has gone.
  std::string request() {
    ::shutdown(fd_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
    return request_;
  }

 private:
  void serve() {
    const int client = ::accept(fd_, nullptr, nullptr);
    if (client < 0) return;
    if (kind_ == Kind::plain) {
      serve_plain(client);
    } else {
      serve_tls(client);
    }
    ::close(client);
  }
  void wait_for_the_end(int client) const {
    if (end_ != End::never) return;
    char byte = 0;
    while (::recv(client, &byte, 1, 0) > 0) {
    }
  }
  void serve_plain(int client) {
    char buffer[4096];
    const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
    if (got > 0) request_.assign(buffer, static_cast<std::size_t>(got));
    ::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    wait_for_the_end(client);
  }
  void serve_tls(int client) {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    const auto& leaf = authority().leaf;
    BIO* bio = BIO_new_mem_buf(leaf.certificate.data(), static_cast<int>(leaf.certificate.size()));
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, certificate);
    X509_free(certificate);
    while ((certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) != nullptr)
      SSL_CTX_add_extra_chain_cert(context, certificate);
    BIO_free(bio);
    const std::string_view key = leaf.key.reveal();
    bio = BIO_new_mem_buf(key.data(), static_cast<int>(key.size()));
    EVP_PKEY* const private_key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_PrivateKey(context, private_key);
    EVP_PKEY_free(private_key);
    BIO_free(bio);
    SSL* const ssl = SSL_new(context);
    SSL_set_fd(ssl, client);
    char buffer[4096];
    if (SSL_accept(ssl) == 1) {
      const int got = SSL_read(ssl, buffer, sizeof buffer);
      if (got > 0) request_.assign(buffer, static_cast<std::size_t>(got));
      if (!answer_.empty()) SSL_write(ssl, answer_.data(), static_cast<int>(answer_.size()));
      if (end_ == End::politely) SSL_shutdown(ssl);
      wait_for_the_end(client);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
  }

  Kind kind_;
  std::string answer_;
  End end_;
  int fd_ = -1;
  int port_ = 0;
  std::string request_;
  std::thread thread_;
};

}  // namespace moat::fetch::testing
