// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/document.h"

#include <array>
#include <optional>

#include "moat/base/encoding.h"
#include "moat/fetch/internal/address.h"
#include "moat/fetch/internal/url.h"
#include "moat/fetch/internal/wire.h"
#include "moat/http/chunked.h"
#include "moat/http/response.h"
#include "moat/https/client_tls.h"

namespace moat::fetch {

namespace {

using internal::Socket;
using internal::Url;
using internal::Wire;

constexpr int most_interim = 8;

std::string request_for(const Url& url, const std::string& accept) {
  return "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority + "\r\nAccept: " + accept +
         "\r\nAccept-Encoding: identity\r\nUser-Agent: Moat\r\nConnection: close\r\n\r\n";
}

// The head of the answer, and what came behind it.
struct Answer {
  http::ResponseHead head;  // views into `bytes`
  std::string bytes;
  std::size_t body = 0;  // where it begins
};

Result<void, std::string> read_head(Wire& wire, Answer& out) {
  const http::HeadLimits limits;
  http::ParseState state;
  std::array<char, 4096> piece;
  // The parser's views stay where they are: nothing is added behind a whole head.
  for (int interim = 0; interim <= most_interim;) {
    const http::ParseStatus status =
        http::parse_response_head(out.bytes, limits, http::Method::get, state, out.head);
    if (status.refused()) return Error{"the answer is no HTTP: " + std::string(status.code)};
    if (status.complete() && !out.head.interim) {
      out.body = status.consumed;
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

Result<void, std::string> check_head(const http::ResponseHead& head) {
  const std::string status = std::to_string(head.status);
  // RFC 9110 section 15.4: whoever can make the server redirect chooses what is fetched.
  if (head.status >= 300 && head.status < 400)
    return Error{"the answer is " + status + ": redirects are not followed"};
  if (head.status != 200) return Error{"the answer is " + status};
  const http::Header* coding = head.headers.find("content-encoding");
  if (coding != nullptr && !ascii_iequals(coding->value, "identity"))
    return Error{std::string("the answer is compressed, though nobody asked for that")};
  return {};
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
  std::string_view next = std::string_view(answer.bytes).substr(answer.body);
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

}  // namespace

struct Document::State {
  Url url;
  std::optional<https::ClientContext> tls;
  std::string request;
  std::chrono::milliseconds timeout;
  std::size_t max_bytes;
};

Result<Document, std::string> Document::create(const Options& options) {
  MOAT_TRY(Url url, internal::parse_url(options.url));
  const std::string shown = "'" + options.url + "'";
  if (!url.secure && !(options.insecure_http_to_loopback && url.is_loopback()))
    return Error{shown + " is no https:// URL"};
  const auto literal = IpAddress::parse(url.host);
  if (literal && !internal::may_connect(url, *literal))
    return Error{shown + " is at an address that Moat asks nothing of"};
  auto state = std::make_unique<State>();
  if (url.secure) {
    https::ClientPolicy policy;
    policy.name = url.host;
    policy.roots = options.roots;
    auto context = https::ClientContext::create(policy);
    if (!context) return Error{shown + ": " + std::string(https::to_string(context.error()))};
    state->tls.emplace(std::move(*context));
  }
  state->request = request_for(url, options.accept);
  state->url = std::move(url);
  state->timeout = options.timeout;
  state->max_bytes = options.max_bytes;
  return Document(std::move(state));
}

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<std::string, std::string> Document::get() const {
  const State& state = *state_;
  const Tick deadline = std::chrono::steady_clock::now() + state.timeout;
  MOAT_TRY(const std::vector<IpAddress> addresses, internal::resolve(state.url, deadline));
  Socket socket;
  bool connected = false;
  for (std::size_t i = 0; i < addresses.size() && !connected; ++i) {
    // One address that swallows everything must not use up the others' time.
    const Tick now = std::chrono::steady_clock::now();
    const auto share = (deadline - now) / static_cast<long>(addresses.size() - i);
    connected = socket.connect(addresses[i], state.url.port, now + share);
  }
  if (!connected) return Error{std::string("the server cannot be reached")};
  Wire wire(socket, state.tls ? &*state.tls : nullptr, deadline);
  if (auto done = wire.handshake(); !done) return Error{done.error()};
  if (!wire.write(state.request)) return Error{std::string("the request could not be sent")};
  Answer answer;
  if (auto read = read_head(wire, answer); !read) return Error{read.error()};
  if (auto good = check_head(answer.head); !good) return Error{good.error()};
  return read_body(wire, answer, state.max_bytes);
}

}  // namespace moat::fetch
