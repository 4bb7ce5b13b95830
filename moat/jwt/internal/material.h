// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/hash.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/jwt/internal/openssl.h"
#include "moat/jwt/key.h"

namespace moat::jwt {

namespace internal {

// What an algorithm is made of.
enum class Kind { hmac, ecdsa, ed25519, pss, pkcs1 };
struct Facts {
  Kind kind;
  const char* digest;  // OpenSSL's name; null for Ed25519, which hashes by itself
  std::size_t bytes;   // of the hash (HMAC) or of a coordinate (ECDSA)
  const char* curve;   // the JWK name; null where there is none
  const char* group;   // OpenSSL's name of the curve
};
const Facts& facts(Algorithm algorithm);

// Whether a header that names `named` fits a key of `own`: the same, or the two names of Ed25519.
bool same_algorithm(Algorithm own, Algorithm named);

}  // namespace internal

// The prepared form of a key. Built once, then only read.
struct Key::Material {
  Algorithm algorithm{};
  std::string id;
  bool has_private = false;

  // HMAC
  Secret secret;
  std::optional<HmacKey> hmac_sha256;
  internal::EvpMacContext hmac;  // SHA-384 and SHA-512: initialised, duplicated for each use

  // all others
  internal::EvpKey pkey;
  internal::EvpDigest digest;

  static Result<Key, KeyError> make_secret(Secret secret, Algorithm algorithm, std::string_view id);
  // Takes over a key that OpenSSL has read, and checks that it fits the algorithm and is sound.
  static Result<Key, KeyError> make_pair(internal::EvpKey pkey, Algorithm algorithm,
                                         std::string_view id, bool has_private);
  Key with_id(std::string_view new_id) const;

  std::optional<std::string> sign(std::string_view message) const;
  bool verify(std::string_view message, std::string_view signature) const;
  std::string mac(std::string_view message) const;
  bool init_padding(EVP_PKEY_CTX* context) const;
};

namespace internal {

// A secret that somebody could guess: a sample from a tutorial, a pattern, or a public key in PEM
// (what CVE-2016-10555 and its like feed to HMAC). Length is not looked at.
bool is_guessable(std::string_view secret);
bool looks_like_pem(std::string_view secret);

// A modulus with the fingerprint of CVE-2017-15361 ("ROCA"), which can be factored.
bool has_roca_fingerprint(const BIGNUM* modulus);

// Overwrites every string in a parsed JSON text that held secrets.
void wipe_strings(json::Value& value);

}  // namespace internal
}  // namespace moat::jwt
