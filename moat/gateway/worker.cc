// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/worker.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/gateway/connection.h"
#include "moat/gateway/http2_connection.h"

namespace moat::gateway {

void Exchange::clear() {
  begin = end = head_end = 0;
  state.reset();
  head.clear();
  response_state.reset();
  response.clear();
  request = shield::Request();
  admission = shield::Admission();
  forwarded_for.clear();
  cookie_scratch.clear();
  out.clear();
  upstream.clear();
  request_id.clear();
  parsed = complete = traced = trace_came = false;
  started = backend_asked = backend_began = Tick{};
  status = 0;
  bytes_in = bytes_out = 0;
  step = code = std::string_view();
  label = RouteLabels::none;
  route = "(none)";
  backend.clear();
}

namespace {
session::AssertionSigner::Options assertion_options(const Config& config) {
  session::AssertionSigner::Options options;
  options.issuer = "https://" + config.domains.front();
  return options;
}
}  // namespace

Worker::Worker(Shared& shared, https::ServerContext tls, jwt::KeyRing assertion_keys,
               unsigned index)
    : shared_(shared),
      tls_(std::move(tls)),
      backends_(loop_, shared.config),
      signer_(std::move(assertion_keys), assertion_options(shared.config)),
      id_prefix_(hex_encode(system_random().bytes(5)) + std::to_string(index)) {}

Worker::~Worker() = default;

void Worker::listen_https(int fd) {
  listeners_.push_back(std::make_unique<net::Listener>(
      loop_, fd, [this](int client, const net::Endpoint& peer) { accept(client, peer, true); }));
}

void Worker::listen_http(int fd) {
  listeners_.push_back(std::make_unique<net::Listener>(
      loop_, fd, [this](int client, const net::Endpoint& peer) { accept(client, peer, false); }));
}

bool Worker::count_connection(const IpAddress& peer) {
  if (is_trusted_proxy(peer)) return shared_.connections.open_any();
  return shared_.connections.open(peer);
}

void Worker::uncount_connection(const IpAddress& peer) {
  if (is_trusted_proxy(peer)) return shared_.connections.close_any();
  shared_.connections.close(peer);
}

// It brings many clients; each has its limits by the address that the proxy names.
bool Worker::is_trusted_proxy(const IpAddress& peer) const {
  const auto& proxies = shared_.config.trusted_proxies;
  return std::any_of(proxies.begin(), proxies.end(),
                     [&](const Cidr& cidr) { return cidr.contains(peer); });
}

void Worker::accept(int fd, const net::Endpoint& peer, bool tls) {
  metrics_.connections.add();
  if (!count_connection(peer.address)) {
    metrics_.connections_refused.add();
    std::uint64_t passed_over = 0;
    if (may_log_refusal(passed_over)) {
      shared_.log.warn("connection_refused", {{"client", peer.address.to_string()},
                                              {"reason", "too_many_connections"},
                                              {"not_logged_before", passed_over}});
    }
    ::close(fd);
    return;
  }
  net::spawn(serve(fd, peer, tls));
}

net::Task<void> Worker::serve(int fd, net::Endpoint peer, bool tls) {
  const Timeouts& timeouts = shared_.config.timeouts;
  if (!tls) {
    Connection connection(*this, std::make_unique<net::TcpStream>(loop_, fd), peer);
    co_await connection.run_plain();
  } else {
    auto stream = std::make_unique<net::TlsStream>(loop_, fd, tls_.native());
    net::TlsStream& secure = *stream;
    Connection connection(*this, std::move(stream), peer);
    const Tick deadline = loop_.in(timeouts.handshake);
    const net::TlsStream::Handshake result = co_await secure.handshake(deadline);
    if (result == net::TlsStream::Handshake::done && secure.protocol() == "h2") {
      metrics_.http2_connections.add();
      connection.lend_stream();
      Http2Connection several(*this, secure, peer, secure.version());
      co_await several.run();
    } else if (result == net::TlsStream::Handshake::done) {
      connection.speaks("", secure.version());
      co_await connection.run();
    } else {
      metrics_.handshakes_failed.add();
      if (result == net::TlsStream::Handshake::plain_http) {
        const Tick soon = loop_.in(std::chrono::seconds{2});
        co_await secure.refuse_plain_http(soon);
      }
    }
  }
  uncount_connection(peer.address);
}

void Worker::run() {
  pthread_setname_np(pthread_self(), "moat-loop");
  loop_.run();
}

void Worker::drain(std::chrono::milliseconds at_most) {
  loop_.post([this, at_most] {
    if (stopping_) return;
    stopping_ = true;
    for (const auto& listener : listeners_) listener->close();
    for (Connection* c = connections_; c != nullptr; c = c->next_) c->stop_if_idle();
    for (Http2Connection* c = http2_connections_; c != nullptr; c = c->next_) c->stop();
    net::spawn(end_drain(loop_.in(at_most)));
  });
}

net::Task<void> Worker::end_drain(Tick deadline) {
  const std::chrono::milliseconds look(20);
  const auto listening = [this] {
    for (const auto& listener : listeners_) {
      if (!listener->closed()) return true;
    }
    return false;
  };
  while (listening()) co_await loop_.sleep_for(look);
  listeners_.clear();  // an open socket would go on taking connections that nobody serves
  while (connections_ != nullptr && loop_.now() < deadline) co_await loop_.sleep_for(look);
  // Whoever is left is cut off, and given the turns to notice.
  for (Connection* c = connections_; c != nullptr; c = c->next_) c->cancel();
  const std::chrono::seconds grace(6);
  const Tick end = loop_.in(grace);
  while (connections_ != nullptr && loop_.now() < end) co_await loop_.sleep_for(look);
  backends_.close_idle();
  loop_.stop();
}

std::unique_ptr<Exchange> Worker::take_exchange() {
  std::unique_ptr<Exchange> exchange;
  if (exchanges_.empty()) {
    exchange = std::make_unique<Exchange>();
  } else {
    exchange = std::move(exchanges_.back());
    exchanges_.pop_back();
  }
  exchange->in = loop_.buffers().take();
  return exchange;
}

void Worker::give_back(std::unique_ptr<Exchange> exchange) {
  constexpr std::size_t kept = 64;
  if (exchanges_.size() >= kept) return;
  exchange->in.reset();
  exchange->clear();
  exchanges_.push_back(std::move(exchange));
}

void Worker::new_request_id(std::string& out) {
  out.assign(id_prefix_);
  out.push_back('-');
  out.append(std::to_string(++next_id_));
}

std::uint64_t Worker::random_word() {
  std::uint64_t word = 0;
  if (random_used_ + sizeof word > random_.size()) {
    system_random().fill(random_);
    random_used_ = 0;
  }
  std::memcpy(&word, random_.data() + random_used_, sizeof word);
  random_used_ += sizeof word;
  return word;
}

bool Worker::may_log_refusal(std::uint64_t& passed_over) {
  if (loop_.now() - refusals_since_ >= std::chrono::seconds{1}) {
    refusals_since_ = loop_.now();
    refusals_logged_ = 0;
  }
  if (++refusals_logged_ > refusals_a_second) {
    ++refusals_passed_over_;
    return false;
  }
  passed_over = std::exchange(refusals_passed_over_, 0);
  return true;
}

std::string_view Worker::date() {
  if (date_.empty() || loop_.now() >= date_until_) {
    const Time now = shared_.clock.now();
    date_ = format_http_date(now);
    const auto whole = std::chrono::floor<std::chrono::seconds>(now);
    date_until_ = loop_.now() + (whole + std::chrono::seconds{1} - now);
  }
  return date_;
}

std::string_view Worker::assertion(const session::Identity& identity, std::string_view audience,
                                   Time now) {
  return signer_.assertion(identity, audience, now);
}

}  // namespace moat::gateway
