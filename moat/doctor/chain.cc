// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/internal/chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "moat/base/ip.h"

namespace moat::doctor::internal {
namespace {

template <auto F>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    F(object);
  }
};
template <class T, auto F>
using Owned = std::unique_ptr<T, Deleter<F>>;
using OwnedX509 = Owned<X509, X509_free>;
using OwnedBio = Owned<BIO, BIO_free_all>;
using OwnedContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using OwnedNames = std::unique_ptr<GENERAL_NAMES, FreeNames>;
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }  // not what is in it
};
using OwnedStack = std::unique_ptr<STACK_OF(X509), FreeStack>;

constexpr std::size_t most_text = 512, most_names = 100;
constexpr std::size_t most_roots = 1024 * 1024;  // bytes of PEM

std::string text_of(const X509_NAME* name) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE) < 0) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  if (size <= 0) return {};
  return std::string(data, std::min(static_cast<std::size_t>(size), most_text));
}

std::string text_of(const ASN1_STRING* string) {
  const auto* const data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(string));
  return std::string(data, std::min(size, most_text));
}

std::string organization_of(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_organizationName, -1);
  if (at < 0) return {};
  return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

std::string address_of(const ASN1_OCTET_STRING* octets) {
  const unsigned char* const data = ASN1_STRING_get0_data(octets);
  if (ASN1_STRING_length(octets) == 4) {
    const auto host = static_cast<std::uint32_t>(data[0]) << 24 |
                      static_cast<std::uint32_t>(data[1]) << 16 |
                      static_cast<std::uint32_t>(data[2]) << 8 | data[3];
    return IpAddress::from_v4(host).to_string();
  }
  if (ASN1_STRING_length(octets) != 16) return "(a malformed address)";
  std::array<std::uint8_t, 16> bytes;
  std::copy(data, data + 16, bytes.begin());
  return IpAddress::from_v6(bytes).to_string();
}

std::vector<std::string> names_of(const X509* certificate) {
  const OwnedNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> out;
  if (!names) return out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()) && out.size() < most_names; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) out.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) out.push_back(address_of(name->d.iPAddress));
  }
  return out;
}

// What is no time at all is long ago.
Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return Time{};
  return from_unix_seconds(::timegm(&parts));
}

bool demands_staple(const X509* certificate) {
  auto* const features =
      static_cast<TLS_FEATURE*>(X509_get_ext_d2i(certificate, NID_tlsfeature, nullptr, nullptr));
  bool found = false;
  for (int i = 0; features != nullptr && i < sk_ASN1_INTEGER_num(features); ++i)
    found = found || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == 5;  // status_request
  TLS_FEATURE_free(features);
  return found;
}

void describe_key(X509* certificate, CertificateFacts& out) {
  EVP_PKEY* const key = X509_get0_pubkey(certificate);
  if (key == nullptr) {
    out.key = "a key that cannot be read";
    out.weak_key = true;
    return;
  }
  const char* const kind = EVP_PKEY_get0_type_name(key);
  out.key = std::string(kind == nullptr ? "?" : kind) + " " + std::to_string(EVP_PKEY_bits(key));
  // 112 bits are RSA 2048 and P-224; no client takes the latter.
  const int strength = EVP_PKEY_security_bits(key);
  out.weak_key = EVP_PKEY_base_id(key) == EVP_PKEY_RSA ? strength < 112 : strength < 128;
}

void describe_signature(X509* certificate, CertificateFacts& out) {
  const char* const name = OBJ_nid2ln(X509_get_signature_nid(certificate));
  out.signature = name == nullptr ? "?" : name;
  int digest = NID_undef;
  if (X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1) digest = 0;
  out.weak_signature = digest == NID_sha1 || digest == NID_md5 || digest == NID_md4 ||
                       digest == NID_md2 || digest == NID_md5_sha1;
}

CertificateFacts describe(X509* certificate) {
  CertificateFacts out;
  out.subject = text_of(X509_get_subject_name(certificate));
  out.issuer = text_of(X509_get_issuer_name(certificate));
  out.issuer_organization = organization_of(X509_get_issuer_name(certificate));
  out.names = names_of(certificate);
  out.not_before = time_of(X509_get0_notBefore(certificate));
  out.not_after = time_of(X509_get0_notAfter(certificate));
  describe_key(certificate, out);
  describe_signature(certificate, out);
  out.self_signed = X509_self_signed(certificate, 1) == 1;
  return out;
}

