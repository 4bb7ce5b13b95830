// SPDX-License-Identifier: Apache-2.0
// Keys in certificates, believed as far as those who issued them are.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <vector>

#include "moat/jwt/internal/material.h"

namespace moat::jwt {

namespace {

using internal::Certificate;
using internal::Deleter;

constexpr std::size_t max_bytes = 65536;
constexpr std::size_t max_certificates = 8;
// Keys and signatures of 112 bits: SHA-1 and RSA below 2048 bits
// are out.
constexpr int security_level = 2;

struct FreeStack {
  // The certificates are somebody else's.
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using Stack = std::unique_ptr<STACK_OF(X509), FreeStack>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

// Empty where there is none, something else, or too many.
std::vector<Certificate> read_certificates(std::string_view pem) {
  std::vector<Certificate> out;
  if (pem.size() > max_bytes) return out;
  const internal::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  ERR_clear_error();
  while (bio && out.size() <= max_certificates) {
    Certificate one(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!one) break;
    out.push_back(std::move(one));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end || out.size() > max_certificates) out.clear();
  return out;
}

bool is_trusted(const std::vector<Certificate>& chain, const std::vector<Certificate>& roots,
                Time now) {
  const Store store(X509_STORE_new());
  const Stack untrusted(sk_X509_new_null());
  const StoreContext context(X509_STORE_CTX_new());
  if (!store || !untrusted || !context) return false;
  for (const Certificate& root : roots) {
    if (X509_STORE_add_cert(store.get(), root.get()) != 1) return false;
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (sk_X509_push(untrusted.get(), chain[i].get()) <= 0) return false;
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), untrusted.get()) != 1)
    return false;
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, static_cast<time_t>(unix_seconds(now)));
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_auth_level(rules, security_level);
  return X509_verify_cert(context.get()) == 1;
}

// RFC 5280 section 4.2.1.3.
bool is_for_signatures(X509* certificate) {
  return (X509_get_key_usage(certificate) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0;
}

}  // namespace

Result<Key, KeyError> Key::from_certificate(std::string_view pem, std::string_view roots,
                                            Algorithm algorithm, Time now,
                                            std::string_view key_id) {
  const std::vector<Certificate> chain = read_certificates(pem);
  const std::vector<Certificate> trusted = read_certificates(roots);
  if (chain.empty() || trusted.empty()) return Error{KeyError::malformed};
  const bool good = is_for_signatures(chain.front().get()) && is_trusted(chain, trusted, now);
  ERR_clear_error();
  if (!good) return Error{KeyError::untrusted};
  internal::EvpKey key(X509_get_pubkey(chain.front().get()));
  ERR_clear_error();
  return Material::make_pair(std::move(key), algorithm, key_id, false);
}

}  // namespace moat::jwt
