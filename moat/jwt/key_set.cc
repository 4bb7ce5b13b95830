// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/jwt/internal/jwk_set.h"
#include "moat/jwt/internal/material.h"
#include "moat/jwt/key.h"

namespace moat::jwt {

namespace {

constexpr std::size_t max_keys = 64;
constexpr std::size_t max_jwks_bytes = 256 * 1024;

// RFC 7517 section 5: what a consumer does not understand it passes over. A weak key is passed over
// too: the rest of the set stays good, and what the weak one signed is refused.
bool passes_over(KeyError error) {
  return error == KeyError::unsupported || error == KeyError::wrong_use ||
         error == KeyError::wrong_algorithm || error == KeyError::malformed ||
         error == KeyError::too_weak || error == KeyError::sample_secret;
}

// Two keys of one type and one id: which of them is meant? Asked of the set as it stands there, so
// that a broken key cannot hide the other one.
bool names_an_id_twice(const json::Array& keys) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const json::Value* id = keys[i].find("kid");
    const json::Value* type = keys[i].find("kty");
    for (std::size_t j = 0; id != nullptr && type != nullptr && j < i; ++j) {
      const json::Value* other_id = keys[j].find("kid");
      const json::Value* other_type = keys[j].find("kty");
      if (other_id != nullptr && *other_id == *id && other_type != nullptr &&
          *other_type == *type) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

Result<void, KeyError> KeySet::add(Key key) {
  if (keys_.size() >= max_keys) return Error{KeyError::unsupported};
  for (const Key& other : keys_) {
    // A public key in reach of an HMAC verifier is the oldest of the confusions (RFC 8725
    // section 2.1).
    if (other.is_symmetric() != key.is_symmetric()) return Error{KeyError::mixed_set};
    if (!key.id().empty() && other.id() == key.id()) return Error{KeyError::duplicate_key_id};
  }
  keys_.push_back(std::move(key));
  return {};
}

Result<KeySet, KeyError> KeySet::of(std::vector<Key> keys) {
  KeySet set;
  for (Key& key : keys) {
    if (auto added = set.add(std::move(key)); !added) return Error{added.error()};
  }
  return set;
}

namespace internal {

Result<JwkSet, KeyError> read_jwk_set(std::string_view text, std::size_t max_bytes,
                                      std::size_t max_count) {
  if (text.size() > max_bytes) return Error{KeyError::malformed};
  auto parsed = json::parse(text, {.depth = 8, .members = 4096});
  if (!parsed) return Error{KeyError::malformed};
  const json::Value* keys = parsed->find("keys");
  if (keys == nullptr || keys->as_array() == nullptr) return Error{KeyError::malformed};
  if (keys->as_array()->size() > max_count) return Error{KeyError::unsupported};
  JwkSet out;
  out.names_an_id_twice = names_an_id_twice(*keys->as_array());
  out.document = *std::move(parsed);
  return out;
}

}  // namespace internal

Result<KeySet, KeyError> KeySet::from_jwks(std::string_view text,
                                           std::optional<Algorithm> algorithm) {
  MOAT_TRY(internal::JwkSet read, internal::read_jwk_set(text, max_jwks_bytes, max_keys));
  KeySet set;
  std::optional<KeyError> error;
  if (read.names_an_id_twice) error = KeyError::duplicate_key_id;
  for (const json::Value& jwk : read.keys()) {
    const bool names_its_own = jwk.find("alg") != nullptr || jwk.find("crv") != nullptr;
    auto key = Key::from_jwk(jwk, names_its_own ? std::nullopt : algorithm);
    if (!key) {
      if (!passes_over(key.error())) error = key.error();
      continue;
    }
    if (auto added = set.add(*std::move(key)); !added) error = added.error();
  }
  internal::wipe_strings(read.document);
  if (error) return Error{*error};
  if (set.keys_.empty()) return Error{KeyError::no_usable_key};
  return set;
}

std::string KeySet::public_jwks() const {
  json::Array out;
  for (const Key& key : keys_) {
    if (auto jwk = key.public_jwk()) out.push_back(*std::move(jwk));
  }
  return json::serialize(json::Value(json::Object{{"keys", json::Value(std::move(out))}}));
}

}  // namespace moat::jwt
