// SPDX-License-Identifier: Apache-2.0
#include "moat/base/random.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "moat/base/encoding.h"
#include "moat/base/secret.h"

namespace moat {

std::string Random::bytes(std::size_t count) {
  std::string out(count, '\0');
  fill({reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
  return out;
}

std::string Random::token(std::size_t count) {
  std::string raw = bytes(count);
  std::string out = base64url_encode(raw);
  wipe(raw);
  return out;
}

namespace {
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    constexpr std::size_t most = 1 << 20;  // RAND_bytes counts in int
    while (!out.empty()) {
      const auto part = out.first(std::min(out.size(), most));
      if (RAND_bytes(part.data(), static_cast<int>(part.size())) != 1) {
        std::fputs("moat: the system gives no randomness\n", stderr);
        std::abort();
      }
      out = out.subspan(part.size());
    }
  }
};
}  // namespace

Random& system_random() {
  static SystemRandom instance;
  return instance;
}

// SplitMix64: any seed gives a well-mixed sequence.
void InsecureSeededRandom::fill(std::span<std::uint8_t> out) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 == 0) {
      state_ += 0x9e3779b97f4a7c15ULL;
      word = state_;
      word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9ULL;
      word = (word ^ (word >> 27)) * 0x94d049bb133111ebULL;
      word ^= word >> 31;
    }
    out[i] = static_cast<std::uint8_t>(word >> (i % 8 * 8));
  }
}

}  // namespace moat
