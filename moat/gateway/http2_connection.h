// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "moat/gateway/worker.h"
#include "moat/http2/session.h"

namespace moat::gateway {

class Connection;

// Http2Connection is one client's HTTP/2 connection. Each of its streams is served by a Connection
// of its own, which reads and writes HTTP/1.1 on a stream in memory: one walk, one proxy and one
// set of rules for both protocols.
class Http2Connection final : private http2::Session::Events {
 public:
  // `tls_version` as of net::TlsStream.
  Http2Connection(Worker& worker, net::Stream& stream, const net::Endpoint& peer, int tls_version);
  Http2Connection(const Http2Connection&) = delete;  // the worker's list points here
  Http2Connection& operator=(const Http2Connection&) = delete;
  ~Http2Connection();

  // Serves until either side closes and the last stream has ended.
  net::Task<void> run();
  // No new streams; ends with the last of those that are open.
  void stop();
  void cancel() { stream_.cancel(); }
  // What the client has shown of itself in the handshake; null: it was not asked.
  void proves(std::shared_ptr<const ClientProof> proof) { proof_ = std::move(proof); }
  // There is another configuration. Streams that are open keep their own.
  void follow();

 private:
  friend class Worker;
  class Stream;
  using Id = http2::Session::Stream;

  // A stream's two ends: what it reads and writes, and who serves it.
  struct Served {
    Stream* stream = nullptr;
    Connection* connection = nullptr;
  };

  bool on_request(Id id, std::string_view head, http2::Session::RequestBody body) override;
  void on_data(Id id, std::string_view bytes) override;
  void on_end(Id id) override;
  void on_closed(Id id) override;
  std::size_t on_pull(Id id, char* to, std::size_t size, bool& end) override;

  net::Task<void> serve(std::unique_ptr<Stream> stream);
  net::Task<void> send_all();
  void start_new();
  void wake();    // there is something to send
  void settle();  // something has ended
  Stream* find(Id id);
  const Timeouts& timeouts() const { return serving_->shared->config.timeouts; }
  bool settled() const { return served_.empty() && !sending_; }
  struct Settled;

  Worker& worker_;
  net::Stream& stream_;
  net::Endpoint peer_;
  int tls_version_;
  std::shared_ptr<Serving> serving_;  // the present one
  std::shared_ptr<const ClientProof> proof_;
  const bool from_proxy_;
  http2::Session session_;
  std::unordered_map<Id, Served> served_;
  std::vector<std::unique_ptr<Stream>> new_;
  std::string out_;
  // When the last request ended. Pings and pieces of frames do not keep a connection.
  Tick idle_since_{};
  bool sending_ = false;
  bool broken_ = false;
  bool stopping_ = false;
  std::coroutine_handle<> waiting_;  // for settled()
  Http2Connection* next_ = nullptr;
  Http2Connection** link_ = nullptr;
};

}  // namespace moat::gateway
