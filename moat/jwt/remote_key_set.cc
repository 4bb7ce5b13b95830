// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/remote_key_set.h"

#include <algorithm>
#include <stdexcept>

#include "moat/jwt/internal/jwk_set.h"
#include "moat/jwt/internal/material.h"

namespace moat::jwt {

namespace {

using std::chrono::seconds;

constexpr std::size_t most_keys = 64;
constexpr std::size_t longest_shown_id = 64;

bool is_rsa(Algorithm algorithm) {
  const internal::Kind kind = internal::facts(algorithm).kind;
  return kind == internal::Kind::pss || kind == internal::Kind::pkcs1;
}

std::string shown_id(const json::Value& jwk) {
  const json::Value* id = jwk.find("kid");
  if (id == nullptr || id->as_string() == nullptr) return {};
  return id->as_string()->substr(0, longest_shown_id);
}

}  // namespace

RemoteKeySet::RemoteKeySet() : RemoteKeySet(Options()) {}

RemoteKeySet::RemoteKeySet(Options options) : options_(std::move(options)) {
  int rsa = 0;
  for (const Algorithm algorithm : options_.algorithms) {
    if (internal::facts(algorithm).kind == internal::Kind::hmac) {
      throw std::invalid_argument("jwt: what everybody may fetch is no secret");
    }
    if (!is_rsa(algorithm)) continue;
    for_unnamed_rsa_ = algorithm;
    ++rsa;
  }
  if (rsa != 1) for_unnamed_rsa_.reset();
  if (options_.algorithms.empty() || options_.max_keys > most_keys ||
      options_.cooldown <= seconds(0) || options_.retry <= seconds(0) ||
      options_.max_stale < seconds(0) || options_.cooldown > options_.max_age / 2) {
    throw std::invalid_argument("jwt: options of RemoteKeySet");
  }
}

bool RemoteKeySet::counts(Algorithm algorithm) const {
  return std::any_of(options_.algorithms.begin(), options_.algorithms.end(),
                     [&](Algorithm own) { return internal::same_algorithm(own, algorithm); });
}

// As find_key chooses: a key without an id may be any token's.
bool RemoteKeySet::holds(std::optional<std::string_view> key_id, Algorithm algorithm) const {
  return std::any_of(keys_.keys().begin(), keys_.keys().end(), [&](const Key& key) {
    if (key_id && !key.id().empty()) return key.id() == *key_id;
    return internal::same_algorithm(key.algorithm(), algorithm);
  });
}

bool RemoteKeySet::usable(Tick now) const {
  if (!fetched_at_) return false;
  const auto age = now - *fetched_at_;
  return age < options_.max_age || (failing_ && age < options_.max_age + options_.max_stale);
}

bool RemoteKeySet::begin_fetch(Tick now) {
  if (fetching_ || (not_before_ && now < *not_before_)) return false;
  fetching_ = true;
  return true;
}

RemoteKeySet::Answer RemoteKeySet::look_up(std::optional<std::string_view> key_id,
                                           std::string_view algorithm, Tick now) {
  const std::optional<Algorithm> named = parse_algorithm(algorithm);
  if (!named || !counts(*named)) return {State::unknown};
  if (usable(now)) {
    if (holds(key_id, *named)) {
      const bool ageing = now - *fetched_at_ >= options_.max_age / 2;
      return {State::ready, ageing && begin_fetch(now)};
    }
    // A new key perhaps. Once that was looked for, it is a stranger's invention until the cooldown
    // is over.
    if (!fetching_ && !failing_ && not_before_ && now < *not_before_) return {State::unknown};
  }
  if (begin_fetch(now)) return {State::wait, true};
  return {fetching_ ? State::wait : State::unavailable};
}

Result<Key, KeyError> RemoteKeySet::accept(const json::Value& jwk) const {
  const json::Value* type = jwk.find("kty");
  // Whoever can read a secret can sign with it, and this one has been read by everybody; the same
  // is true of a private key. Asked by the members too, whatever the type says.
  if ((type != nullptr && type->as_string() != nullptr && *type->as_string() == "oct") ||
      jwk.find("d") != nullptr || jwk.find("k") != nullptr) {
    return Error{KeyError::not_public};
  }
  const bool names_its_own = jwk.find("alg") != nullptr || jwk.find("crv") != nullptr;
  auto key = Key::from_jwk(jwk, names_its_own ? std::nullopt : for_unnamed_rsa_);
  if (key && !counts(key->algorithm())) return Error{KeyError::wrong_algorithm};
  return key;
}

Result<RemoteKeySet::Accepted, KeyError> RemoteKeySet::fetched(std::string_view body, Tick now) {
  auto read = internal::read_jwk_set(body, options_.max_bytes, options_.max_keys);
  if (read && read->names_an_id_twice) read = Error{KeyError::duplicate_key_id};
  if (!read) {
    failed(now);
    return Error{read.error()};
  }
  Accepted out;
  KeySet next;
  for (const json::Value& jwk : read->keys()) {
    auto key = accept(jwk);
    std::optional<KeyError> why;
    if (!key) {
      why = key.error();
    } else if (const auto added = next.add(*std::move(key)); !added) {
      why = added.error();
    }
    if (why) out.skipped.push_back({shown_id(jwk), *why});
  }
  internal::wipe_strings(read->document);
  out.keys = next.keys().size();
  keys_ = std::move(next);
  fetched_at_ = now;
  not_before_ = now + options_.cooldown;
  fetching_ = failing_ = false;
  return out;
}

void RemoteKeySet::failed(Tick now) {
  not_before_ = now + options_.retry;
  fetching_ = false;
  failing_ = true;
}

}  // namespace moat::jwt
