// SPDX-License-Identifier: Apache-2.0
#include "moat/net/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "moat/net/uring.h"

namespace moat::net {

std::size_t Stream::send_now(std::string_view bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n =
        ::send(descriptor_.fd(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
      if (sent < bytes.size()) descriptor_.writable = false;  // short: the buffer is full
      if (!descriptor_.writable) break;
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      descriptor_.writable = false;
      break;
    }
    broken_ = true;
    break;
  }
  return sent;
}

bool Stream::send(std::string_view bytes) {
  if (broken_ || descriptor_.cancelled()) return false;
  if (Channel* channel = descriptor_.channel()) {
    if (channel->send_failed) return false;
    loop().uring().send(*channel, bytes);
    return true;
  }
  if (backlog_.empty() && descriptor_.writable) bytes.remove_prefix(send_now(bytes));
  if (broken_) return false;
  backlog_.append(bytes);
  return true;
}

bool Stream::send_all_of(std::string& bytes) {
  Channel* channel = descriptor_.channel();
  if (channel == nullptr || broken_ || descriptor_.cancelled() || channel->send_failed) {
    const bool sent = send(bytes);
    bytes.clear();
    return sent;
  }
  loop().uring().send_all_of(*channel, bytes);
  return true;
}

bool Stream::is_watched() const {
  const Channel* channel = descriptor_.channel();
  return channel == nullptr || (channel->receiving && !channel->stopping);
}

bool Stream::flushed() const {
  // The ring sends at the end of the turn; a reader of the other side need not wait for that.
  const Channel* channel = descriptor_.channel();
  if (channel != nullptr) return channel->unsent() < BufferPool::buffer_size;
  return backlog_.empty();
}

Task<bool> Stream::flush(Tick deadline) {
  if (Channel* channel = descriptor_.channel()) {
    while (channel->unsent() > 0) {
      descriptor_.writable = false;
      const Wait wait = co_await descriptor_.wait_writable(deadline);
      if (wait != Wait::ready) co_return false;
    }
    co_return !channel->send_failed && !broken_;
  }
  while (!backlog_.empty()) {
    const Wait wait = co_await descriptor_.wait_writable(deadline);
    if (wait != Wait::ready) co_return false;
    backlog_.erase(0, send_now(backlog_));
    if (broken_) co_return false;
  }
  if (backlog_.capacity() > 4096) backlog_ = std::string();
  if (std::exchange(shut_down_after_, false)) ::shutdown(descriptor_.fd(), SHUT_WR);
  co_return !broken_;
}

Io Stream::receive(char* buffer, std::size_t size) {
  if (descriptor_.cancelled()) return {Io::failed};
  if (!descriptor_.readable) return {Io::blocked};
  if (Channel* channel = descriptor_.channel()) {
    const Io got = loop().uring().receive(*channel, buffer, size);
    if (got.state == Io::failed) broken_ = true;
    return got;
  }
  for (;;) {
    const ssize_t n = ::recv(descriptor_.fd(), buffer, size, 0);
    if (n > 0) {
      // Short: the kernel has no more, and says so by an event when that changes. A close that was
      // told already is not told again, so then the flag stays.
      if (static_cast<std::size_t>(n) < size && !descriptor_.hung_up) descriptor_.readable = false;
      return {Io::ok, static_cast<std::size_t>(n)};
    }
    if (n == 0) return {Io::end};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      descriptor_.readable = false;
      return {Io::blocked};
    }
    broken_ = true;
    return {Io::failed};
  }
}

void Stream::shut_down() {
  if (Channel* channel = descriptor_.channel()) {
    loop().uring().shut_down(*channel);
  } else if (!backlog_.empty() && !broken_) {
    shut_down_after_ = true;  // a farewell that the kernel does not take yet must still leave
  } else {
    ::shutdown(descriptor_.fd(), SHUT_WR);
  }
}

Task<void> linger(Stream& stream, std::size_t bytes, Tick deadline) {
  const bool flushed = co_await stream.flush(deadline);
  if (!flushed) co_return;
  stream.shut_down();
  const bool said = co_await stream.flush(deadline);
  if (!said) co_return;
  auto buffer = stream.loop().buffers().take();
  while (bytes > 0) {
    const Io got = stream.read(buffer.get(), BufferPool::buffer_size);
    if (got.state == Io::blocked) {
      const Wait wait = co_await stream.readable(deadline);
      if (wait != Wait::ready) co_return;
    } else if (got.state == Io::ok) {
      bytes -= std::min(bytes, got.bytes);
    } else {
      co_return;
    }
  }
}

