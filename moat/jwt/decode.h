// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "moat/base/json.h"
#include "moat/base/result.h"
#include "moat/jwt/jws.h"

namespace moat::jwt {

// Decoded is what a token says and nobody has checked: anyone can write anything into one. It is
// good for choosing whose keys are to verify the token, and for looking at it; nothing makes a
// Verified of it but Verifier::verify of the token itself.
class Decoded final {
 public:
  const json::Value& unverified_header() const { return header_; }
  const json::Value& unverified_claims() const { return claims_; }
  // The claim where it is a string, else empty.
  std::string_view unverified_text(std::string_view claim) const;
  // The header's "kid", and its "alg" as it stands there.
  std::optional<std::string_view> unverified_key_id() const;
  std::string_view unverified_algorithm() const;

 private:
  friend Result<Decoded, Refusal> decode(Unverified token, std::size_t max_bytes);
  Decoded() = default;
  json::Value header_;
  json::Value claims_;
};

// decode reads a token without any key, as strictly as Verifier::verify does: what it refuses
// (too_large, malformed, unsigned_token, critical_extension) no key could have verified.
[[nodiscard]] Result<Decoded, Refusal> decode(Unverified token, std::size_t max_bytes = 8192);

}  // namespace moat::jwt
