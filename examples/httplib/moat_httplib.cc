// SPDX-License-Identifier: Apache-2.0
#include "moat_httplib.h"

#include <optional>
#include <utility>

#include "moat/base/random.h"
#include "moat/base/secret.h"
#include "moat/http/answer.h"
#include "moat/http/cookie.h"
#include "moat/http/set_cookie.h"
#include "moat/limit/fields.h"
#include "moat/session/cookies.h"

namespace moat_httplib {

using namespace moat;
using http::Known;

namespace {

// Where a refused request goes so that httplib reads its body first: an unread body would be taken
// for the next request of the connection.
constexpr const char* refused_path = "/.refused";

constexpr std::string_view cookie_names[] = {session::access_cookie, session::refresh_cookie,
                                             session::pre_session_cookie, session::device_cookie};

// httplib puts these among the client's fields.
bool is_httplibs_own(std::string_view name) {
  return name == "REMOTE_ADDR" || name == "REMOTE_PORT" || name == "LOCAL_ADDR" ||
         name == "LOCAL_PORT";
}

std::string_view content_type_of(shield::Body kind) {
  switch (kind) {
    case shield::Body::json:
      return "application/json";
    case shield::Body::page:
      return http::html_content_type;
    case shield::Body::text:
      return "text/plain; charset=utf-8";
    case shield::Body::problem:
    case shield::Body::none:
      break;
  }
  return http::problem_content_type;
}

// Ends the connection behind the answer: httplib closes when a provider gives up.
void send_and_close(httplib::Response& response, std::string body, std::string_view type) {
  response.set_header("Connection", "close");
  response.set_content_provider(
      body.size(), std::string(type),
      [body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        sink.write(body.data() + offset, length);
        return false;
      });
}

// The cookies that a handler has set, made safe; Moat's own are not for handlers to set.
void harden_cookies(httplib::Response& response) {
  std::vector<std::string> kept;
  const auto [begin, end] = response.headers.equal_range("Set-Cookie");
  for (auto it = begin; it != end; ++it) {
    http::HardenOptions options;
    options.reserved = cookie_names;
    std::string out;
    const http::Hardened done = http::harden_set_cookie(it->second, options, out);
    if (done == http::Hardened::unchanged || done == http::Hardened::changed)
      kept.push_back(std::move(out));
  }
  response.headers.erase("Set-Cookie");
  for (std::string& cookie : kept) response.headers.emplace("Set-Cookie", std::move(cookie));
}

void add_lines(httplib::Response& response, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::size_t colon = lines.find(": ");
    if (end == std::string_view::npos || colon > end) return;
    response.headers.emplace(lines.substr(0, colon), lines.substr(colon + 2, end - colon - 2));
    lines.remove_prefix(end + 2);
  }
}

}  // namespace

// One request on its way. httplib serves each from its first to its last hook on one thread.
struct Guard::Exchange {
  std::string text;
  http::RequestHead head;
  std::string path;  // decoded, as httplib routes by it
  std::string cookies;
  shield::Request request;
  shield::Admission admission;
  bool walked = false;
  bool is_auth = false;
  bool framed = false;  // the end of the body is known beyond doubt
  std::optional<shield::Response> own;
  std::string nonce;
};

Guard::Exchange& Guard::exchange() {
  thread_local Exchange current;
  return current;
}

Guard::Guard(const shield::Shield& shield, const shield::AuthApi& auth, const Log& log,
             Options options)
    : shield_(shield), auth_(auth), log_(log), options_(std::move(options)) {}

void Guard::allow(std::string path, shield::Rules rules) {
  rules_.emplace_back(std::move(path), rules);
}

void Guard::attach(httplib::Server& server) {
  server.set_payload_max_length(options_.max_body);
  server.set_pre_routing_handler(
      [this](const auto& request, auto& response) { return before(request, response); });
  server.set_post_routing_handler(
      [this](const auto& request, auto& response) { after(request, response); });
  server.set_error_handler(httplib::Server::Handler(
      [this](const auto& request, auto& response) { explain(request, response); }));
  server.set_exception_handler([](const auto&, auto& response, std::exception_ptr) {
    response.status = 500;  // what was thrown is nobody's business
  });
  const httplib::Server::Handler auth = [this](const auto& request, auto& response) {
    answer_auth(request, response);
  };
  for (const char* path : {R"(/auth(/.*)?)", R"(/\.well-known/moat/.*)"}) {
    server.Get(path, auth).Post(path, auth).Put(path, auth).Patch(path, auth);
    server.Delete(path, auth).Options(path, auth);
  }
  const httplib::Server::Handler refused = [this](const auto&, auto& response) {
    response.status = 404;  // for who asks for it by name
    if (exchange().own) write(*exchange().own, response);
  };
  server.Post(refused_path, refused).Put(refused_path, refused).Patch(refused_path, refused);
  server.Delete(refused_path, refused);
}

const session::Identity* Guard::user() const { return exchange().admission.identity; }

// ------------------------------------------------------------------------------ before the handler

