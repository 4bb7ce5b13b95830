// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "moat/base/ip.h"
#include "moat/base/result.h"

namespace moat::validate {

enum class HostRefusal {
  empty,
  malformed,      // not labels of letters, digits and hyphens (RFC 1123 section 2.1), "xn--" and no
                  // A-label (idna.h), over 253 bytes
  no_dot,         // "localhost", unless allow_dotless
  bad_address,    // looks like an address and is none, or not in its usual spelling: 127.1,
                  // 0x7f.0.0.1
  mapped_address  // ::ffff:192.0.2.1 has another spelling: 192.0.2.1
};
std::string_view to_string(HostRefusal refusal);

struct HostOptions {
  bool allow_dotless = false;
  // Names beyond ASCII, in U-labels of IDNA 2008 (idna.h); the Host has their A-labels.
  bool allow_idn = false;
};

// Host is a name in DNS or an IP address, in the one spelling that every program reads alike: no
// port, zone, dot at the end, octal or short address; nothing beyond ASCII, unless allow_idn makes
// it ASCII first. For an address alone take moat::IpAddress (base/ip.h), which is parsed as
// strictly.
class Host final {
 public:
  // An IPv6 address stands in brackets or without.
  [[nodiscard]] static Result<Host, HostRefusal> parse(std::string_view text,
                                                       const HostOptions& options = {});
  // Lower case; an IPv6 address as RFC 5952 has it, without brackets. parse(host.text()) == host.
  const std::string& text() const { return text_; }
  // As it stands in a URL or before a port: an IPv6 address in brackets.
  std::string for_url() const;
  // The address, where it is no name.
  const std::optional<IpAddress>& address() const { return address_; }

  bool operator==(const Host& other) const { return text_ == other.text_; }

 private:
  Host() = default;
  std::string text_;
  std::optional<IpAddress> address_;
};

}  // namespace moat::validate
