// SPDX-License-Identifier: Apache-2.0
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cstring>

#include "moat/base/encoding.h"
#include "moat/https/internal/openssl.h"

namespace moat::https {
namespace {

constexpr std::size_t max_pem_bytes = 65536;
constexpr std::size_t max_certificates = 8;

OwnedBio memory_of(std::string_view text) {
  return OwnedBio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// One block of a PEM text, its bytes wiped at the end: it may be a key.
struct Block {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  Block() = default;
  Block(const Block&) = delete;  // owns the three
  Block& operator=(const Block&) = delete;
  ~Block() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  }
};

bool at_end_of_pem() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

// Never asks: OpenSSL's own callback would read from the terminal.
int no_pass_phrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// Nobody wants a queue of our errors in the thread that reads a connection's.
struct ErrorQueue {
  ErrorQueue() { ERR_set_mark(); }
  ErrorQueue(const ErrorQueue&) = delete;
  ErrorQueue& operator=(const ErrorQueue&) = delete;
  ~ErrorQueue() { ERR_pop_to_mark(); }
};

}  // namespace

PemCertificates read_certificates(std::string_view pem) {
  PemCertificates result;
  if (pem.size() > max_pem_bytes) return result;
  const ErrorQueue errors;
  const OwnedBio bio = memory_of(pem);
  std::vector<OwnedX509> certificates;
  while (bio) {
    Block block;
    if (PEM_read_bio(bio.get(), &block.name, &block.header, &block.data, &block.size) != 1) {
      if (at_end_of_pem()) result.certificates = std::move(certificates);
      return result;
    }
    if (std::strcmp(block.name, PEM_STRING_X509) != 0) {
      result.foreign = true;
      return result;
    }
    const unsigned char* at = block.data;
    OwnedX509 certificate(d2i_X509(nullptr, &at, block.size));
    if (!certificate || at != block.data + block.size || block.header[0] != '\0') return result;
    certificates.push_back(std::move(certificate));
    if (certificates.size() > max_certificates) return result;
  }
  return result;
}

PemKey read_key(std::string_view pem) {
  PemKey result;
  if (pem.size() > max_pem_bytes) return result;
  const ErrorQueue errors;
  const OwnedBio bio = memory_of(pem);
  if (!bio) return result;
  result.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, &result.encrypted));
  return result;
}

std::optional<KeyKind> kind_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) return KeyKind::rsa;
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeyKind::ed25519;
  if (EVP_PKEY_is_a(key, "EC") != 1) return std::nullopt;
  char group[64] = {};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group, sizeof group, &size) != 1) return std::nullopt;
  const std::string_view name(group, size);
  if (name == "prime256v1" || name == "P-256") return KeyKind::p256;
  if (name == "secp384r1" || name == "P-384") return KeyKind::p384;
  return std::nullopt;
}

std::optional<Time> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year{parts.tm_year + 1900},
      std::chrono::month{static_cast<unsigned>(parts.tm_mon) + 1},
      std::chrono::day{static_cast<unsigned>(parts.tm_mday)}};
  return Time{std::chrono::sys_days{date} + std::chrono::hours{parts.tm_hour} +
              std::chrono::minutes{parts.tm_min} + std::chrono::seconds{parts.tm_sec}};
}

std::string fingerprint_of(const X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return {};
  return hex_encode({reinterpret_cast<const char*>(digest), size});
}

Names names_of(const X509* certificate) {
  Names names;
  const OwnedNames list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()); ++i) {
    int type = 0;
    const auto* text = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list.get(), i), &type));
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const std::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                 static_cast<std::size_t>(ASN1_STRING_length(text)));
    if (type == GEN_DNS) {
      // A NUL or the like ends the name for some readers and not for others.
      const auto plain = [](char c) { return c > ' ' && c < 0x7f; };
      if (!bytes.empty() && std::all_of(bytes.begin(), bytes.end(), plain))
        names.all.push_back(ascii_lower(bytes));
    } else if (bytes.size() == 4 || bytes.size() == 16) {
      std::array<std::uint8_t, 16> raw{};
      std::memcpy(raw.data(), bytes.data(), bytes.size());
      names.addresses.push_back(bytes.size() == 16
                                    ? IpAddress::from_v6(raw)
                                    : IpAddress::from_v4(static_cast<std::uint32_t>(raw[0]) << 24 |
                                                         static_cast<std::uint32_t>(raw[1]) << 16 |
                                                         static_cast<std::uint32_t>(raw[2]) << 8 |
                                                         raw[3]));
      names.all.push_back(names.addresses.back().to_string());
    }
  }
  return names;
}

bool name_matches(std::string_view pattern, std::string_view name) {
  if (pattern.substr(0, 2) != "*.") return pattern == name;
  const std::size_t dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && name.substr(dot) == pattern.substr(1);
}

}  // namespace moat::https
