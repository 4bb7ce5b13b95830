// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/bitcoin.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "moat/base/hash.h"

namespace moat::validate {
namespace {

constexpr std::string_view base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view bech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

// A version, a hash of 20 bytes and four bytes of checksum.
using Base58Address = std::array<std::uint8_t, 25>;

std::optional<Base58Address> decode_base58(std::string_view text) {
  Base58Address bytes{};
  for (const char c : text) {
    const auto value = base58.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    auto carry = static_cast<unsigned>(value);
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
      carry += *byte * 58u;
      *byte = static_cast<std::uint8_t>(carry & 0xff);
      carry >>= 8;
    }
    if (carry != 0) return std::nullopt;
  }
  // As many leading ones as zero bytes, so that an address has one spelling.
  const auto ones = std::find_if(text.begin(), text.end(), [](char c) { return c != '1'; });
  const auto zeros = std::find_if(bytes.begin(), bytes.end(), [](auto b) { return b != 0; });
  if (ones - text.begin() != zeros - bytes.begin()) return std::nullopt;
  return bytes;
}

bool is_base58_address(std::string_view text, BitcoinNetwork network) {
  if (text.size() < 25 || text.size() > 35) return false;
  const auto bytes = decode_base58(text);
  if (!bytes) return false;
  const auto version = (*bytes)[0];
  const bool main = version == 0x00 || version == 0x05;
  const bool test = version == 0x6f || version == 0xc4;
  if (!(main && network != BitcoinNetwork::test) && !(test && network != BitcoinNetwork::main))
    return false;
  const std::string_view body(reinterpret_cast<const char*>(bytes->data()), 21);
  const Digest digest = sha256(as_bytes(sha256(body)));
  return std::equal(digest.begin(), digest.begin() + 4, bytes->begin() + 21);
}

// BIP 173: the BCH code's remainder, which is 1 for bech32 and 0x2bc830a3 for bech32m (BIP 350).
std::uint32_t step(std::uint32_t state, std::uint32_t value) {
  constexpr std::array<std::uint32_t, 5> generator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                   0x2a1462b3};
  const auto top = state >> 25;
  state = (state & 0x1ffffff) << 5 ^ value;
  for (std::size_t i = 0; i < generator.size(); ++i)
    if ((top >> i & 1) != 0) state ^= generator[i];
  return state;
}

bool is_witness_address(std::string_view text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix || text.size() > 90) return false;
  std::uint32_t state = 1;
  for (const char c : prefix) state = step(state, static_cast<std::uint32_t>(c) >> 5);
  state = step(state, 0);
  for (const char c : prefix) state = step(state, static_cast<std::uint32_t>(c) & 31);
  text.remove_prefix(prefix.size());
  if (text.size() < 1 + 1 + 6 || text[0] != '1') return false;
  text.remove_prefix(1);
  for (const char c : text) {
    const auto value = bech32.find(c);
    if (value == std::string_view::npos) return false;
    state = step(state, static_cast<std::uint32_t>(value));
  }
  // BIP 141: a version 0 to 16 and 2 to 40 bytes; version 0 has 20 or 32, version 1 has 32 (BIP
  // 341).
  const auto version = bech32.find(text[0]);
  const auto values = text.size() - 1 - 6;
  const auto bytes = values * 5 / 8;
  if (version > 16 || values * 5 % 8 > 4 || bytes < 2 || bytes > 40) return false;
  const unsigned padding = static_cast<unsigned>(values * 5 % 8);
  if ((bech32.find(text[values]) & ((1u << padding) - 1)) != 0) return false;
  if (version == 0) return state == 1 && (bytes == 20 || bytes == 32);
  return state == 0x2bc830a3 && (version != 1 || bytes == 32);
}

}  // namespace

bool is_btc_address(std::string_view text, BitcoinNetwork network) {
  if (network != BitcoinNetwork::test && is_witness_address(text, "bc")) return true;
  if (network != BitcoinNetwork::main && is_witness_address(text, "tb")) return true;
  return is_base58_address(text, network);
}

}  // namespace moat::validate
