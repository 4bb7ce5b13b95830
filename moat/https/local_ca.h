// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"

namespace moat::https {

// A certificate (or a chain, the certificate first) and its private key, both in PEM.
struct Issued {
  std::string certificate;
  Secret key;
};

enum class LocalCaError {
  bad_name,   // neither a DNS name, a wildcard one nor an IP address
  too_wide,   // a name of one label: a constraint to "com" would be none
  bad_state,  // a given certificate or key cannot be read, or they do not belong together
  library     // OpenSSL failed
};
std::string_view to_string(LocalCaError error);

// What the local CA keeps; each text is the content of one file: root.crt, root.key and so on.
// `leaf.certificate` is the chain to serve: the leaf and the intermediate behind it.
struct LocalCaState {
  Issued root;          // 10 years, to be trusted once (`moat trust`)
  Issued intermediate;  // 30 days, signs leaves only
  Issued leaf;          // 7 days, what the server shows
};

// LocalCa makes certificates for this machine. Its root is constrained, critically (RFC 5280
// section 4.2.1.10), to localhost and the names below it, 127.0.0.0/8, ::1 and `names`: whoever
// steals its key can impersonate nothing else to those who trust it. Keys and serial numbers come
// from OpenSSL.
class LocalCa final {
 public:
  // `names` are what the leaf serves beyond localhost, 127.0.0.1 and ::1: DNS names ("app.test",
  // "*.app.test") and IP addresses. A name under a public registry's suffix is the caller's to
  // refuse.
  static Result<LocalCa, LocalCaError> create(const std::vector<std::string>& names);

  // A new root, intermediate and leaf.
  [[nodiscard]] Result<LocalCaState, LocalCaError> make(Time now) const;

  enum class Renewed { nothing, leaf, intermediate_and_leaf, all };
  // renew makes anew in `state` whatever is due at `now`, is missing, or does not fit the names.
  // `all` means that the root is another one: it had expired, or its constraints lack a name.
  [[nodiscard]] Result<Renewed, LocalCaError> renew(LocalCaState& state, Time now) const;

 private:
  LocalCa() = default;
  std::vector<std::string> dns_;        // of the leaf
  std::vector<std::string> ips_;        // of the leaf
  std::vector<std::string> permitted_;  // "DNS:…", "IP:…" of the root and the intermediate
};

// self_signed makes a certificate that nobody trusts, for a public name that waits for its CA: 7
// days, ECDSA P-256. The local CA never signs such names.
[[nodiscard]] Result<Issued, LocalCaError> self_signed(std::string_view name, Time now);

// acme_challenge makes the certificate of a TLS-ALPN-01 challenge (RFC 8737 section 3).
// `key_authorization_digest` is the SHA-256 of the key authorization, 32 bytes.
[[nodiscard]] Result<Issued, LocalCaError> acme_challenge(std::string_view name,
                                                          std::string_view key_authorization_digest,
                                                          Time now);

// is_constrained_root is true for a CA certificate in PEM whose critical name constraints leave it
// something, and not everything: the only kind of root that may be added to a trust store.
[[nodiscard]] bool is_constrained_root(std::string_view certificate_pem);
// SHA-256 of the first certificate of a PEM text, hexadecimal; empty where there is none.
std::string certificate_fingerprint(std::string_view certificate_pem);

}  // namespace moat::https
