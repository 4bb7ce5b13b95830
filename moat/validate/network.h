// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "moat/validate/strings.h"

namespace moat::validate {

// Addresses of networks, beside is_ip, is_fqdn and is_url of strings.h.

struct PortOptions {
  bool allow_zero = false;  // "0" asks a system for any port
};
// 1 to 65535, without leading zeros.
[[nodiscard]] bool is_port(std::string_view text, const PortOptions& options = {});

// An address and the length of its prefix, "10.0.0.0/8"; bits behind the prefix may be set.
[[nodiscard]] bool is_ip_range(std::string_view text, IpVersion version = IpVersion::any);

enum class Eui { any, eui48, eui64 };
enum class MacSeparators { required, absent };
// 6 or 8 bytes in hexadecimal, with one kind of separator: ':', '-' or ' ' behind each byte, or '.'
// behind two.
[[nodiscard]] bool is_mac_address(std::string_view text, Eui eui = Eui::any,
                                  MacSeparators separators = MacSeparators::required);

}  // namespace moat::validate
