// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/csrf/csrf.h"
#include "moat/gateway/connection.h"
#include "moat/http/chunked.h"
#include "moat/limit/fields.h"

namespace moat::gateway {

using http::Known;

namespace {

// How much may be moved before others have their turn.
constexpr std::size_t turn_size = 256 * 1024;
// 1xx answers before the real one: more than any server has reason to send.
constexpr int most_interim = 32;
constexpr http::HeadLimits backend_limits = http::HeadLimits::for_backend();
// RFC 9110 section 9.2.2: what may be sent again when nothing is known of the first try.
bool is_idempotent(http::Method method) {
  return http::is_safe(method) || method == http::Method::put || method == http::Method::delete_;
}

}  // namespace

net::Task<Backends::Lease> Connection::lease_for(const PreparedRoute& route, std::size_t index,
                                                 bool fresh) {
  const bool binding = binds_connection(x_->head.headers, Known::authorization);
  if (!fresh) {
    Backends::Lease bound = take_bound(index);
    if (bound.stream != nullptr) co_return bound;
  }
  if (!fresh && !binding) {
    Backends::Lease idle = serving_->backends.reuse(index);
    if (idle.stream != nullptr) co_return idle;
  }
  worker_.metrics_.backend_connections.add();
  auto connected = co_await serving_->backends.connect(index);
  if (connected) {
    connected->bound = binding;
    co_return std::move(*connected);
  }
  const Backends::Unavailable& why = connected.error();
  shared().log.warn("backend_unreachable", {{"route", route.route->match},
                                            {"server", why.server},
                                            {"reason", why.reason},
                                            {"request_id", x_->request_id}});
  co_await refuse_unavailable(why);
  co_return Backends::Lease{};
}

// The connection that a backend has authenticated as this client, if it is still of use.
Backends::Lease Connection::take_bound(std::size_t route) {
  if (bound_.stream == nullptr || bound_route_ != route) return {};
  Backends::Lease lease = std::move(bound_);
  bound_ = Backends::Lease();
  if (!Backends::is_fit(lease)) return {};
  lease.reused = true;
  return lease;
}

// A connection after its answer: for whoever comes next, or, where it is authenticated, for this
// client alone. Those of HTTP/2 and of proxies bring several users, so there it is closed.
void Connection::keep(Backends::Lease lease, std::size_t route) {
  if (!lease.bound) return serving_->backends.give_back(std::move(lease));
  const bool one_user = !is_stream_ && !worker_.is_trusted_proxy(peer_.address);
  // Only where the backend has asked for it: who merely says NTLM must not hold a place.
  const bool asked = binds_connection(x_->response.headers, Known::www_authenticate);
  const bool again = lease.reused;
  if (!one_user || close_ || !(asked || again) || !Backends::is_fit(lease)) return;
  bound_ = std::move(lease);
  bound_since_ = loop_.now();
  bound_route_ = route;
}

void Connection::drop_old_binding() {
  constexpr std::chrono::seconds kept{4};  // as those that are anybody's
  if (bound_.stream != nullptr && loop_.now() - bound_since_ > kept) bound_ = Backends::Lease();
}

net::Task<void> Connection::refuse_unavailable(const Backends::Unavailable& why) {
  switch (why.kind) {
    case Backends::Unavailable::unreachable:
    case Backends::Unavailable::timed_out: {
      const bool late = why.kind == Backends::Unavailable::timed_out;
      co_await refuse_backend(late);
      break;
    }
    case Backends::Unavailable::busy:
      worker_.metrics_.backend_errors.add();
      co_await refuse(503, "backend_busy",
                      "The application behind this site is busy. Please try again in a moment.");
      break;
    case Backends::Unavailable::down:
      worker_.metrics_.backend_errors.add();
      co_await refuse(503, "backend_down",
                      "The application behind this site is down. Please try again in a moment.");
      break;
  }
}

net::Task<void> Connection::refuse_backend(bool late) {
  worker_.metrics_.backend_errors.add();
  const int status = late ? 504 : 502;
  const std::string_view code = late ? "backend_timeout" : "backend_failed";
  co_await refuse(
      status, code,
      "The application behind this site does not answer. Please try again in a moment.");
}

void Connection::write_backend_head(const PreparedRoute& route, const Backends::Lease& lease) {
  Exchange& x = *x_;
  Forwarding forwarding;
  forwarding.client = x.admission.client;
  const std::string authority =
      route.route->preserve_host ? std::string() : lease.upstream->authority();
  forwarding.backend_authority = authority;
  forwarding.preserve_host = route.route->preserve_host;
  forwarding.allow_underscore_headers = route.route->allow_underscore_headers;
  if (x.body_read) forwarding.body_size = x.body.size();
  const bool injects = route.route->csrf_forms == CsrfForms::inject;
  forwarding.unencoded = injects || route.route->schema.checks_responses();
  // A page with tokens has no validator: what the client would have confirmed is from before them.
  forwarding.unconditional = injects && x.request.navigation && csrf::is_safe(x.request.method);
  if (!x.admission.without_cookies) forwarding.cookie = x.request.cookie;
  forwarding.without_authorization = x.admission.own_bearer;
  forwarding.request_id = x.request_id;
  forwarding.traceparent = x.traceparent_text();
  forwarding.tracestate = x.trace_came;
  x.backend_asked = loop_.now();
  if (shared().access != nullptr) x.backend = lease.upstream->authority();
  if (route.rules.login != shield::Rules::Login::none && x.admission.identity != nullptr) {
    forwarding.identity = x.admission.identity;
    forwarding.assertion = serving_->signer.assertion(
        *x.admission.identity, shared().config.assertion_audience, shared().clock.now());
  }
  if (route.route->client_certificate != ClientCertificates::none && x.request.client_certificate)
    forwarding.client_certificate = proof_->certificate.get();
  x.upstream.clear();
  append_backend_request(x.head, forwarding, x.upstream);
}

// Names the backend's stream as long as it may be waited for.
class WhileThere final {
 public:
  WhileThere(net::Stream*& place, net::Stream* stream) : place_(place) { place_ = stream; }
  WhileThere(const WhileThere&) = delete;  // one scope
  WhileThere& operator=(const WhileThere&) = delete;
  ~WhileThere() { place_ = nullptr; }

