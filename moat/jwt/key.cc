// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/key.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>

#include "moat/base/encoding.h"
#include "moat/jwt/internal/jwk.h"
#include "moat/jwt/internal/material.h"

namespace moat::jwt {

namespace {

struct Name {
  Algorithm algorithm;
  std::string_view name;
};
constexpr std::array<Name, 14> names{{{Algorithm::hs256, "HS256"},
                                      {Algorithm::hs384, "HS384"},
                                      {Algorithm::hs512, "HS512"},
                                      {Algorithm::es256, "ES256"},
                                      {Algorithm::es384, "ES384"},
                                      {Algorithm::es512, "ES512"},
                                      {Algorithm::ed25519, "Ed25519"},
                                      {Algorithm::eddsa, "EdDSA"},
                                      {Algorithm::ps256, "PS256"},
                                      {Algorithm::ps384, "PS384"},
                                      {Algorithm::ps512, "PS512"},
                                      {Algorithm::rs256, "RS256"},
                                      {Algorithm::rs384, "RS384"},
                                      {Algorithm::rs512, "RS512"}}};

constexpr std::size_t max_key_id = 256;

using internal::Kind;

// One block of a PEM file.
struct Block {
  std::string type;
  std::string der;
};

// A key file holds one key; parameters in front of it and a certificate's chain behind it are
// passed over.
std::optional<Block> read_block(std::string_view pem) {
  const internal::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::optional<Block> found;
  while (bio) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long length = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &length) != 1) break;
    Block block{name,
                std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(length))};
    const bool encrypted = header != nullptr && *header != '\0';
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(length));
    if (encrypted) return std::nullopt;
    if (block.type == "EC PARAMETERS") continue;
    if (found && (found->type != "CERTIFICATE" || block.type != "CERTIFICATE")) {
      wipe(block.der);
      wipe(found->der);
      return std::nullopt;
    }
    if (!found) found = std::move(block);
  }
  ERR_clear_error();
  return found;
}

struct ReadKey {
  internal::EvpKey key;
  bool has_private = false;
};

ReadKey decode_block(const Block& block) {
  const auto* at = reinterpret_cast<const unsigned char*>(block.der.data());
  const auto* const end = at + block.der.size();
  const long length = static_cast<long>(block.der.size());
  ReadKey out;
  if (block.type == "PUBLIC KEY") {
    out.key.reset(d2i_PUBKEY(nullptr, &at, length));
  } else if (block.type == "RSA PUBLIC KEY") {
    out.key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, length));
  } else if (block.type == "CERTIFICATE") {
    const internal::Certificate certificate(d2i_X509(nullptr, &at, length));
    if (certificate) out.key.reset(X509_get_pubkey(certificate.get()));
  } else if (block.type == "PRIVATE KEY") {
    out.key.reset(d2i_AutoPrivateKey(nullptr, &at, length));
    out.has_private = true;
  } else if (block.type == "RSA PRIVATE KEY" || block.type == "EC PRIVATE KEY") {
    const int type = block.type[0] == 'R' ? EVP_PKEY_RSA : EVP_PKEY_EC;
    out.key.reset(d2i_PrivateKey(type, nullptr, &at, length));
    out.has_private = true;
  }
  if (at != end) out.key.reset();
  ERR_clear_error();
  return out;
}

const std::string* text_of(const json::Value& jwk, std::string_view name) {
  const json::Value* member = jwk.find(name);
  return member == nullptr ? nullptr : member->as_string();
}

// RFC 7517 sections 4.2 and 4.3: a key for encryption must not verify signatures.
std::optional<KeyError> check_use(const json::Value& jwk) {
  if (const json::Value* use = jwk.find("use")) {
    if (use->as_string() == nullptr || *use->as_string() != "sig") return KeyError::wrong_use;
  }
  if (const json::Value* operations = jwk.find("key_ops")) {
    if (operations->as_array() == nullptr) return KeyError::malformed;
    for (const json::Value& operation : *operations->as_array()) {
      const std::string* text = operation.as_string();
      if (text != nullptr && (*text == "verify" || *text == "sign")) return std::nullopt;
    }
    return KeyError::wrong_use;
  }
  return std::nullopt;
}

