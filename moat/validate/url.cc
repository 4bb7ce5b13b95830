// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/base/encoding.h"
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

bool is_host_and_port(std::string_view text, const UrlOptions& options) {
  if (text.substr(0, 1) == "[") {
    const auto end = text.find(']');
    if (end == std::string_view::npos || !options.allow_ip_host) return false;
    const auto rest = text.substr(end + 1);
    return is_ip(text.substr(1, end - 1), IpVersion::v6) &&
           (rest.empty() || (rest[0] == ':' && is_port(rest.substr(1))));
  }
  const auto colon = text.find(':');
  const auto host = text.substr(0, colon);
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return false;
  if (is_ip(host, IpVersion::v4)) return options.allow_ip_host;
  FqdnOptions fqdn;
  fqdn.allow_dotless = options.allow_dotless_host;
  return is_fqdn(host, fqdn);
}

}  // namespace

bool is_url(std::string_view text, const UrlOptions& options) {
  if (text.size() > options.max_bytes || !has_url_characters(text)) return false;
  const auto colon = text.find(':');
  const auto scheme = text.substr(0, colon);
  if (!ascii_iequals(scheme, "http") && !ascii_iequals(scheme, "https")) return false;
  if (colon == std::string_view::npos || text.substr(colon, 3) != "://") return false;
  text.remove_prefix(colon + 3);
  auto authority = text.substr(0, text.find_first_of("/?#"));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    // RFC 3986 section 3.2.1's userinfo has no '@' of its own.
    if (!options.allow_userinfo || at == 0 || authority.find('@') != at) return false;
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
