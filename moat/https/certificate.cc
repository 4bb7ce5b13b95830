// SPDX-License-Identifier: Apache-2.0
#include "moat/https/certificate.h"

#include <openssl/err.h>

#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/https/internal/openssl.h"

namespace moat::https {
namespace {

using Chain = std::vector<OwnedX509>;

bool issued_by_itself(X509* certificate) { return X509_self_signed(certificate, 0) == 1; }

// RFC 9325 section 4.5, RFC 9155: nothing older than SHA-256 signs.
bool strong_signature(X509* certificate) {
  int digest = NID_undef;
  int key = NID_undef;
  if (X509_get_signature_info(certificate, &digest, &key, nullptr, nullptr) != 1) return false;
  return key == NID_ED25519 || digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
}

std::optional<CertificateError> check_key(EVP_PKEY* key, KeyKind kind) {
  if (kind == KeyKind::rsa && EVP_PKEY_get_bits(key) < 2048) return CertificateError::weak_key;
  return std::nullopt;
}

std::optional<CertificateError> check_chain(const Chain& chain) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    X509* const certificate = chain[i].get();
    // What a root signed itself with says nothing: it is trusted or not as it is.
    if ((i == 0 || !issued_by_itself(certificate)) && !strong_signature(certificate))
      return CertificateError::weak_signature;
    EVP_PKEY* const key = X509_get0_pubkey(certificate);
    const std::optional<KeyKind> kind = key == nullptr ? std::nullopt : kind_of(key);
    if (i == 0 && !kind) return CertificateError::unsupported_key;
    if (kind && check_key(key, *kind)) return CertificateError::weak_key;
    if (i == 0) continue;
    if (X509_check_issued(certificate, chain[i - 1].get()) != X509_V_OK || key == nullptr ||
        X509_verify(chain[i - 1].get(), key) != 1)
      return CertificateError::broken_chain;
  }
  return std::nullopt;
}

std::optional<CertificateError> check_leaf(X509* leaf, EVP_PKEY* key, CertificateUse use) {
  if (X509_check_private_key(leaf, key) != 1) return CertificateError::key_mismatch;
  const int purpose =
      use == CertificateUse::server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;
  if (X509_check_purpose(leaf, purpose, 0) != 1) return CertificateError::wrong_purpose;
  return std::nullopt;
}

std::vector<CertificateWarning> warnings_of(const Chain& chain, KeyKind kind, Time now) {
  std::vector<CertificateWarning> warnings;
  if (kind == KeyKind::rsa && EVP_PKEY_get_bits(X509_get0_pubkey(chain[0].get())) < 3072)
    warnings.push_back(CertificateWarning::rsa_below_3072);
  if (kind == KeyKind::ed25519) warnings.push_back(CertificateWarning::ed25519_unknown_to_browsers);
  const auto expired = [now](const OwnedX509& certificate) {
    const std::optional<Time> end = time_of(X509_get0_notAfter(certificate.get()));
    return !end || *end < now;
  };
  if (std::any_of(chain.begin() + 1, chain.end(), expired))
    warnings.push_back(CertificateWarning::issuer_expired);
  const bool last_is_root = issued_by_itself(chain.back().get());
  if (chain.size() > 1 && last_is_root) warnings.push_back(CertificateWarning::root_in_chain);
  if (chain.size() == 1 && !last_is_root)
    warnings.push_back(CertificateWarning::missing_intermediate);
  return warnings;
}

std::string_view bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// RFC 9773 section 4.1: base64url of the key identifier, a dot, base64url of the serial number's
// DER content, which has a leading zero where the first bit is set.
std::optional<std::string> renewal_id_of(X509* leaf) {
  const ASN1_OCTET_STRING* const authority = X509_get0_authority_key_id(leaf);
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(leaf);
  if (authority == nullptr || serial == nullptr) return std::nullopt;
  std::string number(bytes_of(serial));
  if (number.empty() || (static_cast<unsigned char>(number[0]) & 0x80u) != 0)
    number.insert(0, 1, '\0');
  return base64url_encode(bytes_of(authority)) + "." + base64url_encode(number);
}

// The queue of OpenSSL's errors is the thread's; a failed check must not show up at a connection.
struct ErrorMark {
  ErrorMark() { ERR_set_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
  ~ErrorMark() { ERR_pop_to_mark(); }
};

}  // namespace

