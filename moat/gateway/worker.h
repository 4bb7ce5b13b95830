// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "moat/base/log.h"
#include "moat/gateway/access_log.h"
#include "moat/gateway/acme_client.h"
#include "moat/gateway/backends.h"
#include "moat/gateway/config.h"
#include "moat/gateway/connection_limits.h"
#include "moat/gateway/issuers.h"
#include "moat/gateway/metrics.h"
#include "moat/gateway/report_collector.h"
#include "moat/gateway/routes.h"
#include "moat/gateway/traffic_learner.h"
#include "moat/http/request.h"
#include "moat/http/response.h"
#include "moat/http/security_headers.h"
#include "moat/http/trace_context.h"
#include "moat/https/client_certificate.h"
#include "moat/https/hsts.h"
#include "moat/https/redirect.h"
#include "moat/https/tls.h"
#include "moat/net/loop.h"
#include "moat/net/sockets.h"
#include "moat/net/worker_pool.h"
#include "moat/session/assertion.h"
#include "moat/shield/auth_api.h"
#include "moat/shield/shield.h"

namespace moat::gateway {

// A route with what is derived from its configuration once.
struct PreparedRoute {
  const Route* route = nullptr;
  shield::Rules rules;
  std::optional<limit::Policy> limit;
  std::vector<std::string_view> script_cookies;
  std::optional<http::SecurityHeaders::Policy> csp;  // where it has one of its own
  std::size_t label = RouteLabels::none;             // its number in the metrics
  std::shared_ptr<RouteLearner> learner;             // null: nothing is learned
};

// What Strict-Transport-Security says, by the steps of a ramp; without one it is at the last.
struct HstsField {
  std::array<std::string, https::HstsRamp::steps> by_step;
  const std::atomic<unsigned>* step = nullptr;
  std::string_view now() const {
    const std::size_t last = by_step.size() - 1;
    return by_step[step == nullptr
                       ? last
                       : std::min<std::size_t>(step->load(std::memory_order_relaxed), last)];
  }
};

// What the workers are told when they stop.
struct Stopping {
  std::atomic<bool> draining{false};  // answers say that the connection ends
  // Another process serves the same sockets: a connection that waits for its next request may
  // still send it, within the time to drain.
  std::atomic<bool> patient{false};
  // The last connection has ended: nobody waits for what is fetched any more.
  std::atomic<bool> over{false};
};

// Shared is what all workers use under one configuration: immutable, or safe for several threads.
// A reload makes the next one; a request keeps the one it began with.
struct Shared {
  const Config& config;
  const shield::Shield& shield;
  const shield::AuthApi* auth = nullptr;  // null: accounts are off
  const Log& log;
  const Clock& clock;
  net::WorkerPool& blocking;  // for what waits on the store or a hash
  const BackendServers& backends;
  http::SecurityHeaders security;
  Routes route_finder;
  std::vector<PreparedRoute> routes;  // as in the configuration
  HstsField hsts;                     // empty for localhost
  https::RedirectPolicy redirect;
  std::string rate_limit_policy;  // a whole RateLimit-Policy line
  ConnectionLimits& connections;  // this and what follows outlives every configuration
  const Stopping& stopping;
  ReportCollector& reports;
  AccessLog* access = nullptr;                    // null: off
  const Issuers* issuers = nullptr;               // of this configuration
  std::shared_ptr<const AcmeTokens> acme_tokens;  // for port 80; null: no CA is asked
  bool all_need_client_certificate = false;       // Moat's own pages included
  bool draining() const { return stopping.draining.load(std::memory_order_relaxed); }
};

// Serving is a configuration as one worker serves it, with what its loop keeps for it. Used on the
// loop's thread only.
struct Serving {
  Serving(net::Loop& loop, std::shared_ptr<const Shared> all, https::ServerContext context,
          jwt::KeyRing assertion_keys);
  std::shared_ptr<const Shared> shared;
  https::ServerContext tls;
  Backends backends;
  session::AssertionSigner signer;
  shield::Memory memory;
};

// What a client was asked for in its handshake, and what it has shown. Shared by the streams of a
// connection, on one thread.
struct ClientProof {
  std::shared_ptr<const https::ClientAuthorities> asked_by;
  std::shared_ptr<https::ClientCertificate> certificate;  // null: none
  // Whether the certificate counts under a configuration that may be another by now.
  bool is_good(const Config& config, Time now) const {
    return certificate != nullptr && config.clients != nullptr &&
           certificate->is_good(*config.clients, now);
  }
  // Whether another handshake might show more.
  bool is_outdated(const Config& config, Time now) const {
    return config.clients != nullptr && (config.clients->digest() != asked_by->digest() ||
                                         (certificate != nullptr && !is_good(config, now)));
  }
};

// What is kept of a request until its answer says whether it is learned from.
struct Learning {
  bool on = false;
  bool has_body = false;
  bool encoded = false;
  std::string body;  // as it went by: one byte too many says that it is too large
  void clear();
};

// Exchange is what one request needs while it is worked on; idle connections have none.
struct Exchange {
  net::BufferPool::Buffer in;
  std::size_t begin = 0;  // bytes of `in` that are not dealt with: [begin, end)
  std::size_t end = 0;
  std::size_t head_end = 0;  // the head stays in front while its body is read behind it
  http::ParseState state;
  http::RequestHead head;
  http::ParseState response_state;
  http::ResponseHead response;
  shield::Request request;
  shield::Admission admission;
  std::vector<std::string_view> forwarded_for;
  std::string cookie_scratch;
  std::string path;      // decoded
  std::string out;       // what is about to be sent to the client
  std::string upstream;  // what is about to be sent to the backend
  std::string rate;      // RateLimit lines of the answer
  // Where the route has a schema: the operation, if there is one.
  openapi::Match described;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  std::string body;  // of the request, where it was read whole to be checked
  bool body_read = false;
  std::string answer;  // of the backend, as much of its body as is looked at
  Hold held;           // of the two
  std::string answer_type;
  bool observe_answer = false;  // as it goes by, up to so many bytes
  std::size_t most_observed = 0;
  bool judge_answer = false;
  Learning learning;
  std::string request_id;
  bool parsed = false;  // the head was understood
  // For the metrics and the access log.
  Tick started{};
  Tick backend_asked{};
  Tick backend_began{};  // to answer
  int status = 0;        // 0: no answer yet
  bool complete = false;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::string_view step;  // that refused it, and its code: literals
  std::string_view code;
  std::size_t label = RouteLabels::none;
  std::string_view route = "(none)";
  std::string backend;
  // Of the trace it belongs to, if any.
  http::Traceparent traceparent{};
  bool traced = false;
  bool trace_came = false;  // with the request
  std::string_view traceparent_text() const {
    return traced ? std::string_view(traceparent.data(), traceparent.size()) : std::string_view();
  }
  // Of bodies, all together.
  std::size_t kept() const { return body.size() + answer.size() + learning.body.size(); }
  // The backend has the request, and will not be sent it again: who reads the answer slowly keeps
  // nothing of it here.
  void let_body_go();
  void clear();
};

class Connection;
class Http2Connection;

// Worker is one loop on one thread, with its listeners and its connections.
class Worker final {
 public:
  // Throws std::system_error where `engine` is not to be had.
  Worker(std::shared_ptr<const Shared> shared, https::ServerContext tls,
         jwt::KeyRing assertion_keys, unsigned index, net::Engine engine = net::Engine::epoll);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // Takes listening sockets over. Before run().
  void listen_https(int fd);
  void listen_http(int fd);
  // Has this worker ask for the health of the backends, for all. Before run().
  void check_backends();
  // Runs until drain() has ended the last connection.
  void run();
  // Serves what comes from now on under another configuration; `done` is called on the worker's
  // thread when it does. From any thread.
  void serve_by(std::shared_ptr<const Shared> shared, https::ServerContext tls,
                jwt::KeyRing assertion_keys, std::function<void()> done);
  // Stops accepting; requests in flight are finished until `at_most` has passed, then cut.
  // Connections without a request end at once, or are waited for too. From any thread.
  enum class Drain { at_once, patiently };
  void drain(std::chrono::milliseconds at_most, Drain how = Drain::at_once);
  const Metrics& metrics() const { return metrics_; }

