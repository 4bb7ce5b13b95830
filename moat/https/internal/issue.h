// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal: how this room makes certificates.

#include <string>
#include <string_view>
#include <vector>

#include "moat/https/internal/openssl.h"
#include "moat/https/local_ca.h"

namespace moat::https {

// A certificate with its key, as objects.
struct Pair {
  OwnedX509 certificate;
  OwnedKey key;
  explicit operator bool() const { return certificate && key; }
};

struct Extension {
  int nid;
  std::string value;  // OpenSSL's notation (x509v3_config); made of checked names only
};

struct Blueprint {
  std::string common_name;
  Time not_before, not_after;
  std::vector<Extension> extensions;
};

// issue makes a P-256 key and a certificate for it, signed with SHA-256 by `issuer`, or by itself
// where there is none. Empty: OpenSSL failed.
Pair issue(const Blueprint& blueprint, const Pair* issuer);
// Adds an extension of raw bytes and signs anew with the certificate's own key.
bool add_critical_octets(const Pair& pair, const char* oid, std::string_view der);

Issued to_pem(const Pair& pair);
Secret key_to_pem(EVP_PKEY* key);
// The first certificate of the text and its key; empty unless they belong together.
Pair read_pair(const Issued& issued);

// "DNS:a,DNS:b,IP:c" for names that `classify` has seen.
std::string alternative_names(const std::vector<std::string>& dns,
                              const std::vector<std::string>& addresses);

// A DNS name in lower case without final dot, "*." allowed as its first label; empty where it is
// none.
std::string checked_dns_name(std::string_view text);

}  // namespace moat::https
