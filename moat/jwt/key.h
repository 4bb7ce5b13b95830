// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/json.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"

namespace moat::jwt {

// The JWS algorithms of RFC 7518 section 3.1 and RFC 9864. "none" is none of them. `eddsa` is
// `ed25519` under its older name: what it signs says "EdDSA"; a key of either verifies both
// spellings.
enum class Algorithm {
  hs256,
  hs384,
  hs512,
  es256,
  es384,
  es512,
  ed25519,
  eddsa,
  ps256,
  ps384,
  ps512,
  rs256,
  rs384,
  rs512
};
std::string_view to_string(Algorithm algorithm);  // "HS256", "Ed25519", "EdDSA", …
[[nodiscard]] std::optional<Algorithm> parse_algorithm(std::string_view name);  // case-sensitive

enum class KeyError {
  malformed,    // not the format it claims to be, or members that contradict each other
  unsupported,  // a key type, curve or algorithm that Moat does not use
  too_weak,  // an HMAC secret shorter than its hash, RSA below 2048 bits, a key known to be broken
  sample_secret,  // an HMAC secret that is a sample, a word, a pattern, or a public key taken for a
                  // secret
  wrong_algorithm,   // the algorithm does not fit the key, or the JWK names another
  wrong_use,         // a JWK whose "use" or "key_ops" is not for signatures
  mixed_set,         // secrets and public keys in one set (RFC 8725 section 3.1)
  duplicate_key_id,  // two keys of one "kid" in one set
  not_public,        // a secret or private key where only public ones may be
  untrusted,     // a certificate out of its time, from nobody who is trusted, weakly signed, or not
                 // for signatures
  no_usable_key  // a set without any key that can be used
};
std::string_view to_string(KeyError error);

// Key is one key with the one algorithm it is used with, prepared once. Immutable; copies share the
// material, which is wiped with the last of them. Safe for concurrent use.
class Key final {
 public:
  // An HMAC secret: hs256, hs384, hs512 of at least 32, 48, 64 bytes; samples and patterns are
  // refused.
  static Result<Key, KeyError> from_secret(const Secret& secret,
                                           Algorithm algorithm = Algorithm::hs256,
                                           std::string_view key_id = {});
  // The same without the checks of length and guessability: only to verify what others signed so.
  static Result<Key, KeyError> insecure_allow_short_secret(const Secret& secret,
                                                           Algorithm algorithm = Algorithm::hs256,
                                                           std::string_view key_id = {});
  // A public key ("PUBLIC KEY", "RSA PUBLIC KEY"), a private one ("PRIVATE KEY", "EC PRIVATE KEY",
  // "RSA PRIVATE KEY", unencrypted) or a certificate, of which only the public key is taken:
  // nothing else in it is checked: from_certificate does. At most 64 KiB.
  static Result<Key, KeyError> from_pem(std::string_view pem, Algorithm algorithm,
                                        std::string_view key_id = {});
  static Result<Key, KeyError> from_pem(const Secret& pem, Algorithm algorithm,
                                        std::string_view key_id = {}) {
    return from_pem(pem.reveal(), algorithm, key_id);
  }
  // The public key of a certificate that is good at `now` (RFC 5280 section 6): issued by one of
  // `roots`, or one of them, through the chain that may follow it in `pem`; within its dates,
  // signed with SHA-256 or better, and, where it says what its key is for, for signatures. Whether
  // it was revoked is not looked at. At most 64 KiB and eight certificates each.
  static Result<Key, KeyError> from_certificate(std::string_view pem, std::string_view roots,
                                                Algorithm algorithm, Time now,
                                                std::string_view key_id = {});
  // A JWK (RFC 7517, RFC 8037), public or private. The algorithm comes from its "alg", else from
  // its curve; an RSA or "oct" key without "alg" needs `algorithm`; where both are there they must
  // agree.
  static Result<Key, KeyError> from_jwk(const json::Value& jwk,
                                        std::optional<Algorithm> algorithm = std::nullopt);
  // A new key, its id the thumbprint (for secrets: 16 random bytes). RSA is not generated:
  // `unsupported`.
  static Result<Key, KeyError> generate(Algorithm algorithm, Random& random);

  Algorithm algorithm() const;
  std::string_view id() const;  // "kid"; may be empty
  bool is_symmetric() const;
  bool can_sign() const;
  Key with_id(std::string_view key_id) const;

  // The signature or MAC over `message`; nullopt when the key is public only.
  [[nodiscard]] std::optional<std::string> sign(std::string_view message) const;
  // `signature` as raw bytes (RFC 7518 section 3.4: r and s side by side for ECDSA).
  [[nodiscard]] bool verify(std::string_view message, std::string_view signature) const;

  // The public half with kid, alg and use; nullopt for a secret: it has none.
  std::optional<json::Value> public_jwk() const;
  // The whole key as JWK text, to be stored; empty when can_sign() is false.
  Secret private_jwk() const;
  // RFC 7638 with SHA-256, in base64url; empty for a secret, of which a hash must not travel.
  std::string thumbprint() const;
  // 32 bytes for another purpose, HMAC-SHA-256(secret, label); empty for a public or private key
  // pair.
  Secret derive(std::string_view label) const;

  struct Material;  // the prepared form; defined in internal/material.h

 private:
  explicit Key(std::shared_ptr<const Material> material) : material_(std::move(material)) {}
  friend struct Material;
  std::shared_ptr<const Material> material_;
};

// KeySet is what a verifier trusts: only secrets or only public keys, at most 64, no two of one id.
class KeySet final {
 public:
  KeySet() = default;
  static Result<KeySet, KeyError> of(std::vector<Key> keys);
  // A JWK Set (RFC 7517 section 5) of at most 256 KiB. Keys of unknown kinds, for encryption or too
  // weak are passed over, as section 5 asks; a set that mixes secrets and public keys or names a
  // kid twice is refused whole. `algorithm` is for keys that name none.
  static Result<KeySet, KeyError> from_jwks(std::string_view text,
                                            std::optional<Algorithm> algorithm = std::nullopt);

  Result<void, KeyError> add(Key key);
  std::span<const Key> keys() const { return keys_; }
  // {"keys":[…]} of the public halves; secrets never appear.
  std::string public_jwks() const;

 private:
  std::vector<Key> keys_;
};

}  // namespace moat::jwt