 private:
  net::Stream*& place_;
};

net::Task<void> Connection::proxy(const PreparedRoute& route, std::size_t index) {
  Exchange& x = *x_;
  const std::uint64_t most = route.route->max_body;
  if (x.head.body.kind == http::Framing::Kind::length && x.head.body.length > most) {
    co_await refuse(413, "body_too_large", "The request is too large.");
    co_return;
  }
  const bool whole = x.body_read || body_is_here();
  // As much of it as is in the buffer still; what was read whole has been counted.
  const std::size_t body_size = whole ? static_cast<std::size_t>(x.head.body.length) : 0;
  x.bytes_in += body_size;
  worker_.metrics_.bytes_in.add(body_size);
  for (int attempt = 0;; ++attempt) {
    Backends::Lease lease = co_await lease_for(route, index, attempt > 0);
    if (lease.stream == nullptr) co_return;
    const WhileThere there(backend_, lease.stream.get());
    write_backend_head(route, lease);
    x.upstream.append(x.in.get() + x.begin, body_size).append(x.body, 0, piece_size);
    bool hung_up = false;
    bool sent = lease.stream->write(x.upstream);
    const Tick deadline = loop_.in(shared().config.timeouts.backend);
    if (sent && !lease.stream->flushed()) sent = co_await lease.stream->flush(deadline);
    if (sent && x.body.size() > piece_size) sent = co_await send_rest(*lease.stream);
    Relay result = Relay::no_answer;
    openapi::Refusal refusal;
    const bool may_be_again = lease.reused && whole && attempt == 0 && is_idempotent(x.head.method);
    if (sent && !may_be_again) x.let_body_go();
    if (sent) {
      net::Joinable uploader;
      if (!whole) {
        body_ = std::make_unique<BodyReader>(*this, x.head.body, most);
        discard_ = body_failed_ = uploaded_ = false;
        uploader.start(upload(*lease.stream));
      }
      result = co_await relay(route, lease, refusal);
      hung_up = backend_ended_ || lease.stream->descriptor().hung_up;
      if (!whole) {
        // The answer is over. Who is still sending is read for a little while (linger), so that the
        // answer arrives.
        discard_ = true;
        if (!body_->done()) close_ = linger_ = true;
        // A backend that still waits for a body would take the next request for the rest of it.
        if (!uploaded_) lease.stream->cancel();
        if (close_) stream_->descriptor().wake_reader();
        co_await uploader.join();
        if (body_->done()) x.head.body = http::Framing();  // it has been read
        body_.reset();
      }
    }
    if (result == Relay::done) {
      if (x.learning.on) learn_exchange(route, whole);
      if (lease.stream != nullptr) keep(std::move(lease), index);
      x.begin += body_size;
      co_return;
    }
    // Here and not sooner: what there is of the request's body has been dealt with.
    if (result == Relay::refused) {
      co_await refuse_undescribed(std::move(refusal));
      co_return;
    }
    const bool closed = !sent || hung_up;
    if (result == Relay::no_answer && closed && may_be_again && !interim_) continue;
    report_failure(lease, result, closed);
    if (result == Relay::broken || answered_) {
      close_ = true;
      co_return;
    }
    if (body_failed_) {
      if (body_status_ == 0) {
        close_ = true;  // the client is gone
      } else {
        co_await refuse(body_status_, body_code_, "The request could not be read.");
      }
      co_return;
    }
    const bool late = result == Relay::no_answer && !closed;
    co_await refuse_backend(late);
    co_return;
  }
}

// Of a body that was read whole, what is behind its first piece.
net::Task<bool> Connection::send_rest(net::Stream& backend) {
  std::string_view rest = x_->body;
  rest.remove_prefix(piece_size);
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, piece_size);
    rest.remove_prefix(piece.size());
    if (!backend.write(piece)) co_return false;
    const Tick deadline = loop_.in(shared().config.timeouts.backend);
    const bool flushed = co_await backend.flush(deadline);
    if (!flushed) co_return false;
  }
  co_return true;
}

