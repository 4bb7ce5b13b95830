// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/internal/material.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <array>

namespace moat::jwt {

namespace internal {

const Facts& facts(Algorithm algorithm) {
  static constexpr Facts hs256{Kind::hmac, "SHA256", 32, nullptr, nullptr};
  static constexpr Facts hs384{Kind::hmac, "SHA384", 48, nullptr, nullptr};
  static constexpr Facts hs512{Kind::hmac, "SHA512", 64, nullptr, nullptr};
  static constexpr Facts es256{Kind::ecdsa, "SHA256", 32, "P-256", "prime256v1"};
  static constexpr Facts es384{Kind::ecdsa, "SHA384", 48, "P-384", "secp384r1"};
  static constexpr Facts es512{Kind::ecdsa, "SHA512", 66, "P-521", "secp521r1"};
  static constexpr Facts ed25519{Kind::ed25519, nullptr, 32, "Ed25519", "ED25519"};
  static constexpr Facts ps256{Kind::pss, "SHA256", 32, nullptr, nullptr};
  static constexpr Facts ps384{Kind::pss, "SHA384", 48, nullptr, nullptr};
  static constexpr Facts ps512{Kind::pss, "SHA512", 64, nullptr, nullptr};
  static constexpr Facts rs256{Kind::pkcs1, "SHA256", 32, nullptr, nullptr};
  static constexpr Facts rs384{Kind::pkcs1, "SHA384", 48, nullptr, nullptr};
  static constexpr Facts rs512{Kind::pkcs1, "SHA512", 64, nullptr, nullptr};
  switch (algorithm) {
    case Algorithm::hs256:
      return hs256;
    case Algorithm::hs384:
      return hs384;
    case Algorithm::hs512:
      return hs512;
    case Algorithm::es256:
      return es256;
    case Algorithm::es384:
      return es384;
    case Algorithm::es512:
      return es512;
    case Algorithm::ed25519:
    case Algorithm::eddsa:
      return ed25519;
    case Algorithm::ps256:
      return ps256;
    case Algorithm::ps384:
      return ps384;
    case Algorithm::ps512:
      return ps512;
    case Algorithm::rs256:
      return rs256;
    case Algorithm::rs384:
      return rs384;
    case Algorithm::rs512:
      return rs512;
  }
  return hs256;
}

bool same_algorithm(Algorithm own, Algorithm named) {
  const auto one_name = [](Algorithm a) { return a == Algorithm::eddsa ? Algorithm::ed25519 : a; };
  return one_name(own) == one_name(named);
}

namespace {

EvpMacContext prepare_hmac(std::string_view secret, const char* digest) {
  const EvpMac mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  EvpMacContext context(EVP_MAC_CTX_new(mac.get()));
  if (!context) return nullptr;
  std::string name(digest);
  const std::array<OSSL_PARAM, 2> params{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
      OSSL_PARAM_construct_end()};
  // A null key means "the key set before" to EVP_MAC_init, so an empty one still needs an address.
  const char* bytes = secret.empty() ? "" : secret.data();
  if (EVP_MAC_init(context.get(), reinterpret_cast<const unsigned char*>(bytes), secret.size(),
                   params.data()) != 1) {
    return nullptr;
  }
  return context;
}

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

BigNumber number(EVP_PKEY* pkey, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, name, &value) != 1) return nullptr;
  return BigNumber(value);
}

std::optional<KeyError> check_rsa(EVP_PKEY* pkey, Kind kind) {
  // An id-RSASSA-PSS key is for PSS only (RFC 4055 section 1.2).
  const bool pss_only = EVP_PKEY_is_a(pkey, "RSA-PSS") == 1;
  if (!pss_only && EVP_PKEY_is_a(pkey, "RSA") != 1) return KeyError::wrong_algorithm;
  if (pss_only && kind != Kind::pss) return KeyError::wrong_algorithm;
  const BigNumber n = number(pkey, OSSL_PKEY_PARAM_RSA_N);
  const BigNumber e = number(pkey, OSSL_PKEY_PARAM_RSA_E);
  if (!n || !e) return KeyError::malformed;
  // RFC 7518 section 3.3: 2048 bits or more. The upper bounds keep one verification cheap.
  if (BN_num_bits(n.get()) < 2048) return KeyError::too_weak;
  if (BN_num_bits(n.get()) > 8192 || BN_num_bits(e.get()) > 64) return KeyError::unsupported;
  if (BN_is_odd(n.get()) != 1 || BN_is_odd(e.get()) != 1) return KeyError::malformed;
  // FIPS 186-5 section 5.4: a public exponent above 2^16.
  if (BN_num_bits(e.get()) < 17) return KeyError::too_weak;
  if (has_roca_fingerprint(n.get())) return KeyError::too_weak;
  return std::nullopt;
}

std::optional<KeyError> check_curve(EVP_PKEY* pkey, const Facts& fact) {
  if (fact.kind == Kind::ed25519) {
    if (EVP_PKEY_is_a(pkey, "ED25519") == 1) return std::nullopt;
    return KeyError::wrong_algorithm;
  }
  if (EVP_PKEY_is_a(pkey, "EC") != 1) return KeyError::wrong_algorithm;
  std::array<char, 64> group{};
  std::size_t length = 0;
  // A curve given by explicit parameters has a name only if they are exactly those of the named
  // curve, so the generator cannot be the attacker's (CVE-2020-0601).
  if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                     &length) != 1) {
    return KeyError::unsupported;
  }
  if (std::string_view(group.data(), length) != fact.group) return KeyError::wrong_algorithm;
  return std::nullopt;
}

