// SPDX-License-Identifier: Apache-2.0
#include "moat/shield/memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace moat::shield {

namespace {

constexpr std::size_t mac_characters = 43;  // 32 bytes

// Eight characters of the MAC, which is as good as random.
std::optional<std::size_t> place_of(std::string_view token, std::size_t places) {
  std::uint64_t tail = 0;
  if (token.size() < mac_characters) return std::nullopt;
  std::memcpy(&tail, token.data() + token.size() - mac_characters, sizeof tail);
  tail *= 0x9e3779b97f4a7c15U;  // the characters' even bits go up
  return static_cast<std::size_t>(tail >> 40) % places;
}

}  // namespace

std::shared_ptr<const session::Identity> Memory::find(std::string_view token) const {
  const auto place = place_of(token, sets);
  if (!place || sets_.empty()) return nullptr;
  const std::string_view claims = token.substr(0, token.size() - mac_characters);
  const std::string_view mac = token.substr(claims.size());
  for (const Verdict& known : sets_[*place]) {
    // All of it: the MAC alone would let other claims pass.
    if (known.claims == claims && known.mac.equals(mac)) return known.identity;
  }
  return nullptr;
}

void Memory::keep(std::string_view token, std::shared_ptr<const session::Identity> identity) {
  const auto place = place_of(token, sets);
  if (!place || identity == nullptr) return;
  if (sets_.empty()) sets_.resize(sets);
  Set& set = sets_[*place];
  std::rotate(set.begin(), set.end() - 1, set.end());
  const std::string_view claims = token.substr(0, token.size() - mac_characters);
  set.front().claims.assign(claims);
  set.front().mac = Secret::copy_of(token.substr(claims.size()));
  set.front().identity = std::move(identity);
}

}  // namespace moat::shield