// For the server's circuit. An answer that broke off had begun, and who was cut off by us is not to
// blame.
void Connection::report_failure(const Backends::Lease& lease, Relay result, bool closed) {
  const bool stale = closed && lease.reused;
  if (lease.stream->descriptor().cancelled() || stale) return;
  if (result == Relay::bad_answer) {
    serving_->backends.failed(lease.server, "answers what is no HTTP");
  } else if (result == Relay::no_answer) {
    serving_->backends.failed(lease.server,
                              closed ? "closed before an answer" : "no answer in time");
  }
}

// Sends the body on as it comes. Whatever goes wrong is left to `relay`, which waits for the
// answer.
net::Task<void> Connection::upload(net::Stream& backend) {
  const bool chunked = x_->head.body.kind == http::Framing::Kind::chunked;
  std::uint64_t discarded = 0;
  std::size_t moved = 0;
  std::string frame;
  for (;;) {
    const BodyReader::Piece piece = co_await body_->next();
    if (piece.kind == BodyReader::Piece::failed) {
      if (!discard_) {
        body_failed_ = true;
        body_status_ = body_->status();
        body_code_ = body_->code();
        backend.cancel();  // half a request must not look like a whole one
      }
      co_return;
    }
    if (piece.kind == BodyReader::Piece::end) {
      if (chunked && !discard_ && !backend.write(http::last_chunk)) discard_ = true;
      if (!discard_) {
        const Tick deadline = loop_.in(shared().config.timeouts.backend);
        uploaded_ = co_await backend.flush(deadline);
      }
      co_return;
    }
    x_->bytes_in += piece.bytes.size();
    worker_.metrics_.bytes_in.add(piece.bytes.size());
    if (x_->learning.on) keep_sent(piece.bytes);
    if (discard_) {
      discarded += piece.bytes.size();
      if (close_ || discarded > 1024 * 1024) co_return;
      continue;
    }
    bool sent = false;
    if (chunked) {
      frame.clear();
      http::append_chunk(frame, piece.bytes);
      sent = backend.write(frame);
    } else {
      sent = backend.write(piece.bytes);
    }
    if (sent && !backend.flushed()) {
      const Tick deadline = loop_.in(shared().config.timeouts.backend);
      sent = co_await backend.flush(deadline);
    }
    if (!sent) discard_ = true;  // the backend wants no more; its answer may still come
    moved += piece.bytes.size();
    if (moved >= turn_size) {
      moved = 0;
      co_await loop_.next_turn();
    }
  }
}

