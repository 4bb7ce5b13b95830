// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/ip.h"
#include "moat/base/result.h"
#include "moat/validate/host.h"
#include "moat/validate/web_url.h"

namespace moat::validate {

// What an address is for, by the registries of IANA (RFC 6890 and its updates).
enum class AddressKind {
  global,          // a machine somewhere on the Internet
  unspecified,     // 0.0.0.0/8, ::
  loopback,        // this machine
  private_use,     // RFC 1918, RFC 6598 (shared), RFC 4193 (unique local)
  link_local,      // this wire
  cloud_metadata,  // where cloud machines find their credentials
  multicast,
  documentation,
  benchmarking,
  embedded_ipv4,  // an IPv6 address that stands for an IPv4 one: 6to4, NAT64, Teredo, ISATAP,
                  // ::a.b.c.d
  reserved        // everything else that is no machine's
};
[[nodiscard]] AddressKind address_kind(const IpAddress& address);
std::string_view to_string(AddressKind kind);

// Why nothing is fetched. For the log; what a stranger is told should not say which it was, or your
// network can be explored by asking.
enum class FetchRefusal {
  malformed,            // no absolute URL of visible ASCII with a host, or over 2084 bytes
  forbidden_character,  // backslash, white space, control, or beyond ASCII: parsers differ about
                        // them
  forbidden_scheme,     // another than https, or than http where it is allowed
  userinfo,             // user:password@
  odd_host,  // a host or port not in its one spelling: 0x7f.1, 2130706433, %31, a dot at its end
  forbidden_port,
  local_name,         // localhost, *.internal, *.local and the like, or a name without a dot
  forbidden_host,     // not among only_hosts, or among except_hosts
  forbidden_address,  // no address of the open Internet; address_kind() says what it is
  no_address,         // the name has none
  too_many_addresses  // over 64
};
std::string_view to_string(FetchRefusal refusal);

struct FetchRules {
  bool allow_http = false;  // without TLS
  // Ports that are right; empty: 80 and 443.
  std::span<const std::uint16_t> ports = {};
  // Hosts that are right (empty: all), then those that are wrong; is_host_in says how they are
  // compared. An address among the latter is wrong for a name, too, that has it. The best rule of
  // all is a short only_hosts.
  std::span<const std::string_view> only_hosts = {};
  std::span<const std::string_view> except_hosts = {};
  // Addresses of kind private_use, *.internal, *.local and the like, names without a dot. Whoever
  // writes the URL can then reach what stands behind the firewall.
  bool allow_private_networks = false;
  bool allow_loopback = false;  // this machine: 127.0.0.0/8, ::1, localhost
};

// FetchTarget is a URL from a stranger that a server may fetch: a web hook, an avatar, a feed. Only
// its parser makes one. It guards against server-side request forgery (CWE-918) when used so:
//   1. parse the URL;
//   2. resolve host() once (skip this where host().address() is set) and give all addresses to
//      judge(), which answers with the one to connect to;
//   3. connect to that address, and to nothing else; host() is for TLS's server name and the Host
//      header only. A second look-up could be answered otherwise (DNS rebinding);
//   4. follow no redirect by yourself: redirect() makes the next target, and 2 begins anew.
class FetchTarget final {
 public:
  static constexpr std::size_t max_addresses = 64;

  [[nodiscard]] static Result<FetchTarget, FetchRefusal> parse(std::string_view text,
                                                               const FetchRules& rules = {});
  // The target that the Location header `location` of its answer leads to, under the same kind of
  // rules. Count them: a chain needs an end.
  [[nodiscard]] Result<FetchTarget, FetchRefusal> redirect(std::string_view location,
                                                           const FetchRules& rules = {}) const;

  const Url& url() const { return url_; }
  const Host& host() const { return host_; }
  std::uint16_t port() const { return port_; }

  // The address to connect to: the first of `addresses`, when every one of them is allowed. An
  // attacker chooses what a name resolves to, so one that is not allowed refuses all.
  [[nodiscard]] Result<IpAddress, FetchRefusal> judge(std::span<const IpAddress> addresses) const;

 private:
  FetchTarget(Url url, Host host, std::uint16_t port, const FetchRules& rules);
  bool allows(const IpAddress& address) const;

  Url url_;
  Host host_;
  std::uint16_t port_;
  bool allow_private_networks_;
  bool allow_loopback_;
  std::vector<IpAddress> except_addresses_;
};

}  // namespace moat::validate
