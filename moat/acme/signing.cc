// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/internal/signing.h"

#include "moat/jwt/jws.h"

namespace moat::acme {

// The members that make the thumbprint and no others (RFC 7638 section 3.2).
json::Value Signer::public_key() const {
  const auto whole = key_.public_jwk();
  json::Object required;
  for (const std::string_view name : {"crv", "kty", "x", "y"}) {
    const json::Value* member = whole ? whole->find(name) : nullptr;
    if (member != nullptr) required.emplace_back(name, *member);
  }
  return required;
}

std::optional<std::string> Signer::sign(const std::string& url, const std::string& nonce,
                                        std::string_view payload) const {
  json::Object header;
  if (url_.empty()) {
    header.emplace_back("jwk", public_key());
  } else {
    header.emplace_back("kid", url_);
  }
  header.emplace_back("nonce", nonce);
  header.emplace_back("url", url);
  return jwt::sign_flattened_jws(payload, key_, header);
}

std::optional<json::Value> Signer::bind(const std::string& new_account, const std::string& key_id,
                                        const Secret& mac_key) const {
  const auto key = jwt::Key::from_secret(mac_key, jwt::Algorithm::hs256);
  if (!key) return std::nullopt;
  const auto jws = jwt::sign_flattened_jws(json::serialize(public_key()), *key,
                                           {{"kid", key_id}, {"url", new_account}});
  if (!jws) return std::nullopt;
  auto parsed = json::parse(*jws);
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

}  // namespace moat::acme
