// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "moat/base/result.h"

namespace moat::env {

enum class Weakness {
  too_short,
  sample,      // made of the words that examples and templates use: changeme, your-256-bit-secret
  repetitive,  // a short block again and again, or a keyboard or counting sequence
  few_symbols  // too few different bytes for its length to be random
};
std::string_view to_string(Weakness weakness);

// check_secret_strength refuses what is surely no random key. What it accepts may still be weak:
// only a generator makes a strong one. Linear in the secret's length; its first 4096 bytes count.
[[nodiscard]] Result<void, Weakness> check_secret_strength(std::string_view secret,
                                                           std::size_t min_bytes = 32);

// Whether a name says that its value is a secret: JWT_SECRET, DB_PASSWORD, API_KEY, AUTH_TOKEN.
[[nodiscard]] bool names_secret(std::string_view key);

}  // namespace moat::env
