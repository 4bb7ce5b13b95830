// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "moat/base/json.h"
#include "moat/base/result.h"
#include "moat/jwt/key.h"

namespace moat::jwt::internal {

// A JWK Set, read and found to be one: {"keys":[…]} of at most that many elements. Its keys have
// not been looked at, but that no two of one type have one id.
struct JwkSet {
  json::Value document;
  bool names_an_id_twice = false;
  const json::Array& keys() const { return *document.find("keys")->as_array(); }
};
Result<JwkSet, KeyError> read_jwk_set(std::string_view text, std::size_t max_bytes,
                                      std::size_t max_keys);

}  // namespace moat::jwt::internal
