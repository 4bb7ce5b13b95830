// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only: handshakes in memory, and certificates that no sane CA would make.

#include <openssl/err.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "moat/https/internal/issue.h"

namespace moat::https::testing {

// OpenSSL compares with its own clock, so tests of handshakes start at the present.
inline Time present() { return std::chrono::floor<std::chrono::seconds>(system_clock().now()); }

inline Certificate certificate_for(const Issued& issued, Time now = present()) {
  return Certificate::from_pem(issued.certificate, issued.key, now).value();
}
inline Certificate certificate_for(std::string_view name) {
  return certificate_for(self_signed(name, present()).value());
}

struct Client {
  OwnedSslCtx context{SSL_CTX_new(TLS_client_method())};
  std::string name = "localhost";
  std::string protocols;  // as on the wire
  SSL_SESSION* session = nullptr;

  Client() { SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr); }
  Client(const Client&) = delete;  // tests pass references
  Client& operator=(const Client&) = delete;
  void only(int version) {
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
  }
};

// Link is a client and a server over two buffers.
class Link {
 public:
  Link(const ServerContext& server, const Client& client)
      : client_(SSL_new(client.context.get())), server_(SSL_new(server.native())) {
    BIO* near = nullptr;
    BIO* far = nullptr;
    BIO_new_bio_pair(&near, 65536, &far, 65536);
    SSL_set_bio(client_.get(), near, near);
    SSL_set_bio(server_.get(), far, far);
    SSL_set_connect_state(client_.get());
    SSL_set_accept_state(server_.get());
    if (!client.name.empty()) SSL_set_tlsext_host_name(client_.get(), client.name.c_str());
    if (!client.protocols.empty())
      SSL_set_alpn_protos(client_.get(),
                          reinterpret_cast<const unsigned char*>(client.protocols.data()),
                          static_cast<unsigned>(client.protocols.size()));
    if (client.session != nullptr) SSL_set_session(client_.get(), client.session);
  }

  Link(const Link&) = delete;  // the two hold each other's buffers
  Link& operator=(const Link&) = delete;
  // Without a farewell OpenSSL takes the session for a broken one, and resumes it no more.
  ~Link() { SSL_set_shutdown(client_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); }

  // True where both ends are done. The tickets of TLS 1.3 are read too.
  bool handshake() {
    ERR_clear_error();
    for (int turn = 0; turn < 20; ++turn) {
      const bool near = step(client_.get());
      const bool far = step(server_.get());
      if (failed_) return false;
      if (!near || !far) continue;
      char byte = 0;
      SSL_read(client_.get(), &byte, 1);
      return true;
    }
    return false;
  }

  SSL* client() const { return client_.get(); }
  SSL* server() const { return server_.get(); }
  bool resumed() const { return SSL_session_reused(client_.get()) == 1; }
  std::string suite() const { return SSL_get_cipher_name(client_.get()); }
  std::string protocol() const {
    const unsigned char* data = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client_.get(), &data, &size);
    return {reinterpret_cast<const char*>(data), size};
  }
  // What the server showed.
  std::string fingerprint() const {
    const OwnedX509 shown(SSL_get1_peer_certificate(client_.get()));
    return shown ? fingerprint_of(shown.get()) : std::string();
  }
  // The alert that ended it, as the client's reason code less 1000; 0 where there was none.
  int alert() const { return alert_; }

 private:
  bool step(SSL* end) {
    const int result = SSL_do_handshake(end);
    if (result == 1) return true;
    const int error = SSL_get_error(end, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
    while (const unsigned long code = ERR_get_error())
      if (end == client_.get() && ERR_GET_REASON(code) > 1000) alert_ = ERR_GET_REASON(code) - 1000;
    // The client still has to hear of what the server refused.
    if (end == client_.get()) failed_ = true;
    return false;
  }

  OwnedSsl client_;
  OwnedSsl server_;
  bool failed_ = false;
  int alert_ = 0;
};

}  // namespace moat::https::testing
