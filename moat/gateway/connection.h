// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/csrf/form_injector.h"
#include "moat/gateway/body.h"
#include "moat/gateway/heads.h"
#include "moat/gateway/worker.h"

namespace moat::gateway {

// Connection is one client's connection: it reads requests one after the other, walks each through
// the shield, and answers it or passes it to a backend. It lives in Worker::serve's frame.
class Connection final {
 public:
  Connection(Worker& worker, std::unique_ptr<net::Stream> stream, const net::Endpoint& peer);
  Connection(const Connection&) = delete;  // the worker's list points here
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Serves requests until either side closes.
  net::Task<void> run();
  // Serves one request, to the end of its answer.
  net::Task<void> run_one();
  // For the access log: the protocol where it is not in the head, and the TLS version as of
  // net::TlsStream. Both for as long as it lives.
  void speaks(std::string_view protocol, int tls_version) {
    protocol_ = protocol;
    tls_version_ = tls_version;
  }
  // What the client has shown of itself in the handshake; null: it was not asked.
  void proves(std::shared_ptr<const ClientProof> proof) { proof_ = std::move(proof); }
  // It was refused what it may get on a new connection, where it is asked anew for a certificate.
  bool needs_handshake() const { return needs_handshake_; }
  // The stream is somebody else's to read, and to end.
  void lend_stream() {
    idle_ = false;
    lent_ = true;
  }
  // There is another configuration: where no request keeps the one before, it is let go of.
  void follow_if_idle() {
    if (idle_ || lent_) follow();
  }
  // Port 80: one request, answered by a redirect or a refusal.
  net::Task<void> run_plain();
  net::Task<bool> answer_ca();
  net::Task<void> redirect_to_https();
  // Ends the connection if it is between two requests.
  void stop_if_idle();
  // Cuts it off, whichever side it is waiting for.
  void cancel() {
    stream_->cancel();
    if (backend_ != nullptr) backend_->cancel();
  }
  net::Stream& stream() { return *stream_; }
  // Closes what a backend has authenticated, where it has been idle as long as one may be.
  void drop_old_binding();
  // Who is at the other end after all, as a proxy has said. Before the first request.
  void set_peer(const net::Endpoint& peer) { peer_ = peer; }
  // It has not said. Then nothing that the client says of itself is believed either.
  void set_unnamed() { client_unnamed_ = true; }
  // Of the request at hand.
  const Shared& shared() const { return *serving_->shared; }

 private:
  friend class Worker;
  friend class BodyReader;
  // Of a body that is held, what is written at once. A copy of all would wait beside it for whoever
  // reads slowly, and have the time of one piece.
  static constexpr std::size_t piece_size = 64 * 1024;
  enum class Read { request, closed, refused };
  enum class Relay {
    done,
    no_answer,   // nothing came: closed or silent
    bad_answer,  // something came that is no answer
    refused,     // what came is not what the route's document describes
    broken       // the answer had begun
  };

  // connection.cc: reading, the walk, answers of our own.
  Tick idle_deadline();
  bool has_news() const;
  bool may_wait() const;
  // Until `deadline` for the head to begin.
  net::Task<Read> read_head(Tick deadline);
  net::Task<void> serve();
  [[gnu::noinline]] net::Task<void> serve_own();
  net::Task<void> respond(shield::Response response);
  [[gnu::noinline]] net::Task<void> refuse(int status, std::string_view code,
                                           std::string_view title, std::string_view reason = {});
  [[gnu::noinline]] net::Task<void> refuse_admission();
  net::Task<bool> walk(const shield::Rules& rules);
  [[gnu::noinline]] net::Task<bool> keys_for_token();
  [[gnu::noinline]] net::Task<bool> check_form(const shield::Rules& rules);
  [[gnu::noinline]] net::Task<bool> count_client();
  void fill_request();
  void name_request();
  bool may_need_handshake() const;
  void settle();
  void finish_exchange();
  void follow();
  // body.cc: the beginning of the body, which stays where it is for whoever reads the whole: all of
  // it, `enough` bytes or more, or what fits behind the head into the buffer. The status to refuse
  // with, or 0.
  [[gnu::noinline]] net::Task<int> read_beginning(
      std::string& out, std::size_t enough = net::BufferPool::buffer_size);
  // All of the body, `most` bytes at most. False: it was refused.
  [[gnu::noinline]] net::Task<bool> read_whole(std::size_t most, std::string& out);
  bool body_is_here() const;
  void add_rate_limit(shield::Response& response) const;
  void log_refusal(int status, std::string_view code, std::string_view reason) const;
  void report_forged() const;
  void report_reuse() const;
  void log_access(std::chrono::nanoseconds took) const;

