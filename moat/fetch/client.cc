// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/client.h"

#include <atomic>
#include <map>
#include <mutex>

#include "moat/base/encoding.h"
#include "moat/fetch/internal/address.h"
#include "moat/fetch/internal/exchange.h"
#include "moat/http/headers.h"

namespace moat::fetch {

namespace {

using Method = Request::Method;

constexpr std::size_t most_hosts = 16;  // whose TLS contexts are kept

http::Method plain(Method method) {
  switch (method) {
    case Method::get:
      return http::Method::get;
    case Method::head:
      return http::Method::head;
    case Method::post:
      return http::Method::post;
  }
  return http::Method::get;
}

Result<std::string, std::string> write_request(const Request& request, const internal::Url& url) {
  std::string out = request.method == Method::get    ? "GET "
                    : request.method == Method::head ? "HEAD "
                                                     : "POST ";
  out.append(url.target).append(" HTTP/1.1\r\nHost: ").append(url.authority).append("\r\n");
  bool good = http::append_field(out, "Accept", request.accept);
  if (request.method == Method::post) {
    good = good && http::append_field(out, "Content-Type", request.content_type);
    out.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  if (!good) return Error{std::string("the request cannot be written")};
  out.append("Accept-Encoding: identity\r\nUser-Agent: Moat\r\nConnection: close\r\n\r\n");
  if (request.method == Method::post) out.append(request.body);
  return out;
}

Result<void, std::string> take_any(const http::ResponseHead&) { return {}; }

}  // namespace

std::string_view Reply::field(std::string_view name) const {
  for (const auto& [known, value] : fields) {
    if (known == name) return value;
  }
  return {};
}

struct Client::State {
  ClientOptions options;
  std::atomic<bool> cancelled{false};
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const https::ClientContext>> contexts;  // by host

  Result<std::shared_ptr<const https::ClientContext>, std::string> context_for(
      const std::string& host) {
    const std::lock_guard lock(mutex);
    if (const auto found = contexts.find(host); found != contexts.end()) return found->second;
    https::ClientPolicy policy;
    policy.name = host;
    policy.roots = options.roots;
    auto made = https::ClientContext::create(policy);
    if (!made) return Error{std::string(https::to_string(made.error()))};
    auto context = std::make_shared<const https::ClientContext>(std::move(*made));
    if (contexts.size() >= most_hosts) contexts.clear();
    contexts[host] = context;
    return std::shared_ptr<const https::ClientContext>(context);
  }
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client, std::string> Client::create(ClientOptions options) {
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  // Roots of no use are found out now.
  if (auto tried = state->context_for("localhost"); !tried) return Error{tried.error()};
  return Client(std::move(state));
}

void Client::cancel() const { state_->cancelled = true; }

Result<Reply, std::string> Client::send(const Request& request) const {
  MOAT_TRY(const internal::Url url, internal::parse_url(request.url));
  if (!url.secure) return Error{std::string("no https:// URL")};
  const auto literal = IpAddress::parse(url.host);
  if (literal && !internal::may_connect(url, *literal))
    return Error{std::string("an address that Moat asks nothing of")};
  MOAT_TRY(const std::string text, write_request(request, url));
  MOAT_TRY(const std::shared_ptr<const https::ClientContext> tls, state_->context_for(url.host));
  const internal::Question question{url,
                                    tls.get(),
                                    plain(request.method),
                                    text,
                                    state_->options.timeout,
                                    state_->options.max_bytes,
                                    take_any,
                                    &state_->cancelled};
  MOAT_TRY(std::unique_ptr<internal::Answer> answer, internal::exchange(question));
  Reply reply;
  reply.status = answer->head.status;
  for (const http::Header& field : answer->head.headers)
    reply.fields.emplace_back(ascii_lower(field.name), std::string(field.value));
  reply.body = std::move(answer->body);
  return reply;
}

}  // namespace moat::fetch
