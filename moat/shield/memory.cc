// SPDX-License-Identifier: Apache-2.0
#include "moat/shield/memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace moat::shield {

namespace {

// Eight characters of the MAC, which is a token's end and as good as random; not its last, which
// has two bits only.
std::optional<std::size_t> place_of(std::string_view token, std::size_t places) {
  std::uint64_t tail = 0;
  constexpr std::size_t last = 4;
  if (token.size() < sizeof tail + last) return std::nullopt;
  std::memcpy(&tail, token.data() + token.size() - last - sizeof tail, sizeof tail);
  tail *= 0x9e3779b97f4a7c15U;  // the characters' even bits go up
  return static_cast<std::size_t>(tail >> 40) % places;
}

}  // namespace

std::shared_ptr<const session::Identity> Memory::find(std::string_view token) const {
  const auto place = place_of(token, sets);
  if (!place || sets_.empty()) return nullptr;
  for (const Verdict& known : sets_[*place]) {
    // The whole of it: the MAC alone would let another payload pass.
    if (known.token == token) return known.identity;
  }
  return nullptr;
}

void Memory::keep(std::string_view token, std::shared_ptr<const session::Identity> identity) {
  const auto place = place_of(token, sets);
  if (!place || identity == nullptr) return;
  if (sets_.empty()) sets_.resize(sets);
  Set& set = sets_[*place];
  std::rotate(set.begin(), set.end() - 1, set.end());
  set.front().token.assign(token);
  set.front().identity = std::move(identity);
}

}  // namespace moat::shield