  // schema.cc: what the route's OpenAPI document says of the request and of its answer.
  // False: it was refused.
  [[gnu::noinline]] net::Task<bool> check_schema(const PreparedRoute& route);
  net::Task<bool> check_described_body(const PreparedRoute& route, std::string_view content_type);
  [[gnu::noinline]] net::Task<bool> look_at_body(const PreparedRoute& route,
                                                 std::string_view content_type);
  net::Task<bool> undescribed(const PreparedRoute& route, openapi::Refusal refusal);
  net::Task<void> refuse_undescribed(openapi::Refusal refusal);
  void report_undescribed(const PreparedRoute& route, const openapi::Refusal& refusal) const;
  enum class Answer {
    passes,
    held,  // it is in Exchange::answer, whole
    refused,
    broken
  };
  // `first` is what has come of the body. `refusal` is set where it is refused.
  [[gnu::noinline]] net::Task<Answer> check_answer(const PreparedRoute& route, net::Stream& backend,
                                                   std::string_view first,
                                                   openapi::Refusal& refusal);
  enum class Held { whole, broken, no_room };
  net::Task<Held> hold_answer(net::Stream& backend, std::string_view first, std::size_t most);
  // Whether there is room for so many bytes more beside what is held already.
  bool hold(std::size_t more) {
    return x_->held.grow_to(shared().connections.held(), x_->admission.client, x_->kept() + more);
  }
  // What is in Exchange::out, and behind it the answer that is held. False: the client is gone.
  net::Task<bool> send_held(ClientFraming framing);
  void observe(std::string_view bytes) {
    if (x_->observe_answer) keep_observed(bytes);
  }
  void keep_observed(std::string_view bytes);
  void judge_observed(const PreparedRoute& route) const;

  // schema_learn.cc: what the request and its answer look like, for a proposal of a document.
  void begin_learning(const PreparedRoute& route);
  void keep_sent(std::string_view bytes);
  void learn_from_answer();
  // `whole`: the body has not been sent on as it came.
  void learn_exchange(const PreparedRoute& route, bool whole) const;

  // reports.cc: what browsers report.
  [[gnu::noinline]] net::Task<void> collect_reports();
  void collect(const std::vector<http::BrowserReport>& reports) const;
  net::Task<void> refuse_reports();

  // proxy.cc: to the backend and back.
  net::Task<void> proxy(const PreparedRoute& route, std::size_t index);
  net::Task<Backends::Lease> lease_for(const PreparedRoute& route, std::size_t index, bool fresh);
  Backends::Lease take_bound(std::size_t route);
  void keep(Backends::Lease lease, std::size_t route);
  net::Task<bool> pass_hints();
  net::Task<void> refuse_unavailable(const Backends::Unavailable& why);
  net::Task<void> refuse_backend(bool late);
  void report_failure(const Backends::Lease& lease, Relay result, bool closed);
  net::Task<bool> send_rest(net::Stream& backend);
  void write_backend_head(const PreparedRoute& route, const Backends::Lease& lease);
  net::Task<void> upload(net::Stream& backend);
  // `refusal` is set where the result is `refused`.
  net::Task<Relay> relay(const PreparedRoute& route, Backends::Lease& lease,
                         openapi::Refusal& refusal);
  net::Task<bool> read_response_head(net::Stream& backend, char* buffer, std::size_t& end,
                                     std::size_t& head);
  net::Task<bool> send(std::string_view bytes);
  net::Task<void> tunnel(Backends::Lease& lease, std::string_view first);
  net::Task<void> pump(net::Stream& from, net::Stream& to, std::string_view first);
  bool tunnel_may_go_on() const;
  ClientFraming client_framing() const;

  // relay_body.cc
  net::Task<bool> relay_body(net::Stream& backend, char* buffer, std::size_t begin, std::size_t end,
                             ClientFraming framing, csrf::FormInjector* forms);
  std::optional<csrf::FormInjector> forms_of(const PreparedRoute& route);

  Worker& worker_;
  // A request keeps what it began with. Between two requests it may become another at any wait.
  std::shared_ptr<Serving> serving_;
  net::Loop& loop_;
  std::unique_ptr<net::Stream> stream_;
  net::Stream* backend_ = nullptr;  // while a request is there
  net::Endpoint peer_;
  // A backend's connection that is authenticated as this client, and the route it is of.
  Backends::Lease bound_;
  std::size_t bound_route_ = 0;
  Tick bound_since_{};
  std::unique_ptr<Exchange> x_;
  bool close_ = false;  // after this answer
  bool idle_ = true;    // no request is at hand, or only a part of its head
  bool lent_ = false;
  bool is_stream_ = false;  // one of several of a client's connection
  bool answered_ = false;   // the head of an answer has left
  bool interim_ = false;    // the backend has sent a 1xx
  bool linger_ = false;     // unread input: close softly
  bool tls_ = true;
  bool client_unnamed_ = false;  // a proxy was asked who is there, and did not say
  bool backend_ended_ = false;   // its side, where an answer was waited for
  std::shared_ptr<const ClientProof> proof_;
  bool needs_handshake_ = false;
  std::string_view protocol_;
  int tls_version_ = 0;
  // Of the upload that runs beside an answer.
  std::unique_ptr<BodyReader> body_;
  bool discard_ = false;      // nobody wants the rest of the body
  bool body_failed_ = false;  // the client broke off or broke the rules
  bool uploaded_ = false;     // the backend has had the whole body
  int body_status_ = 0;
  std::string_view body_code_;
  Tick tunnel_used_{};  // when a WebSocket last carried something, either way
  Connection* next_ = nullptr;
  Connection** link_ = nullptr;
};

}  // namespace moat::gateway