Trust trust_of(int error) {
  switch (error) {
    case X509_V_OK:
      return Trust::trusted;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return Trust::self_signed;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return Trust::unknown_root;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return Trust::incomplete;
    case X509_V_ERR_INVALID_PURPOSE:
      return Trust::wrong_purpose;
    default:
      return Trust::refused;
  }
}

void verify(const std::vector<OwnedX509>& chain, const Roots& roots, ChainFacts& out) {
  const OwnedContext context(X509_STORE_CTX_new());
  const OwnedStack others(sk_X509_new_null());
  if (!context || !others) return;
  for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(others.get(), chain[i].get());
  if (X509_STORE_CTX_init(context.get(), roots.native(), chain.front().get(), others.get()) != 1)
    return;
  X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(context.get());
  // Dates are judged one by one, by who is told the time.
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
  X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_depth(param, static_cast<int>(most_examined));
  X509_verify_cert(context.get());
  const int error = X509_STORE_CTX_get_error(context.get());
  out.trust = trust_of(error);
  out.trust_detail = X509_verify_cert_error_string(error);
  STACK_OF(X509)* const path = X509_STORE_CTX_get0_chain(context.get());
  if (out.trust != Trust::trusted || path == nullptr) return;
  for (int i = 0; i < sk_X509_num(path); ++i) {
    CertificateFacts facts = describe(sk_X509_value(path, i));
    const bool root = i > 0 && facts.self_signed;
    if (!root) out.path.push_back(std::move(facts));
  }
}

bool covers(X509* certificate, const std::string& host) {
  if (IpAddress::parse(host)) return X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
  // RFC 9525 section 6.3: a wildcard is a whole label, and the common name is no name.
  constexpr unsigned flags =
      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
  return X509_check_host(certificate, host.c_str(), host.size(), flags, nullptr) == 1;
}

}  // namespace

Result<Roots, std::string> Roots::create(std::string_view pem) {
  Roots roots(X509_STORE_new());
  if (roots.store_ == nullptr) return Error{std::string("OpenSSL failed")};
  if (pem.empty()) {
    X509_STORE_set_default_paths(roots.store_);
    ERR_clear_error();
    return roots;
  }
  const auto useless = [] {
    ERR_clear_error();
    return Error{std::string("holds no certificate in PEM, or something that is none")};
  };
  if (pem.size() > most_roots) return useless();
  const OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::size_t count = 0;
  for (;; ++count) {
    const OwnedX509 certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    if (X509_STORE_add_cert(roots.store_, certificate.get()) != 1) return useless();
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end || count == 0) return useless();
  ERR_clear_error();
  // What was named is trusted as it is: an intermediate, or the server's own certificate.
  X509_STORE_set_flags(roots.store_, X509_V_FLAG_PARTIAL_CHAIN);
  return roots;
}

Roots::Roots(Roots&& other) noexcept : store_(std::exchange(other.store_, nullptr)) {}
Roots& Roots::operator=(Roots&& other) noexcept {
  std::swap(store_, other.store_);
  return *this;
}
Roots::~Roots() { X509_STORE_free(store_); }

std::optional<ChainFacts> examine_chain(const std::vector<std::string>& sent, const Roots& roots,
                                        const std::string& host) {
  std::vector<OwnedX509> chain;
  for (const std::string& der : sent) {
    if (chain.size() == most_examined) break;
    const auto* data = reinterpret_cast<const unsigned char*>(der.data());
    OwnedX509 certificate(d2i_X509(nullptr, &data, static_cast<long>(der.size())));
    if (!certificate) break;
    chain.push_back(std::move(certificate));
  }
  ERR_clear_error();
  if (chain.empty()) return std::nullopt;
  ChainFacts out;
  out.sent_count = sent.size();
  out.in_order = true;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    out.sent.push_back(describe(chain[i].get()));
    if (i > 0 && X509_check_issued(chain[i].get(), chain[i - 1].get()) != X509_V_OK)
      out.in_order = false;
  }
  out.root_sent = chain.size() > 1 && out.sent.back().self_signed;
  out.name_matches = covers(chain.front().get(), host);
  out.must_staple = demands_staple(chain.front().get());
  verify(chain, roots, out);
  ERR_clear_error();
  return out;
}

}  // namespace moat::doctor::internal
