// SPDX-License-Identifier: Apache-2.0
#include "moat/http/known.h"

#include <array>
#include <cstring>

#include "moat/http/internal/chars.h"
#include "moat/http/internal/scan.h"

namespace moat::http {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, known_count> names = {
    "", "", "x-moat-",
    // Framing and connection.
    "host", "connection", "content-length", "transfer-encoding", "upgrade", "expect", "te",
    "trailer", "keep-alive", "proxy-connection", "proxy-authorization", "proxy-authenticate",
    "proxy-authentication-info", "http2-settings",
    // What a client says.
    "cookie", "origin", "referer", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest",
    "sec-fetch-user", "content-type", "content-encoding", "accept", "accept-encoding",
    "accept-language", "user-agent", "authorization", "x-csrf-token", "csrf-token",
    "x-requested-with", "range", "if-none-match", "if-modified-since",
    "access-control-request-method", "access-control-request-headers", "sec-websocket-key",
    "sec-websocket-version", "sec-websocket-protocol", "sec-websocket-extensions",
    "sec-websocket-accept",
    // What only an intermediary says.
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "", "forwarded", "via", "x-real-ip",
    "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-original-url", "x-rewrite-url",
    "x-http-method-override",
    // What a backend says.
    "set-cookie", "server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "location",
    "date", "cache-control", "etag", "last-modified", "vary", "allow", "age", "www-authenticate",
    "retry-after", "alt-svc", "content-disposition", "clear-site-data",
    "access-control-allow-origin", "access-control-allow-credentials", "strict-transport-security",
    "content-security-policy", "content-security-policy-report-only", "x-frame-options",
    "x-content-type-options", "referrer-policy", "permissions-policy", "cross-origin-opener-policy",
    "cross-origin-resource-policy", "cross-origin-embedder-policy", "x-xss-protection", "expect-ct",
    "public-key-pins", "public-key-pins-report-only", "reporting-endpoints"};
static_assert(names.back() == "reporting-endpoints");
static_assert(names[static_cast<std::size_t>(Known::x_forwarded_for)] == "x-forwarded-for");
static_assert(names[static_cast<std::size_t>(Known::set_cookie)] == "set-cookie");

constexpr std::size_t slots = 512;
constexpr std::size_t longest = 35;  // content-security-policy-report-only

// Four letters and the length tell almost all names apart; `| 0x20` folds the case of letters.
constexpr std::size_t slot_of(std::string_view name) {
  const std::size_t size = name.size();
  const auto at = [name](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(name[i]) | 0x20u);
  };
  const std::size_t mixed =
      size * 37 + at(0) * 5 + at(size - 1) * 61 + at(size / 2) * 131 + at(size / 3) * 17;
  return mixed % slots;
}

constexpr std::array<std::uint8_t, slots> make_table() {
  std::array<std::uint8_t, slots> table{};
  for (std::size_t i = static_cast<std::size_t>(Known::host); i < names.size(); ++i) {
    if (names[i].empty()) continue;
    std::size_t slot = slot_of(names[i]);
    while (table[slot] != 0) slot = (slot + 1) % slots;
    table[slot] = static_cast<std::uint8_t>(i);
  }
  return table;
}
constexpr std::array<std::uint8_t, slots> table = make_table();

// Compares a token with a known name of the same length. Known names are made of a-z, 0-9 and '-';
// no other tchar becomes one of these by `| 0x20`, so eight bytes can be folded at once.
bool same_name(const char* token, const char* known, std::size_t size) {
  constexpr std::uint64_t fold = 0x2020202020202020u;
  if (size < 8) {
    for (std::size_t i = 0; i < size; ++i)
      if ((token[i] | 0x20) != known[i]) return false;
    return true;
  }
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::memcpy(&a, token + i, 8);
    std::memcpy(&b, known + i, 8);
    if ((a | fold) != b) return false;
  }
  std::memcpy(&a, token + size - 8, 8);
  std::memcpy(&b, known + size - 8, 8);
  return (a | fold) == b;
}

Known look_up(std::string_view name) {
  if (name.empty() || name.size() > longest) return Known::none;
  for (std::size_t slot = slot_of(name); table[slot] != 0; slot = (slot + 1) % slots) {
    const std::string_view known = names[table[slot]];
    if (known.size() == name.size() && same_name(name.data(), known.data(), name.size()))
      return static_cast<Known>(table[slot]);
  }
  return Known::none;
}

// Families that are known by their beginning.
Known look_up_family(std::string_view name) {
  if (name.size() < 6 || (name[0] | 0x20) != 'x') return Known::none;
  if (internal::iequals(name, "x-moat") || internal::istarts_with(name, "x-moat-"))
    return Known::x_moat;
  if (internal::istarts_with(name, "x-forwarded-") || internal::iequals(name, "x-forwarded"))
    return Known::x_forwarded_other;
  return Known::none;
}

}  // namespace

namespace internal {

Known recognise_shadowed(std::string_view name) {
  std::array<char, 64> plain;
  const std::size_t size = name.size() < plain.size() ? name.size() : plain.size();
  for (std::size_t i = 0; i < size; ++i) plain[i] = class_of(name[i]) & plain_char ? name[i] : '-';
  const std::string_view normal(plain.data(), size);
  const Known known = name.size() <= longest ? look_up(normal) : Known::none;
  return known == Known::none ? look_up_family(normal) : known;
}

}  // namespace internal

std::string_view to_string(Known known) { return names[static_cast<std::size_t>(known)]; }

Known recognise(std::string_view name) {
  const Known known = look_up(name);
  if (known != Known::none) return known;
  const Known family = look_up_family(name);
  if (family != Known::none) return family;
  for (const char c : name) {
    if (internal::class_of(c) & internal::plain_char) continue;
    const Known shadowed = internal::recognise_shadowed(name);
    if (shadowed == Known::none || shadowed == Known::x_moat) return shadowed;
    return Known::shadow;
  }
  return Known::none;
}

}  // namespace moat::http
