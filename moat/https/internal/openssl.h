// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal: OpenSSL's types stay inside this room's sources and tests. Not installed.

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/ip.h"
#include "moat/https/certificate.h"
#include "moat/https/tls.h"

namespace moat::https {

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
using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using OwnedBio = Owned<BIO, BIO_free_all>;
using OwnedName = Owned<X509_NAME, X509_NAME_free>;
using OwnedExtension = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using OwnedSslCtx = Owned<SSL_CTX, SSL_CTX_free>;
using OwnedSsl = Owned<SSL, SSL_free>;
struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using OwnedNames = std::unique_ptr<GENERAL_NAMES, FreeNames>;
struct FreeChain {
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};
using OwnedChain = std::unique_ptr<STACK_OF(X509), FreeChain>;

// What both sides of TLS have in common: versions and suites, key exchange groups (those that the
// library has; none: it has none), options and modes.
[[nodiscard]] bool set_suites(SSL_CTX* context, TlsPolicy::Versions versions);
[[nodiscard]] std::vector<std::string> set_groups(SSL_CTX* context);
// `library` is the version of OpenSSL that runs, as OpenSSL_version_num() gives it.
void set_modes(SSL_CTX* context, unsigned long library = OpenSSL_version_num());
// Whether connections may be told to free their record buffers (SSL_free_buffers). Where not, the
// context has SSL_MODE_RELEASE_BUFFERS, and OpenSSL frees them itself.
[[nodiscard]] bool may_free_buffers(unsigned long library);

struct Certificate::State {
  OwnedX509 leaf;
  OwnedChain chain;  // without the leaf
  OwnedKey key;
  KeyKind kind = KeyKind::p256;
  std::vector<std::string> names;
  std::vector<IpAddress> addresses;
  Time not_before, not_after;
  std::string fingerprint;
  bool self_signed = false;
  std::vector<CertificateWarning> warnings;
  std::optional<std::string> renewal_id;
};

struct TicketKey {
  std::array<unsigned char, 16> name{};
  std::array<unsigned char, 32> cipher{};  // AES-256-CBC
  std::array<unsigned char, 32> mac{};     // HMAC-SHA-256
  Time made;
  ~TicketKey();
  TicketKey() = default;
  TicketKey(const TicketKey&) = default;
  TicketKey& operator=(const TicketKey&) = default;
};

struct TicketKeys::State {
  State(const Clock& c, Random& r) : clock(c), random(r) {}
  const Clock& clock;
  Random& random;
  std::mutex mutex;
  std::vector<TicketKey> keys;    // newest first, `most` at most
  std::optional<Time> forgotten;  // when revoke_all() was called: older ones do not come back

  static constexpr std::size_t most = 16;

  // With the mutex held; a new key is made `before` it is due.
  void rotate(Time now, std::chrono::minutes before = std::chrono::minutes{0});
};

// Reads every block of a PEM text; none unless each is a certificate and all are well-formed.
// `foreign` tells the two reasons apart.
struct PemCertificates {
  std::vector<OwnedX509> certificates;
  bool foreign = false;
};
PemCertificates read_certificates(std::string_view pem);

struct PemKey {
  OwnedKey key;
  bool encrypted = false;
};
PemKey read_key(std::string_view pem);

std::optional<KeyKind> kind_of(const EVP_PKEY* key);
std::optional<Time> time_of(const ASN1_TIME* time);
std::string fingerprint_of(const X509* certificate);
// The DNS names (lower-case) and IP addresses (as text) of the subject alternative name.
struct Names {
  std::vector<std::string> all;
  std::vector<IpAddress> addresses;
};
Names names_of(const X509* certificate);
// True where `pattern`, perhaps with "*" as its first label, stands for `name`; both lower-case.
bool name_matches(std::string_view pattern, std::string_view name);

// Installs the callbacks of tickets.cc.
bool use_ticket_keys(SSL_CTX* context, const TicketKeys& keys);

}  // namespace moat::https
