// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "moat/base/result.h"
#include "moat/password/phc.h"

namespace moat::password::internal {

// Workspaces keeps a few wiped blocks of one size between hashes. Lock-free: each slot is a pointer
// that is exchanged. Blocks of another size come from the system and go back to it.
class Workspaces final {
 public:
  explicit Workspaces(std::size_t block_bytes) : block_bytes_(block_bytes) {}
  Workspaces(const Workspaces&) = delete;  // owns memory
  Workspaces& operator=(const Workspaces&) = delete;
  ~Workspaces() { release(); }

  // A block of `bytes` bytes of any content, or null when the system has none.
  std::uint8_t* acquire(std::size_t bytes);
  // Takes a wiped block back.
  void give_back(std::uint8_t* block, std::size_t bytes);
  void release();

 private:
  std::size_t block_bytes_;
  std::array<std::atomic<std::uint8_t*>, 4> slots_{};
};

// argon2 with its memory from `workspaces`.
[[nodiscard]] Result<std::string, Refusal> argon2_in(Workspaces& workspaces,
                                                     const Argon2Input& input);

}  // namespace moat::password::internal