// Reads until a final head is complete. False: refused, silent or closed; `end` is 0 where nothing
// came at all.
net::Task<bool> Connection::read_response_head(net::Stream& backend, char* buffer, std::size_t& end,
                                               std::size_t& head) {
  Exchange& x = *x_;
  int interim = 0;
  interim_ = backend_ended_ = false;
  x.response_state.reset();
  for (;;) {
    if (end > 0) {
      const http::ParseStatus status =
          http::parse_response_head(std::string_view(buffer, end), backend_limits, x.head.method,
                                    x.response_state, x.response);
      if (status.complete() && !x.response.interim) {
        head = status.consumed;
        co_return true;
      }
      if (status.complete()) {
        if (++interim > most_interim) co_return false;
        interim_ = true;
        if (x.response.status == 103) {
          const bool passed = co_await pass_hints();
          if (!passed) {
            backend.cancel();  // nobody waits for the answer
            co_return false;
          }
        }
        std::copy(buffer + status.consumed, buffer + end, buffer);
        end -= status.consumed;
        x.response_state.reset();
        continue;
      }
      if (status.refused() || end == net::BufferPool::buffer_size) {
        shared().log.warn("backend_not_understood",
                          {{"reason", status.refused() ? status.code : "head_too_large"},
                           {"request_id", x.request_id}});
        co_return false;
      }
    }
    const net::Io got = backend.read(buffer + end, net::BufferPool::buffer_size - end);
    if (got.state == net::Io::ok) {
      if (end == 0 && interim == 0) x.backend_began = loop_.now();
      end += got.bytes;
      continue;
    }
    if (got.state != net::Io::blocked) {
      backend_ended_ = true;  // by a TLS farewell too, whose FIN may still be on its way
      co_return false;
    }
    const Tick deadline = loop_.in(shared().config.timeouts.backend);
    const net::Wait wait = co_await backend.readable(deadline);
    if (wait == net::Wait::cancelled) co_return false;
    const bool uploading = body_ != nullptr && !body_->done() && !discard_;
    if (wait == net::Wait::timed_out && !uploading) co_return false;
  }
}

// RFC 9110 section 15.2: a proxy passes 1xx on, but to clients of HTTP/1.0. 100 is the answer to an
// expectation that went no further than here, and 102 helps nobody.
net::Task<bool> Connection::pass_hints() {
  if (x_->head.minor_version == 0) co_return true;
  std::string hints;
  append_early_hints(x_->response, hints);
  co_return co_await send(hints);
}

ClientFraming Connection::client_framing() const {
  switch (x_->response.body.kind) {
    case http::Framing::Kind::none:
      return ClientFraming::none;
    case http::Framing::Kind::length:
      return ClientFraming::as_length;
    case http::Framing::Kind::chunked:
    case http::Framing::Kind::until_close:
      break;
  }
  return x_->head.minor_version == 0 ? ClientFraming::until_close : ClientFraming::chunked;
}

