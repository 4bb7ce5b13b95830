// SPDX-License-Identifier: Apache-2.0
// Stored hash strings: whatever is read must print to a text that reads the same. Nothing is
// hashed.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "moat/password/internal/bcrypt.h"
#include "moat/password/phc.h"

void fuzz(std::span<const std::uint8_t> input) {
  using namespace moat::password;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  if (const auto cost = internal::bcrypt_cost(text)) {
    if (*cost < 4 || *cost > 31 || text.size() != 60) std::abort();
  }
  const auto hash = Argon2Hash::parse(text);
  if (!hash) return;
  if (hash->iterations == 0 || hash->lanes == 0 || hash->memory_kib / 8 < hash->lanes) std::abort();
  if (hash->salt.size() < 8 || hash->tag.size() < 12) std::abort();
  const auto again = Argon2Hash::parse(hash->to_string());
  if (!again || !(*again == *hash)) std::abort();
}
