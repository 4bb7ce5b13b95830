// SPDX-License-Identifier: Apache-2.0
#include "moat/http2/session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <map>
#include <vector>

namespace moat::http2 {
namespace {

using Bytes = std::string;
enum Type : std::uint8_t {
  data,
  headers,
  priority,
  rst,
  settings,
  push,
  ping,
  goaway,
  window,
  cont
};
enum Error : std::uint32_t { no_error, protocol_error, enhance_your_calm = 11, refused_stream = 7 };
constexpr std::uint8_t end_stream = 1, end_headers = 4, ack = 1;

Bytes number(std::uint32_t value, unsigned size = 4) {
  Bytes out;
  for (unsigned i = size; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

// A frame made by hand (RFC 9113 section 4.1).
Bytes frame(Type type, unsigned flags, std::uint32_t stream, const Bytes& payload = {}) {
  return number(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + number(stream) + payload;
}

// Literals without indexing and without Huffman codes (RFC 7541 section 6.2.2).
Bytes literal(std::string_view text) {
  Bytes out;
  if (text.size() < 127) {
    out.push_back(static_cast<char>(text.size()));
  } else {
    out.push_back(127);
    std::size_t rest = text.size() - 127;
    for (; rest >= 128; rest /= 128) out.push_back(static_cast<char>(rest % 128 + 128));
    out.push_back(static_cast<char>(rest));
  }
  return out.append(text);
}
using Fields = std::vector<std::pair<std::string, std::string>>;
Bytes block(const Fields& fields) {
  Bytes out;
  for (const auto& [name, value] : fields) out += Bytes(1, 0) + literal(name) + literal(value);
  return out;
}
const Fields get = {
    {":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a.example"}};
Fields with(Fields fields, const Fields& more) {
  for (const auto& [name, value] : more) {
    const auto same = std::find_if(fields.begin(), fields.end(),
                                   [&, n = name](const auto& field) { return field.first == n; });
    if (same != fields.end() && name[0] == ':') {
      same->second = value;
    } else {
      fields.emplace_back(name, value);
    }
  }
  return fields;
}
const Bytes preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct Frame {
  std::uint8_t type, flags;
  std::uint32_t stream;
  Bytes payload;
};

class Peer : public testing::Test, public Session::Events {
 protected:
  Peer() : session_(std::make_unique<Session>(*this, limits_)) {}

  void restart(const Limits& limits) {
    limits_ = limits;
    session_ = std::make_unique<Session>(*this, limits_);
  }
  bool feed(const Bytes& bytes) { return session_->feed(bytes, now_); }
  bool hello() { return feed(preface + frame(settings, 0, 0)); }
  bool request(std::uint32_t stream, const Fields& fields, bool end = true) {
    return feed(frame(headers, end_headers | (end ? end_stream : 0U), stream, block(fields)));
  }
  // What the session sends, as frames.
  std::vector<Frame> sent() {
    Bytes out;
    EXPECT_TRUE(session_->output(out, 1 << 24));
    std::vector<Frame> frames;
    for (std::size_t at = 0; at + 9 <= out.size();) {
      const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(out[at + i]); };
      const std::size_t size = std::size_t{byte(0)} << 16 | std::size_t{byte(1)} << 8 | byte(2);
      frames.push_back({byte(3), byte(4),
                        std::uint32_t{byte(5)} << 24 | std::uint32_t{byte(6)} << 16 |
                            std::uint32_t{byte(7)} << 8 | byte(8),
                        out.substr(at + 9, size)});
      at += 9 + size;
    }
    return frames;
  }
  static std::uint32_t code(const Bytes& payload, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + 4 && i < payload.size(); ++i)
      value = value << 8 | static_cast<std::uint8_t>(payload[i]);
    return value;
  }
  // The error of the RST_STREAM that ended `stream`, or -1.
  int reset_of(std::uint32_t stream) {
    for (const Frame& f : sent())
      if (f.type == rst && f.stream == stream) return static_cast<int>(code(f.payload, 0));
    return -1;
  }
  int goaway_code() {
    int found = -1;
    for (const Frame& f : sent())
      if (f.type == goaway) found = static_cast<int>(code(f.payload, 4));
    return found;
  }

  Limits limits_;
  std::unique_ptr<Session> session_;
  Tick now_{std::chrono::seconds{100}};
  std::map<Session::Stream, Bytes> heads_;
  std::map<Session::Stream, Session::RequestBody> bodies_;
  std::map<Session::Stream, Bytes> received_;
  std::vector<Session::Stream> ended_, closed_;
  Bytes answer_;  // what on_pull gives, once
  bool answer_ends_ = true;
  bool accept_ = true;

 private:
  bool on_request(Session::Stream id, std::string_view head, Session::RequestBody body) override {
    if (!accept_) return false;
    heads_[id] = head;
    bodies_[id] = body;
    return true;
  }
  void on_data(Session::Stream id, std::string_view bytes) override { received_[id] += bytes; }
  void on_end(Session::Stream id) override { ended_.push_back(id); }
  void on_closed(Session::Stream id) override { closed_.push_back(id); }
  std::size_t on_pull(Session::Stream, char* to, std::size_t size, bool& end) override {
    const std::size_t count = std::min(size, answer_.size());
    answer_.copy(to, count);
    answer_.erase(0, count);
    end = answer_.empty() && answer_ends_;
    return count;
  }
};

TEST_F(Peer, ARequestComesAsAnHttp11Head) {
  ASSERT_TRUE(hello());
  ASSERT_TRUE(request(1, with(get, {{":path", "/a?b"}, {"cookie", "c=1"}, {"cookie", "d=2"}})));
  EXPECT_EQ(heads_[1],
            "GET /a?b HTTP/1.1\r\nhost: a.example\r\ncookie: c=1\r\ncookie: d=2\r\n\r\n");
  EXPECT_EQ(bodies_[1], Session::RequestBody::none);
  EXPECT_EQ(ended_, std::vector<Session::Stream>{1});
}

TEST_F(Peer, ABodySaysItsLengthOrComesChunked) {
  ASSERT_TRUE(hello());
  const Fields post = with(get, {{":method", "POST"}});
  ASSERT_TRUE(request(1, with(post, {{"content-length", "5"}}), false));
  ASSERT_TRUE(request(3, post, false));
  EXPECT_EQ(bodies_[1], Session::RequestBody::length);
  EXPECT_EQ(bodies_[3], Session::RequestBody::chunked);
  EXPECT_NE(heads_[3].find("transfer-encoding: chunked\r\n"), Bytes::npos);
  ASSERT_TRUE(feed(frame(data, 0, 1, "he") + frame(data, end_stream, 1, "llo")));
  EXPECT_EQ(received_[1], "hello");
  EXPECT_EQ(ended_, std::vector<Session::Stream>{1});
}

TEST_F(Peer, ALengthThatIsNotKeptIsReset) {
  ASSERT_TRUE(hello());
  const Fields post = with(get, {{":method", "POST"}, {"content-length", "5"}});
  ASSERT_TRUE(request(1, post, false));
  feed(frame(data, end_stream, 1, "hell"));
  EXPECT_EQ(reset_of(1), protocol_error);
  ASSERT_TRUE(request(3, post, false));
  feed(frame(data, end_stream, 3, "hello world"));
  EXPECT_EQ(reset_of(3), protocol_error);
  EXPECT_TRUE(ended_.empty());
}

TEST_F(Peer, AnAnswerLosesTheFieldsOfHttp11Connections) {
  ASSERT_TRUE(hello());
  ASSERT_TRUE(request(1, get));
  const auto body = session_->respond(1,
                                      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: "
                                      "close\r\nKeep-Alive: timeout=5\r\nX-A: b\r\n\r\n",
                                      false);
  EXPECT_EQ(body.kind, Session::AnswerBody::length);
  EXPECT_EQ(body.bytes, 5U);
  answer_ = "hello";
  Bytes block, content;
  bool over = false;
  for (const Frame& f : sent()) {
    if (f.stream != 1) continue;
    if (f.type == headers) block = f.payload;
    if (f.type == data) content += f.payload;
    over = over || (f.flags & end_stream) != 0;
  }
  EXPECT_FALSE(block.empty());
  EXPECT_LT(block.size(), 30U) << "three short fields";
  EXPECT_EQ(content, "hello");
  EXPECT_TRUE(over);
  EXPECT_EQ(closed_, std::vector<Session::Stream>{1});
  EXPECT_EQ(session_->open_streams(), 0U);
}

// RFC 7541 section 6.2.2: a literal that is never the same twice is not put into the table, once
// its name is there.
TEST_F(Peer, WhatIsNeverTheSameTwiceLeavesOnlyItsNameInTheTable) {
  ASSERT_TRUE(hello());
  std::vector<Bytes> blocks;
  for (const std::uint32_t stream : {1U, 3U, 5U}) {
    ASSERT_TRUE(request(stream, get));
    const Bytes head = "HTTP/1.1 204 No Content\r\nX-Request-Id: 0123456" + std::to_string(stream) +
                       "\r\nSet-Cookie: a=" + std::to_string(stream) + "\r\n\r\n";
    session_->respond(stream, head, false);
    for (const Frame& f : sent())
      if (f.stream == stream && f.type == headers) blocks.push_back(f.payload);
  }
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_GT(blocks[0].size(), blocks[1].size() + 5) << "the name was sent again";
  // The same bytes but for the digit: the index of the name has not moved, so nothing came on top.
  EXPECT_EQ(blocks[1].size(), blocks[2].size());
  EXPECT_EQ(blocks[1].substr(0, 3), blocks[2].substr(0, 3));
  // Section 6.2.3, never indexed: 0001xxxx.
  const auto first = static_cast<std::uint8_t>(blocks[1][1]);
  EXPECT_EQ(first & 0xf0, 0x10);
}

TEST_F(Peer, AnAnswerSaysHowItsBodyComes) {
  ASSERT_TRUE(hello());
  using Body = Session::AnswerBody;
  const auto kind = [&](std::uint32_t stream, const Bytes& head, bool to_head = false) {
    EXPECT_TRUE(request(stream, get));
    return session_->respond(stream, head, to_head).kind;
  };
  EXPECT_EQ(kind(1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Body::chunked);
  EXPECT_EQ(kind(3, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Body::none);
  EXPECT_EQ(kind(5, "HTTP/1.1 204 No Content\r\n\r\n"), Body::none);
  EXPECT_EQ(kind(7, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), Body::none);
  EXPECT_EQ(kind(9, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true), Body::none);
  EXPECT_EQ(kind(11, "HTTP/1.1 200 OK\r\n\r\n"), Body::until_close);
  EXPECT_EQ(kind(13, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), Body::interim);
  EXPECT_EQ(session_->respond(13, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", false).kind,
            Body::length);
}

TEST_F(Peer, WhatSmugglesIsNoRequest) {
  ASSERT_TRUE(hello());
  std::uint32_t stream = 1;
  const Bytes nul("a\0b", 3);
  for (const Fields& fields : {
           with(get, {{"x", "a\r\nevil: b"}}),
           with(get, {{"x", "a\nb"}}),
           with(get, {{"x", nul}}),
           with(get, {{"x\r\ny", "a"}}),
           with(get, {{"x:y", "a"}}),
           with(get, {{"X", "a"}}),
           with(get, {{"", "a"}}),
           with(get, {{":path", "/a\r\nb: c"}}),
           with(get, {{":method", "GET / HTTP/1.1\r\nx: y"}}),
           with(get, {{":path", ""}}),
           with(get, {{":path", "http://b.example/"}}),
           with(get, {{":path", "a"}}),
           with(get, {{":scheme", "http"}}),
           with(get, {{":scheme", "file"}}),
           with(get, {{"connection", "close"}}),
           with(get, {{"transfer-encoding", "chunked"}}),
           with(get, {{"keep-alive", "1"}}),
           with(get, {{"upgrade", "websocket"}}),
           with(get, {{"proxy-connection", "x"}}),
           with(get, {{"te", "gzip"}}),
           with(get, {{"content-length", "5"}}),
           with(get, {{"content-length", "-1"}}),
           with(get, {{":unknown", "x"}}),
           with(get, {{":status", "200"}}),
           Fields{{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}},
           Fields{{":method", "GET"}, {":path", "/"}, {":authority", "a"}},
           Fields{{":scheme", "https"}, {":path", "/"}, {":authority", "a"}},
           Fields{{":method", "GET"}, {"x", "y"}, {":scheme", "https"}, {":path", "/"}},
           Fields{{":method", "GET"}, {":method", "GET"}, {":scheme", "https"}, {":path", "/"}},
           with(get, {{":protocol", "websocket"}}),
           with(get, {{":method", "CONNECT"}, {":protocol", "other"}}),
           Fields{{":method", "CONNECT"}, {":authority", "a.example:80"}},
       }) {
    request(stream, fields);
    EXPECT_EQ(heads_.count(stream), 0U) << stream << ": " << heads_[stream];
    EXPECT_NE(reset_of(stream), -1) << stream;
    stream += 2;
  }
  EXPECT_EQ(session_->open_streams(), 0U);
}

TEST_F(Peer, TheHostMayComeTwiceTheSame) {
  ASSERT_TRUE(hello());
  ASSERT_TRUE(request(1, with(get, {{"host", "A.example"}})));
  EXPECT_EQ(heads_[1], "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
  // Two that differ reach the parser, which refuses them.
  ASSERT_TRUE(request(3, with(get, {{"host", "b.example"}})));
  EXPECT_EQ(heads_[3], "GET / HTTP/1.1\r\nhost: a.example\r\nhost: b.example\r\n\r\n");
}

TEST_F(Peer, AWebSocketComesAsAnUpgrade) {
  ASSERT_TRUE(hello());
  ASSERT_TRUE(request(1,
                      with(get, {{":method", "CONNECT"},
                                 {":protocol", "websocket"},
                                 {"sec-websocket-version", "13"},
                                 {"origin", "https://a.example"}}),
                      false));
  EXPECT_EQ(bodies_[1], Session::RequestBody::tunnel);
  EXPECT_EQ(heads_[1].substr(0, 16), "GET / HTTP/1.1\r\n");
  for (const char* line : {"connection: upgrade\r\n", "upgrade: websocket\r\n",
                           "sec-websocket-key: ", "sec-websocket-version: 13\r\n"})
    EXPECT_NE(heads_[1].find(line), Bytes::npos) << line;
  const auto body = session_->respond(
      1,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: x\r\n\r\n",
      false);
  EXPECT_EQ(body.kind, Session::AnswerBody::until_close);
  answer_ends_ = false;
  bool open = false;
  for (const Frame& f : sent())
    if (f.type == headers && f.stream == 1) open = (f.flags & end_stream) == 0;
  EXPECT_TRUE(open);
}

TEST_F(Peer, ALongHeadIsKeptJustLongEnoughToBeRefused) {
  limits_.head = 1000;
  restart(limits_);
  ASSERT_TRUE(hello());
  Fields many = get;
  for (int i = 0; i < 200; ++i) many.emplace_back("x-" + std::to_string(i), std::string(50, 'a'));
  ASSERT_TRUE(request(1, many));
  EXPECT_GT(heads_[1].size(), 1000U);
  EXPECT_LT(heads_[1].size(), 1300U);
}

TEST_F(Peer, TrailersAreDropped) {
  ASSERT_TRUE(hello());
  ASSERT_TRUE(request(1, with(get, {{":method", "POST"}}), false));
  const Bytes before = heads_[1];
  ASSERT_TRUE(feed(frame(data, 0, 1, "x") +
                   frame(headers, end_headers | end_stream, 1, block({{"x-evil", "1"}}))));
  EXPECT_EQ(heads_[1], before);
  EXPECT_EQ(ended_, std::vector<Session::Stream>{1});
}

TEST_F(Peer, MoreStreamsThanAllowedAreRefused) {
  limits_.streams = 3;
  restart(limits_);
  ASSERT_TRUE(hello());
  sent();
  for (std::uint32_t stream = 1; stream <= 7; stream += 2) request(stream, get);
  EXPECT_EQ(heads_.size(), 3U);
  EXPECT_EQ(reset_of(7), refused_stream) << "it may not know the limit yet";
  feed(frame(settings, ack, 0));
  request(9, get);
  EXPECT_EQ(heads_.size(), 3U);
  EXPECT_EQ(goaway_code(), protocol_error) << "now it does";
}

TEST_F(Peer, WhoeverIsRefusedMayTryAgain) {
  ASSERT_TRUE(hello());
  accept_ = false;
  ASSERT_TRUE(request(1, get));
  EXPECT_EQ(reset_of(1), refused_stream);
  EXPECT_TRUE(closed_.empty()) << "it was never told of";
  accept_ = true;
  ASSERT_TRUE(request(3, get));
  EXPECT_EQ(heads_.count(3), 1U);
}

// -------------------------------------------------------------------------------------- floods

TEST_F(Peer, RapidResetEndsTheConnection) {
  ASSERT_TRUE(hello());
  bool going = true;
  std::uint32_t stream = 1;
  for (; going && stream < 4001; stream += 2) {
    going = request(stream, get) && feed(frame(rst, 0, stream, number(8)));
    sent();
  }
  EXPECT_FALSE(going);
  EXPECT_LE(heads_.size(), 102U);
}

TEST_F(Peer, SlowResetsAreNoFlood) {
  ASSERT_TRUE(hello());
  for (std::uint32_t stream = 1; stream < 1001; stream += 2) {
    now_ += std::chrono::milliseconds{200};
    ASSERT_TRUE(request(stream, get) && feed(frame(rst, 0, stream, number(8)))) << stream;
    sent();
  }
}

TEST_F(Peer, ResetsThatTheClientProvokesCountToo) {
  // CVE-2025-8671: malformed frames make the server reset, with the same effect.
  ASSERT_TRUE(hello());
  bool going = true;
  for (std::uint32_t stream = 1; going && stream < 4001; stream += 2) {
    going = request(stream, with(get, {{":method", "POST"}, {"content-length", "1"}}), false) &&
            feed(frame(data, 0, stream, "too long"));
    sent();
  }
  EXPECT_FALSE(going);
  EXPECT_LE(heads_.size(), 102U);
}

TEST_F(Peer, FramesThatCarryNothingAreCounted) {
  const Bytes eight(8, 'x');
  for (const Bytes& useless : {frame(ping, 0, 0, eight), frame(settings, 0, 0),
                               frame(priority, 0, 1, number(0) + "\x10"), frame(data, 0, 1)}) {
    restart(Limits());
    ASSERT_TRUE(hello());
    ASSERT_TRUE(request(1, with(get, {{":method", "POST"}}), false));
    bool going = true;
    int count = 0;
    for (; going && count < 100'000; ++count) {
      going = feed(useless);
      if (going) sent();
    }
    EXPECT_FALSE(going);
    EXPECT_LE(count, 1100) << static_cast<int>(useless[3]);
    EXPECT_EQ(goaway_code(), enhance_your_calm) << static_cast<int>(useless[3]);
  }
}

TEST_F(Peer, NorIsItAnothersFaultThatTheyComeAllAtOnce) {
  const Bytes eight(8, 'x');
  for (const Bytes& useless : {frame(ping, 0, 0, eight), frame(settings, 0, 0)}) {
    restart(Limits());
    ASSERT_TRUE(hello());
    Bytes many;
    for (int i = 0; i < 2000; ++i) many += useless;
    EXPECT_FALSE(feed(many));
    EXPECT_EQ(goaway_code(), enhance_your_calm) << static_cast<int>(useless[3]);
  }
}

TEST_F(Peer, WindowUpdatesThatMakeNoRoomAreCounted) {
  ASSERT_TRUE(hello());
  bool going = true;
  int count = 0;
  for (; going && count < 100'000; ++count) going = feed(frame(window, 0, 0, number(1)));
  EXPECT_FALSE(going);
  EXPECT_LE(count, 1100);
}

TEST_F(Peer, AHeaderBlockThatNeverEndsIsCut) {
  ASSERT_TRUE(hello());
  bool going = feed(frame(headers, end_stream, 1, block(get)));
  EXPECT_TRUE(session_->in_head());
  int count = 0;
  for (; going && count < 100'000; ++count) going = feed(frame(cont, 0, 1, block({{"x", "y"}})));
  EXPECT_FALSE(going);
  EXPECT_LE(count, 1100);
  EXPECT_TRUE(heads_.empty());
}

TEST_F(Peer, AHpackBombIsBounded) {
  // One indexed field of 4000 bytes, named by a byte each 4000 times: 16 MB.
  ASSERT_TRUE(hello());
  Bytes bomb = block(get) + Bytes(1, 0x40) + literal("x") + literal(Bytes(4000, 'a'));
  bomb.append(4000, static_cast<char>(0xbe));
  feed(frame(headers, end_headers | end_stream, 1, bomb));
  EXPECT_LT(heads_[1].size(), 32U * 1024U);
}

TEST_F(Peer, NoMoreThanTheWindowComesUntilItIsTaken) {
  ASSERT_TRUE(hello());
  sent();
  feed(frame(settings, ack, 0));
  ASSERT_TRUE(request(1, with(get, {{":method", "POST"}}), false));
  const Bytes piece(16384, 'x');
  for (int i = 0; i < 16; ++i) ASSERT_TRUE(feed(frame(data, 0, 1, piece)));
  EXPECT_EQ(received_[1].size(), limits_.stream_window);
  for (const Frame& f : sent()) EXPECT_NE(f.type, window);
  session_->consumed(1, limits_.stream_window);
  bool more = false;
  for (const Frame& f : sent()) more = more || f.type == window;
  EXPECT_TRUE(more);
}

TEST_F(Peer, GarbageEndsTheConnection) {
  EXPECT_FALSE(feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_NE(goaway_code(), no_error);
  restart(Limits());
  ASSERT_TRUE(hello());
  feed(frame(data, 0, 1, "x"));  // of a stream that was never opened
  EXPECT_EQ(goaway_code(), protocol_error);
  restart(Limits());
  ASSERT_TRUE(hello());
  feed(frame(headers, end_headers | end_stream, 1, Bytes(20, '\xff')));  // no HPACK
  EXPECT_EQ(goaway_code(), 9);                                           // COMPRESSION_ERROR
}

TEST_F(Peer, AfterGoingAwayOpenStreamsAreFinished) {
  ASSERT_TRUE(hello());
  ASSERT_TRUE(request(1, get));
  session_->go_away();
  EXPECT_EQ(goaway_code(), no_error);
  request(3, get);
  EXPECT_EQ(heads_.count(3), 0U);
  session_->respond(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", false);
  answer_ = "ok";
  sent();
  EXPECT_EQ(closed_, std::vector<Session::Stream>{1});
  EXPECT_TRUE(session_->over());
}

}  // namespace
}  // namespace moat::http2