net::Task<Connection::Relay> Connection::relay(const PreparedRoute& route, Backends::Lease& lease,
                                               openapi::Refusal& refusal) {
  Exchange& x = *x_;
  net::Stream& backend = *lease.stream;
  auto buffer = loop_.buffers().take();
  std::size_t end = 0;
  std::size_t head = 0;
  const bool understood = co_await read_response_head(backend, buffer.get(), end, head);
  if (!understood && end == 0) co_return Relay::no_answer;
  if (!understood) co_return Relay::bad_answer;
  const http::ResponseHead& response = x.response;
  x.let_body_go();  // who has answered is not asked again
  serving_->backends.answered(lease.server, response.status);
  lease.bound = lease.bound || binds_connection(response.headers, Known::www_authenticate);
  const bool switching = response.status == 101;
  if (switching && !x.head.upgrade_websocket) co_return Relay::bad_answer;

  Answer checked = Answer::passes;
  const std::string_view first(buffer.get() + head, end - head);
  if (x.described.operation != nullptr && route.route->schema.checks_responses() && !switching)
    checked = co_await check_answer(route, backend, first, refusal);
  if (checked == Answer::broken) co_return Relay::bad_answer;
  if (checked == Answer::refused) {
    lease.stream->cancel();
    co_return Relay::refused;
  }
  if (x.learning.on) learn_from_answer();
  std::optional<csrf::FormInjector> forms = switching ? std::nullopt : forms_of(route);
  ClientFraming framing = client_framing();
  if (forms && framing == ClientFraming::as_length)
    framing = x.head.minor_version == 0 ? ClientFraming::until_close : ClientFraming::chunked;
  if (framing == ClientFraming::until_close) close_ = true;
  Answering answering;
  answering.security = &shared().security;
  answering.kind.kind =
      response.html ? http::AnswerKind::proxied_html : http::AnswerKind::proxied_other;
  answering.kind.backend = &response.headers;
  answering.kind.csp = http_csp(route.route->csp);
  answering.kind.policy = route.csp ? &*route.csp : nullptr;
  answering.kind.no_store =
      !forms && (x.admission.identity != nullptr || !x.admission.set_cookies.empty() ||
                 response.headers.has(Known::set_cookie));
  answering.kind.hsts = shared().hsts.now();
  answering.script_cookies = route.script_cookies;
  answering.set_cookies = x.admission.set_cookies;
  answering.date = worker_.date();
  answering.request_id = x.request_id;
  answering.framing = framing;
  answering.websocket = switching;
  answering.personal = forms.has_value();
  if (!switching && shared().draining()) close_ = true;
  answering.close = close_;
  if (!x.request.navigation && !response.html && !switching &&
      response.headers.value(Known::content_type).find("json") != std::string_view::npos) {
    x.rate = shared().rate_limit_policy;
    x.rate.append("RateLimit: ")
        .append(limit::rate_limit_field("default", x.admission.rate))
        .append("\r\n");
    answering.rate_limit = x.rate;
  }
  x.out.clear();
  append_client_response(response, answering, x.out);
  answered_ = true;
  x.status = response.status;
  if (switching) {
    co_await tunnel(lease, std::string_view(buffer.get() + head, end - head));
    co_return Relay::broken;  // neither connection is of further use
  }
  // A small body that is here already leaves with its head, in one record and one write.
  std::size_t begin = head;
  if (checked == Answer::held) {
    const bool left = co_await send_held(framing);
    x.complete = left;
    if (!response.keep_alive || (body_ != nullptr && !body_->done())) lease.stream->cancel();
    co_return left ? Relay::done : Relay::broken;
  }
  if (!forms && response.body.kind == http::Framing::Kind::length &&
      end - head >= response.body.length) {
    const auto size = static_cast<std::size_t>(response.body.length);
    x.out.append(buffer.get() + head, size);
    observe(std::string_view(buffer.get() + head, size));
    begin += size;
  }
  const bool whole = response.body.kind == http::Framing::Kind::none || begin > head;
  bool sent = co_await send(x.out);
  if (sent) x.bytes_out += begin - head;
  csrf::FormInjector* const injector = forms ? &*forms : nullptr;
  if (sent && !whole)
    sent = co_await relay_body(backend, buffer.get(), begin, end, framing, injector);
  x.complete = sent;
  if (sent && x.judge_answer) judge_observed(route);
  // Bytes behind the answer, or a backend that will close: not to be used again.
  const bool clean =
      response.keep_alive && (!whole || begin == end) && (body_ == nullptr || body_->done());
  if (!clean) lease.stream->cancel();
  co_return sent ? Relay::done : Relay::broken;
}