std::optional<KeyError> check_pair(EVP_PKEY* pkey, const Facts& fact, bool has_private) {
  const bool rsa = fact.kind == Kind::pss || fact.kind == Kind::pkcs1;
  if (const auto error = rsa ? check_rsa(pkey, fact.kind) : check_curve(pkey, fact)) return error;
  const EvpKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey, nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1) return KeyError::malformed;
  if (has_private && EVP_PKEY_pairwise_check(context.get()) != 1) return KeyError::malformed;
  return std::nullopt;
}

// RFC 7518 section 3.4: r and s as unsigned big-endian numbers of the curve's length, side by side.
std::optional<std::string> der_to_pair(std::string_view der, std::size_t bytes) {
  const unsigned char* at = raw(der);
  const EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature) return std::nullopt;
  std::string out(2 * bytes, '\0');
  const int width = static_cast<int>(bytes);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw(out), width) != width ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw(out) + bytes, width) != width) {
    return std::nullopt;
  }
  return out;
}

std::optional<std::string> pair_to_der(std::string_view pair, std::size_t bytes) {
  if (pair.size() != 2 * bytes) return std::nullopt;
  const EcdsaSignature signature(ECDSA_SIG_new());
  BigNumber r(BN_bin2bn(raw(pair), static_cast<int>(bytes), nullptr));
  BigNumber s(BN_bin2bn(raw(pair) + bytes, static_cast<int>(bytes), nullptr));
  if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
    return std::nullopt;
  }
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  const int size = i2d_ECDSA_SIG(signature.get(), nullptr);
  if (size <= 0) return std::nullopt;
  std::string out(static_cast<std::size_t>(size), '\0');
  unsigned char* at = raw(out);
  if (i2d_ECDSA_SIG(signature.get(), &at) != size) return std::nullopt;
  return out;
}

}  // namespace
}  // namespace internal

using internal::Kind;

Result<Key, KeyError> Key::Material::make_secret(Secret secret, Algorithm algorithm,
                                                 std::string_view id) {
  const internal::Facts& fact = internal::facts(algorithm);
  if (fact.kind != Kind::hmac) return Error{KeyError::wrong_algorithm};
  auto material = std::make_shared<Material>();
  material->algorithm = algorithm;
  material->id = id;
  material->has_private = true;
  if (algorithm == Algorithm::hs256) {
    material->hmac_sha256.emplace(secret.reveal());
  } else {
    material->hmac = internal::prepare_hmac(secret.reveal(), fact.digest);
    if (!material->hmac) return Error{KeyError::unsupported};
  }
  material->secret = std::move(secret);
  return Key(std::move(material));
}

