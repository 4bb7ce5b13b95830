// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "moat/jwt/internal/material.h"

namespace moat::jwt::internal {

// The members of the public half that say which key it is (RFC 7638 section 3.2), in lexicographic
// order.
json::Object public_members(EVP_PKEY* pkey, const Facts& fact);
// The members of the private half: "d" and, for RSA, the factors.
json::Object private_members(EVP_PKEY* pkey, const Facts& fact);
std::string thumbprint_of(EVP_PKEY* pkey, const Facts& fact);

// A key of that kind from a JWK's members; null where they are missing, not canonical or no point
// of the curve.
EvpKey build_key(const json::Value& jwk, const Facts& fact, bool with_private);

// A new key on the fact's curve; null for RSA.
EvpKey generate_key(const Facts& fact, Random& random);

}  // namespace moat::jwt::internal
