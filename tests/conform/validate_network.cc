// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/strings.h"
#include "tests/conform/validate_call.h"

namespace moat::conform {
namespace {

using namespace validate;

Answer fqdn(const Call& call) {
  if (!call.knows_only({"require_tld", "allow_trailing_dot"})) return Answer::unsupported;
  FqdnOptions options;
  options.allow_dotless = !call.flag("require_tld", true);
  options.allow_trailing_dot = call.flag("allow_trailing_dot", false);
  return from(is_fqdn(call.text(), options));
}

Answer ip(const Call& call) {
  const json::Value* version = call.option("version");
  if (version == nullptr && call.at(0) != nullptr && call.at(0)->as_object() == nullptr)
    version = call.at(0);
  if (version == nullptr) return from(is_ip(call.text()));
  if (*version == json::Value(4) || *version == json::Value("4"))
    return from(is_ip(call.text(), IpVersion::v4));
  if (*version == json::Value(6) || *version == json::Value("6"))
    return from(is_ip(call.text(), IpVersion::v6));
  return Answer::no;
}

constexpr Validator table[] = {
    {"isFQDN", fqdn},
    {"isIP", ip},
};

}  // namespace

std::span<const Validator> network_validators() { return table; }

}  // namespace moat::conform
