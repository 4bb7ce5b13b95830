// SPDX-License-Identifier: Apache-2.0
#include "moat/https/internal/issue.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>

#include "moat/base/encoding.h"

namespace moat::https {
namespace {

// RFC 5280 section 4.1.2.2: positive, at most 20 bytes, unpredictable: 127 random bits here.
bool set_random_serial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);  // positive, and never short
  const Owned<BIGNUM, BN_free> number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

OwnedName name_of(const std::string& common_name) {
  OwnedName name(X509_NAME_new());
  const auto add = [&](const char* field, const std::string& text) {
    return X509_NAME_add_entry_by_txt(name.get(), field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  if (!name || !add("O", "Moat") || !add("CN", common_name)) return nullptr;
  return name;
}

bool add_extension(X509* certificate, X509* issuer, const Extension& extension) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const OwnedExtension made(
      X509V3_EXT_nconf_nid(nullptr, &context, extension.nid, extension.value.c_str()));
  return made && X509_add_ext(certificate, made.get(), -1) == 1;
}

bool set_times(X509* certificate, Time not_before, Time not_after) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), unix_seconds(not_before)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), unix_seconds(not_after)) != nullptr;
}

bool fill(const Pair& pair, const Blueprint& blueprint, const Pair* issuer) {
  X509* const certificate = pair.certificate.get();
  const OwnedName subject = name_of(blueprint.common_name);
  if (!subject || X509_set_version(certificate, X509_VERSION_3) != 1 ||
      !set_random_serial(certificate) ||
      !set_times(certificate, blueprint.not_before, blueprint.not_after) ||
      X509_set_subject_name(certificate, subject.get()) != 1 ||
      X509_set_issuer_name(
          certificate, issuer == nullptr ? subject.get()
                                         : X509_get_subject_name(issuer->certificate.get())) != 1 ||
      X509_set_pubkey(certificate, pair.key.get()) != 1)
    return false;
  X509* const signer = issuer == nullptr ? certificate : issuer->certificate.get();
  return std::all_of(blueprint.extensions.begin(), blueprint.extensions.end(),
                     [&](const Extension& e) { return add_extension(certificate, signer, e); });
}

std::string contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

bool is_label(std::string_view label) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), fits);
}

}  // namespace

Pair issue(const Blueprint& blueprint, const Pair* issuer) {
  ERR_set_mark();
  Pair pair{OwnedX509(X509_new()), OwnedKey(EVP_EC_gen("P-256"))};
  const bool made =
      pair && fill(pair, blueprint, issuer) &&
      X509_sign(pair.certificate.get(), issuer == nullptr ? pair.key.get() : issuer->key.get(),
                EVP_sha256()) > 0;
  ERR_pop_to_mark();
  return made ? std::move(pair) : Pair{};
}

bool add_critical_octets(const Pair& pair, const char* oid, std::string_view der) {
  const Owned<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(oid, 1));
  const Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> octets(ASN1_OCTET_STRING_new());
  if (!object || !octets ||
      ASN1_OCTET_STRING_set(octets.get(), reinterpret_cast<const unsigned char*>(der.data()),
                            static_cast<int>(der.size())) != 1)
    return false;
  const OwnedExtension extension(
      X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 1, octets.get()));
  return extension && X509_add_ext(pair.certificate.get(), extension.get(), -1) == 1 &&
         X509_sign(pair.certificate.get(), pair.key.get(), EVP_sha256()) > 0;
}

Secret key_to_pem(EVP_PKEY* key) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));  // wipes its memory
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return Secret::copy_of({data, static_cast<std::size_t>(size)});
}

Issued to_pem(const Pair& pair) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), pair.certificate.get()) != 1) return {};
  return {contents(bio.get()), key_to_pem(pair.key.get())};
}

Pair read_pair(const Issued& issued) {
  ERR_set_mark();
  PemCertificates read = read_certificates(issued.certificate);
  Pair pair;
  if (!read.certificates.empty()) pair.certificate = std::move(read.certificates[0]);
  pair.key = read_key(issued.key.reveal()).key;
  const bool fits = pair && X509_check_private_key(pair.certificate.get(), pair.key.get()) == 1;
  ERR_pop_to_mark();
  return fits ? std::move(pair) : Pair{};
}

std::string alternative_names(const std::vector<std::string>& dns,
                              const std::vector<std::string>& addresses) {
  std::string list;
  const auto add = [&list](std::string_view type, const std::string& value) {
    if (!list.empty()) list += ',';
    list.append(type).append(value);
  };
  for (const std::string& name : dns) add("DNS:", name);
  for (const std::string& address : addresses) add("IP:", address);
  return list;
}

std::string checked_dns_name(std::string_view text) {
  std::string name = ascii_lower(text);
  if (!name.empty() && name.back() == '.') name.pop_back();
  std::string_view rest = name;
  if (rest.substr(0, 2) == "*.") rest.remove_prefix(2);
  if (rest.empty() || name.size() > 253) return {};
  std::string_view label;
  while (true) {
    const std::size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    if (!is_label(label)) return {};
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  // A last label of digits is an address, or an attempt at one.
  const bool digits =
      std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits ? std::string() : name;
}

}  // namespace moat::https
