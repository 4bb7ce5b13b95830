// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/target.h"

#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/doctor/finding.h"

namespace moat::doctor {
namespace {

constexpr std::size_t longest = 2048;

// RFC 6761 section 6.3: localhost and all below it is this machine.
bool is_localhost(std::string_view host) {
  constexpr std::string_view suffix = ".localhost";
  return host == "localhost" ||
         (host.size() > suffix.size() && host.substr(host.size() - suffix.size()) == suffix);
}

}  // namespace

bool Target::has_no_hsts() const { return is_localhost(host) || literal().has_value(); }

bool Target::is_local() const {
  const auto given = literal();
  return is_localhost(host) || (given && given->is_loopback());
}

std::string Target::authority(std::uint16_t of_port, std::uint16_t usual) const {
  HostPort out;
  const auto given = literal();
  out.host = host;
  out.is_ipv6 = given && !given->is_v4();
  if (of_port != usual) out.port = of_port;
  return out.to_string();
}

Result<Target, std::string> parse_target(std::string_view text) {
  const std::string name = "'" + shown(text) + "'";
  if (text.size() > longest) return Error{name + " is too long for a name"};
  if (ascii_lower(text.substr(0, 7)) == "http://")
    return Error{name + " is no https:// URL; give the name of the site"};
  std::string_view rest = text;
  if (ascii_lower(rest.substr(0, 8)) == "https://") {
    rest.remove_prefix(8);
    rest = rest.substr(0, std::min(rest.find_first_of("/?#"), rest.size()));
  }
  // An IPv6 address is often given without its brackets.
  const auto bare = IpAddress::parse(rest);
  const std::string bracketed = bare && !bare->is_v4() ? "[" + std::string(rest) + "]" : "";
  const auto parsed = HostPort::parse(bracketed.empty() ? rest : std::string_view(bracketed));
  if (!parsed) {
    const bool ascii =
        std::all_of(rest.begin(), rest.end(), [](char c) { return (c & 0x80) == 0; });
    return Error{name + (ascii ? " is no name of a site, such as example.com or localhost:8443"
                               : " is not ASCII; write the name in its form with xn--")};
  }
  if (parsed->port && *parsed->port == 0) return Error{name + " names port 0"};
  Target target;
  const auto address = IpAddress::parse(parsed->host);
  target.host = address ? address->to_string() : parsed->host;
  target.port = parsed->port.value_or(443);
  if (target.port != 443) target.http_port = std::nullopt;
  return target;
}

}  // namespace moat::doctor
