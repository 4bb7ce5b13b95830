// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace moat::gateway {

// FileWatch tells when files have changed, by their inode, size and times, symbolic links followed.
// Editors and certificate managers write in several steps, so a change counts when two looks in a
// row found the same. A file that is not there yet may come.
class FileWatch final {
 public:
  explicit FileWatch(std::vector<std::string> files);
  // True once for each change. Call it each second or so.
  [[nodiscard]] bool changed();
  // From now on these; where they are others than before, what they are like now is not news.
  void follow(std::vector<std::string> files);

 private:
  using Stamp = std::array<std::int64_t, 6>;
  std::vector<Stamp> look() const;

  std::vector<std::string> files_;
  std::vector<Stamp> known_;
  std::vector<Stamp> last_;
};

}  // namespace moat::gateway
