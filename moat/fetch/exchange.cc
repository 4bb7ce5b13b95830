// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/internal/exchange.h"

#include <array>

#include "moat/base/encoding.h"
#include "moat/fetch/internal/address.h"
#include "moat/fetch/internal/wire.h"
#include "moat/http/chunked.h"

namespace moat::fetch::internal {

namespace {

constexpr int most_interim = 8;

Result<void, std::string> read_head(Wire& wire, http::Method method, Answer& out) {
  const http::HeadLimits limits;
  http::ParseState state;
  std::array<char, 4096> piece;
  // The parser's views stay where they are: nothing is added behind a whole head.
  for (int interim = 0; interim <= most_interim;) {
    const http::ParseStatus status =
        http::parse_response_head(out.bytes, limits, method, state, out.head);
    if (status.refused()) return Error{"the answer is no HTTP: " + std::string(status.code)};
    if (status.complete() && !out.head.interim) {
      out.begin = status.consumed;
      return {};
    }
    if (status.complete()) {
      ++interim;
      out.bytes.erase(0, status.consumed);
      state.reset();
      continue;
    }
    const long got = wire.read(piece.data(), piece.size());
    if (got <= 0) return Error{std::string("no answer in time, or an end without one")};
    out.bytes.append(piece.data(), static_cast<std::size_t>(got));
  }
  return Error{std::string("interim answers without end")};
}

// Takes the body together as it comes, within its bounds.
class Body final {
 public:
  Body(const http::Framing& framing, std::size_t most) : framing_(framing), most_(most) {}

  enum class State { more, done, too_large, malformed };
  State add(std::string_view bytes) {
    if (framing_.kind == http::Framing::Kind::chunked) return add_chunks(bytes);
    if (framing_.kind == http::Framing::Kind::length) {
      if (framing_.length > most_) return State::too_large;
      bytes = bytes.substr(0, static_cast<std::size_t>(framing_.length) - text_.size());
    }
    if (bytes.size() > most_ - text_.size()) return State::too_large;
    text_.append(bytes);
    const bool until_close = framing_.kind == http::Framing::Kind::until_close;
    return until_close || text_.size() < framing_.length ? State::more : State::done;
  }
  bool ends_with_the_connection() const {
    return framing_.kind == http::Framing::Kind::until_close;
  }
  std::string take() { return std::move(text_); }

 private:
  State add_chunks(std::string_view bytes) {
    for (;;) {
      const http::ChunkedDecoder::Step step = decoder_.feed(bytes);
      bytes.remove_prefix(step.consumed);
      if (step.state == http::ChunkedDecoder::State::failed) return State::malformed;
      if (step.data.size() > most_ - text_.size()) return State::too_large;
      text_.append(step.data);
      if (step.state == http::ChunkedDecoder::State::done) return State::done;
      if (step.consumed == 0) return State::more;
    }
  }

  http::Framing framing_;
  std::size_t most_;
  http::ChunkedDecoder decoder_;
  std::string text_;
};

Result<std::string, std::string> read_body(Wire& wire, const Answer& answer, std::size_t most) {
  Body body(answer.head.body, most);
  std::array<char, 16384> piece;
  std::string_view next = std::string_view(answer.bytes).substr(answer.begin);
  for (;;) {
    switch (body.add(next)) {
      case Body::State::more:
        break;
      case Body::State::done:
        return body.take();
      case Body::State::too_large:
        return Error{"the answer has more than " + std::to_string(most) + " bytes"};
      case Body::State::malformed:
        return Error{std::string("the answer's chunks are none")};
    }
    const long got = wire.read(piece.data(), piece.size());
    if (got == 0 && body.ends_with_the_connection()) return body.take();
    if (got <= 0) return Error{std::string("the answer did not come to its end in time")};
    next = {piece.data(), static_cast<std::size_t>(got)};
  }
}

Result<void, std::string> connect(const Question& question, Socket& socket, Tick deadline) {
  const Url& url = question.url;
  MOAT_TRY(const std::vector<IpAddress> addresses, resolve(url, deadline, question.cancelled));
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    // One address that swallows everything must not use up the others' time.
    const Tick now = std::chrono::steady_clock::now();
    const auto share = (deadline - now) / static_cast<long>(addresses.size() - i);
    if (socket.connect(addresses[i], url.port, now + share) == 0) return {};
  }
  return Error{std::string("the server cannot be reached")};
}

}  // namespace

Result<std::unique_ptr<Answer>, std::string> exchange(const Question& question) {
  const Tick deadline = std::chrono::steady_clock::now() + question.timeout;
  Socket socket(question.cancelled);
  if (auto done = connect(question, socket, deadline); !done) return Error{done.error()};
  Wire wire(socket, question.tls, deadline);
  if (auto done = wire.handshake(); !done) return Error{done.error()};
  if (!wire.write(question.request)) return Error{std::string("the request could not be sent")};
  auto answer = std::make_unique<Answer>();
  if (auto read = read_head(wire, question.method, *answer); !read) return Error{read.error()};
  if (auto good = question.check(answer->head); !good) return Error{good.error()};
  const http::Header* coding = answer->head.headers.find("content-encoding");
  if (coding != nullptr && !ascii_iequals(coding->value, "identity"))
    return Error{std::string("the answer is compressed, though nobody asked for that")};
  if (answer->head.body.kind == http::Framing::Kind::none) return answer;
  MOAT_TRY(answer->body, read_body(wire, *answer, question.max_bytes));
  return answer;
}

}  // namespace moat::fetch::internal
