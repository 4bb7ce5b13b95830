// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/document.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "moat/base/clock.h"
#include "moat/https/local_ca.h"

namespace moat::fetch {
namespace {

const https::LocalCaState& authority() {
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
using Kind = Server::Kind;
using End = Server::End;

Options options_for(const std::string& url) {
  Options options;
  options.url = url;
  options.roots = authority().root.certificate;
  options.insecure_http_to_loopback = true;
  options.timeout = std::chrono::seconds(20);  // only a test that waits for it has a short one
  return options;
}
Result<std::string, std::string> get(const Options& options) {
  return Document::create(options).value().get();
}
Result<std::string, std::string> answer(const std::string& text, End end = End::never) {
  const Server server(Kind::plain, text, end);
  return get(options_for(server.url()));
}
std::string error_of(const Result<std::string, std::string>& result) {
  EXPECT_FALSE(result);
  return result ? "" : result.error();
}
bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

TEST(Document, IsFetchedOverTlsFromAServerThatIsWhoItShouldBe) {
  Server server(Kind::tls, ok);
  EXPECT_EQ(get(options_for(server.url())).value(), "hi");
  const std::string request = server.request();
  EXPECT_EQ(request.rfind("GET /jwks.json?a=b HTTP/1.1\r\nHost: 127.0.0.1:", 0), 0u) << request;
  EXPECT_TRUE(says(request, "\r\nConnection: close\r\n"));
}

TEST(Document, ANameIsVerifiedAsWellAsAnAddress) {
  const Server server(Kind::tls, ok);
  EXPECT_EQ(get(options_for(server.url("localhost"))).value(), "hi");
}

TEST(Document, ACertificateOfAnUnknownAuthorityIsRefused) {
  const Server server(Kind::tls, ok);
  Options options = options_for(server.url());
  options.roots.clear();  // the system's
  EXPECT_EQ(error_of(get(options)), "certificate is from an unknown authority");
}

TEST(Document, ACertificateForAnotherNameIsRefused) {
  const Server server(Kind::tls, ok);
  EXPECT_EQ(error_of(get(options_for(server.url("keys.localhost")))),
            "certificate is for another name");
}

TEST(Document, AServerWithoutTlsIsRefused) {
  const Server server(Kind::plain, ok);
  Options options = options_for(server.url());
  options.url.replace(0, 4, "https");
  EXPECT_EQ(error_of(get(options)), "does not speak TLS");
}

TEST(Document, NoAnswerIsTakenInPlainTextUnlessThatIsAllowedAndOnThisMachine) {
  Options options = options_for("http://127.0.0.1:1/");
  EXPECT_TRUE(Document::create(options));
  options.insecure_http_to_loopback = false;
  EXPECT_FALSE(Document::create(options));
  options.insecure_http_to_loopback = true;
  options.url = "http://issuer.example/";
  EXPECT_FALSE(Document::create(options));
}

TEST(Document, AddressesOfCredentialsAndBadRootsAreRefusedAtOnce) {
  EXPECT_FALSE(Document::create(options_for("https://169.254.169.254/latest")));
  EXPECT_FALSE(Document::create(options_for("https://[fe80::1]/")));
  Options options = options_for("https://issuer.example/");
  EXPECT_TRUE(Document::create(options));
  options.roots = "no certificate";
  EXPECT_FALSE(Document::create(options));
}

TEST(Document, RedirectsAreNotFollowed) {
  for (const char* status : {"301", "302", "303", "307", "308", "304"}) {
    const std::string head = "HTTP/1.1 " + std::string(status) +
                             " Go\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n";
    EXPECT_TRUE(says(error_of(answer(head)), "redirects are not followed")) << status;
  }
}

TEST(Document, OnlyA200Counts) {
  EXPECT_EQ(error_of(answer("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nhi")),
            "the answer is 404");
  EXPECT_EQ(error_of(answer("HTTP/1.1 206 Part\r\nContent-Length: 2\r\n\r\nhi")),
            "the answer is 206");
  EXPECT_EQ(answer("HTTP/1.1 103 Hints\r\n\r\n" + std::string(ok)).value(), "hi");
}

TEST(Document, AnswersThatAreNoHttpAreRefused) {
  EXPECT_TRUE(says(error_of(answer("SSH-2.0-x\r\n\r\n")), "no HTTP"));
  EXPECT_TRUE(says(error_of(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n"
                                   "\r\nhi")),
                   "no HTTP"));
  std::string hints;
  for (int i = 0; i < 20; ++i) hints += "HTTP/1.1 103 Hints\r\n\r\n";
  EXPECT_TRUE(says(error_of(answer(hints)), "without end"));
}

TEST(Document, ACompressedBodyIsRefused) {
  EXPECT_TRUE(says(
      error_of(answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi")),
      "compressed"));
}

std::string with_length(std::size_t size) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
         std::string(size, 'x');
}

TEST(Document, TheSizeIsBoundedInclusivelyHoweverItIsSent) {
  EXPECT_EQ(answer(with_length(65536))->size(), 65536u);
  EXPECT_TRUE(says(error_of(answer(with_length(65537))), "more than 65536"));
  // Said to be too large, it is not waited for.
  EXPECT_TRUE(says(error_of(answer("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n")),
                   "more than 65536"));
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(answer(chunked + "1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n").value(), "hi");
  EXPECT_EQ(answer(chunked + "10000\r\n" + std::string(65536, 'x') + "\r\n0\r\n\r\n")->size(),
            65536u);
  EXPECT_TRUE(says(error_of(answer(chunked + "10000\r\n" + std::string(65536, 'x') + "\r\n1\r\nx")),
                   "more than 65536"));
  EXPECT_TRUE(says(error_of(answer(chunked + "zz\r\n")), "chunks"));
  const std::string open = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_TRUE(
      says(error_of(answer(open + std::string(65537, 'x'), End::politely)), "more than 65536"));
}

TEST(Document, WhatWasCutOffIsRefused) {
  EXPECT_TRUE(says(error_of(answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", End::cut)),
                   "did not come to its end"));
  EXPECT_TRUE(says(error_of(answer("HTTP/1.1 200", End::cut)), "no answer"));
  const char* const open = "HTTP/1.1 200 OK\r\n\r\n{\"keys\":[]}";
  {
    const Server server(Kind::tls, open, End::politely);
    EXPECT_EQ(get(options_for(server.url())).value(), "{\"keys\":[]}");
  }
  // RFC 8446 section 6.1: the end of a connection without close_notify is nobody's word.
  const Server server(Kind::tls, open, End::cut);
  EXPECT_TRUE(says(error_of(get(options_for(server.url()))), "did not come to its end"));
}

TEST(Document, AServerThatSaysNothingIsLeft) {
  for (const Kind kind : {Kind::plain, Kind::tls}) {
    const Server server(kind, "");
    Options options = options_for(server.url());
    options.timeout = std::chrono::milliseconds(50);
    EXPECT_FALSE(get(options));
  }
}

TEST(Document, ANobodyIsUnreachable) {
  std::string url;
  {
    const Server server(Kind::plain, ok, End::cut);
    url = server.url();
    EXPECT_TRUE(get(options_for(url)));
  }
  EXPECT_EQ(error_of(get(options_for(url))), "the server cannot be reached");
}

}  // namespace
}  // namespace moat::fetch