// ------------------------------------------------------------------------------------------
// WebSocket

net::Task<void> Connection::tunnel(Backends::Lease& lease, std::string_view first) {
  worker_.metrics_.websockets.add();
  close_ = true;
  tunnel_used_ = loop_.now();
  const bool opened = co_await send(x_->out);
  if (!opened) co_return;
  const std::string_view early(x_->in.get() + x_->begin, x_->end - x_->begin);
  net::Joinable up;
  up.start(pump(*stream_, *lease.stream, early));
  co_await pump(*lease.stream, *stream_, first);
  co_await up.join();
  x_->begin = x_->end;
  x_->complete = true;
}

// A session that ends takes its WebSockets along: by a logout, or because it is as old as it may
// get. So does a client's certificate.
bool Connection::tunnel_may_go_on() const {
  const Shared& shared = this->shared();
  const session::Identity* identity = x_->admission.identity;
  const Time now = shared.clock.now();
  const bool over =
      identity != nullptr && shared.shield.services().sessions.is_over(*identity, now);
  // By the present configuration: a certificate that is taken back has no more say.
  const Config& present = worker_.serving_->shared->config;
  if (x_->request.client_certificate && present.clients != nullptr &&
      !proof_->is_good(present, now))
    return false;
  return !over && loop_.now() - tunnel_used_ < shared.config.timeouts.websocket &&
         !shared.draining();
}

// One direction, until it ends; then the other side is told.
net::Task<void> Connection::pump(net::Stream& from, net::Stream& to, std::string_view first) {
  const std::chrono::milliseconds quiet = shared().config.timeouts.websocket;
  const std::chrono::milliseconds look = std::min(quiet, std::chrono::milliseconds{5000});
  auto buffer = loop_.buffers().take();
  std::uint64_t& count = &from == stream_.get() ? x_->bytes_in : x_->bytes_out;
  bool good = first.empty() || to.write(first);
  if (good) count += first.size();
  std::size_t moved = 0;
  Tick look_again = loop_.in(look);
  while (good) {
    const Tick deadline = loop_.in(quiet);
    if (!to.flushed()) good = co_await to.flush(deadline);
    if (!good) break;
    if (loop_.now() >= look_again) {  // however busy it is
      look_again = loop_.in(look);
      good = tunnel_may_go_on();
      continue;
    }
    const net::Io got = from.read(buffer.get(), net::BufferPool::buffer_size);
    if (got.state == net::Io::ok) {
      tunnel_used_ = loop_.now();
      good = to.write(std::string_view(buffer.get(), got.bytes));
      if (good) count += got.bytes;
      moved += got.bytes;
      if (moved >= turn_size) {
        moved = 0;
        co_await loop_.next_turn();
      }
      continue;
    }
    if (got.state != net::Io::blocked) break;
    const net::Wait wait = co_await from.readable(look_again);
    if (wait == net::Wait::cancelled) good = false;
  }
  if (good) {
    const Tick deadline = loop_.in(std::chrono::seconds{5});
    co_await to.flush(deadline);
    to.shut_down();
    co_await to.flush(deadline);
  } else {
    from.cancel();
    to.cancel();
  }
}

}  // namespace moat::gateway
