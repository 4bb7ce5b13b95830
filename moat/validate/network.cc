// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/network.h"

#include "moat/validate/internal/ascii.h"

namespace moat::validate {
namespace {

// Groups of `digits` hexadecimal digits, `separator` between them.
bool is_grouped(std::string_view text, std::size_t digits, char separator) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool between = i % (digits + 1) == digits;
    if (between ? text[i] != separator : !internal::is_hex_digit(text[i])) return false;
  }
  return text.size() % (digits + 1) == digits;
}

bool is_mac_of(std::string_view text, std::size_t bytes, MacSeparators separators) {
  if (separators == MacSeparators::absent) return text.size() == bytes * 2 && is_hex(text);
  if (text.size() == bytes * 3 - 1)
    return internal::contains(":- ", text[2]) && is_grouped(text, 2, text[2]);
  return text.size() == bytes / 2 * 5 - 1 && is_grouped(text, 4, '.');
}

}  // namespace

bool is_port(std::string_view text, const PortOptions& options) {
  return is_int(text, options.allow_zero ? 0 : 1, 65535);
}

bool is_ip_range(std::string_view text, IpVersion version) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto address = text.substr(0, slash);
  if (!is_ip(address, version)) return false;
  return is_int(text.substr(slash + 1), 0, is_ip(address, IpVersion::v4) ? 32 : 128);
}

bool is_mac_address(std::string_view text, Eui eui, MacSeparators separators) {
  return (eui != Eui::eui64 && is_mac_of(text, 6, separators)) ||
         (eui != Eui::eui48 && is_mac_of(text, 8, separators));
}

}  // namespace moat::validate
