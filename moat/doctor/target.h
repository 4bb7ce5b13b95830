// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/ip.h"
#include "moat/base/result.h"

namespace moat::doctor {

// The site that is looked at.
struct Target {
  std::string host;  // a DNS name in lower case, or the text of an address
  std::uint16_t port = 443;
  std::optional<std::uint16_t> http_port = 80;  // none: plain HTTP is not looked at
  std::optional<IpAddress> address;             // given: the name is not resolved

  std::optional<IpAddress> literal() const { return IpAddress::parse(host); }
  // localhost, a name below it, or an address: what HSTS is not for (RFC 6797 section 8.1.1).
  bool has_no_hsts() const;
  bool is_local() const;  // localhost, or a name below it, or a loopback address
  // As a Host field over that port has it: without the usual port, IPv6 in brackets.
  std::string authority(std::uint16_t of_port, std::uint16_t usual) const;
};

// parse_target reads "example.com", "example.com:8443", "[::1]:8443" or an https:// URL, whose path
// does not matter. Plain HTTP is looked at on port 80, but only where HTTPS has its usual port. The
// error is a sentence.
[[nodiscard]] Result<Target, std::string> parse_target(std::string_view text);

}  // namespace moat::doctor
