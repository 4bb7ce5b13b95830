// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/http2_connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "moat/gateway/connection.h"
#include "moat/http/chunked.h"

namespace moat::gateway {

namespace {

constexpr std::size_t turn_size = 256 * 1024;  // moved before others have their turn
constexpr std::size_t batch = 32 * 1024;       // frames that leave in one write

http2::Limits limits_of(const Config& config) {
  http2::Limits limits;
  limits.head = config.max_target + config.max_header;
  return limits;
}

}  // namespace

// Stream is what a Connection reads a request from and writes its answer to, as HTTP/1.1; the
// session carries both as frames.
class Http2Connection::Stream final : public net::Stream {
 public:
  using Body = http2::Session::RequestBody;
  using Answer = http2::Session::AnswerBody;

  Stream(Http2Connection& owner, Id id, std::string_view head, Body body)
      : net::Stream(owner.worker_.loop_),
        owner_(owner),
        id_(id),
        in_(owner.worker_.take_text()),
        body_(body) {
    backlog_ = owner.worker_.take_text();
    in_.append(head);
    to_head_request_ = in_.compare(0, 5, "HEAD ") == 0;
    ended_ = body == Body::none;
    descriptor_.readable = true;
  }

  ~Stream() override {
    owner_.worker_.give_back(std::move(in_));
    owner_.worker_.give_back(std::move(backlog_));
  }

  Id id() const { return id_; }
  bool counted = false;  // against the client's connections

  // From the client.

  void take(std::string_view bytes) {
    if (body_ == Body::chunked) {
      http::append_chunk(in_, bytes);
    } else {
      in_.append(bytes);
    }
    unconsumed_ += bytes.size();
    descriptor_.announce_readable();
  }
  void take_end() {
    if (ended_) return;
    ended_ = true;
    if (body_ == Body::chunked) in_.append(http::last_chunk);
    descriptor_.announce_readable();
  }

  net::Io read(char* buffer, std::size_t size) override {
    if (descriptor_.cancelled()) return {net::Io::failed};
    if (taken_ == in_.size()) {
      if (ended_) return {net::Io::end};
      descriptor_.readable = false;
      return {net::Io::blocked};
    }
    const std::size_t count = std::min(size, in_.size() - taken_);
    std::memcpy(buffer, in_.data() + taken_, count);
    taken_ += count;
    if (taken_ == in_.size()) {
      in_.clear();
      taken_ = 0;
      if (unconsumed_ > 0) {
        owner_.session_.consumed(id_, std::exchange(unconsumed_, 0));
        owner_.wake();
      }
    }
    return {net::Io::ok, count};
  }

  // To the client.

  bool write(std::string_view bytes) override {
    if (descriptor_.cancelled()) return false;
    while (!answered_) {
      // Our own writers give a head whole.
      const std::size_t end = bytes.find("\r\n\r\n");
      if (end == bytes.npos) return bytes.empty();
      answer_ = owner_.session_.respond(id_, bytes.substr(0, end + 4), to_head_request_);
      answered_ = answer_.kind != Answer::interim;
      bytes.remove_prefix(end + 4);
      if (!answered_ && bytes.empty()) break;
    }
    if (answered_) take_answer(bytes);
    owner_.session_.resume(id_);
    owner_.wake();
    return true;
  }

  void shut_down() override {
    if (!answered_ || answer_.kind != Answer::until_close) return;
    complete_ = true;
    owner_.session_.resume(id_);
    owner_.wake();
  }

  // Until the session has taken all, and the end too where that has been written.
  net::Task<bool> flush(Tick deadline) override {
    while (!backlog_.empty() || (complete_ && !end_taken_)) {
      descriptor_.writable = false;
      const net::Wait wait = co_await descriptor_.wait_writable(deadline);
      if (wait != net::Wait::ready) co_return false;
    }
    co_return !descriptor_.cancelled();
  }

  std::size_t pull(char* to, std::size_t size, bool& end) {
    const std::size_t count = std::min(size, backlog_.size() - pulled_);
    std::memcpy(to, backlog_.data() + pulled_, count);
    pulled_ += count;
    if (pulled_ == backlog_.size()) {
      backlog_.clear();
      pulled_ = 0;
      end = end_taken_ = complete_;
      descriptor_.announce_writable();
    }
    return count;
  }

  bool is_whole() const { return answered_ && complete_ && end_taken_; }
  bool request_is_whole() const { return ended_; }

