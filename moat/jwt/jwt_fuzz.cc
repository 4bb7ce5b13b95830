// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/jwt.h"

#include <cstdint>
#include <cstdlib>
#include <span>

#include "moat/base/encoding.h"
#include "moat/jwt/decode.h"
#include "moat/jwt/remote_key_set.h"

namespace {

using namespace moat;

const jwt::Key& key() {
  static const jwt::Key made = [] {
    InsecureSeededRandom random(4);
    return jwt::Key::generate(jwt::Algorithm::hs256, random).value();
  }();
  return made;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

// The bytes are taken as a token, as claims that we sign, as a JWK Set and as a PEM file. A token
// that is accepted must have been spelled in the one canonical way; what we sign must come back.
void fuzz(std::span<const std::uint8_t> data) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (text.size() > 16384) return;
  jwt::KeySet keys;
  require(keys.add(key()).has_value());
  jwt::Options options;
  options.allow_missing_audience = true;
  options.allow_missing_expiration = true;
  const jwt::Verifier verifier(keys, options);
  const Time now = from_unix_seconds(1'800'000'000);

  // Nobody but us has the key.
  require(!verifier.verify(jwt::Unverified{text}, now));
  static_cast<void>(jwt::verify_flattened_jws(jwt::Unverified{text}, keys));
  if (const auto decoded = jwt::decode(jwt::Unverified{text})) {
    require(decoded->unverified_claims().as_object() != nullptr);
    require(decoded->unverified_header().find("crit") == nullptr);
  }

  const std::string token = jwt::sign_jws(text, key()).value();
  const auto payload = jwt::verify_jws(jwt::Unverified{token}, keys, {.max_bytes = 65536});
  require(payload && payload->payload == text);
  if (const auto verified = verifier.verify(jwt::Unverified{token}, now)) {
    require(verified->claims().as_object() != nullptr);
    require(jwt::decode(jwt::Unverified{token})->unverified_claims() == verified->claims());
    require(verified->expires() > now - options.skew);
  }
  // The text as the header of a token whose MAC is right.
  std::string forged = base64url_encode(text) + ".e30";
  forged += "." + base64url_encode(key().sign(forged).value());
  if (const auto accepted = jwt::verify_jws(jwt::Unverified{forged}, keys, {.max_bytes = 65536})) {
    require(*accepted->header.find("alg") == json::Value("HS256"));
    require(accepted->header.find("crit") == nullptr);
  }

  if (const auto set = jwt::KeySet::from_jwks(text)) {
    for (const jwt::Key& one : set->keys()) {
      if (const auto jwk = one.public_jwk()) {
        const auto back = jwt::Key::from_jwk(*jwk);
        require(back && back->thumbprint() == one.thumbprint());
      }
    }
  }
  jwt::RemoteKeySet remote;
  if (const auto accepted = remote.fetched(text, Tick())) {
    require(accepted->keys == remote.keys().keys().size());
    for (const jwt::Key& one : remote.keys().keys()) {
      require(!one.is_symmetric() && !one.can_sign());
      require(one.algorithm() != jwt::Algorithm::rs256);
    }
  }
  static_cast<void>(jwt::Key::from_pem(text, jwt::Algorithm::es256));
}
