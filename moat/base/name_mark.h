// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace moat {

// NameEnds is what most names are told apart by without a look at all of their bytes: eight at the
// front and eight at the end, fewer of what is shorter. Equal names have equal ends; with no more
// than 16 bytes different names have different ones.
struct NameEnds {
  std::uint64_t front = 0;
  std::uint64_t end = 0;
  std::size_t size = 0;

  NameEnds() = default;
  explicit NameEnds(std::string_view name) : size(name.size()) {
    if (size >= 8) {
      take(name, front);
    } else if (size >= 4) {
      take(name, std::uint32_t{});
    } else if (size >= 2) {
      take(name, std::uint16_t{});
    } else {
      front = size == 0 ? 0 : static_cast<unsigned char>(name[0]);
    }
  }
  bool are_all() const { return size <= 16; }
  bool operator==(const NameEnds&) const = default;
  // One number of them. A stranger can make different names of the same mark at will.
  std::uint64_t mark() const { return front ^ std::rotl(end, 31) ^ std::uint64_t{size} << 56; }

 private:
  template <class Word>
  void take(std::string_view name, Word word) {
    std::memcpy(&word, name.data(), sizeof word);
    front = word;
    std::memcpy(&word, name.data() + name.size() - sizeof word, sizeof word);
    end = word;
  }
};

}  // namespace moat