// -------------------------------------------------------------------------------------------------
// TLS

namespace {
// Before each call, or SSL_get_error would report what an earlier one left. There is nothing in
// nearly all cases, and looking is cheaper than clearing.
void clear_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}
}  // namespace

// OpenSSL's view of the connection: reads come from the socket (or from the bytes that were looked
// at first), writes are collected and leave in one send.
struct TlsBio {
  static constexpr std::size_t most_without_data = 64 * 1024;
  static TlsStream& stream(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* data, int size) {
    TlsStream& self = stream(bio);
    BIO_clear_retry_flags(bio);
    self.has_read_buffer_ = true;  // where it wants the bytes
    if (!self.unread_.empty()) {
      const std::size_t n = std::min(self.unread_.size(), static_cast<std::size_t>(size));
      std::memcpy(data, self.unread_.data(), n);
      self.unread_.erase(0, n);
      return static_cast<int>(n);
    }
    // Records without data (key updates, empty ones) cost work and give none. An honest peer sends
    // a few; who sends nothing else would keep OpenSSL, and so the loop, busy for ever.
    if (self.taken_ > most_without_data) {
      self.broken_ = true;
      return -1;
    }
    const Io got = self.receive(data, static_cast<std::size_t>(size));
    self.taken_ += got.bytes;
    if (got.state == Io::ok) return static_cast<int>(got.bytes);
    if (got.state == Io::blocked) BIO_set_retry_read(bio);
    return got.state == Io::end ? 0 : -1;
  }
  static int write(BIO* bio, const char* data, int size) {
    TlsStream& self = stream(bio);
    BIO_clear_retry_flags(bio);
    if (self.out_ == nullptr || size < 0) return -1;
    self.out_->append(data, static_cast<std::size_t>(size));
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static int create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "moat");
      BIO_meth_set_read(m, read);
      BIO_meth_set_write(m, write);
      BIO_meth_set_ctrl(m, control);
      BIO_meth_set_create(m, create);
      return m;
    }();
    return made;
  }
};

TlsStream::TlsStream(Loop& loop, int fd, ssl_ctx_st* context, Side side)
    : Stream(loop, fd, side == Side::client ? Use::watched : Use::bytes),
      ssl_(SSL_new(context)),
      side_(side) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  BIO* bio = BIO_new(TlsBio::method());
  if (bio == nullptr) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, this);
  SSL_set_bio(ssl_, bio, bio);
  if (side == Side::server) {
    SSL_set_accept_state(ssl_);
  } else {
    SSL_set_connect_state(ssl_);
  }
}

TlsStream::~TlsStream() {
  loop().warm().forget(*this);
  SSL_free(ssl_);
}

// What OpenSSL still needs (half a record) it keeps. From 3.2 on it wipes the buffer for reading by
// its length even where there is none, and crashes: after a connection that has only written since
// they were freed last.
void TlsStream::free_buffers() {
  if ((SSL_get_mode(ssl_) & SSL_MODE_RELEASE_BUFFERS) != 0) return;  // it does so by itself
  if (has_read_buffer_ && SSL_free_buffers(ssl_) == 1) has_read_buffer_ = false;
}

// Behind each call of OpenSSL.
bool TlsStream::send_out(std::string& out) {
  out_ = nullptr;
  loop().warm().used(*this);
  return out.empty() || send_all_of(out);
}

// A TLS connection begins with a handshake record: type 22, version 3.x.
TlsStream::Handshake TlsStream::classify(const char* bytes, std::size_t count) const {
  if (bytes[0] == 22 && (count < 2 || bytes[1] == 3)) return Handshake::done;
  const bool letter = (bytes[0] >= 'A' && bytes[0] <= 'Z');
  return letter ? Handshake::plain_http : Handshake::not_tls;
}

