// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/base/ip.h"
#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// RFC 3986's characters only, '%' before two hex digits only.
bool has_url_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c <= 0x20 || c >= 0x7f) return false;
    if (std::string_view("\"<>\\^`{|}").find(c) != std::string_view::npos) return false;
    if (c == '%' &&
        (i + 2 >= text.size() || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2])))
      return false;
  }
  return true;
}

// 1 to 65535, without leading zeros.
bool is_port(std::string_view text) { return is_int(text, 1, 65535); }

// RFC 3986 section 3.1.
bool is_scheme(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

bool is_right_scheme(std::string_view scheme, const UrlOptions& options) {
  if (!is_scheme(scheme)) return false;
  if (options.allow_any_scheme) return true;
  if (options.schemes.empty())
    return ascii_iequals(scheme, "http") || ascii_iequals(scheme, "https");
  return std::any_of(options.schemes.begin(), options.schemes.end(),
                     [scheme](std::string_view one) { return ascii_iequals(one, scheme); });
}

bool is_right_port(std::string_view text, const UrlOptions& options) {
  if (text.empty()) return !options.require_port;
  return text[0] == ':' && is_port(text.substr(1));
}

bool is_listed(std::string_view host, const UrlOptions& options) {
  return (options.only_hosts.empty() || is_host_in(host, options.only_hosts)) &&
         !is_host_in(host, options.except_hosts);
}

bool is_host(std::string_view host, const UrlOptions& options) {
  if (host.empty()) return options.allow_empty_host && options.only_hosts.empty();
  if (is_ip(host, IpVersion::v4)) return options.allow_ip_host && is_listed(host, options);
  FqdnOptions fqdn;
  fqdn.allow_dotless = options.allow_dotless_host;
  fqdn.allow_underscores = options.allow_underscores;
  fqdn.allow_trailing_dot = options.allow_trailing_dot;
  return is_fqdn(host, fqdn) && is_listed(host, options);
}

bool is_host_and_port(std::string_view text, const UrlOptions& options) {
  if (text.substr(0, 1) == "[") {
    const auto end = text.find(']');
    if (end == std::string_view::npos || !options.allow_ip_host) return false;
    const auto address = text.substr(1, end - 1);
    return is_ip(address, IpVersion::v6) && is_listed(address, options) &&
           is_right_port(text.substr(end + 1), options);
  }
  const auto colon = std::min(text.find(':'), text.size());
  const auto host = text.substr(0, colon);
  if (host.empty() && colon != text.size()) return false;
  return is_host(host, options) && is_right_port(text.substr(colon), options);
}

}  // namespace

bool is_host_in(std::string_view host, std::span<const std::string_view> hosts) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  // An address has many spellings.
  const auto address = IpAddress::parse(host);
  return std::any_of(hosts.begin(), hosts.end(), [&](std::string_view one) {
    if (address) return IpAddress::parse(one) == address;
    if (one.substr(0, 1) != ".") return ascii_iequals(host, one);
    return host.size() > one.size() && ascii_iequals(host.substr(host.size() - one.size()), one);
  });
}

bool is_url(std::string_view text, const UrlOptions& options) {
  if (text.empty() || text.size() > options.max_bytes || !has_url_characters(text)) return false;
  const auto fragment = text.find('#');
  if (options.forbid_fragment && fragment != std::string_view::npos) return false;
  if (options.forbid_query && text.find('?') < fragment) return false;
  const auto end = std::min(text.find_first_of(":/?#"), text.size());
  const bool has_scheme = text.substr(end, 3) == "://";
  if (has_scheme) {
    if (!is_right_scheme(text.substr(0, end), options)) return false;
    text.remove_prefix(end + 3);
  } else if (text.substr(0, 2) == "//") {
    if (!options.allow_relative_scheme) return false;
    text.remove_prefix(2);
  } else if (!options.allow_missing_scheme) {
    return false;
  }
  if (text.empty()) return false;
  auto authority = text.substr(0, text.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    // RFC 3986 section 3.2.1's userinfo has no '@' of its own. A second ':' is part of the user's
    // name to one reader and of the password to another.
    if (!options.allow_userinfo || at == 0 || authority.find('@') != at) return false;
    if (const auto userinfo = authority.substr(0, at); userinfo.find(':') != userinfo.rfind(':'))
      return false;
    // Section 4.2: without a scheme, what stands before a colon would be one ("javascript:…@host").
    if (!has_scheme && authority.find(':') < at) return false;
    authority.remove_prefix(at + 1);
  }
  return is_host_and_port(authority, options);
}

bool is_safe_link(std::string_view text) {
  if (text.empty() || text.size() > 8192 || !has_url_characters(text)) return false;
  if (text.substr(0, 2) == "//") return false;
  const auto end = text.find_first_of(":/?#");
  // RFC 3986 section 4.2: a colon before any slash makes what stands before it a scheme.
  if (end == std::string_view::npos || text[end] != ':') return true;
  UrlOptions options;
  options.allow_dotless_host = true;
  options.max_bytes = 8192;
  return is_url(text, options);
}

}  // namespace moat::validate
