// SPDX-License-Identifier: Apache-2.0
// What a connection to port 80 is answered: one request, and nothing that matters in the clear.
#include "moat/gateway/connection.h"

namespace moat::gateway {

using http::Known;

// A CA asks in the clear (RFC 8555 section 8.3). False: it was no question of a CA's.
net::Task<bool> Connection::answer_ca() {
  constexpr std::string_view prefix = "/.well-known/acme-challenge/";
  const AcmeTokens* tokens = shared().acme_tokens.get();
  const std::string_view path = x_->head.path;
  if (tokens == nullptr || path.substr(0, prefix.size()) != prefix) co_return false;
  shield::Response response;
  response.body = tokens->find(path.substr(prefix.size()));
  if (response.body.empty() || !http::is_safe(x_->head.method)) {
    co_await refuse(404, "not_found", "There is no such page.");
    co_return true;
  }
  response.kind = shield::Body::text;
  co_await respond(std::move(response));
  co_return true;
}

net::Task<void> Connection::redirect_to_https() {
  const Exchange& x = *x_;
  https::PlainRequest plain;
  plain.method = x.head.method_text;
  plain.host = x.head.host;
  plain.target = x.head.target;
  plain.accept = x.request.accept;
  plain.has_cookie = !x.request.cookie.empty();
  plain.has_authorization = x.head.headers.has(Known::authorization);
  plain.is_upgrade = x.head.headers.has(Known::upgrade);
  const auto redirect = https::redirect(plain, shared().redirect);
  if (redirect) {
    shield::Response response;
    response.status = 308;
    response.location = redirect->location;
    co_await respond(std::move(response));
  } else {
    co_await refuse(redirect.error().status, redirect.error().code, "Use https.");
  }
}

net::Task<void> Connection::run_plain() {
  tls_ = false;
  const Tick idle_until = idle_deadline();
  const Read read = co_await read_head(idle_until);
  if (read == Read::request) {
    name_request();
    x_->label = RouteLabels::redirect;
    x_->route = "(redirect)";
    close_ = linger_ = true;
    fill_request();
    const bool answered = co_await answer_ca();
    if (!answered) co_await redirect_to_https();
  }
  finish_exchange();
  const Tick deadline = loop_.in(std::chrono::seconds{2});
  co_await net::linger(*stream_, 256 * 1024, deadline);
}

}  // namespace moat::gateway
