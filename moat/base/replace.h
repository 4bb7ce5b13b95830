// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace moat {

// Replacements says what each byte of a text becomes: itself, or up to seven bytes. Encoders are
// made of such tables, which are made when the program is compiled.
class Replacements final {
 public:
  constexpr Replacements() {
    for (std::size_t byte = 0; byte < entries_.size(); ++byte)
      entries_[byte] = Entry{{static_cast<char>(byte)}, 1};
  }
  constexpr void set(char byte, std::string_view text) {
    Entry entry;
    for (std::size_t i = 0; i < text.size(); ++i) entry.text.at(i) = text[i];
    entry.size = static_cast<std::uint8_t>(text.size());
    entries_[static_cast<unsigned char>(byte)] = entry;
  }
  // Whether the text stays as it is.
  [[nodiscard]] bool keeps(std::string_view text) const { return extra(text) == 0; }
  // Appends what the text becomes. Every replacement is longer than a byte; a text that has none is
  // copied in one piece.
  void append(std::string_view text, std::string& out) const;

 private:
  struct Entry {
    std::array<char, 7> text{};
    std::uint8_t size = 0;
  };
  // By how many bytes the text grows.
  std::size_t extra(std::string_view text) const;

  std::array<Entry, 256> entries_{};
};

}  // namespace moat
