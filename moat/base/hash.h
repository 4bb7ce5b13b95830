// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace moat {

using Digest = std::array<std::uint8_t, 32>;

// SHA-256 (FIPS 180-4), by OpenSSL.
Digest sha256(std::string_view bytes);
inline std::string_view as_bytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// HmacKey is an HMAC-SHA-256 key (RFC 2104) with its two inner states prepared, so that a tag costs
// two short hashes and no set-up. Thread-safe for concurrent `tag` calls.
class HmacKey final {
 public:
  explicit HmacKey(std::string_view key);
  HmacKey(HmacKey&&) noexcept;
  HmacKey& operator=(HmacKey&&) noexcept;
  ~HmacKey();  // wipes the states

  Digest tag(std::string_view message) const;
  // Compares in constant time; false for a tag of another length.
  [[nodiscard]] bool verify(std::string_view message, std::string_view tag) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moat
