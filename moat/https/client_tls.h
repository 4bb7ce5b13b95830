// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/result.h"
#include "moat/https/certificate.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX and SSL, for the room that drives the handshakes
struct ssl_st;

namespace moat::https {

// Whom a client of TLS takes for its server.
struct ClientPolicy {
  // A DNS name or an IP address: the certificate must be for it. A DNS name is asked for by SNI.
  std::string name;
  // Who may have issued it, in PEM: authorities, or the server's own certificate. Empty: the
  // authorities that this system trusts, which OpenSSL reads from their files.
  std::string roots;
  // Shown to a server that asks for one: who we are.
  std::optional<Certificate> own = std::nullopt;
  // Any certificate will do: whoever is on the way can read and change everything.
  bool allow_unverified = false;
};

enum class ClientTlsError {
  bad_name,  // neither a DNS name nor an IP address
  no_roots,  // `roots` holds no certificate, or what is none
  library    // OpenSSL failed
};
std::string_view to_string(ClientTlsError error);

// ClientContext is the client's side of TLS to one server, with the versions and suites of the
// server's side: chain and name are verified in each full handshake, and the sessions that it hands
// out resume later ones. Thread-safe.
class ClientContext final {
 public:
  static Result<ClientContext, ClientTlsError> create(const ClientPolicy& policy);
  ClientContext(ClientContext&&) noexcept;
  ClientContext& operator=(ClientContext&&) noexcept;
  ~ClientContext();

  // SSL_new(native()) gives a connection for `prepare`. Valid as long as this object or any
  // connection made from it.
  ssl_ctx_st* native() const;
  // Tells a new connection whom it expects, before its handshake. False: OpenSSL failed, and the
  // connection must not be used.
  [[nodiscard]] bool prepare(ssl_st* connection) const;

 private:
  struct State;
  explicit ClientContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Why a handshake failed, in a few words for the log; `error` is OpenSSL's code of it (0: the
// connection ended).
std::string why_refused(ssl_st* connection, unsigned long error);

}  // namespace moat::https