Task<TlsStream::Handshake> TlsStream::handshake(Tick deadline) {
  bool looked = side_ == Side::client;  // which speaks first
  for (;;) {
    if (!looked) {
      char first[5];
      const Io got = receive(first, sizeof first);
      if (got.state == Io::end || got.state == Io::failed) co_return Handshake::failed;
      if (got.state == Io::ok) {
        looked = true;
        const Handshake kind = classify(first, got.bytes);
        if (kind != Handshake::done) co_return kind;
        unread_.assign(first, got.bytes);
      }
    }
    if (looked) {
      clear_errors();
      out_ = &loop().records();
      taken_ = 0;
      const int result = SSL_do_handshake(ssl_);
      const int error = SSL_get_error(ssl_, result);
      failure_ = error == SSL_ERROR_SSL ? ERR_peek_error() : 0;
      const bool sent = send_out(loop().records());  // an alert too, if it failed
      if (!sent) co_return Handshake::failed;
      if (result == 1) co_return Handshake::done;
      if (error != SSL_ERROR_WANT_READ) co_return Handshake::failed;
      const bool flushed = co_await flush(deadline);
      if (!flushed) co_return Handshake::failed;
    }
    const Wait wait = co_await readable(deadline);
    if (wait == Wait::timed_out) co_return Handshake::timed_out;
    if (wait == Wait::cancelled) co_return Handshake::failed;
  }
}

Task<void> TlsStream::refuse_plain_http(Tick deadline) {
  const bool sent = send(
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 33\r\nConnection: "
      "close\r\n\r\n"
      "This port speaks HTTPS, not HTTP\n");
  if (!sent) co_return;
  co_await end_refused(deadline);
}

Task<void> TlsStream::end_refused(Tick deadline) {
  const bool flushed = co_await flush(deadline);
  if (!flushed) co_return;
  Stream::shut_down();
  char rest[4096];
  for (std::size_t read = 0; read < 64 * 1024;) {
    const Io got = receive(rest, sizeof rest);
    if (got.state == Io::ok) {
      read += got.bytes;
    } else if (got.state == Io::blocked) {
      const Wait wait = co_await readable(deadline);
      if (wait != Wait::ready) co_return;
    } else {
      co_return;
    }
  }
}

Io TlsStream::read(char* buffer, std::size_t size) {
  if (broken_ || descriptor_.cancelled()) return {Io::failed};
  clear_errors();
  std::string& out = loop().records();
  out_ = &out;
  taken_ = 0;
  std::size_t bytes = 0;
  const int result = SSL_read_ex(ssl_, buffer, size, &bytes);
  const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
  const bool sent = send_out(out);  // a key update's answer, an alert
  if (error == SSL_ERROR_NONE) return {Io::ok, bytes};
  if (error == SSL_ERROR_WANT_READ && sent) return {Io::blocked};
  if (error == SSL_ERROR_ZERO_RETURN) return {Io::end};
  // A connection cut without close_notify: an end for HTTP/1.1, whose messages say where they end.
  if (error == SSL_ERROR_SYSCALL && !broken_) {
    cut_off_ = true;
    return {Io::end};
  }
  broken_ = true;
  return {Io::failed};
}

bool TlsStream::pending() const { return !unread_.empty() || SSL_has_pending(ssl_) == 1; }

bool TlsStream::write(std::string_view bytes) {
  if (broken_ || descriptor_.cancelled()) return false;
  std::string& out = loop().records();
  out_ = &out;
  bool good = true;
  clear_errors();
  while (!bytes.empty() && good) {
    std::size_t written = 0;
    good =
        SSL_write_ex(ssl_, bytes.data(), std::min<std::size_t>(bytes.size(), 16384), &written) == 1;
    bytes.remove_prefix(written);
  }
  const bool sent = send_out(out);
  if (!good) broken_ = true;
  return good && sent;
}

void TlsStream::shut_down() {
  if (!broken_ && SSL_is_init_finished(ssl_)) {
    clear_errors();
    out_ = &loop().records();
    SSL_shutdown(ssl_);
    send_out(loop().records());
  }
  Stream::shut_down();
}

std::string_view TlsStream::server_name() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : std::string_view(name);
}
std::string_view TlsStream::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}
bool TlsStream::resumed() const { return SSL_session_reused(ssl_) == 1; }
int TlsStream::version() const { return SSL_version(ssl_); }

}  // namespace moat::net
