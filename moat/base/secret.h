// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace moat {

// Secret holds bytes that must not leak: it is moved and never copied, wiped when it dies, cannot
// be printed, compared with == or converted. `reveal()` is the only door, so a search for it finds
// every use.
class Secret final {
 public:
  Secret() = default;
  // Takes the bytes over and wipes the source.
  static Secret take(std::string& source);
  // Copies bytes whose owner keeps them (a test vector, a buffer wiped by its owner).
  static Secret copy_of(std::string_view bytes);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;  // two copies are two places to wipe; use clone() and mean it
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  Secret clone() const { return copy_of(bytes_); }
  std::string_view reveal() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  // Compares in a time that depends on the lengths only.
  bool equals(std::string_view other) const;

 private:
  std::string bytes_;
};

// wipe overwrites `text` in a way the compiler may not remove, then empties it.
void wipe(std::string& text);

// constant_time_equal compares two texts in a time that depends on their lengths only.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b);

}  // namespace moat
