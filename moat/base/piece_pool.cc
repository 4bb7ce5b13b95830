// SPDX-License-Identifier: Apache-2.0
#include "moat/base/piece_pool.h"

#include <array>
#include <new>

namespace moat {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool pooled = false;  // so that a use after the end is seen
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool pooled = false;
#else
constexpr bool pooled = true;
#endif
#else
constexpr bool pooled = true;
#endif

constexpr std::size_t step = 32;
constexpr std::size_t classes = 128;  // up to 4 KiB
constexpr unsigned kept = 256;        // of each size and thread

struct Free {
  Free* next;
};
struct Shelf {
  Free* first = nullptr;
  unsigned count = 0;
};
struct Shelves {
  std::array<Shelf, classes> list;
  ~Shelves() {
    for (Shelf& shelf : list) {
      while (Free* frame = shelf.first) {
        shelf.first = frame->next;
        ::operator delete(frame);
      }
      shelf.count = kept;  // whatever ends later goes straight to the heap
    }
  }
};
thread_local Shelves shelves;

}  // namespace

void* PiecePool::take(std::size_t size) {
  const std::size_t index = (size - 1) / step;
  if (!pooled || index >= classes) return ::operator new(size);
  Shelf& shelf = shelves.list[index];
  if (shelf.first == nullptr) return ::operator new((index + 1) * step);
  Free* piece = shelf.first;
  shelf.first = piece->next;
  --shelf.count;
  return piece;
}

void PiecePool::give_back(void* piece, std::size_t size) noexcept {
  const std::size_t index = (size - 1) / step;
  if (!pooled || index >= classes || shelves.list[index].count >= kept) {
    ::operator delete(piece);
    return;
  }
  Shelf& shelf = shelves.list[index];
  auto* free = static_cast<Free*>(piece);
  free->next = shelf.first;
  shelf.first = free;
  ++shelf.count;
}

}  // namespace moat