Result<Key, KeyError> Key::Material::make_pair(internal::EvpKey pkey, Algorithm algorithm,
                                               std::string_view id, bool has_private) {
  const internal::Facts& fact = internal::facts(algorithm);
  if (fact.kind == Kind::hmac) return Error{KeyError::wrong_algorithm};
  if (!pkey) return Error{KeyError::malformed};
  if (const auto error = internal::check_pair(pkey.get(), fact, has_private)) {
    ERR_clear_error();
    return Error{*error};
  }
  auto material = std::make_shared<Material>();
  material->algorithm = algorithm;
  material->id = id;
  material->has_private = has_private;
  if (fact.digest != nullptr) material->digest.reset(EVP_MD_fetch(nullptr, fact.digest, nullptr));
  material->pkey = std::move(pkey);
  return Key(std::move(material));
}

Key Key::Material::with_id(std::string_view new_id) const {
  if (!pkey) return make_secret(secret.clone(), algorithm, new_id).value();
  auto material = std::make_shared<Material>();
  material->algorithm = algorithm;
  material->id = new_id;
  material->has_private = has_private;
  EVP_PKEY_up_ref(pkey.get());
  material->pkey.reset(pkey.get());
  if (digest) {
    EVP_MD_up_ref(digest.get());
    material->digest.reset(digest.get());
  }
  return Key(std::move(material));
}

bool Key::Material::init_padding(EVP_PKEY_CTX* context) const {
  const Kind kind = internal::facts(algorithm).kind;
  if (kind == Kind::pkcs1) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  if (kind != Kind::pss) return true;
  // RFC 7518 section 3.5: MGF1 with the same hash, and a salt as long as the hash.
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest.get()) == 1;
}

std::string Key::Material::mac(std::string_view message) const {
  if (hmac_sha256) return std::string(as_bytes(hmac_sha256->tag(message)));
  const internal::EvpMacContext context(EVP_MAC_CTX_dup(hmac.get()));
  std::string out(internal::facts(algorithm).bytes, '\0');
  std::size_t length = 0;
  if (!context || EVP_MAC_update(context.get(), internal::raw(message), message.size()) != 1 ||
      EVP_MAC_final(context.get(), internal::raw(out), &length, out.size()) != 1 ||
      length != out.size()) {
    return {};
  }
  return out;
}

std::optional<std::string> Key::Material::sign(std::string_view message) const {
  if (!has_private) return std::nullopt;
  if (!pkey) {
    std::string tag = mac(message);
    if (tag.empty()) return std::nullopt;
    return tag;
  }
  const internal::EvpDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;
  const internal::Facts& fact = internal::facts(algorithm);
  std::size_t length = 0;
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), &settings, fact.digest, nullptr, nullptr, pkey.get(),
                            nullptr) != 1 ||
      !init_padding(settings) ||
      EVP_DigestSign(context.get(), nullptr, &length, internal::raw(message), message.size()) !=
          1) {
    ERR_clear_error();
    return std::nullopt;
  }
  std::string out(length, '\0');
  if (EVP_DigestSign(context.get(), internal::raw(out), &length, internal::raw(message),
                     message.size()) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  out.resize(length);
  return fact.kind == Kind::ecdsa ? internal::der_to_pair(out, fact.bytes) : out;
}

bool Key::Material::verify(std::string_view message, std::string_view signature) const {
  if (!pkey) {
    if (hmac_sha256) return hmac_sha256->verify(message, signature);
    const std::string tag = mac(message);
    return !tag.empty() && constant_time_equal(tag, signature);
  }
  const internal::Facts& fact = internal::facts(algorithm);
  std::string der;
  if (fact.kind == Kind::ecdsa) {
    std::optional<std::string> converted = internal::pair_to_der(signature, fact.bytes);
    if (!converted) return false;
    der = std::move(*converted);
    signature = der;
  }
  const internal::EvpDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;
  const bool good = context &&
                    EVP_DigestVerifyInit_ex(context.get(), &settings, fact.digest, nullptr, nullptr,
                                            pkey.get(), nullptr) == 1 &&
                    init_padding(settings) &&
                    EVP_DigestVerify(context.get(), internal::raw(signature), signature.size(),
                                     internal::raw(message), message.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace moat::jwt
