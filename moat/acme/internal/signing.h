// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal: how requests to a CA are signed (RFC 8555 section 6.2).

#include <optional>
#include <string>

#include "moat/base/json.h"
#include "moat/base/secret.h"
#include "moat/jwt/key.h"

namespace moat::acme {

class Signer final {
 public:
  explicit Signer(jwt::Key key) : key_(std::move(key)), thumbprint_(key_.thumbprint()) {}

  // By the account's URL from now on; by the whole key until then.
  void known_as(std::string url) { url_ = std::move(url); }
  const std::string& thumbprint() const { return thumbprint_; }

  // A flattened JWS; nullopt where the key cannot sign.
  std::optional<std::string> sign(const std::string& url, const std::string& nonce,
                                  std::string_view payload) const;
  // The member "externalAccountBinding" (section 7.3.4); nullopt for a key that is too weak.
  std::optional<json::Value> bind(const std::string& new_account, const std::string& key_id,
                                  const Secret& mac_key) const;

 private:
  json::Value public_key() const;
  jwt::Key key_;
  std::string thumbprint_;
  std::string url_;
};

}  // namespace moat::acme
