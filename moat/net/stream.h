// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "moat/base/ip.h"
#include "moat/net/loop.h"
#include "moat/net/task.h"

struct ssl_st;
struct ssl_ctx_st;

namespace moat::net {

struct Io {
  enum State { ok, blocked, end, failed };
  State state;
  std::size_t bytes = 0;
};

// Stream is a byte stream over one connection. No call blocks: what cannot be done now is waited
// for with `readable` and `flush`. Reads and writes may come from two coroutines, one each.
class Stream {
 public:
  using Use = Descriptor::Use;
  Stream(Loop& loop, int fd, Use use = Use::bytes) : descriptor_(loop, fd, use) {}
  explicit Stream(Loop& loop) : descriptor_(loop) {}  // in memory
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  // Reads what is there, up to `size` bytes.
  virtual Io read(char* buffer, std::size_t size) = 0;
  // Whether bytes have come in already that the kernel will not tell of again: then read before
  // waiting.
  virtual bool pending() const { return false; }
  // Sends `bytes` or keeps for `flush` what the peer does not take yet; all of it is accepted.
  // False: the connection is broken. Write no more than a buffer's worth before the next flush, or
  // memory grows.
  [[nodiscard]] virtual bool write(std::string_view bytes) = 0;
  // Tells the peer that nothing more comes, behind what was written: where that is still kept, with
  // the next flush.
  virtual void shut_down();

  // Waits for something to read; only after a read that came back blocked.
  Descriptor::Awaiter readable(Tick deadline) { return descriptor_.wait_readable(deadline); }
  // Whether more may be written before the next flush.
  bool flushed() const;
  // Waits until what was written is with the kernel. False: broken, cancelled, or `deadline`
  // passed.
  virtual Task<bool> flush(Tick deadline);
  // True where the peer has closed or sent something unasked: an idle connection in this state is
  // of no use.
  bool stale() const {
    return descriptor_.hung_up || descriptor_.cancelled() || descriptor_.readable || !is_watched();
  }
  // Whether what the peer does is told of though nobody waits for it.
  bool is_watched() const;
  // Reads from the connection itself what comes before its protocol: before a TLS handshake.
  Io read_raw(char* buffer, std::size_t size) { return receive(buffer, size); }
  // Whether the end that `read` told of was not the peer's own: a TLS connection without its
  // farewell, which anybody on the way may have cut.
  bool cut_off() const { return cut_off_; }
  void cancel() { descriptor_.cancel(); }
  Descriptor& descriptor() { return descriptor_; }
  Loop& loop() const { return descriptor_.loop(); }

 protected:
  // Hands `bytes` to the kernel, or to the backlog behind what is there already.
  bool send(std::string_view bytes);
  // The same, and leaves an empty string.
  bool send_all_of(std::string& bytes);
  Io receive(char* buffer, std::size_t size);
  Descriptor descriptor_;
  std::string backlog_;
  bool broken_ = false;
  bool cut_off_ = false;
  bool shut_down_after_ = false;  // the backlog

 private:
  std::size_t send_now(std::string_view bytes);
};

class TcpStream final : public Stream {
 public:
  using Stream::Stream;
  Io read(char* buffer, std::size_t size) override { return receive(buffer, size); }
  bool write(std::string_view bytes) override { return send(bytes); }
};

// TlsStream is one side of TLS: OpenSSL fed by hand, one receive for all that is there and one send
// for all that a write makes. An idle connection holds no record buffers (WarmBuffers).
class TlsStream final : public Stream, private WarmBuffers::Keeper {
 public:
  enum class Side { server, client };
  TlsStream(Loop& loop, int fd, ssl_ctx_st* context, Side side = Side::server);
  ~TlsStream() override;

  enum class Handshake { done, failed, timed_out, not_tls, plain_http };
  // Handshakes until `deadline`. `plain_http` says that the peer spoke HTTP to the TLS port (of a
  // server).
  Task<Handshake> handshake(Tick deadline);
  // Tells in plain text a peer that spoke HTTP why it is refused, and waits a little for it to
  // read.
  Task<void> refuse_plain_http(Tick deadline);
  // Behind a handshake that failed: reads away what comes until `deadline`, 64 KiB at most. Closing
  // over unread input resets the connection, and the alert that says why would be lost: a client of
  // TLS 1.3 sends its request before it hears what is wrong with its certificate.
  Task<void> end_refused(Tick deadline);
  Io read(char* buffer, std::size_t size) override;
  bool pending() const override;
  bool write(std::string_view bytes) override;
  void shut_down() override;
  // What the client asked for by SNI; empty without.
  std::string_view server_name() const;
  // What was agreed on by ALPN: "h2", "http/1.1"; empty without.
  std::string_view protocol() const;
  bool resumed() const;
  int version() const;  // 0x0303, 0x0304
  // For whom the context comes from: a client's must be told whom it expects before the handshake.
  ssl_st* native() const { return ssl_; }
  // OpenSSL's error code of a handshake that failed; 0 where the connection ended.
  unsigned long failure() const { return failure_; }

 private:
  friend struct TlsBio;
  ssl_st* ssl_;
  Side side_;
  unsigned long failure_ = 0;
  std::string* out_ = nullptr;    // the loop's record buffer while OpenSSL runs
  std::string unread_;            // the first bytes, looked at before the handshake
  std::size_t taken_ = 0;         // bytes of the socket that went into the current read
  bool has_read_buffer_ = false;  // in OpenSSL
  bool send_out(std::string& out);
  void free_buffers() override;
  Handshake classify(const char* bytes, std::size_t count) const;
};

// Answers that the peer must still get are lost if the connection closes over unread input (the
// kernel resets it). This closes the write side, then reads away what comes, at most `bytes` and
// until `deadline`.
Task<void> linger(Stream& stream, std::size_t bytes, Tick deadline);

}  // namespace moat::net
