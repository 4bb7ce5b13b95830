// SPDX-License-Identifier: Apache-2.0
// Addresses, networks and authorities: what parses prints to a text that parses to the same.
#include "moat/base/ip.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_address(std::string_view text) {
  const auto address = moat::IpAddress::parse(text);
  if (!address) return;
  const std::string printed = address->to_string();
  require(printed.size() <= 39);
  require(moat::IpAddress::parse(printed) == address);
  for (unsigned bits = 0; bits <= (address->is_v4() ? 32U : 128U); ++bits) {
    const auto prefix = address->prefix(bits);
    require(prefix.is_v4() == address->is_v4() || !address->is_v4());
    require(prefix.prefix(bits) == prefix);
  }
  const auto network = moat::Cidr::parse(printed);
  require(network && network->contains(*address));
}

void check_network(std::string_view text) {
  const auto network = moat::Cidr::parse(text);
  if (!network) return;
  const auto again = moat::Cidr::parse(network->to_string());
  require(again && again->to_string() == network->to_string());
}

void check_authority(std::string_view text) {
  const auto authority = moat::HostPort::parse(text);
  if (!authority) return;
  const std::string printed = authority->to_string();
  for (const char c : printed) require(c > 0x20 && c < 0x7f && c != '@' && c != '/' && c != '\\');
  require(authority->host.size() <= 254 && !authority->host.empty());
  const auto again = moat::HostPort::parse(printed);
  require(again && again->host == authority->host && again->port == authority->port &&
          again->is_ipv6 == authority->is_ipv6);
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  check_address(text);
  check_network(text);
  check_authority(text);
}
