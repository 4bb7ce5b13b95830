// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace moat::validate::schema {

// PlainPattern is a regular expression of ECMA-262 that is a row of ASCII characters and classes
// with counts between ^ and $: "^[A-Z]{3}-[0-9]{4,8}$". It is matched without going back: it is
// made only where the next character alone says whether a class goes on or the next one begins.
class PlainPattern final {
 public:
  // Nothing for all other patterns. `ecma` is one that translate_pattern takes.
  static std::optional<PlainPattern> parse(std::string_view ecma);

  // Whether it matches `text`, which may hold any bytes. Linear in the text and the pattern.
  bool matches(std::string_view text) const {
    std::size_t at = 0;
    for (const Piece& piece : pieces_) {
      const std::size_t start = at;
      const std::size_t end = text.size() - at < piece.most ? text.size() : at + piece.most;
      while (at < end && piece.set.has(text[at])) ++at;
      if (at - start < piece.least) return false;
    }
    return at == text.size();
  }

 private:
  class Reader;
  struct Set {
    std::array<std::uint64_t, 4> bits{};
    void add(unsigned char c) { bits[c >> 6] |= std::uint64_t{1} << (c & 63); }
    bool has(char c) const {
      const auto byte = static_cast<unsigned char>(c);
      return (bits[byte >> 6] >> (byte & 63) & 1) != 0;
    }
    bool meets(const Set& other) const {
      return ((bits[0] & other.bits[0]) | (bits[1] & other.bits[1])) != 0;
    }
  };
  struct Piece {
    Set set;
    std::size_t least = 1;
    std::size_t most = 1;
  };
  static bool is_clear(const std::vector<Piece>& pieces);

  std::vector<Piece> pieces_;
};

}  // namespace moat::validate::schema
