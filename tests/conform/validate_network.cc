// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/network.h"

#include "moat/validate/email.h"
#include "tests/conform/validate_call.h"

namespace moat::conform {
namespace {

using namespace validate;

Answer fqdn(const Call& call) {
  FqdnOptions options;
  options.allow_dotless = !call.flag("require_tld", true);
  options.allow_trailing_dot = call.flag("allow_trailing_dot", false);
  options.allow_underscores = call.flag("allow_underscores", false);
  options.allow_numeric_tld = call.flag("allow_numeric_tld", false);
  options.allow_wildcard = call.flag("allow_wildcard", false);
  return from(is_fqdn(call.text(), options));
}

// The version of the options or the argument itself; nothing for one that there is not.
std::optional<IpVersion> ip_version(const Call& call) {
  const json::Value* version = call.option("version");
  if (version == nullptr && call.at(0) != nullptr && call.at(0)->as_object() == nullptr)
    version = call.at(0);
  if (version == nullptr) return IpVersion::any;
  if (*version == json::Value(4) || *version == json::Value("4")) return IpVersion::v4;
  if (*version == json::Value(6) || *version == json::Value("6")) return IpVersion::v6;
  return std::nullopt;
}

Answer ip(const Call& call) {
  const auto version = ip_version(call);
  return from(version && is_ip(call.text(), *version));
}

Answer ip_range(const Call& call) {
  const auto version = ip_version(call);
  return from(version && is_ip_range(call.text(), *version));
}

Answer mac_address(const Call& call) {
  const json::Value* eui = call.option("eui");
  const auto is = [eui](const char* bits) { return eui != nullptr && *eui == json::Value(bits); };
  const bool bare = call.flag("no_separators", call.flag("no_colons", false));
  return from(is_mac_address(call.text(),
                             is("48")   ? Eui::eui48
                             : is("64") ? Eui::eui64
                                        : Eui::any,
                             bare ? MacSeparators::absent : MacSeparators::required));
}

Answer port(const Call& call) {
  PortOptions options;
  options.allow_zero = true;
  return from(is_port(call.text(), options));
}

constexpr Validator table[] = {
    {"isFQDN", fqdn}, {"isIP", ip}, {"isIPRange", ip_range}, {"isMACAddress", mac_address},
    {"isPort", port},
};

}  // namespace

std::span<const Validator> network_validators() { return table; }

}  // namespace moat::conform