// The algorithm that a JWK is for, from its own "alg", its curve, or what the caller says.
Result<Algorithm, KeyError> algorithm_of(const json::Value& jwk, std::optional<Algorithm> wanted) {
  std::optional<Algorithm> own;
  if (const json::Value* member = jwk.find("alg")) {
    if (member->as_string() == nullptr) return Error{KeyError::malformed};
    own = parse_algorithm(*member->as_string());
    if (!own) return Error{KeyError::unsupported};
    if (wanted && !internal::same_algorithm(*own, *wanted)) {
      return Error{KeyError::wrong_algorithm};
    }
  }
  if (wanted) own = wanted;
  const std::string* curve = text_of(jwk, "crv");
  if (!own && curve != nullptr) {
    for (const Name& entry : names) {
      const char* known = internal::facts(entry.algorithm).curve;
      if (known != nullptr && *curve == known) {
        own = entry.algorithm;
        break;
      }
    }
    if (!own) return Error{KeyError::unsupported};
  }
  if (!own) return Error{KeyError::wrong_algorithm};
  return *own;
}

bool fits_type(const json::Value& jwk, const internal::Facts& fact) {
  const std::string* type = text_of(jwk, "kty");
  const std::string* curve = text_of(jwk, "crv");
  if (type == nullptr) return false;
  switch (fact.kind) {
    case Kind::hmac:
      return *type == "oct";
    case Kind::ecdsa:
      return *type == "EC" && curve != nullptr && *curve == fact.curve;
    case Kind::ed25519:
      return *type == "OKP" && curve != nullptr && *curve == fact.curve;
    case Kind::pss:
    case Kind::pkcs1:
      return *type == "RSA";
  }
  return false;
}

bool is_known_type(const json::Value& jwk) {
  const std::string* type = text_of(jwk, "kty");
  return type != nullptr && (*type == "oct" || *type == "EC" || *type == "OKP" || *type == "RSA");
}

Result<Key, KeyError> secret_from_jwk(const json::Value& jwk, Algorithm algorithm,
                                      std::string_view id) {
  const std::string* text = text_of(jwk, "k");
  std::optional<std::string> bytes = text == nullptr ? std::nullopt : base64url_decode(*text);
  if (!bytes) return Error{KeyError::malformed};
  return Key::from_secret(Secret::take(*bytes), algorithm, id);
}

}  // namespace

std::string_view to_string(Algorithm algorithm) {
  for (const Name& entry : names) {
    if (entry.algorithm == algorithm) return entry.name;
  }
  return {};
}

std::optional<Algorithm> parse_algorithm(std::string_view name) {
  for (const Name& entry : names) {
    if (entry.name == name) return entry.algorithm;
  }
  return std::nullopt;
}

std::string_view to_string(KeyError error) {
  switch (error) {
    case KeyError::malformed:
      return "malformed";
    case KeyError::unsupported:
      return "unsupported";
    case KeyError::too_weak:
      return "too_weak";
    case KeyError::sample_secret:
      return "sample_secret";
    case KeyError::wrong_algorithm:
      return "wrong_algorithm";
    case KeyError::wrong_use:
      return "wrong_use";
    case KeyError::mixed_set:
      return "mixed_set";
    case KeyError::duplicate_key_id:
      return "duplicate_key_id";
    case KeyError::not_public:
      return "not_public";
    case KeyError::untrusted:
      return "untrusted";
    case KeyError::no_usable_key:
      return "no_usable_key";
  }
  return {};
}

Result<Key, KeyError> Key::from_secret(const Secret& secret, Algorithm algorithm,
                                       std::string_view key_id) {
  const internal::Facts& fact = internal::facts(algorithm);
  if (fact.kind != Kind::hmac) return Error{KeyError::wrong_algorithm};
  // RFC 7518 section 3.2: "A key of the same size as the hash output [...] or larger MUST be used".
  if (secret.size() < fact.bytes) return Error{KeyError::too_weak};
  if (internal::is_guessable(secret.reveal())) return Error{KeyError::sample_secret};
  return Material::make_secret(secret.clone(), algorithm, key_id);
}

Result<Key, KeyError> Key::insecure_allow_short_secret(const Secret& secret, Algorithm algorithm,
                                                       std::string_view key_id) {
  // What is public can be no secret, whatever the caller allows.
  if (internal::looks_like_pem(secret.reveal())) return Error{KeyError::sample_secret};
  if (secret.empty()) return Error{KeyError::too_weak};
  return Material::make_secret(secret.clone(), algorithm, key_id);
}

