// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "moat/base/json.h"
#include "moat/base/result.h"
#include "moat/jwt/key.h"

namespace moat::jwt {

// Text that came from a peer and has been checked by nobody.
struct Unverified {
  std::string_view text;
};

// Why a token was refused. For the log; the client is told only 401.
enum class Refusal {
  too_large,           // more bytes than Options::max_bytes
  malformed,           // not three parts of canonical base64url, or not strict JSON objects inside,
                       // or a signature longer than any key's
  unsigned_token,      // "alg":"none" in any spelling
  critical_extension,  // a "crit" header: Moat understands no extension (RFC 7515 section 4.1.11)
  wrong_algorithm,     // the header's algorithm is not that of the key, or is not accepted here
  unknown_key,         // no key of that id
  bad_signature,       // the signature or MAC does not verify
  wrong_type,          // "typ" is not the one asked for
  malformed_claim,     // a registered claim of the wrong JSON type or out of range
  missing_expiration,  // no "exp"
  expired,             // "exp" has come
  not_yet_valid,       // "nbf" has not come
  issued_in_future,    // "iat" lies ahead
  too_old,             // "iat" missing or older than Options::max_age
  lifetime_too_long,   // "exp" is further from "iat" than Options::max_lifetime
  missing_audience,    // no "aud"
  wrong_audience,      // "aud" names others
  wrong_issuer,        // "iss" is not one that is accepted
  wrong_subject,       // "sub" is not the one asked for
  wrong_claim,         // a required claim is missing, or "jti" or "nonce" is another
  weak_key             // the caller's own secret is too weak to be used
};
std::string_view to_string(Refusal refusal);

struct JwsOptions {
  std::size_t max_bytes = 8192;
  // RSASSA-PKCS1-v1_5 (RS256, RS384, RS512) is accepted only where an issuer knows nothing better.
  bool allow_rsa_pkcs1 = false;
};

// A signed text whose signature was checked. The payload is bytes that a holder of the key wrote,
// no more.
struct SignedPayload {
  std::string payload;
  json::Value header;  // protected
  Key key;             // that verified
};

// verify_jws checks a compact JWS (RFC 7515 section 7.1): three parts of canonical base64url, the
// key found by "kid" and the header's "alg" required to be the key's own. "jwk", "jku", "x5u" and
// "x5c" in the header are never looked at.
[[nodiscard]] Result<SignedPayload, Refusal> verify_jws(Unverified jws, const KeySet& keys,
                                                        const JwsOptions& options = {});
// The flattened JSON form (section 7.2.2). "alg" must be protected; the unprotected header is not
// believed.
[[nodiscard]] Result<SignedPayload, Refusal> verify_flattened_jws(Unverified jws,
                                                                  const KeySet& keys,
                                                                  const JwsOptions& options = {});

// sign_jws makes a compact JWS, sign_flattened_jws a flattened one (what ACME wants). `header`
// holds members beside "alg", which is the key's; a "kid" is added for a key that has one, unless
// the header has "kid" or "jwk". Nullopt when the key cannot sign or `header` has an "alg" or
// "crit" of its own.
[[nodiscard]] std::optional<std::string> sign_jws(std::string_view payload, const Key& key,
                                                  const json::Object& header = {});
[[nodiscard]] std::optional<std::string> sign_flattened_jws(std::string_view payload,
                                                            const Key& key,
                                                            const json::Object& header = {});

}  // namespace moat::jwt
