// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
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

// A protected header, read and found sound.
struct Header {
  json::Value members;
  std::optional<Algorithm> algorithm;  // nullopt for a name that Moat does not know
  std::optional<std::string> key_id;
};
// Strict JSON, no "crit", an "alg" that is not "none".
Result<Header, Refusal> read_header(std::string_view encoded);

// The key of the set that verifies, chosen by the header's "kid" and "alg", or why there is none.
Result<const Key*, Refusal> find_key(const Header& header, const Parts& parts, const KeySet& keys,
                                     bool allow_rsa_pkcs1);

// The headers that Moat writes with these keys, by their text and read beforehand: read_header
// looks at nothing but the text, so a token that has one of them needs not be read again.
struct KnownHeaders {
  KnownHeaders(const KeySet& keys, const std::string& type);
  const Header* find(std::string_view encoded) const;
  std::map<std::string, Header, std::less<>> by_text;
};

// The protected header that sign_jws writes, encoded; nullopt for members it must not have.
std::optional<std::string> encode_header(const Key& key, const json::Object& members);

}  // namespace moat::jwt::internal
