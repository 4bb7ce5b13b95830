// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/body.h"

#include <algorithm>

#include "moat/gateway/connection.h"

namespace moat::gateway {

BodyReader::BodyReader(Connection& connection, const http::Framing& framing, std::uint64_t most)
    : connection_(connection),
      framing_(framing),
      remaining_(framing.length),
      most_(most),
      started_(connection.loop_.now()),
      done_(framing.kind == http::Framing::Kind::none) {}

BodyReader::Piece BodyReader::fail(int status, std::string_view code) {
  status_ = status;
  code_ = code;
  return Piece{Piece::failed, {}};
}

// A piece of what is in the buffer; `end` with no bytes when there is none.
BodyReader::Piece BodyReader::take() {
  Exchange& x = *connection_.x_;
  while (x.begin < x.end) {
    const std::string_view there(x.in.get() + x.begin, x.end - x.begin);
    if (framing_.kind == http::Framing::Kind::length) {
      const std::size_t n =
          static_cast<std::size_t>(std::min<std::uint64_t>(there.size(), remaining_));
      x.begin += n;
      remaining_ -= n;
      total_ += n;
      done_ = remaining_ == 0;
      return Piece{Piece::data, there.substr(0, n)};
    }
    const http::ChunkedDecoder::Step step = decoder_.feed(there);
    x.begin += step.consumed;
    total_ += step.data.size();
    if (step.state == http::ChunkedDecoder::State::failed) return fail(400, decoder_.code());
    if (total_ > most_ || decoder_.chunk_left() > most_ - total_)
      return fail(413, "body_too_large");
    done_ = step.state == http::ChunkedDecoder::State::done;
    if (!step.data.empty()) return Piece{Piece::data, step.data};
    if (done_) return Piece{Piece::end, {}};
    if (step.consumed == 0) break;
  }
  return Piece{Piece::data, {}};
}

// Reads more into the buffer, behind the head. False: failed.
net::Task<bool> BodyReader::fill() {
  Exchange& x = *connection_.x_;
  net::Stream& stream = *connection_.stream_;
  const std::size_t head_end = x.head_end;
  x.begin = x.end = head_end;
  if (!continue_sent_ && x.head.expects_continue && total_ == 0) {
    continue_sent_ = true;
    if (!connection_.answered_ && !stream.write("HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
  }
  for (;;) {
    const net::Io got = stream.read(x.in.get() + head_end, net::BufferPool::buffer_size - head_end);
    if (got.state == net::Io::ok) {
      x.end = head_end + got.bytes;
      co_return true;
    }
    if (got.state != net::Io::blocked) co_return false;
    // At least 240 bytes a second once five seconds have gone by; and never silent for long.
    const auto elapsed = connection_.loop_.now() - started_;
    const auto granted = std::chrono::seconds{5 + static_cast<std::int64_t>(total_ / 240)};
    if (elapsed > granted) {
      fail(408, "body_too_slow");
      co_return false;
    }
    const Tick silent = connection_.loop_.in(connection_.shared().config.timeouts.body_idle);
    const Tick slow = started_ + granted + std::chrono::milliseconds{100};
    const Tick deadline = std::min(silent, slow);
    const net::Wait wait = co_await stream.readable(deadline);
    if (wait == net::Wait::timed_out) {
      fail(408, "body_timeout");
      co_return false;
    }
    if (wait == net::Wait::cancelled) co_return false;
  }
}

net::Task<int> Connection::read_beginning(std::string& out, std::size_t enough) {
  Exchange& x = *x_;
  const http::Framing body = x.head.body;
  // As for a head, of which this is the size.
  const Tick deadline = loop_.in(shared().config.timeouts.header);
  http::ChunkedDecoder decoder;
  std::size_t decoded = x.begin;
  for (;;) {
    bool whole = body.kind == http::Framing::Kind::none;
    if (body.kind == http::Framing::Kind::length) whole = x.end - x.begin >= body.length;
    while (body.kind == http::Framing::Kind::chunked && decoded < x.end && !whole) {
      const http::ChunkedDecoder::Step step =
          decoder.feed(std::string_view(x.in.get() + decoded, x.end - decoded));
      if (step.state == http::ChunkedDecoder::State::failed) co_return 400;
      decoded += step.consumed;
      out.append(step.data);
      whole = step.state == http::ChunkedDecoder::State::done;
      if (step.consumed == 0) break;
    }
    const std::size_t there =
        body.kind == http::Framing::Kind::length ? x.end - x.begin : out.size();
    if (whole || there >= enough || x.end == net::BufferPool::buffer_size) {
      if (body.kind == http::Framing::Kind::length)
        out.assign(x.in.get() + x.begin, std::min<std::uint64_t>(x.end - x.begin, body.length));
      co_return 0;
    }
    if (x.head.expects_continue) {
      x.head.expects_continue = false;
      if (!stream_->write("HTTP/1.1 100 Continue\r\n\r\n")) co_return 400;
    }
    const net::Io got = stream_->read(x.in.get() + x.end, net::BufferPool::buffer_size - x.end);
    if (got.state == net::Io::ok) {
      x.end += got.bytes;
      continue;
    }
    if (got.state != net::Io::blocked) co_return 400;
    const net::Wait wait = co_await stream_->readable(deadline);
    if (wait == net::Wait::timed_out) co_return 408;
    if (wait == net::Wait::cancelled) co_return 400;
  }
}

net::Task<bool> Connection::read_whole(std::size_t most, std::string& out) {
  Exchange& x = *x_;
  if (x.head.body.kind == http::Framing::Kind::length && x.head.body.length > most) {
    co_await refuse(413, "body_too_large", "The request is too large.");
    co_return false;
  }
  BodyReader reader(*this, x.head.body, most);
  for (;;) {
    const BodyReader::Piece piece = co_await reader.next();
    if (piece.kind == BodyReader::Piece::end) break;
    if (piece.kind == BodyReader::Piece::failed) {
      wipe(out);
      const int status = reader.status() == 0 ? 400 : reader.status();
      co_await refuse(status, reader.code(), "The request could not be read.");
      co_return false;
    }
    if (!x.held.grow_to(shared().connections.held(), x.admission.client,
                        out.size() + piece.bytes.size())) {
      wipe(out);
      close_ = linger_ = true;
      co_await refuse(503, "busy", "The server is busy. Please try again in a moment.");
      co_return false;
    }
    out.append(piece.bytes);
    x.bytes_in += piece.bytes.size();
    worker_.metrics_.bytes_in.add(piece.bytes.size());
  }
  x.head.body = http::Framing();  // it has been read
  co_return true;
}

net::Task<BodyReader::Piece> BodyReader::next() {
  for (;;) {
    if (done_) co_return Piece{Piece::end, {}};
    const Piece piece = take();
    if (piece.kind != Piece::data || !piece.bytes.empty()) co_return piece;
    const bool filled = co_await fill();
    if (!filled) co_return Piece{Piece::failed, {}};
  }
}

}  // namespace moat::gateway
