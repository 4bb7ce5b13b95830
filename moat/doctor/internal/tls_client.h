// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moat/doctor/tls_facts.h"
#include "moat/fetch/socket.h"

struct ssl_st;
struct ssl_ctx_st;
struct bio_st;

namespace moat::doctor::internal {

using fetch::Socket;

struct TlsWish {
  std::string server_name;             // asked for; empty: none
  std::vector<std::string> protocols;  // application protocols
};

// TlsClient takes part in a handshake with whatever there is, old versions, weak suites and any
// certificate, to look at it. Nothing that is secret may be sent.
class TlsClient final {
 public:
  // `socket` is connected, and outlives the client.
  TlsClient(Socket& socket, const TlsWish& wish, Tick deadline);
  TlsClient(const TlsClient&) = delete;  // OpenSSL's objects point at each other
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient();

  // Whether it is done, and how far it got otherwise. `not_tls`: what came first is no TLS;
  // `trouble` is its beginning, raw.
  [[nodiscard]] HandshakeFacts handshake();
  // The version of a handshake that is done, as on the wire.
  std::uint16_t version() const;
  // As they were sent, in DER. A handshake that failed may have got so far.
  std::vector<std::string> certificates() const;
  [[nodiscard]] bool write(std::string_view bytes);
  [[nodiscard]] Socket::Received read(char* buffer, std::size_t size);

 private:
  template <class Operation>
  int drive(Operation operation);
  bool send_out();
  HandshakeFacts failed() const;

  Socket& socket_;
  Tick deadline_;
  ssl_ctx_st* context_ = nullptr;
  ssl_st* ssl_ = nullptr;
  bio_st* in_ = nullptr;  // both belong to ssl_
  bio_st* out_ = nullptr;
  unsigned long error_ = 0;
  bool late_ = false;
  bool asked_who_ = false;
  std::string first_;  // what came first, for `not_tls`
};

}  // namespace moat::doctor::internal
