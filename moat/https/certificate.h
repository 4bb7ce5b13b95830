// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"

namespace moat::https {

enum class CertificateError {
  malformed_chain,  // no certificate, bad PEM or DER, bytes behind it, or too large
  foreign_block,    // the chain holds something other than certificates (RFC 8555 section 11.4)
  malformed_key,    // no private key in PEM
  encrypted_key,    // a key under a pass phrase; nobody is there to type it
  key_mismatch,     // the key is not the one of the first certificate
  unsupported_key,  // neither RSA nor P-256, P-384 or Ed25519
  weak_key,         // RSA below 2048 bits (RFC 9325 section 4.5)
  weak_signature,   // signed with SHA-1, MD5 or the like
  expired,          // the first certificate
  not_yet_valid,    // the first certificate
  broken_chain,     // a certificate is not followed by the one that signed it
  wrong_purpose,    // the first certificate is not for this end of TLS
  no_names          // no subject alternative name: clients ignore the common name
};
std::string_view to_string(CertificateError error);

// What is worth a line in the log, and no reason to refuse.
enum class CertificateWarning {
  rsa_below_3072,
  ed25519_unknown_to_browsers,
  issuer_expired,       // a later certificate of the chain has expired
  root_in_chain,        // sent for nothing: who trusts it has it
  missing_intermediate  // one certificate, not signed by itself, and no issuer behind it
};
std::string_view to_string(CertificateWarning warning);

enum class KeyKind { rsa, p256, p384, ed25519 };

// Which end of TLS shows a certificate.
enum class CertificateUse { server, client };

// Certificate is a chain with its private key, checked. A handle to something immutable: copies are
// cheap and may be used from several threads.
class Certificate final {
 public:
  // from_pem reads `chain` (the server's certificate first, each next one its issuer) and the
  // private key that belongs to the first, and checks both at `now`. At most 64 KiB and eight
  // certificates. A client's needs no names.
  static Result<Certificate, CertificateError> from_pem(
      std::string_view chain, const Secret& key, Time now,
      CertificateUse use = CertificateUse::server);

  // The DNS names, lower-case, and IP addresses of the first certificate, as written there.
  const std::vector<std::string>& names() const;
  // True where `host` (a DNS name or the text of an IP address) is one of the names; a wildcard
  // stands for exactly one label.
  bool covers(std::string_view host) const;
  Time not_before() const;
  Time not_after() const;
  // SHA-256 of the first certificate in lower-case hexadecimal.
  const std::string& fingerprint() const;
  // The first certificate in DER.
  std::string der() const;
  KeyKind key_kind() const;
  bool self_signed() const;
  const std::vector<CertificateWarning>& warnings() const;
  // The name under which a CA keeps renewal information (RFC 9773 section 4.1); none without an
  // authority key identifier.
  std::optional<std::string> renewal_id() const;

  struct State;  // moat/https/internal/openssl.h
  const State& state() const { return *state_; }

 private:
  explicit Certificate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// needs_renewal is true from the moment when a third of the life is left, or half of it where the
// life is below ten days.
[[nodiscard]] bool needs_renewal(Time not_before, Time not_after, Time now);
[[nodiscard]] inline bool needs_renewal(const Certificate& certificate, Time now) {
  return needs_renewal(certificate.not_before(), certificate.not_after(), now);
}

}  // namespace moat::https
