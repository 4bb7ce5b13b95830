// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/client_address.h"

#include <algorithm>

#include "moat/base/encoding.h"

namespace moat::limit {
namespace {

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_trusted(const IpAddress& address, std::span<const Cidr> trusted) {
  return std::any_of(trusted.begin(), trusted.end(),
                     [&](const Cidr& network) { return network.contains(address); });
}

// RFC 6052 section 2.1: 64:ff9b::/96 with the IPv4 address in the last 32 bits.
std::optional<IpAddress> behind_nat64(const IpAddress& address) {
  constexpr std::array<std::uint8_t, 12> prefix{0x00, 0x64, 0xff, 0x9b};
  const auto& bytes = address.bytes();
  if (!std::equal(prefix.begin(), prefix.end(), bytes.begin())) return std::nullopt;
  std::uint32_t v4 = 0;
  for (std::size_t i = 12; i < 16; ++i) v4 = (v4 << 8) | bytes[i];
  return IpAddress::from_v4(v4);
}

}  // namespace

std::optional<IpAddress> parse_forwarded_for_element(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  if (text[0] == '[') {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && (rest[0] != ':' || !is_port(rest.substr(1)))) return std::nullopt;
    const std::string_view inside = text.substr(1, end - 1);
    if (inside.find(':') == std::string_view::npos) return std::nullopt;  // brackets are IPv6's
    return IpAddress::parse(inside);
  }
  // One colon is a port behind IPv4; more are IPv6, whose port needs brackets.
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    if (!is_port(text.substr(colon + 1))) return std::nullopt;
    text = text.substr(0, colon);
  }
  return IpAddress::parse(text);
}

IpAddress client_address(const IpAddress& peer, std::span<const std::string_view> forwarded_for,
                         std::span<const Cidr> trusted) {
  IpAddress client = peer;
  for (std::size_t line = forwarded_for.size(); line-- > 0;) {
    std::string_view rest = forwarded_for[line];
    for (bool more = true; more;) {
      if (!is_trusted(client, trusted)) return client;
      const std::size_t comma = rest.rfind(',');
      more = comma != std::string_view::npos;
      const auto address = parse_forwarded_for_element(more ? rest.substr(comma + 1) : rest);
      if (!address) return client;
      client = *address;
      if (more) rest = rest.substr(0, comma);
    }
  }
  return client;
}

LimitKeys limit_keys(const IpAddress& address) {
  if (address.is_v4()) return LimitKeys(LimitKey{address, 32, 1});
  if (const auto v4 = behind_nat64(address)) return LimitKeys(LimitKey{*v4, 32, 1});
  return LimitKeys(LimitKey{address.prefix(64), 64, 1}, LimitKey{address.prefix(48), 48, 4});
}

}  // namespace moat::limit
