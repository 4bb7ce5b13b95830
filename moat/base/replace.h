// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
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
  // Appends what the text becomes. Every replacement is longer than a byte; a text that has none is
  // copied in one piece.
  void append(std::string_view text, std::string& out) const;
  // The same, faster where most of a text stays: `may_change` says false only of bytes that stay,
  // and is asked about 32 bytes at once when the compiler can make comparisons of vectors of it.
  template <class MayChange>
  void append(std::string_view text, std::string& out, MayChange may_change) const {
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size(); at += block) {
      const std::size_t size = std::min(block, text.size() - at);
      if (!has_any(text.data() + at, size, may_change)) continue;
      out.append(text.data() + done, at - done);
      append(text.substr(at, size), out);
      done = at + size;
    }
    out.append(text.data() + done, text.size() - done);
  }

 private:
  struct Entry {
    std::array<char, 7> text{};
    std::uint8_t size = 0;
  };
  static constexpr std::size_t block = 32;
  template <class MayChange>
  static bool has_any(const char* text, std::size_t size, MayChange may_change) {
    unsigned char any = 0;
    if (size == block) {
      for (std::size_t i = 0; i < block; ++i)
        any |= static_cast<unsigned char>(may_change(static_cast<unsigned char>(text[i])));
    } else {
      for (std::size_t i = 0; i < size; ++i)
        any |= static_cast<unsigned char>(may_change(static_cast<unsigned char>(text[i])));
    }
    return any != 0;
  }
  // By how many bytes the text grows.
  std::size_t extra(std::string_view text) const;

  std::array<Entry, 256> entries_{};
};

}  // namespace moat
