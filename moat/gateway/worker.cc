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
#include "moat/http/proxy_protocol.h"

namespace moat::gateway {

namespace {
// What was once large gives its memory back.
void forget(std::string& text) {
  constexpr std::size_t kept = 64 * 1024;
  text.clear();
  if (text.capacity() > kept) std::string().swap(text);
}
}  // namespace

void Learning::clear() {
  on = has_body = encoded = false;
  wipe(body);
  forget(body);
}

void Exchange::let_body_go() {
  // What is learned of it is its beginning; one byte too many says that it was larger.
  constexpr std::size_t learned = openapi::LearnLimits::body_bytes + 1;
  const std::size_t left = learning.on ? std::min(body.size(), learned) : 0;
  if (left < body.size()) {
    std::string beginning = body.substr(0, left);
    wipe(body);
    body = std::move(beginning);
  }
  forget(upstream);
  held.shrink_to(kept());
}

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
  forget(out);
  forget(upstream);
  request_id.clear();
  described.operation = nullptr;
  described.path_values.clear();
  fields.clear();
  wipe(body);
  forget(body);
  held.release();
  forget(answer);
  body_read = observe_answer = judge_answer = false;
  learning.clear();
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

Serving::Serving(net::Loop& loop, std::shared_ptr<const Shared> all, https::ServerContext context,
                 jwt::KeyRing assertion_keys)
    : shared(std::move(all)),
      tls(std::move(context)),
      backends(loop, shared->backends, shared->log, shared->config.timeouts.connect),
      signer(std::move(assertion_keys), assertion_options(shared->config)) {}

Worker::Worker(std::shared_ptr<const Shared> shared, https::ServerContext tls,
               jwt::KeyRing assertion_keys, unsigned index, net::Engine engine)
    : loop_(engine),
      serving_(std::make_shared<Serving>(loop_, std::move(shared), std::move(tls),
                                         std::move(assertion_keys))),
      connection_limits_(serving_->shared->connections),
      id_prefix_(hex_encode(system_random().bytes(5)) + std::to_string(index)) {}

Worker::~Worker() = default;

void Worker::listen_https(int fd) {
  listeners_.push_back(std::make_unique<net::Listener>(
      loop_, fd, [this](int client, const net::Endpoint& peer) { accept(client, peer, true); },
      [this] { out_of_descriptors(); }));
}

void Worker::listen_http(int fd) {
  listeners_.push_back(std::make_unique<net::Listener>(
      loop_, fd, [this](int client, const net::Endpoint& peer) { accept(client, peer, false); },
      [this] { out_of_descriptors(); }));
}

void Worker::out_of_descriptors() {
  metrics_.connections_waiting.add();
  std::uint64_t passed_over = 0;
  if (!may_log_refusal(passed_over)) return;
  serving_->shared->log.warn("clients_wait",
                             {{"reason", "out of file descriptors"},
                              {"hint",
                               "raise the limit of open files (LimitNOFILE) or lower "
                               "server.max_connections"},
                              {"not_logged_before", passed_over}});
}

void Worker::serve_by(std::shared_ptr<const Shared> shared, https::ServerContext tls,
                      jwt::KeyRing assertion_keys, std::function<void()> done) {
  auto context = std::make_shared<https::ServerContext>(std::move(tls));
  loop_.post([this, all = std::move(shared), context, keys = std::move(assertion_keys), done] {
    follow(std::make_shared<Serving>(loop_, all, std::move(*context), keys));
    done();
  });
}

// What came before ends with the last request that began under it, not with the last connection.
void Worker::follow(std::shared_ptr<Serving> next) {
  const std::shared_ptr<Serving> before = std::exchange(serving_, std::move(next));
  before->backends.close_idle();
  std::erase_if(earlier_, [](const auto& serving) { return serving.expired(); });
  earlier_.push_back(before);
  for (Connection* c = connections_; c != nullptr; c = c->next_) c->follow_if_idle();
  for (Http2Connection* c = http2_connections_; c != nullptr; c = c->next_) c->follow();
  if (!checks_backends_) return;
  net::spawn(end_checks(before));
  if (!stopping_) serving_->backends.start_checks();
}

// A question under way still looks at what it was asked for.
net::Task<void> Worker::end_checks(std::shared_ptr<Serving> serving) {
  const std::chrono::milliseconds look(20);
  serving->backends.stop_checks();
  while (serving->backends.checking()) co_await loop_.sleep_for(look);
}

bool Worker::count_connection(const IpAddress& peer, bool from_proxy) {
  return from_proxy ? connection_limits_.open_any() : connection_limits_.open(peer);
}

void Worker::uncount_connection(const IpAddress& peer, bool from_proxy) {
  if (from_proxy) return connection_limits_.close_any();
  connection_limits_.close(peer);
}

// It brings many clients; each has its limits by the address that the proxy names.
bool Worker::is_trusted_proxy(const IpAddress& peer) const {
  const auto& proxies = serving_->shared->config.trusted_proxies;
  return std::any_of(proxies.begin(), proxies.end(),
                     [&](const Cidr& cidr) { return cidr.contains(peer); });
}

void Worker::log_refused_connection(const IpAddress& peer, std::string_view reason) {
  metrics_.connections_refused.add();
  std::uint64_t passed_over = 0;
  if (!may_log_refusal(passed_over)) return;
  serving_->shared->log.warn(
      "connection_refused",
      {{"client", peer.to_string()}, {"reason", reason}, {"not_logged_before", passed_over}});
}

void Worker::accept(int fd, const net::Endpoint& peer, bool tls) {
  metrics_.connections.add();
  const Config& config = serving_->shared->config;
  const bool from_proxy = is_trusted_proxy(peer.address);
  const bool stranger = config.proxy_protocol && !from_proxy;
  if (stranger || !count_connection(peer.address, from_proxy)) {
    log_refused_connection(peer.address, stranger ? "no_trusted_proxy" : "too_many_connections");
    ::close(fd);
    return;
  }
  net::spawn(serve(fd, peer, tls, from_proxy));
}

// No more is read than the header has: the rest is the handshake's.
net::Task<bool> Worker::learn_client(Connection& connection, net::Endpoint& client, bool& counted,
                                     Tick deadline) {
  net::Stream& stream = connection.stream();
  std::array<char, http::longest_proxy_header> buffer;
  std::size_t size = 0;
  http::ProxyHeader header;
  for (;;) {
    const std::string_view there(buffer.data(), size);
    const http::ProxyParse parsed = http::parse_proxy_header(there, header);
    if (parsed.kind == http::ProxyParse::complete) break;
    if (parsed.kind == http::ProxyParse::refused) {
      log_refused_connection(client.address, parsed.code);
      co_return false;
    }
    const net::Io got = stream.read_raw(buffer.data() + size, parsed.needed);
    if (got.state == net::Io::ok) {
      size += got.bytes;
    } else if (got.state == net::Io::blocked) {
      const net::Wait wait = co_await stream.readable(deadline);
      if (wait == net::Wait::timed_out) log_refused_connection(client.address, "no_proxy_header");
      if (wait != net::Wait::ready) co_return false;
    } else {
      co_return false;  // a look whether the port is open
    }
  }
  if (!header.client) {  // the proxy itself, or it does not know
    connection.set_unnamed();
    co_return true;
  }
  if (!is_trusted_proxy(*header.client)) {
    if (!connection_limits_.open_address(*header.client)) {
      log_refused_connection(*header.client, "too_many_connections");
      co_return false;
    }
    counted = true;
  }
  client.address = *header.client;
  client.port = header.client_port;
  connection.set_peer(client);
  co_return true;
}

net::Task<void> Worker::serve(int fd, net::Endpoint peer, bool tls, bool from_proxy) {
  // For the handshake; it may last until after a reload.
  const bool proxied = serving_->shared->config.proxy_protocol;
  const Tick deadline = loop_.in(serving_->shared->config.timeouts.handshake);
  const std::shared_ptr<const https::ClientAuthorities> clients = serving_->shared->config.clients;
  net::Endpoint client = peer;
  bool counted = false;  // the client's address, beside the proxy
  {
    std::unique_ptr<net::Stream> stream;
    net::TlsStream* secure = nullptr;
    if (tls) {
      auto made = std::make_unique<net::TlsStream>(loop_, fd, serving_->tls.native());
      secure = made.get();
      stream = std::move(made);
    } else {
      stream = std::make_unique<net::TcpStream>(loop_, fd);
    }
    Connection connection(*this, std::move(stream), peer);
    bool known = true;
    if (proxied) {
      known = co_await learn_client(connection, client, counted, deadline);
    }
    if (known && secure != nullptr) {
      co_await serve_tls(connection, *secure, client, clients, deadline);
    } else if (known) {
      co_await connection.run_plain();
    }
  }
  if (counted) connection_limits_.close_address(client.address);
  uncount_connection(peer.address, from_proxy);
}

// A client that was refused for its certificate has often but the alert to go by.
void Worker::log_refused_certificate(const IpAddress& peer, const net::TlsStream& secure) {
  const std::string reason = https::why_client_refused(secure.native());
  std::uint64_t passed_over = 0;
  if (reason.empty() || !may_log_refusal(passed_over)) return;
  serving_->shared->log.info(
      "client_certificate_refused",
      {{"client", peer.to_string()}, {"reason", reason}, {"not_logged_before", passed_over}});
}

net::Task<void> Worker::serve_tls(Connection& connection, net::TlsStream& secure,
                                  net::Endpoint peer,
                                  std::shared_ptr<const https::ClientAuthorities> clients,
                                  Tick deadline) {
  const net::TlsStream::Handshake result = co_await secure.handshake(deadline);
  std::shared_ptr<ClientProof> proof;
  // RFC 8737 section 4: that protocol carries no data. Its clients were asked for no certificate,
  // so nothing of ours may be reached by it.
  if (result == net::TlsStream::Handshake::done && secure.protocol() == https::acme_protocol)
    co_return;
  if (result == net::TlsStream::Handshake::done && clients != nullptr) {
    proof = std::make_shared<ClientProof>();
    proof->asked_by = std::move(clients);
    proof->certificate = https::verified_client(secure.native());
  }
  if (result == net::TlsStream::Handshake::done && secure.protocol() == "h2") {
    metrics_.http2_connections.add();
    connection.lend_stream();
    co_await serve_http2(secure, peer, std::move(proof));
  } else if (result == net::TlsStream::Handshake::done) {
    connection.speaks("", secure.version());
    connection.proves(std::move(proof));
    co_await connection.run();
  } else {
    metrics_.handshakes_failed.add();
    log_refused_certificate(peer.address, secure);
    if (result == net::TlsStream::Handshake::plain_http) {
      const Tick soon = loop_.in(std::chrono::seconds{2});
      co_await secure.refuse_plain_http(soon);
    } else if (secure.failure() != 0) {
      const Tick soon = loop_.in(std::chrono::seconds{1});
      co_await secure.end_refused(soon);
    }
  }
}

net::Task<void> Worker::serve_http2(net::TlsStream& secure, net::Endpoint peer,
                                    std::shared_ptr<const ClientProof> proof) {
  Http2Connection several(*this, secure, peer, secure.version());
  several.proves(std::move(proof));
  co_await several.run();
}

void Worker::check_backends() {
  checks_backends_ = true;
  loop_.post([this] { serving_->backends.start_checks(); });
}

void Worker::run() {
  pthread_setname_np(pthread_self(), "moat-loop");
  loop_.run();
}

void Worker::drain(std::chrono::milliseconds at_most, Drain how) {
  loop_.post([this, at_most, how] {
    if (stopping_) return;
    stopping_ = true;
    for (const auto& listener : listeners_) listener->close();
    serving_->backends.stop_checks();
    if (how == Drain::at_once) {
      for (Connection* c = connections_; c != nullptr; c = c->next_) c->stop_if_idle();
    }
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
  while ((connections_ != nullptr || serving_->backends.checking()) && loop_.now() < end)
    co_await loop_.sleep_for(look);
  serving_->backends.close_idle();
  loop_.stop();
}

std::unique_ptr<Exchange> Worker::take_exchange() {
  std::unique_ptr<Exchange> exchange;
  if (exchanges_.empty()) {
    exchange = std::make_unique<Exchange>();
  } else {
    exchange = std::move(exchanges_.back());
    exchanges_.pop_back();
    least_exchanges_ = std::min(least_exchanges_, exchanges_.size());
  }
  exchange->in = loop_.buffers().take();
  return exchange;
}

void Worker::give_back(std::unique_ptr<Exchange> exchange) {
  constexpr std::size_t kept = 512;
  if (exchanges_.size() >= kept) return;
  exchange->in.reset();
  exchange->clear();
  exchanges_.push_back(std::move(exchange));
}

std::string Worker::take_text() {
  if (texts_.empty()) return {};
  std::string text = std::move(texts_.back());
  texts_.pop_back();
  return text;
}

void Worker::give_back(std::string text) {
  constexpr std::size_t kept = 256;
  constexpr std::size_t largest = 4096;  // 1 MiB in all
  if (texts_.size() >= kept || text.capacity() > largest) return;
  text.clear();
  texts_.push_back(std::move(text));
}

void Worker::sweep() {
  constexpr std::size_t few = 16;
  serving_->backends.sweep();
  for (const auto& earlier : earlier_) {
    if (const auto serving = earlier.lock()) serving->backends.sweep();
  }
  loop_.buffers().tidy();
  for (Connection* c = connections_; c != nullptr; c = c->next_) c->drop_old_binding();
  if (least_exchanges_ > few) exchanges_.resize(exchanges_.size() - (least_exchanges_ - few));
  least_exchanges_ = exchanges_.size();
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
    const Time now = serving_->shared->clock.now();
    date_ = format_http_date(now);
    const auto whole = std::chrono::floor<std::chrono::seconds>(now);
    date_until_ = loop_.now() + (whole + std::chrono::seconds{1} - now);
  }
  return date_;
}

}  // namespace moat::gateway
