// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "moat/validate/internal/ascii.h"

// Reads a layout; layout.h says what that is.

namespace moat::validate::internal {

// One place of a layout: what may stand there, and the places to go on at when it, or the group
// that begins with it, is left out.
struct LayoutPlace {
  std::string_view atom;
  std::uint64_t skips = 0;
};

// One alternative of a layout, read.
class LayoutReader final {
 public:
  constexpr explicit LayoutReader(std::string_view layout) : rest_(layout) {
    while (good_ && !rest_.empty()) read_one();
    good_ = good_ && group_ == none;
  }
  constexpr bool good() const { return good_ && size_ > 0; }
  constexpr std::size_t size() const { return size_; }
  constexpr const LayoutPlace& operator[](std::size_t i) const { return places_[i]; }

 private:
  static constexpr std::size_t none = 255;

  constexpr void read_one() {
    if (rest_[0] == '(') {
      good_ = group_ == none;
      group_ = size_;
      rest_.remove_prefix(1);
      return;
    }
    if (rest_[0] == ')') return close_group();
    const auto atom = take_atom();
    std::size_t least = 1;
    std::size_t most = 1;
    if (!rest_.empty() && rest_[0] == '{') take_counts(least, most);
    if (!rest_.empty() && rest_[0] == '?') {
      least = 0;
      rest_.remove_prefix(1);
    }
    good_ = good_ && least <= most && most > 0;
    for (std::size_t i = 0; good_ && i < most; ++i) add(atom, i >= least);
  }

  constexpr void close_group() {
    good_ = group_ != none && group_ < size_ && rest_.size() > 1 && rest_[1] == '?';
    if (!good_) return;
    places_[group_].skips |= std::uint64_t{1} << size_;
    group_ = none;
    rest_.remove_prefix(2);
  }

  constexpr std::string_view take_atom() {
    std::size_t size = 1;
    if (rest_[0] == '[') {
      size = rest_.find(']');
      good_ = size != std::string_view::npos && size > 1;
      size = good_ ? size + 1 : rest_.size();
    } else {
      good_ = !contains("{}?", rest_[0]);
    }
    const auto atom = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return atom;
  }

  constexpr void take_counts(std::size_t& least, std::size_t& most) {
    rest_.remove_prefix(1);
    least = most = take_number();
    if (!rest_.empty() && rest_[0] == ',') {
      rest_.remove_prefix(1);
      most = take_number();
    }
    good_ = good_ && !rest_.empty() && rest_[0] == '}';
    if (good_) rest_.remove_prefix(1);
  }

  constexpr std::size_t take_number() {
    std::size_t number = 0;
    while (!rest_.empty() && is_digit(rest_[0]) && number < 100) {
      number = number * 10 + static_cast<std::size_t>(rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return number;
  }

  constexpr void add(std::string_view atom, bool optional) {
    good_ = size_ < places_.size();
    if (!good_) return;
    places_[size_].atom = atom;
    ++size_;
    if (optional) places_[size_ - 1].skips = std::uint64_t{1} << size_;
  }

  std::string_view rest_;
  std::array<LayoutPlace, 63> places_{};  // and the end: a state of 64 bits
  std::size_t size_ = 0;
  std::size_t group_ = none;
  bool good_ = true;
};

}  // namespace moat::validate::internal
