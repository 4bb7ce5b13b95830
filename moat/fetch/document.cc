// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/document.h"

#include <optional>

#include "moat/fetch/internal/address.h"
#include "moat/fetch/internal/exchange.h"
#include "moat/fetch/internal/url.h"
#include "moat/http/response.h"
#include "moat/https/client_tls.h"

namespace moat::fetch {

namespace {

using internal::Url;

std::string request_for(const Url& url, const std::string& accept) {
  return "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority + "\r\nAccept: " + accept +
         "\r\nAccept-Encoding: identity\r\nUser-Agent: Moat\r\nConnection: close\r\n\r\n";
}

Result<void, std::string> check_head(const http::ResponseHead& head) {
  const std::string status = std::to_string(head.status);
  // RFC 9110 section 15.4: whoever can make the server redirect chooses what is fetched.
  if (head.status >= 300 && head.status < 400)
    return Error{"the answer is " + status + ": redirects are not followed"};
  if (head.status != 200) return Error{"the answer is " + status};
  return {};
}

}  // namespace

struct Document::State {
  Url url;
  std::optional<https::ClientContext> tls;
  std::string request;
  std::chrono::milliseconds timeout;
  const std::atomic<bool>* cancelled;
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
  state->cancelled = options.cancelled;
  state->max_bytes = options.max_bytes;
  return Document(std::move(state));
}

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<std::string, std::string> Document::get() const {
  const State& state = *state_;
  const internal::Question question{state.url,         state.tls ? &*state.tls : nullptr,
                                    http::Method::get, state.request,
                                    state.timeout,     state.max_bytes,
                                    check_head,        state.cancelled};
  MOAT_TRY(const std::unique_ptr<internal::Answer> answer, internal::exchange(question));
  return std::move(answer->body);
}

}  // namespace moat::fetch
