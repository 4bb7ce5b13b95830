// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "moat/base/name_mark.h"

namespace moat::validate::schema {

// NameIndex finds a name among those that a schema has, by hash. The names are the schema's, so
// that no stranger chooses which of them collide, and at most half of the slots are taken.
class NameIndex final {
 public:
  static constexpr std::uint32_t absent = std::numeric_limits<std::uint32_t>::max();

  NameIndex() = default;
  // `names` is a vector of pairs whose first is the name. It is not kept.
  template <class Names>
  explicit NameIndex(const Names& names) : slots_(std::bit_ceil(2 * names.size() + 1)) {
    for (std::size_t row = 0; row < names.size(); ++row) {
      const NameEnds ends(names[row].first);
      std::size_t at = first_slot(ends);
      while (slots_[at].row != absent) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = {ends, static_cast<std::uint32_t>(row)};
    }
  }
  // The row of `name` in the same `names`, or absent.
  template <class Names>
  std::uint32_t find(const Names& names, std::string_view name) const {
    if (slots_.empty()) return absent;
    const NameEnds ends(name);
    const Slot* const slots = slots_.data();
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = first_slot(ends);; at = (at + 1) & mask) {
      const Slot& slot = slots[at];
      if (slot.row == absent) return absent;
      if (slot.ends == ends && (ends.are_all() || names[slot.row].first == name)) return slot.row;
    }
  }

 private:
  struct Slot {
    NameEnds ends;
    std::uint32_t row = absent;
  };
  std::size_t first_slot(const NameEnds& ends) const {
    const std::uint64_t mixed = ends.mark() * 0x9e3779b97f4a7c15U;
    return static_cast<std::size_t>(mixed >> 32) & (slots_.size() - 1);
  }
  std::vector<Slot> slots_;  // a power of two, or none
};

}  // namespace moat::validate::schema