Result<Key, KeyError> Key::from_pem(std::string_view pem, Algorithm algorithm,
                                    std::string_view key_id) {
  if (pem.size() > 65536) return Error{KeyError::malformed};
  std::optional<Block> block = read_block(pem);
  if (!block) return Error{KeyError::malformed};
  ReadKey read = decode_block(*block);
  wipe(block->der);
  return Material::make_pair(std::move(read.key), algorithm, key_id, read.has_private);
}

Result<Key, KeyError> Key::from_jwk(const json::Value& jwk, std::optional<Algorithm> algorithm) {
  if (jwk.as_object() == nullptr) return Error{KeyError::malformed};
  if (!is_known_type(jwk)) return Error{KeyError::unsupported};
  if (const auto error = check_use(jwk)) return Error{*error};
  MOAT_TRY(const Algorithm own, algorithm_of(jwk, algorithm));
  const internal::Facts& fact = internal::facts(own);
  if (!fits_type(jwk, fact)) return Error{KeyError::wrong_algorithm};
  const json::Value* id = jwk.find("kid");
  if (id != nullptr && (id->as_string() == nullptr || id->as_string()->size() > max_key_id)) {
    return Error{KeyError::malformed};
  }
  const std::string_view key_id = id == nullptr ? std::string_view() : *id->as_string();
  if (fact.kind == Kind::hmac) return secret_from_jwk(jwk, own, key_id);
  const bool has_private = jwk.find("d") != nullptr;
  return Material::make_pair(internal::build_key(jwk, fact, has_private), own, key_id, has_private);
}

Result<Key, KeyError> Key::generate(Algorithm algorithm, Random& random) {
  const internal::Facts& fact = internal::facts(algorithm);
  if (fact.kind == Kind::hmac) {
    std::string bytes = random.bytes(fact.bytes);
    return Material::make_secret(Secret::take(bytes), algorithm, random.token(16));
  }
  internal::EvpKey key = internal::generate_key(fact, random);
  if (!key) return Error{KeyError::unsupported};
  const std::string id = internal::thumbprint_of(key.get(), fact);
  return Material::make_pair(std::move(key), algorithm, id, true);
}

Algorithm Key::algorithm() const { return material_->algorithm; }
std::string_view Key::id() const { return material_->id; }
bool Key::is_symmetric() const { return !material_->pkey; }
bool Key::can_sign() const { return material_->has_private; }
Key Key::with_id(std::string_view key_id) const { return material_->with_id(key_id); }

std::optional<std::string> Key::sign(std::string_view message) const {
  return material_->sign(message);
}
bool Key::verify(std::string_view message, std::string_view signature) const {
  return material_->verify(message, signature);
}

std::optional<json::Value> Key::public_jwk() const {
  if (is_symmetric()) return std::nullopt;
  json::Object out = internal::public_members(material_->pkey.get(), internal::facts(algorithm()));
  if (!id().empty()) out.emplace_back("kid", id());
  out.emplace_back("use", "sig");
  out.emplace_back("alg", to_string(algorithm()));
  return json::Value(std::move(out));
}

Secret Key::private_jwk() const {
  if (!can_sign()) return {};
  json::Object out;
  if (is_symmetric()) {
    out.emplace_back("kty", "oct");
    out.emplace_back("k", base64url_encode(material_->secret.reveal()));
  } else {
    const internal::Facts& fact = internal::facts(algorithm());
    out = internal::public_members(material_->pkey.get(), fact);
    for (json::Member& member : internal::private_members(material_->pkey.get(), fact)) {
      out.push_back(std::move(member));
    }
  }
  if (!id().empty()) out.emplace_back("kid", id());
  out.emplace_back("use", "sig");
  out.emplace_back("alg", to_string(algorithm()));
  json::Value value(std::move(out));
  std::string text = json::serialize(value);
  internal::wipe_strings(value);
  return Secret::take(text);
}

std::string Key::thumbprint() const {
  if (is_symmetric()) return {};
  return internal::thumbprint_of(material_->pkey.get(), internal::facts(algorithm()));
}

Secret Key::derive(std::string_view label) const {
  if (!is_symmetric()) return {};
  const Digest digest = HmacKey(material_->secret.reveal()).tag(label);
  std::string bytes(as_bytes(digest));
  return Secret::take(bytes);
}

}  // namespace moat::jwt
