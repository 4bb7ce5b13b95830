// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "moat/base/result.h"
#include "moat/password/engine.h"

namespace moat::password {

enum class Argon2Type { d, i, id };

// Argon2Hash is an Argon2 hash string (PHC string format) taken apart:
// "$argon2id$v=19$m=…,t=…,p=…$salt$tag". Parameters are read in any order; "keyid" is the pepper's
// id. Lengths are bounded: salt 8 to 64 bytes, tag 12 to 128.
struct Argon2Hash {
  Argon2Type type = Argon2Type::id;
  std::uint32_t version = 19;  // 16 when the string names none
  std::uint32_t memory_kib = 0;
  std::uint32_t iterations = 0;
  std::uint32_t lanes = 0;
  std::string key_id;
  std::string salt;
  std::string tag;
  bool operator==(const Argon2Hash&) const = default;

  // Reads the string and does no other work. Refuses with malformed or unsupported.
  [[nodiscard]] static Result<Argon2Hash, Refusal> parse(std::string_view text);
  std::string to_string() const;
};

// What Argon2 is computed from (RFC 9106 section 3.1).
struct Argon2Input {
  Argon2Type type = Argon2Type::id;
  std::uint32_t version = 19;
  std::uint32_t memory_kib = 0;
  std::uint32_t iterations = 0;
  std::uint32_t lanes = 1;
  std::string_view password;
  std::string_view salt;
  std::string_view secret;
  std::string_view associated_data;
  std::size_t tag_bytes = 32;
};
// argon2 computes a tag, whatever it costs: no floor and no limit but Argon2's own (malformed when
// beyond them). For passwords use Hasher.
[[nodiscard]] Result<std::string, Refusal> argon2(const Argon2Input& input);

}  // namespace moat::password