 private:
  void take_answer(std::string_view bytes) {
    switch (answer_.kind) {
      case Answer::interim:
        return;
      case Answer::none:
        complete_ = end_taken_ = true;
        return;
      case Answer::length: {
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), answer_.bytes));
        backlog_.append(bytes.substr(0, count));
        answer_.bytes -= count;
        complete_ = answer_.bytes == 0;
        return;
      }
      case Answer::chunked:
        while (!complete_ && !bytes.empty()) {
          const http::ChunkedDecoder::Step step = decoder_.feed(bytes);
          backlog_.append(step.data);
          bytes.remove_prefix(step.consumed);
          complete_ = step.state == http::ChunkedDecoder::State::done;
          if (step.state == http::ChunkedDecoder::State::failed || step.consumed == 0) break;
        }
        return;
      case Answer::until_close:
        backlog_.append(bytes);
    }
  }

  Http2Connection& owner_;
  Id id_;
  std::string in_;
  std::size_t taken_ = 0;
  std::size_t unconsumed_ = 0;
  Body body_;
  bool ended_ = false;  // the request
  bool to_head_request_ = false;
  bool answered_ = false;  // the final head is written
  Answer answer_;
  http::ChunkedDecoder decoder_{http::ChunkLimits::for_backend()};
  std::size_t pulled_ = 0;
  bool complete_ = false;   // the answer is written to its end
  bool end_taken_ = false;  // and the session knows
};

// ------------------------------------------------------------------------------------- the session

Http2Connection::Http2Connection(Worker& worker, net::Stream& stream, const net::Endpoint& peer,
                                 int tls_version)
    : worker_(worker),
      stream_(stream),
      peer_(peer),
      tls_version_(tls_version),
      serving_(worker.serving_),
      from_proxy_(worker.is_trusted_proxy(peer.address)),
      session_(*this, limits_of(serving_->shared->config)) {
  next_ = worker.http2_connections_;
  if (next_ != nullptr) next_->link_ = &next_;
  link_ = &worker.http2_connections_;
  worker.http2_connections_ = this;
}

Http2Connection::~Http2Connection() {
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
}

Http2Connection::Stream* Http2Connection::find(Id id) {
  const auto found = served_.find(id);
  return found == served_.end() ? nullptr : found->second.stream;
}

bool Http2Connection::on_request(Id id, std::string_view head, http2::Session::RequestBody body) {
  // A stream costs what a connection does, so it counts as one; the first is the connection's own.
  const bool extra = !served_.empty();
  if (extra && !worker_.count_connection(peer_.address, from_proxy_)) return false;
  auto stream = std::make_unique<Stream>(*this, id, head, body);
  stream->counted = extra;
  served_[id].stream = stream.get();
  new_.push_back(std::move(stream));
  return true;
}

void Http2Connection::on_data(Id id, std::string_view bytes) {
  Stream* stream = find(id);
  if (stream != nullptr) {
    stream->take(bytes);
  } else {
    session_.consumed(id, bytes.size());  // it was answered without
  }
}

void Http2Connection::on_end(Id id) {
  if (Stream* stream = find(id)) stream->take_end();
}

void Http2Connection::on_closed(Id id) {
  const auto found = served_.find(id);
  if (found == served_.end() || found->second.stream->is_whole()) return;
  // The client wants it no more: nor does the backend need to work on it.
  if (found->second.connection != nullptr) {
    found->second.connection->cancel();
  } else {
    found->second.stream->cancel();
  }
}

std::size_t Http2Connection::on_pull(Id id, char* to, std::size_t size, bool& end) {
  Stream* stream = find(id);
  return stream == nullptr ? 0 : stream->pull(to, size, end);
}

void Http2Connection::follow() { serving_ = worker_.serving_; }

// Served once the bytes at hand have been taken: a small body is there with its head.
void Http2Connection::start_new() {
  std::vector<std::unique_ptr<Stream>> starting;
  starting.swap(new_);
  for (auto& stream : starting) net::spawn(serve(std::move(stream)));
}

net::Task<void> Http2Connection::serve(std::unique_ptr<Stream> stream) {
  Stream& here = *stream;
  const Id id = here.id();
  const bool counted = here.counted;
  {
    Connection connection(worker_, std::move(stream), peer_);
    connection.speaks("HTTP/2", tls_version_);
    connection.proves(proof_);
    served_[id].connection = &connection;
    co_await connection.run_one();
    // RFC 9113 section 8.1: an answer that does not need the rest of the request ends it so.
    if (!here.is_whole()) {
      session_.reset(id, http2::Session::End::failed);
    } else if (!here.request_is_whole()) {
      session_.reset(id, http2::Session::End::answered);
    }
    served_.erase(id);
    if (connection.needs_handshake()) stop();
  }
  idle_since_ = worker_.loop_.now();
  if (counted) worker_.uncount_connection(peer_.address, from_proxy_);
  wake();
  settle();
}