Result<Certificate, CertificateError> Certificate::from_pem(std::string_view chain,
                                                            const Secret& key, Time now,
                                                            CertificateUse use) {
  const ErrorMark errors;
  PemCertificates read = read_certificates(chain);
  if (read.foreign) return Error{CertificateError::foreign_block};
  if (read.certificates.empty()) return Error{CertificateError::malformed_chain};
  PemKey private_key = read_key(key.reveal());
  if (!private_key.key)
    return Error{private_key.encrypted ? CertificateError::encrypted_key
                                       : CertificateError::malformed_key};
  X509* const leaf = read.certificates[0].get();
  if (auto error = check_chain(read.certificates)) return Error{*error};
  if (auto error = check_leaf(leaf, private_key.key.get(), use)) return Error{*error};

  auto state = std::make_shared<State>();
  Names names = names_of(leaf);
  if (names.all.empty() && use == CertificateUse::server) return Error{CertificateError::no_names};
  const std::optional<Time> begin = time_of(X509_get0_notBefore(leaf));
  const std::optional<Time> end = time_of(X509_get0_notAfter(leaf));
  if (!begin || !end) return Error{CertificateError::malformed_chain};
  if (now < *begin) return Error{CertificateError::not_yet_valid};
  if (now > *end) return Error{CertificateError::expired};

  state->kind = *kind_of(X509_get0_pubkey(leaf));  // check_chain saw that it is one
  state->names = std::move(names.all);
  state->addresses = std::move(names.addresses);
  state->not_before = *begin;
  state->not_after = *end;
  state->fingerprint = fingerprint_of(leaf);
  state->self_signed = issued_by_itself(leaf);
  state->warnings = warnings_of(read.certificates, state->kind, now);
  state->renewal_id = renewal_id_of(leaf);
  state->key = std::move(private_key.key);
  state->leaf = std::move(read.certificates[0]);
  state->chain.reset(sk_X509_new_null());
  for (std::size_t i = 1; i < read.certificates.size(); ++i) {
    if (!state->chain || sk_X509_push(state->chain.get(), read.certificates[i].get()) == 0)
      return Error{CertificateError::malformed_chain};
    static_cast<void>(read.certificates[i].release());  // the stack's now
  }
  return Certificate(std::move(state));
}

const std::vector<std::string>& Certificate::names() const { return state_->names; }
Time Certificate::not_before() const { return state_->not_before; }
Time Certificate::not_after() const { return state_->not_after; }
const std::string& Certificate::fingerprint() const { return state_->fingerprint; }

std::string Certificate::der() const {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(state_->leaf.get(), &bytes);
  const std::string out(reinterpret_cast<const char*>(bytes), size > 0 ? std::size_t(size) : 0);
  OPENSSL_free(bytes);
  return out;
}

KeyKind Certificate::key_kind() const { return state_->kind; }
bool Certificate::self_signed() const { return state_->self_signed; }
const std::vector<CertificateWarning>& Certificate::warnings() const { return state_->warnings; }
std::optional<std::string> Certificate::renewal_id() const { return state_->renewal_id; }

bool Certificate::covers(std::string_view host) const {
  if (const auto address = IpAddress::parse(host)) {
    const auto& list = state_->addresses;
    return std::find(list.begin(), list.end(), *address) != list.end();
  }
  const std::string name = ascii_lower(host);
  return std::any_of(state_->names.begin(), state_->names.end(),
                     [&](const std::string& pattern) { return name_matches(pattern, name); });
}

bool needs_renewal(Time not_before, Time not_after, Time now) {
  const auto life = not_after - not_before;
  const auto left = not_after - now;
  return life < std::chrono::days{10} ? left <= life / 2 : left <= life / 3;
}

std::string_view to_string(CertificateError error) {
  switch (error) {
    case CertificateError::malformed_chain:
      return "the certificate file is not a chain of PEM certificates";
    case CertificateError::foreign_block:
      return "the certificate file holds something other than certificates";
    case CertificateError::malformed_key:
      return "the key file holds no private key in PEM";
    case CertificateError::encrypted_key:
      return "the private key is under a pass phrase";
    case CertificateError::key_mismatch:
      return "the private key does not belong to the first certificate";
    case CertificateError::unsupported_key:
      return "the certificate's key is neither RSA nor P-256, P-384 or Ed25519";
    case CertificateError::weak_key:
      return "an RSA key is below 2048 bits";
    case CertificateError::weak_signature:
      return "a certificate is signed with a hash older than SHA-256";
    case CertificateError::expired:
      return "the certificate has expired";
    case CertificateError::not_yet_valid:
      return "the certificate is not valid yet";
    case CertificateError::broken_chain:
      return "a certificate is not followed by its issuer's";
    case CertificateError::wrong_purpose:
      return "the certificate is not for this end of TLS: its key usage or extended key usage "
             "(serverAuth, clientAuth) says so";
    case CertificateError::no_names:
      return "the certificate has no subject alternative name";
  }
  return "unknown";
}

std::string_view to_string(CertificateWarning warning) {
  switch (warning) {
    case CertificateWarning::rsa_below_3072:
      return "the RSA key is below 3072 bits";
    case CertificateWarning::ed25519_unknown_to_browsers:
      return "browsers do not accept Ed25519 certificates";
    case CertificateWarning::issuer_expired:
      return "a later certificate of the chain has expired";
    case CertificateWarning::root_in_chain:
      return "the chain ends with the root, which clients have already";
    case CertificateWarning::missing_intermediate:
      return "the chain lacks the certificate of the issuer";
  }
  return "unknown";
}

}  // namespace moat::https
