// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal: how clients' certificates are verified, for the sources of this room.

#include "moat/https/client_certificate.h"
#include "moat/https/internal/openssl.h"

namespace moat::https {

using OwnedStore = Owned<X509_STORE, X509_STORE_free>;
using OwnedCrl = Owned<X509_CRL, X509_CRL_free>;

struct ClientAuthorities::State {
  OwnedStore store;
  std::vector<OwnedX509> certificates;
  std::vector<OwnedCrl> lists;
  std::string digest;  // of both texts

  // Judges a certificate outside a handshake, as in one; `until`: when to look again.
  bool verify(X509* leaf, STACK_OF(X509) * others, Time now, Time& until) const;
  // The earliest end of a certificate of the chain, or of the lists of those who signed it.
  Time end_of(const STACK_OF(X509) * chain) const;
};

// What a certificate says, made safe: see ClientCertificate.
struct ClientTexts {
  std::string subject, fingerprint, serial, dns_names, emails, uris;
};
ClientTexts texts_of(X509* certificate);

// Has a server's context ask for certificates, and judge them. `clients` must outlive it.
[[nodiscard]] bool ask_clients(SSL_CTX* context, const ClientAuthorities& clients);
// Those of the connection's context; null where it asks for nothing.
const ClientAuthorities* clients_of(SSL* connection);

// What travels in a session ticket beside OpenSSL's own.
struct TicketNote {
  std::int64_t began;  // the full handshake
  std::int64_t until;  // when the client's certificate has to be verified anew
};
// That of the session at hand.
std::optional<TicketNote> ticket_note(SSL_SESSION* session);

}  // namespace moat::https
