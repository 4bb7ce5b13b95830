// SPDX-License-Identifier: Apache-2.0
#include "moat/https/certificate_request.h"

#include <openssl/err.h>

#include <array>

#include "moat/base/ip.h"
#include "moat/https/internal/issue.h"

namespace moat::https {

namespace {

using OwnedRequest = Owned<X509_REQ, X509_REQ_free>;
struct FreeExtensions {
  void operator()(STACK_OF(X509_EXTENSION) * list) const {
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
  }
};
using OwnedExtensions = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeExtensions>;

// In OpenSSL's notation; empty where one is none.
std::string notation_of(const std::vector<std::string>& names) {
  std::vector<std::string> dns, addresses;
  for (const std::string& name : names) {
    const auto checked = certificate_name(name);
    if (!checked) return {};
    (IpAddress::parse(*checked) ? addresses : dns).push_back(*checked);
  }
  return alternative_names(dns, addresses);
}

bool add_names(X509_REQ* request, const std::string& notation) {
  const OwnedExtension names(
      X509V3_EXT_nconf_nid(nullptr, nullptr, NID_subject_alt_name, notation.c_str()));
  const OwnedExtensions list(sk_X509_EXTENSION_new_null());
  if (!names || !list) return false;
  X509_EXTENSION* copy = X509_EXTENSION_dup(names.get());
  if (copy == nullptr || sk_X509_EXTENSION_push(list.get(), copy) == 0) {
    X509_EXTENSION_free(copy);
    return false;
  }
  return X509_REQ_add_extensions(request, list.get()) == 1;
}

std::string to_der(X509_REQ* request) {
  unsigned char* data = nullptr;
  const int size = i2d_X509_REQ(request, &data);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(data);
  return out;
}

}  // namespace

std::optional<std::string> certificate_name(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) return address->to_string();
  std::string name = checked_dns_name(text);
  if (name.empty()) return std::nullopt;
  return name;
}

Secret new_certificate_key() {
  ERR_set_mark();
  const OwnedKey key(EVP_EC_gen("P-256"));
  Secret pem = key ? key_to_pem(key.get()) : Secret();
  ERR_pop_to_mark();
  return pem;
}

std::optional<std::string> certificate_request(const Secret& key,
                                               const std::vector<std::string>& names) {
  ERR_set_mark();
  const OwnedKey signer = read_key(key.reveal()).key;
  const std::string notation = notation_of(names);
  const OwnedRequest request(X509_REQ_new());
  // The subject stays empty: CAs take the alternative names, and a common name has 64 characters.
  const bool made = signer && !notation.empty() && request &&
                    X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
                    X509_REQ_set_pubkey(request.get(), signer.get()) == 1 &&
                    add_names(request.get(), notation) &&
                    X509_REQ_sign(request.get(), signer.get(), EVP_sha256()) > 0;
  std::string der = made ? to_der(request.get()) : std::string();
  ERR_pop_to_mark();
  if (der.empty()) return std::nullopt;
  return der;
}

std::optional<Certificate> tls_alpn_certificate(std::string_view name, const Digest& digest,
                                                Time now) {
  const std::string notation = notation_of({std::string(name)});
  if (notation.empty()) return std::nullopt;
  ERR_set_mark();
  Blueprint blueprint;
  blueprint.common_name = "ACME challenge";
  blueprint.not_before = now - std::chrono::hours{24};
  blueprint.not_after = now + std::chrono::hours{24 * 7};
  blueprint.extensions = {{NID_subject_alt_name, notation}};
  const Pair pair = issue(blueprint, nullptr);
  // acmeIdentifier: an OCTET STRING of the 32 bytes.
  std::string octets("\x04\x20", 2);
  octets.append(as_bytes(digest));
  std::optional<Certificate> made;
  if (pair && add_critical_octets(pair, "1.3.6.1.5.5.7.1.31", octets)) {
    const Issued pem = to_pem(pair);
    if (auto read = Certificate::from_pem(pem.certificate, pem.key, now)) made = std::move(*read);
  }
  ERR_pop_to_mark();
  return made;
}

std::string tls_alpn_server_name(std::string_view name) {
  const auto address = IpAddress::parse(name);
  if (!address) return std::string(name);
  const auto& bytes = address->bytes();
  std::string out;
  if (address->is_v4()) {
    for (std::size_t i = 16; i-- > 12;) out.append(std::to_string(bytes[i])).append(".");
    return out + "in-addr.arpa";
  }
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 16; i-- > 0;) {
    out += digits[bytes[i] & 0x0f];
    out += '.';
    out += digits[bytes[i] >> 4];
    out += '.';
  }
  return out + "ip6.arpa";
}

}  // namespace moat::https
