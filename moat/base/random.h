// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace moat {

// Random is where unpredictable bytes come from; given as an argument, so that tests can fix it.
class Random {
 public:
  virtual ~Random() = default;
  // Fills `out`, or aborts the process when the system has no randomness: nothing sane can go on
  // without.
  virtual void fill(std::span<std::uint8_t> out) = 0;

  std::string bytes(std::size_t count);
  // `count` random bytes in base64url: 32 bytes give 43 characters.
  std::string token(std::size_t count = 32);
};

// The system's source (OpenSSL's CSPRNG). Thread-safe.
Random& system_random();

// A seeded, predictable source for tests. Not thread-safe.
class InsecureSeededRandom final : public Random {
 public:
  explicit InsecureSeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  std::uint64_t state_;
};

}  // namespace moat
