// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "moat/base/clock.h"

namespace moat::http2 {

// What a client may ask of one HTTP/2 connection. What goes beyond ends the connection with
// ENHANCE_YOUR_CALM (RFC 9113 section 10.5).
struct Limits {
  std::uint32_t streams = 100;        // at a time
  std::size_t head = 24 * 1024 + 64;  // bytes of a request head kept for the parser, which refuses
  std::uint32_t stream_window = 256 * 1024;
  std::uint32_t connection_window = 1024 * 1024;
  // Streams that end before their answer does, whoever ends them (rapid reset and its kin,
  // CVE-2023-44487, CVE-2025-8671).
  unsigned resets = 100;
  // Frames that carry nothing: SETTINGS, PING, PRIORITY, empty DATA, CONTINUATION. (Unknown ones
  // are skipped at less than they cost to send.)
  unsigned idle_frames = 1000;
  std::chrono::seconds span{10};  // for both
};

// Session is the server's side of one HTTP/2 connection (RFC 9113) without I/O: bytes go in,
// events and bytes come out. A request comes as the head of an HTTP/1.1 request and an answer is
// given as the head of an HTTP/1.1 response, so that one parser, one set of rules and one writer
// serve both protocols. A WebSocket (RFC 8441) comes as an HTTP/1.1 upgrade.
class Session final {
 public:
  using Stream = std::uint32_t;
  // How the head says that a body follows. `chunked`: the client gave no length; the bytes come
  // without framing all the same.
  enum class RequestBody { none, length, chunked, tunnel };

  // Called from feed() and output(); none may call either of these.
  class Events {
   public:
    // A whole head, ending in an empty line. False refuses the stream (REFUSED_STREAM), so that the
    // client may try again.
    virtual bool on_request(Stream stream, std::string_view head, RequestBody body) = 0;
    virtual void on_data(Stream stream, std::string_view bytes) = 0;
    virtual void on_end(Stream stream) = 0;     // of the request
    virtual void on_closed(Stream stream) = 0;  // nothing more is sent or received
    // Copies up to `size` bytes of the answer's body to `to`. None and not `end`: resume() will
    // tell when there are more.
    virtual std::size_t on_pull(Stream stream, char* to, std::size_t size, bool& end) = 0;

   protected:
    ~Events() = default;
  };

  // `events` must outlive it.
  explicit Session(Events& events, const Limits& limits = {});
  Session(const Session&) = delete;  // nghttp2 points here
  Session& operator=(const Session&) = delete;
  ~Session();

  // Takes what came. False: the connection is over once output() has been sent.
  [[nodiscard]] bool feed(std::string_view bytes, Tick now);
  // Appends frames to `out` until it holds `most` bytes or nothing waits. False: broken.
  [[nodiscard]] bool output(std::string& out, std::size_t most);
  bool wants_output() const;
  // No more streams are open or can be opened.
  bool over() const;
  std::size_t open_streams() const;
  // True while a header block has begun and not ended: it has a time limit.
  bool in_head() const;

  // What the caller has to give by on_pull after an answer's head.
  struct AnswerBody {
    enum Kind { interim, none, length, chunked, until_close } kind = none;
    std::uint64_t bytes = 0;  // of `length`
  };
  // `head` is the head of an HTTP/1.1 response, written by us; fields of that protocol's
  // connections are left out, 101 becomes 200. An interim one (1xx) is followed by another.
  AnswerBody respond(Stream stream, std::string_view head, bool to_head_request);
  void resume(Stream stream);                       // on_pull has more, or the end
  void consumed(Stream stream, std::size_t bytes);  // of on_data: the client may send as many more
  // Ends a stream early: NO_ERROR for an answer that is whole (RFC 9113 section 8.1), else
  // INTERNAL_ERROR.
  enum class End { answered, failed };
  void reset(Stream stream, End how);
  // Streams that are open go on; no new ones.
  void go_away();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moat::http2