// ------------------------------------------------------------------------------------- the socket

void Http2Connection::wake() {
  if (sending_ || broken_) return;
  sending_ = true;
  net::spawn(send_all());
}

net::Task<void> Http2Connection::send_all() {
  // Whatever else becomes ready in this turn leaves in the same write.
  co_await worker_.loop_.next_turn();
  std::size_t moved = 0;
  while (!broken_) {
    out_.clear();
    const bool good = session_.output(out_, batch);
    if (out_.empty() || !good) {
      broken_ = !good;
      break;
    }
    moved += out_.size();
    broken_ = !stream_.write(out_);
    if (!broken_ && !stream_.flushed()) {
      const Tick deadline = worker_.loop_.in(timeouts().send);
      const bool flushed = co_await stream_.flush(deadline);
      broken_ = broken_ || !flushed;
    }
    if (moved >= turn_size) {
      moved = 0;
      co_await worker_.loop_.next_turn();
    }
  }
  if (out_.capacity() > 2 * batch) out_ = std::string();
  sending_ = false;
  if (broken_) stream_.cancel();
  settle();
}

void Http2Connection::settle() {
  if ((stopping_ && served_.empty()) || session_.over()) stream_.descriptor().wake_reader();
  if (waiting_ && settled()) worker_.loop_.resume_soon(std::exchange(waiting_, nullptr));
}

struct Http2Connection::Settled {
  Http2Connection& owner;
  bool await_ready() const noexcept { return owner.settled(); }
  void await_suspend(std::coroutine_handle<> handle) noexcept { owner.waiting_ = handle; }
  void await_resume() const noexcept {}
};

void Http2Connection::stop() {
  if (std::exchange(stopping_, true)) return;
  session_.go_away();
  wake();
  stream_.descriptor().wake_reader();
}

net::Task<void> Http2Connection::run() {
  net::Loop& loop = worker_.loop_;
  wake();  // our settings
  Tick head_since{};
  idle_since_ = loop.now();
  std::size_t moved = 0;
  while (!broken_ && !session_.over() && !(stopping_ && served_.empty())) {
    if (!served_.empty()) idle_since_ = loop.now();
    if (loop.now() - idle_since_ >= timeouts().idle && !session_.in_head()) break;
    if (stream_.descriptor().readable || stream_.pending()) {
      auto buffer = loop.buffers().take();
      const net::Io got = stream_.read(buffer.get(), net::BufferPool::buffer_size);
      if (got.state == net::Io::ok) {
        const bool was_in_head = session_.in_head();
        const bool going = session_.feed({buffer.get(), got.bytes}, loop.now());
        buffer.reset();
        start_new();
        wake();
        if (!going || session_.over()) break;
        if (!was_in_head) head_since = loop.now();
        moved += got.bytes;
        if (moved >= turn_size) {
          moved = 0;
          co_await loop.next_turn();
        }
        if (!session_.in_head() || loop.now() - head_since < timeouts().header) continue;
        break;  // a header block that trickles
      }
      if (got.state != net::Io::blocked) break;
    }
    const Tick deadline =
        session_.in_head() ? head_since + timeouts().header : idle_since_ + timeouts().idle;
    const net::Wait wait = co_await stream_.readable(deadline);
    if (wait == net::Wait::cancelled) break;
    if (wait == net::Wait::ready) continue;
    if (session_.in_head() && loop.now() >= head_since + timeouts().header) break;
  }
  // Said goodbye to, or gone: whoever is still served has nobody to answer.
  if (!stopping_) session_.go_away();
  stopping_ = true;
  for (const auto& [id, served] : served_) {
    if (served.connection != nullptr) served.connection->cancel();
  }
  wake();
  Settled all_ended{*this};
  co_await all_ended;
  if (broken_) co_return;
  const Tick deadline = loop.in(timeouts().body_idle);
  const bool flushed = co_await stream_.flush(deadline);
  if (!flushed) co_return;
  stream_.shut_down();
  co_await stream_.flush(deadline);
}

}  // namespace moat::gateway
