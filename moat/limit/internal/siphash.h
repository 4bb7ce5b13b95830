// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace moat::limit::internal {

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};
struct Hash128 {
  std::uint64_t first = 0;  // of the output's 16 bytes, little-endian
  std::uint64_t second = 0;
  bool operator==(const Hash128&) const = default;
};

// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF"):
// a keyed hash for tables whose keys strangers choose. Words come first, then the rest in one
// piece; the result is that of all their bytes (words little-endian) in a row.
class SipHash final {
 public:
  explicit SipHash(const SipKey& key);
  void word(std::uint64_t value);
  Hash128 finish(std::string_view rest);

 private:
  void round();
  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t length_ = 0;
};

}  // namespace moat::limit::internal
