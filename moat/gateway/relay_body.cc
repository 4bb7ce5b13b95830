// SPDX-License-Identifier: Apache-2.0
// The body of a backend's answer, on its way to the client.
#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/gateway/connection.h"
#include "moat/http/chunked.h"

namespace moat::gateway {

using http::Known;

namespace {

constexpr std::size_t turn_size = 256 * 1024;  // moved before others have their turn

}  // namespace

// For a page whose forms get tokens. An answer to HEAD or 304, a part (206) and what is encoded are
// not read; nor is what goes to somebody whose cookies do not count.
std::optional<csrf::FormInjector> Connection::forms_of(const PreparedRoute& route) {
  Exchange& x = *x_;
  const http::ResponseHead& response = x.response;
  if (route.route->csrf_forms != CsrfForms::inject || x.admission.without_cookies) return {};
  if (response.body.kind == http::Framing::Kind::none || response.status == 206) return {};
  const http::Headers& headers = response.headers;
  if (!csrf::is_injectable(headers.value(Known::content_type)) ||
      headers.count(Known::content_type) != 1)
    return {};
  if (is_encoded(headers)) return {};
  const std::string token =
      shared().shield.form_token(x.admission, system_random(), shared().clock.now());
  if (token.empty()) return {};
  return csrf::FormInjector(x.request.scheme, x.request.host, token);
}

net::Task<bool> Connection::relay_body(net::Stream& backend, char* buffer, std::size_t begin,
                                       std::size_t end, ClientFraming framing,
                                       csrf::FormInjector* forms) {
  const http::Framing body = x_->response.body;
  std::uint64_t remaining = body.length;
  http::ChunkedDecoder decoder(http::ChunkLimits::for_backend());
  std::string& out = x_->out;
  std::string page;
  std::size_t size = 0;
  const auto add = [&](std::string_view data) {
    observe(data);
    if (forms != nullptr) {
      page.clear();
      forms->feed(data, page);
      data = page;
    }
    if (framing == ClientFraming::chunked) {
      http::append_chunk(out, data);
    } else {
      out.append(data);
    }
    size += data.size();
  };
  std::size_t moved = 0;
  for (;;) {
    bool done = false;
    out.clear();
    size = 0;
    moved += end - begin;
    if (body.kind == http::Framing::Kind::length) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(end - begin, remaining));
      remaining -= part;
      done = remaining == 0;
      const std::string_view data(buffer + begin, part);
      if (forms == nullptr) observe(data);
      if (forms != nullptr) {
        add(data);
        if (done && framing == ClientFraming::chunked) out.append(http::last_chunk);
      } else {
        size = part;
      }
      const std::string_view bytes = forms != nullptr ? std::string_view(out) : data;
      const bool sent = co_await send(bytes);
      if (!sent) co_return false;
      x_->bytes_out += size;
      if (done && begin + part != end) backend.cancel();  // more than was announced
    } else if (body.kind == http::Framing::Kind::until_close) {
      add(std::string_view(buffer + begin, end - begin));
      const bool sent = co_await send(out);
      if (!sent) co_return false;
      x_->bytes_out += size;
    } else {
      std::string_view there(buffer + begin, end - begin);
      for (;;) {
        const http::ChunkedDecoder::Step step = decoder.feed(there);
        there.remove_prefix(step.consumed);
        if (step.state == http::ChunkedDecoder::State::failed) co_return false;
        add(step.data);
        done = step.state == http::ChunkedDecoder::State::done;
        if (done || step.consumed == 0) break;
      }
      if (done && framing == ClientFraming::chunked) out.append(http::last_chunk);
      if (done && !there.empty()) backend.cancel();
      const bool sent = co_await send(out);
      if (!sent) co_return false;
      x_->bytes_out += size;
    }
    if (done) co_return true;
    if (moved >= turn_size) {
      moved = 0;
      co_await loop_.next_turn();
    }

    begin = end = 0;
    while (end == 0) {
      const net::Io got = backend.read(buffer, net::BufferPool::buffer_size);
      if (got.state == net::Io::ok) {
        end = got.bytes;
      } else if (got.state == net::Io::blocked) {
        const Tick deadline = loop_.in(shared().config.timeouts.backend);
        const net::Wait wait = co_await backend.readable(deadline);
        if (wait != net::Wait::ready) co_return false;
      } else {
        // RFC 9112 section 9.8: what the connection's end is to end is whole only with a farewell.
        if (body.kind != http::Framing::Kind::until_close || got.state != net::Io::end ||
            backend.cut_off())
          co_return false;
        if (framing != ClientFraming::chunked) co_return true;
        co_return co_await send(http::last_chunk);
      }
    }
  }
}

}  // namespace moat::gateway