// httplib has parsed the head its own way. Written down again and read by Moat's parser, it either
// has one meaning or is refused.
bool Guard::read_head(const httplib::Request& request) const {
  Exchange& x = exchange();
  x.text = request.method + " " + request.target + " " + request.version + "\r\n";
  for (const auto& [name, value] : request.headers) {
    if (is_httplibs_own(name)) continue;
    if (!http::append_field(x.text, name, value)) return refuse(400, "bad_field", "A bad header.");
  }
  x.text += "\r\n";
  const http::ParseStatus parsed = http::parse_request_head(x.text, {}, x.head);
  if (!parsed.complete() || parsed.consumed != x.text.size()) {
    const bool refused = parsed.refused();
    return refuse(refused ? parsed.status : 400, refused ? parsed.code : "malformed",
                  "The request could be read in two ways.");
  }
  for (const Known known :
       {Known::origin, Known::referer, Known::sec_fetch_site, Known::cookie, Known::authorization,
        Known::x_csrf_token, Known::csrf_token, Known::x_xsrf_token, Known::xsrf_token}) {
    if (x.head.headers.count(known) > 1)
      return refuse(400, "duplicate_field", "A header that may come once came twice.");
  }
  http::decode_path(x.head.path, x.path);
  if (x.head.asterisk || x.path != request.path)
    return refuse(400, "ambiguous_path", "The path could be read in two ways.");
  return true;
}

bool Guard::check_body(const httplib::Request& request) const {
  Exchange& x = exchange();
  const http::Framing& body = x.head.body;
  if (body.kind == http::Framing::Kind::chunked)
    return refuse(411, "length_required", "Send a Content-Length.");
  // httplib reads no body here, and would take it for the next request.
  if (http::is_safe(x.head.method) && body.kind != http::Framing::Kind::none)
    return refuse(400, "unexpected_body", "This method has no body.");
  if (body.length > (x.is_auth ? auth_.max_body() : options_.max_body))
    return refuse(413, "body_too_large", "The request is too large.");
  x.framed = true;
  if (x.head.headers.has(Known::content_encoding))
    return refuse(415, "unsupported_encoding", "Send the body as it is.");
  // Without a length there is no body (RFC 9112 section 6.3); httplib would wait for one.
  if (body.kind == http::Framing::Kind::none)
    const_cast<httplib::Request&>(request).set_header("Content-Length", "0");
  return true;
}

void Guard::fill_request(const httplib::Request& request) const {
  Exchange& x = exchange();
  const http::Headers& headers = x.head.headers;
  const auto optional = [&](Known known) -> std::optional<std::string_view> {
    const http::Header* field = headers.find(known);
    return field == nullptr ? std::nullopt : std::optional(field->value);
  };
  x.request.method = x.head.method_text;
  x.request.path = x.is_auth ? std::string_view(x.path) : x.head.path;
  x.request.query = x.head.query;
  x.request.host = x.head.host;
  x.request.peer = IpAddress::parse(request.remote_addr).value_or(IpAddress());
  x.request.cookie = http::cookie_field(headers, x.cookies);
  x.request.origin = optional(Known::origin);
  x.request.referer = optional(Known::referer);
  x.request.sec_fetch_site = optional(Known::sec_fetch_site);
  x.request.sec_fetch_mode = optional(Known::sec_fetch_mode);
  x.request.content_type = headers.value(Known::content_type);
  x.request.accept = headers.value(Known::accept);
  x.request.user_agent = headers.value(Known::user_agent);
  x.request.authorization = headers.value(Known::authorization);
  for (const Known known :
       {Known::x_csrf_token, Known::csrf_token, Known::x_xsrf_token, Known::xsrf_token}) {
    if (x.request.csrf_token.empty()) x.request.csrf_token = headers.value(known);
  }
  x.request.method_override = headers.has(Known::x_http_method_override) ||
                              headers.has(Known::x_http_method) ||
                              headers.has(Known::x_method_override);
  x.request.websocket_upgrade = x.head.upgrade_websocket;
  x.request.navigation = http::wants_html(headers);
}

const shield::Rules& Guard::rules_for(std::string_view path) const {
  const shield::Rules* found = &strictest_;
  std::size_t longest = 0;
  for (const auto& [pattern, rules] : rules_) {
    const std::string_view stem = std::string_view(pattern).substr(0, pattern.size() - 1);
    const bool below = pattern.size() > 1 && pattern.substr(pattern.size() - 2) == "/*";
    const bool fits = below ? path.substr(0, stem.size()) == stem : path == pattern;
    if (!fits || pattern.size() <= longest) continue;
    longest = pattern.size();
    found = &rules;
  }
  return *found;
}