 private:
  friend class BodyReader;
  friend class Connection;
  friend class Http2Connection;
  std::unique_ptr<Exchange> take_exchange();
  void give_back(std::unique_ptr<Exchange> exchange);
  std::string take_text();  // empty, with room, for a stream of HTTP/2
  void give_back(std::string text);
  void out_of_descriptors();
  void accept(int fd, const net::Endpoint& peer, bool tls);
  net::Task<void> serve(int fd, net::Endpoint peer, bool tls, bool from_proxy);
  net::Task<void> serve_tls(Connection& connection, net::TlsStream& secure, net::Endpoint peer,
                            std::shared_ptr<const https::ClientAuthorities> clients, Tick deadline);
  [[gnu::noinline]] net::Task<void> serve_http2(net::TlsStream& secure, net::Endpoint peer,
                                                std::shared_ptr<const ClientProof> proof);
  void log_refused_certificate(const IpAddress& peer, const net::TlsStream& secure);
  void follow(std::shared_ptr<Serving> next);
  // What the PROXY protocol says of the client, until the handshake's deadline. False: it may not
  // be served. `counted`: its address is, and to be given back.
  [[gnu::noinline]] net::Task<bool> learn_client(Connection& connection, net::Endpoint& client,
                                                 bool& counted, Tick deadline);
  void log_refused_connection(const IpAddress& peer, std::string_view reason);
  // Against the limits in all and by address. True: to be given back with uncount_connection and
  // the same `from_proxy`, whatever the configuration is then.
  bool count_connection(const IpAddress& peer, bool from_proxy);
  void uncount_connection(const IpAddress& peer, bool from_proxy);
  bool is_trusted_proxy(const IpAddress& peer) const;
  net::Task<void> end_drain(Tick deadline);
  net::Task<void> end_checks(std::shared_ptr<Serving> serving);
  void new_request_id(std::string& out);
  std::uint64_t random_word();  // for ids: the system's randomness, drawn in large pieces
  // At most `refusals_a_second` are logged; the next line says how many were not.
  bool may_log_refusal(std::uint64_t& passed_over);
  std::string_view date();  // now, for a Date field; made once a second

