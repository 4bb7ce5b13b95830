// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/result.h"

struct ssl_st;  // OpenSSL's SSL, for the room that drives the handshakes

namespace moat::https {

enum class ClientCaError {
  no_authorities,  // no certificate, bad PEM, something else in it, or too large
  not_authority,   // one of them may not sign certificates
  weak_authority,  // one of them has a key below 112 bits: RSA below 2048
  too_many,        // more than fit into a question: 16 KiB of names
  bad_crl,         // no list of revoked certificates in PEM, or something that is none
  library          // OpenSSL failed
};
std::string_view to_string(ClientCaError error);

// ClientAuthorities is who vouches for the clients of a server. A client's certificate must
//  - lead to one of the authorities, by at most four others and 16 KiB in all,
//  - be valid now, and say that it is for clients (extended key usage clientAuth; one without any
//    extended key usage is refused, since it might as well be a server's),
//  - be signed, it and all on the way, by keys and digests of 112 bits or more,
//  - where there are lists of revoked certificates: not be on one. Then each authority on the way
//    has to have a list that is not out of date.
// Immutable and thread-safe; share one among the contexts of all workers.
class ClientAuthorities final {
 public:
  // `authorities` are certificates in PEM, at most 1 MiB; `revoked` is empty or CRLs in PEM, at
  // most 16 MiB.
  static Result<std::shared_ptr<const ClientAuthorities>, ClientCaError> create(
      std::string_view authorities, std::string_view revoked = {});
  ClientAuthorities(const ClientAuthorities&) = delete;  // contexts share one
  ClientAuthorities& operator=(const ClientAuthorities&) = delete;
  ~ClientAuthorities();

  std::size_t size() const;  // how many authorities
  bool has_lists() const;    // of revoked certificates
  // Tells these from others: two made of the same texts are alike.
  const std::string& digest() const;

  struct State;  // moat/https/internal/clients.h
  const State& state() const { return *state_; }

 private:
  explicit ClientAuthorities(std::unique_ptr<State> state);
  const std::unique_ptr<State> state_;
};

// ClientCertificate is what a client has proved to hold the key of, in a handshake that asked for
// it. Its texts are printable ASCII whatever the certificate says, and safe in a header field: they
// are whole or, where they would be too long, empty. Used on one thread.
class ClientCertificate final {
 public:
  // Names are percent-encoded where they hold anything but printable ASCII, or '%', ',', '"' or
  // '\'. Subject: at most `most_subject` bytes; names: `most_names` in all kinds together.
  static constexpr std::size_t most_subject = 1024;
  static constexpr std::size_t most_names = 4096;

  explicit ClientCertificate(ssl_st* connection);  // whose peer has shown one
  ClientCertificate(const ClientCertificate&) = delete;
  ClientCertificate& operator=(const ClientCertificate&) = delete;
  ~ClientCertificate();

  const std::string& subject() const;      // RFC 2253: "CN=ada,O=Example"
  const std::string& fingerprint() const;  // SHA-256 of the certificate, lower-case hexadecimal
  const std::string& serial() const;       // upper-case hexadecimal; up to 32 bytes of it
  // The subject alternative names, joined by ",".
  const std::string& dns_names() const;
  const std::string& emails() const;
  const std::string& uris() const;

  // Whether `authorities` vouch for it at `now`. What they have found is kept for as long as it
  // holds, so that asking for each request costs nothing; other ones look at it anew.
  [[nodiscard]] bool is_good(const ClientAuthorities& authorities, Time now);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

// The certificate that the client of a finished handshake has shown and that was verified, now or
// in the handshake that this one resumes; null without.
std::shared_ptr<ClientCertificate> verified_client(ssl_st* connection);
// Why a handshake ended over the client's certificate, for the log; empty where it did not.
std::string why_client_refused(ssl_st* connection);

}  // namespace moat::https
