// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/hash.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/https/certificate.h"

namespace moat::https {

// What is needed to get a certificate from a CA.

// A DNS name in lower case ("*." allowed in front) or an IP address in its one spelling; nullopt
// for what can stand in no certificate.
[[nodiscard]] std::optional<std::string> certificate_name(std::string_view text);

// A new P-256 key in PEM; empty where OpenSSL fails.
[[nodiscard]] Secret new_certificate_key();

// A request (RFC 2986, in DER) for a certificate over `key` (PEM) and `names`, in their order; none
// for a key that cannot be read or a name that is none.
[[nodiscard]] std::optional<std::string> certificate_request(const Secret& key,
                                                             const std::vector<std::string>& names);

// The certificate that proves to a CA that `name` is served here (RFC 8737 section 3): signed by
// itself, good for a week around `now`, and shown only to who asks for the protocol "acme-tls/1".
[[nodiscard]] std::optional<Certificate> tls_alpn_certificate(std::string_view name,
                                                              const Digest& digest, Time now);
// The server name that a CA asks for: the name itself, or the reverse one of an address (RFC 8738
// section 6).
[[nodiscard]] std::string tls_alpn_server_name(std::string_view name);

}  // namespace moat::https