  net::Loop loop_;
  std::shared_ptr<Serving> serving_;  // of what comes next; changed by follow() alone
  std::vector<std::weak_ptr<Serving>> earlier_;
  ConnectionLimits& connection_limits_;
  Metrics metrics_;
  // Idle backend connections grow old, and what a busy second needed is kept, without a request to
  // notice it.
  struct Sweeper final : net::Timer {
    explicit Sweeper(Worker& worker) : Timer(worker.loop_), worker_(worker) { fire(); }
    void fire() override {
      worker_.sweep();
      set(loop_.in(std::chrono::seconds{1}));
    }
    Worker& worker_;
  };
  void sweep();
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  std::vector<std::string> texts_;
  std::size_t least_exchanges_ = 0;  // that were at hand since the last sweep
  Sweeper sweeper_{*this};
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  Connection* connections_ = nullptr;  // all of this worker's, linked
  Http2Connection* http2_connections_ = nullptr;
  bool stopping_ = false;
  bool checks_backends_ = false;  // for all workers
  std::string id_prefix_;
  std::uint64_t next_id_ = 0;
  std::array<std::uint8_t, 1024> random_{};
  std::size_t random_used_ = random_.size();
  std::string date_;
  Tick date_until_{};
  static constexpr unsigned refusals_a_second = 50;
  Tick refusals_since_{};
  unsigned refusals_logged_ = 0;
  std::uint64_t refusals_passed_over_ = 0;
};

}  // namespace moat::gateway
