// SPDX-License-Identifier: Apache-2.0
// Addresses that are no machine of the open Internet. From IANA's registries "IPv4 Special-Purpose
// Address Space" and "IPv6 Special-Purpose Address Space" (RFC 6890, as of RFC 9780); what these
// call globally reachable but is nobody's site (AS112, relays, anycast) is here too.
#include <array>
#include <cstdint>

#include "moat/validate/fetch_target.h"

namespace moat::validate {
namespace {

using enum AddressKind;

struct Range4 {
  std::array<std::uint8_t, 4> base;
  unsigned bits;
  AddressKind kind;
};
// The first that fits counts.
constexpr Range4 ranges4[] = {
    // Where clouds serve credentials and settings to their machines.
    {{169, 254, 169, 254}, 32, cloud_metadata},  // AWS, Google Cloud, Azure, and most others
    {{169, 254, 170, 2}, 32, cloud_metadata},    // AWS ECS: roles of tasks
    {{169, 254, 170, 23}, 32, cloud_metadata},   // AWS EKS: identity of pods
    {{100, 100, 100, 200}, 32, cloud_metadata},  // Alibaba Cloud
    {{168, 63, 129, 16}, 32, cloud_metadata},    // Azure's WireServer, among public addresses
    {{192, 0, 0, 192}, 32, cloud_metadata},      // Oracle Cloud
    {{0, 0, 0, 0}, 8, unspecified},              // RFC 791 section 3.2: "this network"
    {{10, 0, 0, 0}, 8, private_use},             // RFC 1918
    {{100, 64, 0, 0}, 10, private_use},          // RFC 6598: shared by customers of a carrier
    {{127, 0, 0, 0}, 8, loopback},               // RFC 1122 section 3.2.1.3
    {{169, 254, 0, 0}, 16, link_local},          // RFC 3927
    {{172, 16, 0, 0}, 12, private_use},          // RFC 1918
    {{192, 0, 0, 0}, 24, reserved},              // RFC 6890: IETF protocol assignments
    {{192, 0, 2, 0}, 24, documentation},         // RFC 5737: TEST-NET-1
    {{192, 31, 196, 0}, 24, reserved},           // RFC 7535: AS112
    {{192, 52, 193, 0}, 24, reserved},           // RFC 7450: AMT
    {{192, 88, 99, 0}, 24, reserved},            // RFC 7526: 6to4 relays, deprecated
    {{192, 168, 0, 0}, 16, private_use},         // RFC 1918
    {{192, 175, 48, 0}, 24, reserved},           // RFC 7534: AS112
    {{198, 18, 0, 0}, 15, benchmarking},         // RFC 2544
    {{198, 51, 100, 0}, 24, documentation},      // RFC 5737: TEST-NET-2
    {{203, 0, 113, 0}, 24, documentation},       // RFC 5737: TEST-NET-3
    {{224, 0, 0, 0}, 4, multicast},              // RFC 5771
    {{240, 0, 0, 0}, 4, reserved},               // RFC 1112 section 4, and 255.255.255.255
};

struct Range6 {
  std::array<std::uint16_t, 8> base;
  unsigned bits;
  AddressKind kind;
};
constexpr Range6 ranges6[] = {
    {{0xfd00, 0xec2, 0, 0, 0, 0, 0, 0}, 32, cloud_metadata},      // AWS: ::254, ::23 and others
    {{0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42}, 128, cloud_metadata},   // Scaleway
    {{0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254}, 128, cloud_metadata},  // Google Cloud
    {{0, 0, 0, 0, 0, 0, 0, 0}, 128, unspecified},                 // RFC 4291 section 2.5.2
    {{0, 0, 0, 0, 0, 0, 0, 1}, 128, loopback},                    // RFC 4291 section 2.5.3
    {{0, 0, 0, 0, 0, 0, 0, 0}, 96, embedded_ipv4},                // RFC 4291 section 2.5.5.1
    {{0x64, 0xff9b, 0, 0, 0, 0, 0, 0}, 96, embedded_ipv4},        // RFC 6052: NAT64
    {{0x64, 0xff9b, 1, 0, 0, 0, 0, 0}, 48, embedded_ipv4},        // RFC 8215: NAT64 of a network
    {{0x2001, 0, 0, 0, 0, 0, 0, 0}, 32, embedded_ipv4},           // RFC 4380: Teredo
    {{0x2001, 2, 0, 0, 0, 0, 0, 0}, 48, benchmarking},            // RFC 5180
    {{0x2001, 0, 0, 0, 0, 0, 0, 0}, 23, reserved},                // RFC 2928, with ORCHID and DRIP
    {{0x2001, 0xdb8, 0, 0, 0, 0, 0, 0}, 32, documentation},       // RFC 3849
    {{0x2002, 0, 0, 0, 0, 0, 0, 0}, 16, embedded_ipv4},           // RFC 3056: 6to4
    {{0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0}, 48, reserved},        // RFC 7534: AS112
    {{0x3fff, 0, 0, 0, 0, 0, 0, 0}, 20, documentation},           // RFC 9637
    {{0xfc00, 0, 0, 0, 0, 0, 0, 0}, 7, private_use},              // RFC 4193: unique local
    {{0xfe80, 0, 0, 0, 0, 0, 0, 0}, 10, link_local},              // RFC 4291 section 2.5.6
    {{0xfec0, 0, 0, 0, 0, 0, 0, 0}, 10, reserved},  // RFC 3879: site-local, deprecated
    {{0xff00, 0, 0, 0, 0, 0, 0, 0}, 8, multicast},  // RFC 4291 section 2.7
};

bool has_prefix(const std::uint8_t* bytes, const std::uint8_t* base, unsigned bits) {
  for (unsigned i = 0; i < bits; ++i) {
    const unsigned mask = 0x80U >> (i % 8);
    if (((bytes[i / 8] ^ base[i / 8]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace

AddressKind address_kind(const IpAddress& address) {
  const auto* bytes = address.bytes().data();
  if (address.is_v4()) {
    for (const auto& range : ranges4)
      if (has_prefix(bytes + 12, range.base.data(), range.bits)) return range.kind;
    return global;
  }
  for (const auto& range : ranges6) {
    std::array<std::uint8_t, 16> base{};
    for (std::size_t i = 0; i < base.size(); ++i)
      base[i] = static_cast<std::uint8_t>(range.base[i / 2] >> (i % 2 == 0 ? 8 : 0));
    if (has_prefix(bytes, base.data(), range.bits)) return range.kind;
  }
  // RFC 5214 section 6.1: ISATAP's interface identifier, in any network.
  if ((bytes[8] & 0xfd) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe)
    return embedded_ipv4;
  // RFC 4291 section 2.4 and IANA's "IPv6 Address Space": nothing else is given out to machines.
  return bytes[0] >> 5 == 1 ? global : reserved;
}

std::string_view to_string(AddressKind kind) {
  switch (kind) {
    case global:
      return "global";
    case unspecified:
      return "unspecified";
    case loopback:
      return "loopback";
    case private_use:
      return "private_use";
    case link_local:
      return "link_local";
    case cloud_metadata:
      return "cloud_metadata";
    case multicast:
      return "multicast";
    case documentation:
      return "documentation";
    case benchmarking:
      return "benchmarking";
    case embedded_ipv4:
      return "embedded_ipv4";
    case reserved:
      return "reserved";
  }
  return "unknown";
}

}  // namespace moat::validate
