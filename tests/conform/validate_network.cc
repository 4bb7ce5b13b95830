// SPDX-License-Identifier: Apache-2.0
#include "moat/base/encoding.h"
#include "moat/validate/network.h"

#include "moat/validate/email.h"
#include "moat/validate/mail.h"
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

// The names of an option, and the host itself where a regular expression of the list finds it: a
// program with such a list searches for itself, in lower case as names have none.
std::vector<std::string_view> hosts(const json::Value* list, std::string_view host) {
  auto names = words(list);
  if (list == nullptr || list->as_array() == nullptr) return names;
  const std::string lower = moat::ascii_lower(host);
  for (const json::Value& one : *list->as_array()) {
    if (one.as_string() != nullptr) continue;
    const auto compiled = pattern(&one);
    if (compiled && compiled->is_found_in(lower)) names.push_back(host);
  }
  return names;
}

std::string_view host_of_email(std::string_view text) {
  const auto at = text.rfind('@');
  return at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
}

std::string_view host_of_url(std::string_view text) {
  if (const auto at = text.find("//"); at != std::string_view::npos) text.remove_prefix(at + 2);
  return text.substr(0, text.find_first_of(":/?#"));
}

Answer email(const Call& call) {
  const auto host = host_of_email(call.text());
  const auto only = hosts(call.option("host_whitelist"), host);
  const auto except = hosts(call.option("host_blacklist"), host);
  const json::Value* characters = call.option("blacklisted_chars");
  EmailOptions options;
  options.allow_dotless_domain = !call.flag("require_tld", true);
  options.allow_utf8_local_part = call.flag("allow_utf8_local_part", true);
  options.only_domains = only;
  options.except_domains = except;
  if (characters != nullptr && characters->as_string() != nullptr)
    options.forbid_characters = *characters->as_string();
  if (call.flag("domain_specific_validation", false))
    return from(is_email_of_provider(call.text(), options));
  MailboxOptions mailbox;
  mailbox.email = options;
  mailbox.require_name = call.flag("require_display_name", false);
  if (mailbox.require_name || call.flag("allow_display_name", false))
    return from(is_mailbox(call.text(), mailbox));
  return from(is_email(call.text(), options));
}

Answer mailto_uri(const Call& call) {
  EmailOptions options;
  options.allow_utf8_local_part = call.flag("allow_utf8_local_part", true);
  return from(is_mailto_uri(call.text(), options));
}

Answer url(const Call& call) {
  constexpr std::string_view usual[] = {"http", "https", "ftp"};
  const auto host = host_of_url(call.text());
  const auto only = hosts(call.option("host_whitelist"), host);
  const auto except = hosts(call.option("host_blacklist"), host);
  const auto schemes = words(call.option("protocols"));
  UrlOptions options;
  options.only_hosts = only;
  options.except_hosts = except;
  options.schemes = schemes.empty() ? std::span<const std::string_view>(usual) : schemes;
  options.allow_any_scheme = !call.flag("require_valid_protocol", true);
  options.allow_missing_scheme = !call.flag("require_protocol", false);
  options.allow_relative_scheme =
      call.flag("allow_protocol_relative_urls", false) && options.allow_missing_scheme;
  options.allow_userinfo = !call.flag("disallow_auth", false);
  options.allow_dotless_host = !call.flag("require_tld", true);
  options.allow_empty_host = !call.flag("require_host", true);
  options.allow_underscores = call.flag("allow_underscores", false);
  options.allow_trailing_dot = call.flag("allow_trailing_dot", false);
  options.require_port = call.flag("require_port", false);
  options.forbid_query = !call.flag("allow_query_components", true);
  options.forbid_fragment = !call.flag("allow_fragments", true);
  if (const json::Value* most = call.option("max_allowed_length"))
    options.max_bytes = static_cast<std::size_t>(most->as_number().value_or(2084));
  if (!call.flag("validate_length", true)) options.max_bytes = 1'000'000;
  return from(is_url(call.text(), options));
}

constexpr Validator table[] = {
    {"isEmail", email},      {"isURL", url},
    {"isFQDN", fqdn},        {"isIP", ip},
    {"isIPRange", ip_range}, {"isMACAddress", mac_address},
    {"isPort", port},        {"isMailtoURI", mailto_uri},
};

}  // namespace

std::span<const Validator> network_validators() { return table; }

}  // namespace moat::conform
