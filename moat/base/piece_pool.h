// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace moat {

// PiecePool keeps small pieces of memory that are made and freed many times a request, always of
// the same few sizes: at most 256 of each size up to 4 KiB, for each thread. What is larger, and
// everything under AddressSanitizer, comes from the heap. A piece may be given back by another
// thread than took it.
class PiecePool final {
 public:
  // Aligned as operator new aligns. Throws std::bad_alloc; `size` is at least 1.
  static void* take(std::size_t size);
  static void give_back(void* piece, std::size_t size) noexcept;
};

}  // namespace moat
