// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/https/certificate.h"
#include "moat/https/client_certificate.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX, for the room that drives the handshakes

namespace moat::https {

// The protocol of a CA that looks for the certificate of a challenge (RFC 8737): a handshake, and
// nothing behind it. Whoever drives the connection closes it then.
inline constexpr std::string_view acme_protocol = "acme-tls/1";

// What the servers accept. There is no way below TLS 1.2 (RFC 8996).
struct TlsPolicy {
  enum class Versions { tls12_and_13, modern /* 1.3 only */ };
  Versions versions = Versions::tls12_and_13;
  // Application protocols in order of preference. A client that names protocols and none of these
  // is refused with no_application_protocol; one that names none is served.
  std::vector<std::string> protocols{"http/1.1"};
  // Where it is given, every client is asked for a certificate. One that shows none is served (see
  // verified_client); one whose certificate these do not vouch for is refused with an alert.
  // Sessions are resumed under the same authorities only.
  std::shared_ptr<const ClientAuthorities> clients = nullptr;
};

// CertificateStore says which certificate answers which name. Thread-safe: handshakes on any thread
// see either the old or the new certificate, whole.
class CertificateStore final {
 public:
  // What a client gets that asks for a name nobody has here.
  enum class UnknownName { refuse /* unrecognized_name, RFC 9325 section 3.7 */, allow_default };

  explicit CertificateStore(UnknownName unknown = UnknownName::refuse);
  CertificateStore(const CertificateStore&) = delete;  // handshakes hold on to one store
  CertificateStore& operator=(const CertificateStore&) = delete;
  ~CertificateStore();

  // Puts `certificate` under each of its names, in place of what was there.
  void put(const Certificate& certificate);
  // Puts it under one name ("example.com" or "*.example.com"), whether or not it is one of its own.
  void put(std::string_view name, const Certificate& certificate);
  // What clients get that ask for no name, or for an IP address that is not in the store. Without
  // one, the first certificate put.
  void set_default(const Certificate& certificate);
  // Takes a name out; the default stays.
  void remove(std::string_view name);
  // Replaces all at once: each certificate under its names, the first of them the default. A name
  // may have one of each kind of key (ECDSA, RSA, Ed25519), and the client's signatures decide; of
  // one kind the first counts.
  void replace(const std::vector<Certificate>& certificates);

  // The certificate that only clients with the protocol "acme-tls/1" get for `name` (RFC 8737).
  // The protocol is not spoken for any other name, nor after `remove_challenge`.
  void put_challenge(std::string_view name, const Certificate& certificate);
  void remove_challenge(std::string_view name);

  // The certificate for `name` (empty: none was asked for); null where the handshake is refused.
  std::shared_ptr<const Certificate> find(std::string_view name) const;
  // All of the name's: one a kind of key.
  std::vector<std::shared_ptr<const Certificate>> find_all(std::string_view name) const;
  std::shared_ptr<const Certificate> find_challenge(std::string_view name) const;

 private:
  struct Table;
  std::shared_ptr<const Table> table() const;
  template <class F>
  void change(F&& edit);
  struct Guarded;
  const std::unique_ptr<Guarded> guarded_;
};

// TicketKeys seals session tickets (RFC 9325 section 3.4). A key seals for a day, opens for a
// second one, and is wiped. A chain of resumptions ends a day after its full handshake.
// Thread-safe; share one among the contexts of all workers, or each of them refuses the others'
// tickets.
class TicketKeys final {
 public:
  static constexpr std::chrono::hours ticket_life{24};
  static constexpr std::chrono::hours rotation{24};
  static constexpr std::chrono::hours key_life{48};

  // Both must outlive the keys.
  TicketKeys(const Clock& clock, Random& random);
  TicketKeys(const TicketKeys&) = delete;  // copies would outlive the wiping
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  // Makes and wipes keys as time goes. Handshakes do it on their own; call it hourly, so that an
  // idle server wipes too.
  void rotate();
  // The same, so long before it is due: for the one of several nodes that makes the next key.
  void rotate_early(std::chrono::minutes before);
  // Forgets every key: all tickets given out so far are void.
  void revoke_all();
  std::size_t size() const;

  // For nodes that open each other's tickets: the keys that are here, to be kept as a secret.
  Secret save() const;
  // Takes those that another has saved, but none that is too old, or was here before revoke_all().
  // False: it is damaged, and nothing has changed.
  bool merge(const Secret& saved);

  struct State;  // moat/https/internal/openssl.h
  State& state() const { return *state_; }

 private:
  const std::unique_ptr<State> state_;
};

// The key exchange groups that the library at hand has, and what it lacks for one that is wanted:
// "X25519, P-256, P-384; X25519MLKEM768 (against quantum computers) needs OpenSSL 3.5, and this is
// 3.0.17".
[[nodiscard]] std::string describe_groups();

enum class TlsError {
  no_group,      // OpenSSL has none of the groups
  no_suite,      // OpenSSL has none of the suites
  bad_protocol,  // an application protocol that is empty, longer than 255 bytes, or acme-tls/1
  library        // OpenSSL failed otherwise: out of memory or a broken installation
};
std::string_view to_string(TlsError error);

// ServerContext is the server's side of TLS, ready for handshakes: one for each worker thread, all
// of them over the same store and ticket keys, which it shares and keeps alive.
class ServerContext final {
 public:
  static Result<ServerContext, TlsError> create(
      const TlsPolicy& policy, std::shared_ptr<const CertificateStore> certificates,
      std::shared_ptr<const TicketKeys> tickets);
  ServerContext(ServerContext&&) noexcept;
  ServerContext& operator=(ServerContext&&) noexcept;
  ~ServerContext();

  // SSL_new(native()) gives a connection that is ready for SSL_accept. Valid as long as this object
  // or any connection made from it.
  ssl_ctx_st* native() const;
  // The key exchange groups that the library at hand has, in order.
  const std::vector<std::string>& groups() const;

 private:
  struct State;
  explicit ServerContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace moat::https
