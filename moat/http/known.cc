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
    "accept-language", "user-agent", "authorization", "x-csrf-token", "csrf-token", "x-xsrf-token",
    "xsrf-token", "x-requested-with", "x-request-id", "traceparent", "tracestate", "range",
    "if-none-match", "if-modified-since", "access-control-request-method",
    "access-control-request-headers", "sec-websocket-key", "sec-websocket-version",
    "sec-websocket-protocol", "sec-websocket-extensions", "sec-websocket-accept",
    // What only an intermediary says.
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "", "forwarded", "via", "x-real-ip",
    "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-original-url", "x-rewrite-url",
    "x-original-host", "x-original-path", "x-http-host-override", "x-host", "client-ip",
    "x-cluster-client-ip", "fastly-client-ip", "forwarded-for", "x-script-name", "x-scheme",
    "front-end-https", "proxy", "remote-user", "x-remote-user", "x-http-method-override",
    "x-http-method", "x-method-override",
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

constexpr std::size_t slots = 1024;
constexpr std::size_t shortest = 4;  // beside te, via and age
constexpr std::size_t longest = 35;  // content-security-policy-report-only

// Four bytes with the case of letters folded. Known names are made of a-z, 0-9 and '-'; no other
// tchar becomes one of these by `| 0x20`, and no other byte but controls does.
constexpr std::uint32_t fold_four(const char* text) {
  std::uint32_t word = 0;
  for (unsigned i = 0; i < 4; ++i)
    word |= std::uint32_t{static_cast<unsigned char>(text[i])} << (8 * i);
  return word | 0x20202020u;
}

// A listed name with its ends, which with the length tell almost all names apart.
struct Entry {
  const char* name = nullptr;
  std::uint32_t head = 0;
  std::uint32_t tail = 0;
  std::size_t size = 0;
};

constexpr std::array<Entry, known_count> make_entries() {
  std::array<Entry, known_count> made{};
  for (std::size_t i = static_cast<std::size_t>(Known::host); i < names.size(); ++i) {
    const std::string_view name = names[i];
    if (name.size() < shortest) continue;
    made[i] = {name.data(), fold_four(name.data()), fold_four(name.data() + name.size() - 4),
               name.size()};
  }
  return made;
}
constexpr std::array<Entry, known_count> entries = make_entries();

constexpr std::size_t slot_of(std::uint32_t head, std::uint32_t tail, std::size_t size) {
  return ((head + static_cast<std::uint32_t>(size)) * 0x9e3779b1u + tail * 0x85ebca6bu) >> 22;
}

constexpr std::array<std::uint8_t, slots> make_table() {
  std::array<std::uint8_t, slots> made{};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].size == 0) continue;
    std::size_t slot = slot_of(entries[i].head, entries[i].tail, entries[i].size);
    while (made[slot] != 0) slot = (slot + 1) % slots;
    made[slot] = static_cast<std::uint8_t>(i);
  }
  return made;
}
constexpr std::array<std::uint8_t, slots> table = make_table();

// Whether all but the last four bytes agree; those have been compared.
bool same_middle(const char* text, const char* known, std::size_t size) {
  constexpr std::uint64_t fold = 0x2020202020202020u;
  for (std::size_t i = 4; i + 4 < size; i += 8) {
    const std::size_t at = i + 8 <= size ? i : size - 8;
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::memcpy(&a, text + at, 8);
    std::memcpy(&b, known + at, 8);
    if ((a | fold) != b) return false;
  }
  return true;
}

}  // namespace

Known internal::look_up(std::string_view name) {
  const std::size_t size = name.size();
  if (size < shortest) {
    for (const Known known : {Known::te, Known::via, Known::age})
      if (iequals(name, names[static_cast<std::size_t>(known)])) return known;
    return Known::none;
  }
  if (size > longest) return Known::none;
  const std::uint32_t head = fold_four(name.data());
  const std::uint32_t tail = fold_four(name.data() + size - 4);
  for (std::size_t slot = slot_of(head, tail, size); table[slot] != 0; slot = (slot + 1) % slots) {
    const Entry& entry = entries[table[slot]];
    if (entry.head == head && entry.tail == tail && entry.size == size &&
        same_middle(name.data(), entry.name, size))
      return static_cast<Known>(table[slot]);
  }
  return Known::none;
}

namespace {

using internal::look_up;

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

Known internal::recognise_unlisted(std::string_view name) {
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

Known recognise(std::string_view name) {
  const Known known = look_up(name);
  return known != Known::none ? known : internal::recognise_unlisted(name);
}

}  // namespace moat::http
