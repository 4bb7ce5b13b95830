// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "moat/base/clock.h"
#include "moat/https/local_ca.h"
#include "moat/net/loop.h"
#include "moat/net/stream.h"
#include "moat/net/task.h"

namespace moat::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, ContextDeleter>;

Context server_context() {
  const auto issued = https::self_signed("localhost", system_clock().now()).value();
  const auto bio_of = [](std::string_view text) {
    return BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  };
  Context context(SSL_CTX_new(TLS_server_method()));
  BIO* bio = bio_of(issued.certificate);
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  bio = bio_of(issued.key.reveal());
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  EXPECT_EQ(SSL_CTX_use_certificate(context.get(), certificate), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), key), 1);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

// The server's end on this loop, the client's end as a plain, blocking descriptor.
class TlsStreamTest : public ::testing::TestWithParam<Engine> {
 protected:
  TlsStreamTest() { connect(); }
  void connect() {
    stream_.reset();
    if (client_ >= 0) ::close(client_);
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0);
    const timeval wait{10, 0};
    ::setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    EXPECT_EQ(::fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    stream_ = std::make_unique<TlsStream>(loop_, fds[0], context_.get());
    client_ = fds[1];
  }
  ~TlsStreamTest() override { ::close(client_); }

  Task<void> shake(milliseconds at_most, TlsStream::Handshake& out) {
    const Tick deadline = loop_.in(at_most);
    out = co_await stream_->handshake(deadline);
    loop_.stop();
  }
  TlsStream::Handshake handshake(milliseconds at_most = seconds{10}) {
    TlsStream::Handshake out = TlsStream::Handshake::failed;
    spawn(shake(at_most, out));
    loop_.run();
    return out;
  }
  void send(std::string_view bytes) {
    EXPECT_EQ(::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  // Reads until `count` bytes came or the stream ended, and sends them back.
  Task<void> echo(std::size_t count, std::string& out) {
    char buffer[1000];
    const Tick deadline = loop_.in(seconds{10});
    while (out.size() < count) {
      const Io got = stream_->read(buffer, sizeof buffer);
      if (got.state == Io::ok) {
        out.append(buffer, got.bytes);
        continue;
      }
      if (got.state != Io::blocked) break;
      const Wait wait = co_await stream_->readable(deadline);
      if (wait != Wait::ready) break;
    }
    const bool written = stream_->write(out);
    EXPECT_TRUE(written);
    const bool flushed = co_await stream_->flush(deadline);
    EXPECT_TRUE(flushed);
    stream_->shut_down();
    const bool ended = co_await stream_->flush(deadline);
    EXPECT_TRUE(ended);
    loop_.stop();
  }

  // What the client's end makes of `text`, unsent.
  static std::string sealed(SSL* ssl, std::string_view text) {
    BIO* memory = BIO_new(BIO_s_mem());
    SSL_set0_wbio(ssl, memory);
    EXPECT_EQ(SSL_write(ssl, text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory, &bytes);
    return std::string(bytes, static_cast<std::size_t>(size));
  }
  Task<void> read_one(std::string& out) {
    char buffer[100];
    const Tick deadline = loop_.in(seconds{10});
    for (;;) {
      const Io got = stream_->read(buffer, sizeof buffer);
      if (got.state == Io::ok) out.assign(buffer, got.bytes);
      if (got.state != Io::blocked) co_return;
      const Wait wait = co_await stream_->readable(deadline);
      if (wait != Wait::ready) co_return;
    }
  }
  // Writes a byte each time that its buffers have been freed.
  Task<void> write_between_pauses(int times) {
    char byte = 0;
    const Tick deadline = loop_.in(seconds{10});
    while (stream_->read(&byte, 1).state == Io::blocked) {
      const Wait wait = co_await stream_->readable(deadline);
      EXPECT_EQ(wait, Wait::ready);
    }
    for (int i = 0; i < times; ++i) {
      co_await loop_.sleep_for(WarmBuffers::kept_for + milliseconds{300});
      EXPECT_EQ(loop_.warm().size(), 0U);
      const bool written = stream_->write("x");
      EXPECT_TRUE(written);
      EXPECT_EQ(loop_.warm().size(), 1U);
    }
    co_await loop_.sleep_for(WarmBuffers::kept_for + milliseconds{300});
    stream_->shut_down();
    loop_.stop();
  }
  Task<void> flush_all(bool& out, milliseconds at_most = seconds{10}) {
    const Tick deadline = loop_.in(at_most);
    out = co_await stream_->flush(deadline);
    loop_.stop();
  }

  Context context_ = server_context();
  Loop loop_{GetParam() == Engine::io_uring ? best_engine() : Engine::epoll};
  std::unique_ptr<TlsStream> stream_;
  int client_ = -1;
};

INSTANTIATE_TEST_SUITE_P(, TlsStreamTest, ::testing::Values(Engine::epoll, Engine::io_uring),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST_P(TlsStreamTest, CarriesBytesBothWays) {
  const std::string text(100'000, 'x');
  std::string back;
  int ended = 1;
  std::thread client([&] {
    Context context(SSL_CTX_new(TLS_client_method()));
    SSL* ssl = SSL_new(context.get());
    SSL_set_tlsext_host_name(ssl, "notes.localhost");
    SSL_set_fd(ssl, client_);
    if (SSL_connect(ssl) == 1 && SSL_write(ssl, text.data(), static_cast<int>(text.size())) > 0) {
      char buffer[4096];
      for (int n = 0; (n = SSL_read(ssl, buffer, sizeof buffer)) > 0;)
        back.append(buffer, static_cast<std::size_t>(n));
      ended = SSL_get_error(ssl, 0);
    }
    SSL_free(ssl);
  });
  EXPECT_EQ(handshake(), TlsStream::Handshake::done);
  EXPECT_EQ(stream_->server_name(), "notes.localhost");
  EXPECT_EQ(stream_->version(), TLS1_3_VERSION);
  EXPECT_FALSE(stream_->resumed());
  std::string got;
  Loop& loop = loop_;
  spawn(echo(text.size(), got));
  loop.run();
  client.join();
  EXPECT_EQ(got, text);
  EXPECT_EQ(back, text);
  EXPECT_EQ(ended, SSL_ERROR_ZERO_RETURN);  // close_notify: nothing was cut off
}

// OpenSSL from 3.2 on crashed where the buffers of one that only writes were freed twice.
TEST_P(TlsStreamTest, BuffersAreFreedAgainOfAConnectionThatOnlyWrites) {
  SSL_CTX_set_options(context_.get(), SSL_OP_CLEANSE_PLAINTEXT);
  connect();
  std::string got;
  std::thread client([&] {
    Context context(SSL_CTX_new(TLS_client_method()));
    SSL* ssl = SSL_new(context.get());
    SSL_set_fd(ssl, client_);
    char byte = 'x';
    if (SSL_connect(ssl) == 1 && SSL_write(ssl, &byte, 1) == 1) {
      while (SSL_read(ssl, &byte, 1) == 1) got += byte;
    }
    SSL_free(ssl);
  });
  EXPECT_EQ(handshake(), TlsStream::Handshake::done);
  spawn(write_between_pauses(3));
  loop_.run();
  client.join();
  EXPECT_EQ(got, "xxx");
}

// Everything, the farewell and the end, though the client is slow and the kernel's buffer full.
TEST_P(TlsStreamTest, AFarewellThatWouldBlockIsSentAfterAll) {
  const int small = 4096;
  ::setsockopt(stream_->descriptor().fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  std::atomic<bool> written{false};
  std::size_t got = 0;
  int ended = 0;
  ssize_t behind = -1;
  std::thread client([&] {
    Context context(SSL_CTX_new(TLS_client_method()));
    SSL* ssl = SSL_new(context.get());
    SSL_set_fd(ssl, client_);
    if (SSL_connect(ssl) == 1) {
      while (!written) std::this_thread::yield();
      char buffer[4096];
      for (int n = 0; (n = SSL_read(ssl, buffer, sizeof buffer)) > 0;)
        got += static_cast<std::size_t>(n);
      ended = SSL_get_error(ssl, 0);
      char rest;
      behind = ::recv(client_, &rest, 1, 0);
    }
    SSL_free(ssl);
  });
  EXPECT_EQ(handshake(), TlsStream::Handshake::done);
  const std::string text(300'000, 'x');
  EXPECT_TRUE(stream_->write(text));
  EXPECT_FALSE(stream_->flushed());
  stream_->shut_down();
  written = true;
  bool all = false;
  Loop& loop = loop_;
  spawn(flush_all(all));
  loop.run();
  EXPECT_TRUE(all);
  client.join();
  EXPECT_EQ(got, text.size());
  EXPECT_EQ(ended, SSL_ERROR_ZERO_RETURN);
  EXPECT_EQ(behind, 0);  // and nobody waits for more
}

TEST_P(TlsStreamTest, AFarewellToAClientThatTakesNothingIsGivenUp) {
  const int small = 4096;
  ::setsockopt(stream_->descriptor().fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  std::thread client([&] {
    Context context(SSL_CTX_new(TLS_client_method()));
    SSL* ssl = SSL_new(context.get());
    SSL_set_fd(ssl, client_);
    EXPECT_EQ(SSL_connect(ssl), 1);
    SSL_free(ssl);
  });
  EXPECT_EQ(handshake(), TlsStream::Handshake::done);
  client.join();
  EXPECT_TRUE(stream_->write(std::string(300'000, 'x')));
  stream_->shut_down();
  bool all = true;
  spawn(flush_all(all, milliseconds{50}));
  loop_.run();
  EXPECT_FALSE(all);
}

// An idle connection holds no buffers, but half a record must not be lost: with read-ahead it is in
// one of them. Whoever frees them, the stream or OpenSSL itself.
TEST_P(TlsStreamTest, HalfARecordOutlivesTheBuffersOfAnIdleConnection) {
  for (const bool by_itself : {false, true}) {
    SSL_set_read_ahead(stream_->native(), 1);
    if (by_itself) SSL_set_mode(stream_->native(), SSL_MODE_RELEASE_BUFFERS);
    Context context(SSL_CTX_new(TLS_client_method()));
    SSL* ssl = SSL_new(context.get());
    std::thread client([&] {
      SSL_set_fd(ssl, client_);
      EXPECT_EQ(SSL_connect(ssl), 1);
    });
    EXPECT_EQ(handshake(), TlsStream::Handshake::done);
    client.join();
    const std::string record = sealed(ssl, "0123456789");
    send(record.substr(0, record.size() / 2));
    std::string got;
    spawn(read_one(got));
    for (int i = 0; i < 1000 && loop_.warm().size() > 0; ++i) loop_.turn(milliseconds{5});
    EXPECT_EQ(loop_.warm().size(), 0U);
    EXPECT_EQ(got, "");
    send(record.substr(record.size() / 2));
    for (int i = 0; i < 1000 && got.empty(); ++i) loop_.turn(milliseconds{5});
    EXPECT_EQ(got, "0123456789");
    SSL_free(ssl);
    connect();
  }
}

TEST_P(TlsStreamTest, KnowsPlainHttp) {
  send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(handshake(), TlsStream::Handshake::plain_http);
}

TEST_P(TlsStreamTest, KnowsWhatIsNotTls) {
  send("\x01\x02\x03garbage");
  EXPECT_EQ(handshake(), TlsStream::Handshake::not_tls);
}

TEST_P(TlsStreamTest, ARecordOfGarbageFails) {
  send(std::string("\x16\x03\x01\x00\x10", 5) + "0123456789abcdef");
  EXPECT_EQ(handshake(), TlsStream::Handshake::failed);
}

TEST_P(TlsStreamTest, SilenceTimesOut) {
  EXPECT_EQ(handshake(milliseconds{50}), TlsStream::Handshake::timed_out);
}

TEST_P(TlsStreamTest, HalfAHandshakeTimesOut) {
  send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  EXPECT_EQ(handshake(milliseconds{50}), TlsStream::Handshake::timed_out);
}

TEST_P(TlsStreamTest, AClientThatLeavesFails) {
  ::shutdown(client_, SHUT_WR);
  EXPECT_EQ(handshake(), TlsStream::Handshake::failed);
}

// Both ends on one loop.
class TlsClientTest : public ::testing::TestWithParam<Engine> {
 protected:
  TlsClientTest() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    peer_ = fds[0];
    client_ = std::make_unique<TlsStream>(loop_, fds[1], context_.get(), TlsStream::Side::client);
  }
  Task<void> shake(TlsStream& stream, milliseconds at_most, TlsStream::Handshake& out) {
    const Tick deadline = loop_.in(at_most);
    out = co_await stream.handshake(deadline);
    ++ended_;
  }
  void run_until(int ended) {
    for (int i = 0; i < 1000 && ended_ < ended; ++i) loop_.turn(milliseconds{10});
    EXPECT_EQ(ended_, ended);
  }

  Context context_{SSL_CTX_new(TLS_client_method())};
  Loop loop_{GetParam() == Engine::io_uring ? best_engine() : Engine::epoll};
  std::unique_ptr<TlsStream> client_;
  int peer_ = -1;
  int ended_ = 0;
};

INSTANTIATE_TEST_SUITE_P(, TlsClientTest, ::testing::Values(Engine::epoll, Engine::io_uring),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST_P(TlsClientTest, ShakesHandsWithAServer) {
  const Context context = server_context();
  TlsStream server(loop_, peer_, context.get());
  TlsStream::Handshake near{};
  TlsStream::Handshake far{};
  spawn(shake(*client_, seconds{10}, near));
  spawn(shake(server, seconds{10}, far));
  run_until(2);
  EXPECT_EQ(near, TlsStream::Handshake::done);
  EXPECT_EQ(far, TlsStream::Handshake::done);
  EXPECT_TRUE(client_->write("from the client"));
  EXPECT_TRUE(server.write("from the server"));
  std::string got;
  for (int i = 0; i < 100 && got.empty(); ++i) {
    loop_.turn(milliseconds{10});
    char buffer[100];
    const Io io = client_->read(buffer, sizeof buffer);
    if (io.state == Io::ok) got.assign(buffer, io.bytes);
  }
  EXPECT_EQ(got, "from the server");
}

TEST_P(TlsClientTest, AServerThatSpeaksPlainTextFails) {
  TlsStream::Handshake near{};
  spawn(shake(*client_, seconds{10}, near));
  const std::string_view answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
  EXPECT_EQ(::send(peer_, answer.data(), answer.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(answer.size()));
  run_until(1);
  EXPECT_EQ(near, TlsStream::Handshake::failed);
  EXPECT_NE(client_->failure(), 0U);
  ::close(peer_);
}

TEST_P(TlsClientTest, ASilentServerTimesOut) {
  TlsStream::Handshake near{};
  spawn(shake(*client_, milliseconds{50}, near));
  run_until(1);
  EXPECT_EQ(near, TlsStream::Handshake::timed_out);
  ::close(peer_);
}

TEST_P(TlsClientTest, AServerThatLeavesFails) {
  TlsStream::Handshake near{};
  spawn(shake(*client_, seconds{10}, near));
  ::close(peer_);
  run_until(1);
  EXPECT_EQ(near, TlsStream::Handshake::failed);
  EXPECT_EQ(client_->failure(), 0U);
}

}  // namespace
}  // namespace moat::net
