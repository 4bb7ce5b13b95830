// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/result.h"

namespace moat::validate {

enum class UuidRefusal {
  malformed,      // not 8-4-4-4-12 hexadecimal digits
  wrong_variant,  // not the variant of RFC 9562: nil and max are of this kind
  wrong_version   // not 1 to 8, or not the one asked for
};
std::string_view to_string(UuidRefusal refusal);

// Uuid is a UUID of RFC 9562 as 16 bytes; upper and lower case are the same. A name, not a secret:
// only version 4 is random, and not every maker's is hard to guess.
class Uuid final {
 public:
  [[nodiscard]] static Result<Uuid, UuidRefusal> parse(
      std::string_view text, std::optional<unsigned> version = std::nullopt);
  // Lower case (RFC 9562 section 4). parse(uuid.text()) == uuid.
  std::string text() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  unsigned version() const { return bytes_[6] >> 4; }

  auto operator<=>(const Uuid&) const = default;

 private:
  Uuid() = default;
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace moat::validate
