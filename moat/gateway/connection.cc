// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/connection.h"

#include <cstring>

#include "moat/base/encoding.h"
#include "moat/http/answer.h"
#include "moat/http/cookie.h"
#include "moat/http/forward.h"
#include "moat/http/websocket.h"
#include "moat/limit/fields.h"

namespace moat::gateway {

using http::Known;

namespace {

// Steps as the metrics call them.
std::string_view step_of(shield::Step step) {
  switch (step) {
    case shield::Step::host:
      return "host";
    case shield::Step::address_limit:
    case shield::Step::user_limit:
      return "limit";
    case shield::Step::client_certificate:
      return "certificate";
    case shield::Step::session:
      return "session";
    case shield::Step::csrf:
      return "csrf";
    case shield::Step::login:
      return "login";
  }
  return "unknown";
}

bool overrides_method(Known known) {
  return known == Known::x_http_method_override || known == Known::x_http_method ||
         known == Known::x_method_override;
}

// In the order of csrf::header_names.
std::string_view csrf_token(const http::Headers& headers) {
  for (const Known known :
       {Known::x_csrf_token, Known::csrf_token, Known::x_xsrf_token, Known::xsrf_token}) {
    const std::string_view value = headers.value(known);
    if (!value.empty()) return value;
  }
  return {};
}

}  // namespace

Connection::Connection(Worker& worker, std::unique_ptr<net::Stream> stream,
                       const net::Endpoint& peer)
    : worker_(worker),
      serving_(worker.serving_),
      loop_(worker.loop_),
      stream_(std::move(stream)),
      peer_(peer) {
  next_ = worker.connections_;
  if (next_ != nullptr) next_->link_ = &next_;
  link_ = &worker.connections_;
  worker.connections_ = this;
}

Connection::~Connection() {
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
}

void Connection::stop_if_idle() {
  if (idle_) stream_->cancel();
}

// ------------------------------------------------------------------------------------ reading
// heads

net::Task<void> Connection::run() {
  while (!close_) {
    const Tick deadline = idle_deadline();
    // Here and not in read_head, whose frame would be there as long.
    if (x_ == nullptr && !has_news()) {
      if (!may_wait()) break;
      const net::Wait wait = co_await stream_->readable(deadline);
      if (wait != net::Wait::ready) break;
    }
    const Read read = co_await read_head(deadline);
    if (read == Read::closed) break;
    if (read == Read::request) co_await serve();
    finish_exchange();
  }
  if (linger_) {
    const Tick deadline = loop_.in(std::chrono::seconds{2});
    co_await net::linger(*stream_, 256 * 1024, deadline);
  } else {
    const Tick deadline = loop_.in(shared().config.timeouts.body_idle);
    co_await stream_->flush(deadline);
    stream_->shut_down();
    // Where the farewell found no room. Else it leaves with the close, and the place is free at
    // once.
    if (!stream_->flushed()) co_await stream_->flush(deadline);
  }
}

net::Task<void> Connection::run_one() {
  is_stream_ = true;
  const Tick idle_until = idle_deadline();
  const Read read = co_await read_head(idle_until);
  if (read == Read::request) co_await serve();
  if (x_ != nullptr) {
    settle();
    worker_.give_back(std::move(x_));
  }
  stream_->shut_down();
  const Tick deadline = loop_.in(shared().config.timeouts.send);
  co_await stream_->flush(deadline);
}

// A request is served under the configuration that is in force when its head is complete.
void Connection::follow() {
  if (serving_ == worker_.serving_) return;
  bound_ = Backends::Lease();  // of a server of the one before
  serving_ = worker_.serving_;
}

// Moves what came behind the request to the front; without any the connection keeps no buffer.
void Connection::finish_exchange() {
  idle_ = true;
  answered_ = false;
  if (x_ == nullptr) return;
  settle();
  const std::size_t left = x_->end - x_->begin;
  if (left == 0 || close_) {
    worker_.give_back(std::move(x_));
    return;
  }
  std::memmove(x_->in.get(), x_->in.get() + x_->begin, left);
  auto in = std::move(x_->in);
  x_->clear();
  x_->in = std::move(in);
  x_->begin = 0;
  x_->end = left;
}

Tick Connection::idle_deadline() {
  follow();
  return loop_.in(shared().config.timeouts.idle);
}

bool Connection::has_news() const { return stream_->descriptor().readable || stream_->pending(); }

// For a request that has not begun.
bool Connection::may_wait() const {
  return !shared().draining() || shared().stopping.patient.load(std::memory_order_relaxed);
}

net::Task<Connection::Read> Connection::read_head(Tick deadline) {
  http::HeadLimits limits;
  // Decided by route.
  limits.allow_encoded_slash = limits.allow_empty_segments = limits.allow_unknown_methods = true;
  bool begun = false;
  for (;;) {
    if (x_ != nullptr && x_->end > 0) {
      follow();
      limits.target = shared().config.max_target;
      limits.section = shared().config.max_header;
      if (!begun) deadline = loop_.in(shared().config.timeouts.header);
      begun = true;
      const std::string_view there(x_->in.get(), x_->end);
      const http::ParseStatus status = http::parse_request_head(there, limits, x_->state, x_->head);
      if (status.complete()) {
        x_->begin = x_->head_end = status.consumed;
        idle_ = false;
        co_return Read::request;
      }
      if (status.refused() || x_->end == net::BufferPool::buffer_size) {
        linger_ = true;
        idle_ = false;
        const int code = status.refused() ? status.status : 431;
        const std::string_view why =
            status.refused() ? status.code : std::string_view("head_too_large");
        co_await refuse(code, why, "The request could not be understood.");
        co_return Read::refused;
      }
    }
    net::Io got;
    if (x_ != nullptr) {
      got = stream_->read(x_->in.get() + x_->end, net::BufferPool::buffer_size - x_->end);
    } else {
      // Idle: first the news, then the buffer.
      got.state = net::Io::blocked;
      if (has_news()) {
        x_ = worker_.take_exchange();
        continue;
      }
    }
    if (got.state == net::Io::ok) {
      x_->end += got.bytes;
      continue;
    }
    if (got.state != net::Io::blocked) co_return Read::closed;
    if (x_ != nullptr && x_->end == 0) worker_.give_back(std::move(x_));
    if (!begun && !may_wait()) co_return Read::closed;
    const net::Wait wait = co_await stream_->readable(deadline);
    if (wait == net::Wait::cancelled) co_return Read::closed;
    if (wait == net::Wait::timed_out) {
      if (!begun) co_return Read::closed;
      idle_ = false;
      co_await refuse(408, "head_timeout", "The request took too long to arrive.");
      co_return Read::refused;
    }
  }
}

// ---------------------------------------------------------------------------------------- the walk

void Connection::fill_request() {
  Exchange& x = *x_;
  const http::RequestHead& head = x.head;
  shield::Request& request = x.request;
  const auto optional = [&](Known known) -> std::optional<std::string_view> {
    const http::Header* field = head.headers.find(known);
    return field == nullptr ? std::nullopt : std::optional(field->value);
  };
  request.method = head.method_text;
  request.path = head.path;
  request.query = head.query;
  request.host = head.host;
  request.peer = peer_.address;
  if (!client_unnamed_ && !shared().config.trusted_proxies.empty()) {
    for (const http::Header& field : head.headers) {
      if (field.known == Known::x_forwarded_for) x.forwarded_for.push_back(field.value);
    }
  }
  request.forwarded_for = x.forwarded_for;
  request.cookie = http::cookie_field(head.headers, x.cookie_scratch);
  request.origin = optional(Known::origin);
  request.referer = optional(Known::referer);
  request.sec_fetch_site = optional(Known::sec_fetch_site);
  request.sec_fetch_mode = optional(Known::sec_fetch_mode);
  request.content_type = head.headers.value(Known::content_type);
  request.accept = head.headers.value(Known::accept);
  request.user_agent = head.headers.value(Known::user_agent);
  request.authorization = head.headers.value(Known::authorization);  // there is one at most
  // They are asked for with cookies only, and of forms.
  if (!request.cookie.empty() || !csrf::is_safe(request.method)) {
    for (const http::Header& field : head.headers) {
      if (overrides_method(field.known)) request.method_override = true;
    }
    request.csrf_token = csrf_token(head.headers);
  }
  request.websocket_upgrade = head.upgrade_websocket;
  request.client_certificate =
      proof_ != nullptr && proof_->is_good(shared().config, shared().clock.now());
  request.navigation = http::wants_html(head.headers);
}

// Gives the request its id and its trace, and starts its time.
void Connection::name_request() {
  Exchange& x = *x_;
  const http::Headers& headers = x.head.headers;
  x.parsed = true;
  x.started = loop_.now();
  const std::string_view given = headers.value(Known::x_request_id);
  // A stranger's id would let him write into the logs of others what he likes to be found there.
  if (headers.count(Known::x_request_id) == 1 && http::is_request_id(given) && !client_unnamed_ &&
      worker_.is_trusted_proxy(peer_.address)) {
    x.request_id = given;
  } else {
    worker_.new_request_id(x.request_id);
  }
  std::optional<http::Trace> trace = http::trace_of(headers);
  x.trace_came = trace.has_value();
  if (!trace && shared().config.start_traces) {
    const std::uint64_t high = worker_.random_word();
    trace = http::new_trace(high, worker_.random_word());
  }
  x.traced = trace.has_value();
  if (trace) x.traceparent = http::make_traceparent(*trace, worker_.random_word());
}

net::Task<bool> Connection::walk(const shield::Rules& rules) {
  Exchange& x = *x_;
  const Shared& shared = this->shared();
  const Time now = shared.clock.now();
  shield::Outcome outcome =
      shared.shield.begin(x.request, rules, now, loop_.now(), &serving_->memory, x.admission);
  if (outcome == shield::Outcome::wait) {
    const bool ready = co_await keys_for_token();
    if (!ready) co_return false;
    outcome = shared.shield.go_on(x.request, rules, shared.clock.now(), loop_.now(),
                                  &serving_->memory, x.admission);
  }
  if (outcome == shield::Outcome::refresh) {
    if (x.admission.api_key.empty()) worker_.metrics_.refreshes.add();
    const Tick tick = loop_.now();
    auto work = [&] {
      shared.shield.refresh(x.request, now, tick, x.admission);
      return true;
    };
    const std::optional<bool> ran = co_await shared.blocking.run(loop_, work);
    if (!ran) {
      co_await refuse(503, "busy", "The server is busy. Please try again in a moment.");
      co_return false;
    }
    if (x.admission.token_reused) report_reuse();
    outcome = shared.shield.finish(x.request, rules, loop_.now(), &serving_->memory, x.admission);
  }
  if (x.admission.would_refuse != csrf::Reason::none) report_forged();
  if (outcome == shield::Outcome::form) co_return co_await check_form(rules);
  if (outcome == shield::Outcome::pass) co_return true;
  co_await refuse_admission();
  co_return false;
}

// A form's token: in a header, or in what of the body has come when it is whole or the buffer full.
net::Task<bool> Connection::check_form(const shield::Rules& rules) {
  Exchange& x = *x_;
  const shield::Shield& shield = shared().shield;
  const Time now = shared().clock.now();
  shield::Outcome outcome = shield.check_form(x.request, rules, std::nullopt, now, x.admission);
  if (outcome == shield::Outcome::form) {
    std::string beginning;
    const int status = co_await read_beginning(beginning);
    if (status != 0) {
      const std::string_view code = status == 408 ? "body_timeout" : "bad_body";
      co_await refuse(status, code, "The request could not be read.");
      co_return false;
    }
    outcome = shield.check_form(x.request, rules, beginning, now, x.admission);
    wipe(beginning);
  }
  if (outcome == shield::Outcome::pass) co_return true;
  co_await refuse_admission();
  co_return false;
}

// The keys of the token's issuer are fetched; a few seconds at most.
net::Task<bool> Connection::keys_for_token() {
  const std::string_view token = shield::bearer_token(x_->request.authorization).value_or("");
  Issuers::Loaded loaded = shared().issuers->loaded(loop_, token);
  const IssuerKeys::Wait waited = co_await loaded;
  if (waited == IssuerKeys::Wait::over) co_return true;
  co_await refuse(503, "busy", "The server is busy. Please try again in a moment.");
  co_return false;
}

// For requests that end before a route's rules apply: they are counted all the same.
net::Task<bool> Connection::count_client() {
  const bool passed =
      shared().shield.count_client(x_->request, loop_.now(), &serving_->memory, x_->admission);
  if (!passed) co_await refuse_admission();
  co_return passed;
}

net::Task<void> Connection::serve() {
  Exchange& x = *x_;
  name_request();
  if (!x.head.keep_alive || shared().draining()) close_ = true;
  fill_request();
  if (x.head.asterisk) {
    // OPTIONS * asks about the server as a whole (RFC 9110 section 9.3.7).
    const bool counted = co_await count_client();
    if (!counted) co_return;
    shield::Response none;
    none.status = 204;
    none.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    co_await respond(std::move(none));
    co_return;
  }
  if (x.head.path == reports_path) {
    co_await collect_reports();
    co_return;
  }
  if (shared().auth != nullptr && shield::AuthApi::handles(x.head.path)) {
    co_await serve_own();
    co_return;
  }
  const Routes::Match match = shared().route_finder.find(x.head.path);
  const bool loose = x.head.empty_segment || (x.head.encoded_slash && match.route != nullptr &&
                                              !match.route->allow_encoded_slash);
  if (match.route == nullptr || match.ambiguous || loose) {
    const bool counted = co_await count_client();
    if (!counted) co_return;
    if (match.ambiguous || loose) {
      co_await refuse(400, "ambiguous_path", "The path could be read in two ways.");
    } else {
      co_await refuse(404, "no_route", "There is nothing here.");
    }
    co_return;
  }
  if (x.head.method == http::Method::other && !match.route->allow_unknown_methods) {
    const bool counted = co_await count_client();
    if (!counted) co_return;
    co_await refuse(501, "method_not_implemented", "This method is not known here.");
    co_return;
  }
  const auto index = static_cast<std::size_t>(match.route - shared().config.routes.data());
  const PreparedRoute* route = &shared().routes[index];
  x.label = route->label;
  x.route = route->route->match;
  const bool passed = co_await walk(route->rules);
  if (!passed) co_return;
  if (x.head.upgrade_websocket) {
    const http::WebSocketCheck check = http::check_websocket(x.head, http::MissingOrigin::allow);
    if (!route->route->websocket || check != http::WebSocketCheck::valid) {
      co_await refuse(400, "bad_websocket", "This is no WebSocket handshake that is accepted here.",
                      http::to_string(check));
      co_return;
    }
  }
  if (http::via_names_us(x.head.headers.value(Known::via), via_name)) {
    co_await refuse(508, "loop", "The request went through this gateway before.");
    co_return;
  }
  if (route->learner != nullptr) begin_learning(*route);
  if (route->route->schema.document != nullptr) {
    const bool described = co_await check_schema(*route);
    if (!described) co_return;
  }
  co_await proxy(*route, index);
}

// ------------------------------------------------------------------------------ answers of our own

bool Connection::body_is_here() const {
  const http::Framing& body = x_->head.body;
  if (body.kind == http::Framing::Kind::none) return true;
  return body.kind == http::Framing::Kind::length && x_->end - x_->begin >= body.length;
}

net::Task<void> Connection::serve_own() {
  Exchange& x = *x_;
  const shield::AuthApi& auth = *shared().auth;
  x.label = RouteLabels::own;
  x.route = "(moat)";
  shield::Rules rules = shield::AuthApi::rules(x.request.method, x.request.path);
  rules.needs_client_certificate = shared().all_need_client_certificate;
  const bool passed = co_await walk(rules);
  if (!passed) co_return;
  std::string body;
  const bool read = co_await read_whole(auth.max_body(), body);
  if (!read) co_return;
  shield::Response response;
  const Shared& shared = this->shared();
  const Tick tick = loop_.now();
  auto work = [&] {
    response = auth.handle(x.request, x.admission, body, shared.clock.now(), tick);
    return true;
  };
  const std::optional<bool> ran = co_await shared.blocking.run(loop_, work);
  wipe(body);
  if (!ran) {
    co_await refuse(503, "busy", "The server is busy. Please try again in a moment.");
    co_return;
  }
  co_await respond(std::move(response));
}

net::Task<void> Connection::respond(shield::Response response) {
  Exchange& x = *x_;
  // A body that has not been read: passed over when it is here, else the connection ends behind the
  // answer.
  if (body_is_here()) {
    x.begin += static_cast<std::size_t>(x.head.body.length);
  } else if (!close_ || !linger_) {
    close_ = linger_ = true;
  }
  OwnAnswer answer;
  answer.security = &shared().security;
  answer.hsts = tls_ ? shared().hsts.now() : std::string_view();
  answer.set_cookies = x.admission.set_cookies;
  answer.date = worker_.date();
  answer.request_id = x.request_id;
  answer.close = close_;
  answer.head_only = x.head.method == http::Method::head;
  x.out.clear();
  append_own_response(response, answer, x.out);
  answered_ = true;
  x.status = response.status;
  x.code = response.code;
  x.complete = co_await send(x.out);
  if (!x.complete) {
    close_ = true;
  } else if (!answer.head_only && response.status != 204 && response.status != 304) {
    x.bytes_out += response.body.size();
  }
}

net::Task<void> Connection::refuse(int status, std::string_view code, std::string_view title,
                                   std::string_view reason) {
  log_refusal(status, code, reason);
  if (!x_->parsed) {
    // No head was understood: nothing that follows can be trusted to be a message.
    close_ = true;
    x_->head.clear();
    x_->started = loop_.now();
    worker_.new_request_id(x_->request_id);
  }
  shield::Response response;
  response.status = status;
  response.code = code;
  if (x_->request.navigation) {
    response.kind = shield::Body::page;
    response.nonce = system_random().token(16);
    http::ErrorPage page;
    page.status = status;
    page.code = code;
    page.detail = title;
    page.request_id = x_->request_id;
    page.nonce = response.nonce;
    http::append_error_page(page, response.body);
  } else {
    response.kind = shield::Body::problem;
    http::append_problem_json(status, code, title, "", response.body);
  }
  const std::chrono::nanoseconds wait = x_->admission.refusal.retry_after;
  const std::string& challenge = x_->admission.refusal.challenge;
  if (!challenge.empty()) {
    response.headers.emplace_back("WWW-Authenticate", challenge);
  } else if (status == 429) {
    response.headers.emplace_back(
        "Retry-After", std::to_string(limit::retry_after_seconds(wait, system_random())));
    add_rate_limit(response);
  } else if (status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  } else if (status == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Session");
  } else if (status == 426) {
    response.headers.emplace_back("Upgrade", "websocket");
  }
  co_await respond(std::move(response));
}

// The connection is from before a reload that asks for another certificate or for one at all, or
// its certificate has expired since.
bool Connection::may_need_handshake() const {
  return proof_ == nullptr || proof_->is_outdated(shared().config, shared().clock.now());
}

net::Task<void> Connection::refuse_admission() {
  const shield::Refusal& refusal = x_->admission.refusal;
  x_->step = step_of(refusal.step);
  if (refusal.step == shield::Step::client_certificate && may_need_handshake())
    close_ = needs_handshake_ = true;
  if (!refusal.location.empty()) {
    shield::Response response;
    response.status = 303;
    response.location = refusal.location;
    response.code = refusal.code;
    co_await respond(std::move(response));
    co_return;
  }
  co_await refuse(refusal.status, refusal.code, refusal.title, refusal.reason);
}

// API answers say how much is left; the accounts' own do not, since that would help who guesses.
void Connection::add_rate_limit(shield::Response& response) const {
  if (x_->request.navigation || shield::AuthApi::handles(x_->head.path) || x_->head.path.empty())
    return;
  const limit::Policy& policy = shared().shield.options().general;
  response.headers.emplace_back("RateLimit-Policy",
                                limit::rate_limit_policy_field("default", policy));
  response.headers.emplace_back("RateLimit",
                                limit::rate_limit_field("default", x_->admission.rate));
}

net::Task<bool> Connection::send(std::string_view bytes) {
  worker_.metrics_.bytes_out.add(bytes.size());
  if (!stream_->write(bytes)) co_return false;
  if (stream_->flushed()) co_return true;
  const Tick deadline = loop_.in(shared().config.timeouts.send);
  co_return co_await stream_->flush(deadline);
}

}  // namespace moat::gateway
