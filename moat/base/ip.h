// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moat {

// IpAddress is an IPv4 or IPv6 address as 16 bytes; IPv4 is held as ::ffff:a.b.c.d, so the mapped
// form and the plain one are the same address. Parsing is strict: no octal, no short forms, no
// zone, no port, no brackets.
class IpAddress final {
 public:
  IpAddress() = default;  // ::
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress from_v4(std::uint32_t host_order);
  static IpAddress from_v6(const std::array<std::uint8_t, 16>& bytes);

  bool is_v4() const;
  bool is_loopback() const;  // 127.0.0.0/8 or ::1
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  // The address with all but its first `bits` set to zero; bits count within its own family (32 or
  // 128).
  IpAddress prefix(unsigned bits) const;
  // RFC 5952 text; IPv4 as dotted decimal.
  std::string to_string() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

// Cidr is a network such as 10.0.0.0/8 or 2001:db8::/32; a bare address is a network of one. Host
// bits must be zero.
class Cidr final {
 public:
  static std::optional<Cidr> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
  std::string to_string() const;

 private:
  IpAddress base_;
  unsigned bits_ = 0;
};

// HostPort is "example.com:8443", "[::1]:80", "127.0.0.1"; the host lower-cased, a DNS name checked
// for its characters and lengths (RFC 1123 section 2.1, RFC 9110 section 7.2), an IPv6 address in
// brackets only.
struct HostPort {
  std::string host;  // without brackets
  std::optional<std::uint16_t> port;
  bool is_ipv6 = false;
  static std::optional<HostPort> parse(std::string_view text);
  std::string to_string() const;
};

}  // namespace moat
