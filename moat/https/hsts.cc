// SPDX-License-Identifier: Apache-2.0
#include "moat/https/hsts.h"

#include <algorithm>

#include "moat/base/ip.h"

namespace moat::https {
namespace {

constexpr std::chrono::seconds year = std::chrono::hours{365 * 24};

// RFC 6761 section 6.3: localhost and all below it is this machine.
bool is_local_name(std::string_view host) {
  constexpr std::string_view local = "localhost";
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host.size() < local.size() || host.substr(host.size() - local.size()) != local) return false;
  return host.size() == local.size() || host[host.size() - local.size() - 1] == '.';
}

}  // namespace

std::optional<std::string> hsts_header(std::string_view host, const HstsOptions& options) {
  const auto parsed = HostPort::parse(host);
  if (!parsed || parsed->is_ipv6 || IpAddress::parse(parsed->host) || is_local_name(parsed->host))
    return std::nullopt;
  if (options.max_age.count() < 0) return std::nullopt;
  std::string value = "max-age=" + std::to_string(options.max_age.count());
  if (options.include_subdomains) value += "; includeSubDomains";
  if (options.preload && options.include_subdomains && options.max_age >= year)
    value += "; preload";
  return value;
}

HstsOptions hsts_ramp(const HstsOptions& options, Time start, Time now) {
  using std::chrono::days;
  const auto age = now - start;
  if (age >= days{30}) return options;
  const std::chrono::seconds step = age >= days{7} ? days{30}
                                    : age >= days{1}
                                        ? days{1}
                                        : std::chrono::seconds{std::chrono::minutes{5}};
  return {std::min(options.max_age, step), false, false};
}

}  // namespace moat::https
