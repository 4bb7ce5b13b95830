// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/internal/national_numbers.h"

#include <array>

namespace moat::validate::internal {
namespace {

using Row = std::array<unsigned char, 10>;

// The multiplication of the dihedral group of the pentagon: rotations 0 to 4, reflections 5 to 9.
constexpr unsigned product(unsigned a, unsigned b) {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + (a + b) % 5;
  return b < 5 ? 5 + (a - b) % 5 : (a - b + 5) % 5;
}
static_assert(product(3, 4) == 2 && product(5, 1) == 9 && product(6, 5) == 1 && product(1, 5) == 6);

// Verhoeff's permutation; the i-th power of it is applied to the i-th digit from the right.
constexpr Row permutation = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};

}  // namespace

bool has_verhoeff_digit(std::string_view digits) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    unsigned value = digit(digits[digits.size() - 1 - i]);
    for (std::size_t power = i % 8; power > 0; --power) value = permutation[value];
    sum = product(sum, value);
  }
  return sum == 0;
}

}  // namespace moat::validate::internal
