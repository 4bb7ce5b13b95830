// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "moat/jwt/jws.h"

namespace moat::jwt::internal {

// A compact JWS cut at its dots, still encoded.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signing_input;  // header '.' payload, as it stands in the token
};
std::optional<Parts> split(std::string_view token);

// Reads a protected header: strict JSON, no "crit", an "alg" that is not "none".
Result<json::Value, Refusal> read_header(std::string_view encoded);

// The key of the set that verifies, chosen by the header's "kid" and "alg", or why there is none.
Result<const Key*, Refusal> find_key(const json::Value& header, const Parts& parts,
                                     const KeySet& keys, bool allow_rsa_pkcs1);

// The protected header that sign_jws writes, encoded; nullopt for members it must not have.
std::optional<std::string> encode_header(const Key& key, const json::Object& members);

}  // namespace moat::jwt::internal
