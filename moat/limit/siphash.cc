// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstddef>

#include "moat/limit/internal/siphash.h"

namespace moat::limit::internal {
namespace {

std::uint64_t little_endian(const char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return value;
}

}  // namespace

// The constants spell "somepseudorandomlygeneratedbytes"; 0xee marks the variant with 128 bits of
// output.
SipHash::SipHash(const SipKey& key)
    : v0_(key.k0 ^ 0x736f6d6570736575U),
      v1_(key.k1 ^ 0x646f72616e646f6dU ^ 0xeeU),
      v2_(key.k0 ^ 0x6c7967656e657261U),
      v3_(key.k1 ^ 0x7465646279746573U) {}

void SipHash::round() {
  v0_ += v1_;
  v2_ += v3_;
  v1_ = std::rotl(v1_, 13) ^ v0_;
  v3_ = std::rotl(v3_, 16) ^ v2_;
  v0_ = std::rotl(v0_, 32);
  v2_ += v1_;
  v0_ += v3_;
  v1_ = std::rotl(v1_, 17) ^ v2_;
  v3_ = std::rotl(v3_, 21) ^ v0_;
  v2_ = std::rotl(v2_, 32);
}

void SipHash::word(std::uint64_t value) {
  length_ += 8;
  v3_ ^= value;
  round();
  round();
  v0_ ^= value;
}

Hash128 SipHash::finish(std::string_view rest) {
  while (rest.size() >= 8) {
    word(little_endian(rest.data(), 8));
    rest.remove_prefix(8);
  }
  // The last word carries the length modulo 256 in its top byte.
  word(little_endian(rest.data(), rest.size()) | ((length_ + rest.size()) << 56));
  v2_ ^= 0xee;
  for (int i = 0; i < 4; ++i) round();
  Hash128 out;
  out.first = v0_ ^ v1_ ^ v2_ ^ v3_;
  v1_ ^= 0xdd;
  for (int i = 0; i < 4; ++i) round();
  out.second = v0_ ^ v1_ ^ v2_ ^ v3_;
  return out;
}

}  // namespace moat::limit::internal