Guard::Handled Guard::before(const httplib::Request& request, httplib::Response& response) const {
  Exchange& x = exchange();
  x = Exchange();
  const auto passes = [&] {
    if (!read_head(request)) return false;
    x.is_auth = shield::AuthApi::handles(x.path);
    if (!check_body(request)) return false;
    fill_request(request);
    x.walked = true;
    const shield::Rules rules =
        x.is_auth ? shield::AuthApi::rules(x.request.method, x.path) : rules_for(x.path);
    const Clock& clock = system_clock();
    if (shield_.admit(x.request, rules, clock.now(), clock.tick(), x.admission)) return true;
    return refuse_admission();
  };
  if (passes()) return Handled::Unhandled;
  log_.info("refused", {{"status", x.own->status},
                        {"code", x.own->code},
                        {"reason", x.admission.refusal.reason},
                        {"client", request.remote_addr},
                        {"method", request.method},
                        {"target", request.target}});
  if (x.framed && !http::is_safe(x.head.method)) {
    // The request is httplib's own and not const; this is the one way to have it read the body.
    const_cast<httplib::Request&>(request).path = refused_path;
    return Handled::Unhandled;
  }
  std::string body;
  if (!x.framed) std::swap(body, x.own->body);
  write(*x.own, response);
  if (!x.framed) send_and_close(response, body, content_type_of(x.own->kind));
  return Handled::Handled;
}

// ------------------------------------------------------------------------------------- own answers

bool Guard::refuse(int status, std::string_view code, std::string_view title) const {
  Exchange& x = exchange();
  shield::Response& own = x.own.emplace();
  own.status = status;
  own.code = code;
  own.kind = x.request.navigation ? shield::Body::page : shield::Body::problem;
  if (own.kind == shield::Body::page) {
    own.nonce = system_random().token(16);
    http::append_error_page({.status = status, .code = code, .detail = title, .nonce = own.nonce},
                            own.body);
  } else {
    http::append_problem_json(status, code, title, "", own.body);
  }
  return false;
}

bool Guard::refuse_admission() const {
  Exchange& x = exchange();
  const shield::Refusal& refusal = x.admission.refusal;
  refuse(refusal.status, refusal.code, refusal.title);
  x.own->location = refusal.location;
  const std::string challenge = refusal.challenge.empty() ? "Session" : refusal.challenge;
  if (refusal.status == 401 || !refusal.challenge.empty())
    x.own->headers.emplace_back("WWW-Authenticate", challenge);
  if (refusal.status == 429) {
    const auto wait = limit::retry_after_seconds(refusal.retry_after, system_random());
    x.own->headers.emplace_back("Retry-After", std::to_string(wait));
  }
  return false;
}

void Guard::answer_auth(const httplib::Request& request, httplib::Response& response) const {
  Exchange& x = exchange();
  const Clock& clock = system_clock();
  x.own = auth_.handle(x.request, x.admission, request.body, clock.now(), clock.tick());
  wipe(const_cast<httplib::Request&>(request).body);  // it may hold a password
  write(*x.own, response);
}

void Guard::write(const shield::Response& own, httplib::Response& response) const {
  response.status = own.status;
  if (!own.body.empty()) response.set_content(own.body, std::string(content_type_of(own.kind)));
  if (!own.location.empty()) response.set_header("Location", own.location);
  for (const auto& [name, value] : own.headers) response.set_header(name, value);
  for (const std::string& cookie : own.set_cookies) response.headers.emplace("Set-Cookie", cookie);
}

// httplib's own refusals and a handler's bare status get a body; all others have one.
void Guard::explain(const httplib::Request&, httplib::Response& response) const {
  Exchange& x = exchange();
  if (x.own || !response.body.empty() || response.has_header("Content-Type")) return;
  std::string body;
  http::append_problem_json(response.status, response.status == 404 ? "not_found" : "refused",
                            http::reason_phrase(response.status), "", body);
  response.set_content(body, std::string(http::problem_content_type));
}

// ------------------------------------------------------------------------------- behind the
// handler

void Guard::after(const httplib::Request&, httplib::Response& response) const {
  Exchange& x = exchange();
  if (!x.own) harden_cookies(response);
  for (const std::string& cookie : x.admission.set_cookies)
    response.headers.emplace("Set-Cookie", cookie);

  http::Headers sent;
  for (const auto& [name, value] : response.headers) sent.add(name, value);
  http::SecurityHeaders::Answer answer;
  const std::string type = response.get_header_value("Content-Type");
  if (x.own || !x.walked) {
    const bool page = x.own && x.own->kind == shield::Body::page;
    answer.kind = page ? http::AnswerKind::moat_page : http::AnswerKind::moat_api;
    if (page) answer.nonce = x.own->nonce;
  } else {
    answer.kind =
        http::is_html(type) ? http::AnswerKind::proxied_html : http::AnswerKind::proxied_other;
    answer.backend = &sent;
    answer.csp = options_.csp;
    answer.no_store = x.admission.identity != nullptr || sent.has(Known::set_cookie);
  }
  answer.hsts = options_.hsts;
  std::string lines;
  security_.append(answer, lines);
  add_lines(response, lines);
  if (x.walked && !x.is_auth && !x.request.navigation)
    response.headers.emplace("RateLimit", limit::rate_limit_field("default", x.admission.rate));
  x = Exchange();
}

}  // namespace moat_httplib
