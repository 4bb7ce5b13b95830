// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "moat/validate/internal/ascii.h"

namespace moat::validate::internal {

// A short number without its separators and in one case, kept in place.
class CompactCode final {
 public:
  // Takes out single bytes of `separators` that stand between two other characters. Letters become
  // upper-case when `upper`.
  constexpr CompactCode(std::string_view text, std::string_view separators, bool upper) {
    bool after_separator = true;
    for (const char c : text) {
      const bool separator = contains(separators, c);
      if (separator ? after_separator : size_ == characters_.size()) return;
      if (!separator) characters_[size_++] = upper ? to_upper(c) : c;
      after_separator = separator;
    }
    good_ = !after_separator;
  }
  // Empty for what is longer than 40 characters, or separated in another way.
  constexpr std::string_view text() const {
    return good_ ? std::string_view(characters_.data(), size_) : std::string_view();
  }

 private:
  std::array<char, 40> characters_{};
  std::size_t size_ = 0;
  bool good_ = false;
};

// The value of a digit.
constexpr unsigned digit(char c) { return static_cast<unsigned>(c - '0'); }

// The value of up to nine digits.
constexpr unsigned number(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) value = value * 10 + digit(c);
  return value;
}

// The sum of digits times weights, as many as there are weights.
template <std::size_t N>
constexpr unsigned weighted_sum(std::string_view digits, const unsigned (&weights)[N]) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < N; ++i) sum += digit(digits[i]) * weights[i];
  return sum;
}

}  // namespace moat::validate::internal
