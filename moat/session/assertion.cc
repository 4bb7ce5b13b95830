// SPDX-License-Identifier: Apache-2.0
#include "moat/session/assertion.h"

#include <stdexcept>

#include "moat/jwt/jwt.h"

namespace moat::session {

AssertionSigner::AssertionSigner(jwt::KeyRing keys, Options options)
    : keys_(std::move(keys)), options_(std::move(options)) {
  if (keys_.current(Time::min()).is_symmetric()) {
    throw std::invalid_argument("session: a backend needs a public key to verify with");
  }
  if (options_.reuse >= options_.lifetime || options_.reuse < std::chrono::seconds(0)) {
    throw std::invalid_argument("session: an assertion must outlive its reuse");
  }
  if (options_.issuer.empty() || options_.capacity < 2) {
    throw std::invalid_argument("session: an assertion needs an issuer, and a cache of two");
  }
}

AssertionSigner::Entry AssertionSigner::make(const Identity& identity, std::string_view backend,
                                             Time now) const {
  json::Array roles;
  for (const std::string& role : identity.roles) roles.emplace_back(role);
  jwt::SignOptions options;
  options.expires_in = options_.lifetime;
  options.issuer = options_.issuer;
  options.audience = backend;
  options.subject = identity.user_id;
  json::Object claims{{"sid", identity.session_id},
                      {"email", identity.email},
                      {"roles", std::move(roles)},
                      {"auth_time", unix_seconds(identity.started_at)}};
  // RFC 8693 section 4.2; without it there is no such limit.
  if (identity.kind != Kind::browser) claims.emplace_back("scope", to_text(identity.scopes));
  // The ring holds private keys and the claims are ours, so this does not fail.
  auto token = jwt::sign(std::move(claims), keys_.current(now), options, now);
  return {std::move(token).value(), now, identity.email, identity.roles, identity.scopes};
}

std::string_view AssertionSigner::assertion(const Identity& identity, std::string_view backend,
                                            Time now) {
  cache_key_.assign(identity.session_id);
  cache_key_ += '\n';
  cache_key_ += backend;
  const auto is_fresh = [&](const Entry& entry) {
    return now >= entry.made_at && now < entry.made_at + options_.reuse &&
           entry.email == identity.email && entry.roles == identity.roles &&
           entry.scopes == identity.scopes;
  };
  const auto young = young_.find(cache_key_);
  if (young != young_.end() && is_fresh(young->second)) return young->second.token;
  const auto old = old_.find(cache_key_);
  if (old != old_.end() && is_fresh(old->second)) return old->second.token;
  if (young == young_.end() && young_.size() >= options_.capacity / 2) {
    old_ = std::move(young_);
    young_.clear();
  }
  return young_.insert_or_assign(cache_key_, make(identity, backend, now)).first->second.token;
}

void AssertionSigner::set_keys(jwt::KeyRing keys) {
  keys_ = std::move(keys);
  young_.clear();
  old_.clear();
}

}  // namespace moat::session
