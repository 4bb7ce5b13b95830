// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "moat/base/encoding.h"
#include "moat/csrf/csrf.h"

namespace moat::csrf {
namespace {

constexpr std::size_t longest_scheme = 32;
constexpr std::size_t longest_host = 255;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// RFC 3986 section 3.1.
bool is_scheme(std::string_view text) {
  return !text.empty() && text.size() <= longest_scheme && is_alpha(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

// What browsers write there: names in ASCII (IDNA encoded) and IPv4 addresses, IPv6 addresses in
// brackets.
bool is_host(std::string_view text) {
  if (text.empty() || text.size() > longest_host) return false;
  if (text[0] == '[') {
    if (text.size() < 4 || text.back() != ']') return false;
    const std::string_view inside = text.substr(1, text.size() - 2);
    return inside.find(':') != std::string_view::npos &&
           std::all_of(inside.begin(), inside.end(),
                       [](char c) { return is_hex(c) || c == ':' || c == '.'; });
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text[0] < '1' || text[0] > '9') return std::nullopt;
  std::uint16_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

// Zero for a scheme that has none.
std::uint16_t default_port(std::string_view scheme) {
  if (ascii_iequals(scheme, "https") || ascii_iequals(scheme, "wss")) return 443;
  if (ascii_iequals(scheme, "http") || ascii_iequals(scheme, "ws")) return 80;
  return 0;
}

std::optional<Origin> assemble(std::string_view scheme, std::string_view authority) {
  if (!is_scheme(scheme)) return std::nullopt;
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  Origin out;
  out.scheme = scheme;
  out.host = authority.substr(0, colon);
  out.port = default_port(scheme);
  if (colon != std::string_view::npos) {
    const auto port = parse_port(authority.substr(colon + 1));
    if (!port) return std::nullopt;
    out.port = *port;
  }
  if (out.port == 0 || !is_host(out.host)) return std::nullopt;
  return out;
}

}  // namespace

std::optional<Origin> Origin::parse(std::string_view text) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos) return std::nullopt;
  return assemble(text.substr(0, end), text.substr(end + 3));
}

std::optional<Origin> Origin::of_url(std::string_view url) {
  const std::size_t end = url.find("://");
  if (end == std::string_view::npos) return std::nullopt;
  // A backslash, which browsers take for a slash, or a user name stays in the authority and fails
  // there.
  const std::string_view rest = url.substr(end + 3);
  return assemble(url.substr(0, end), rest.substr(0, rest.find_first_of("/?#")));
}

std::optional<Origin> Origin::of_request(std::string_view scheme, std::string_view host) {
  // The page that opens a WebSocket has an origin of http or https (RFC 6455 section 4.1).
  if (ascii_iequals(scheme, "wss")) scheme = "https";
  if (ascii_iequals(scheme, "ws")) scheme = "http";
  return assemble(scheme, host);
}

bool Origin::same_as(const Origin& other) const {
  return port == other.port && ascii_iequals(scheme, other.scheme) &&
         ascii_iequals(host, other.host);
}

std::string Origin::to_string() const {
  std::string out = ascii_lower(scheme) + "://" + ascii_lower(host);
  if (port != default_port(scheme)) out += ":" + std::to_string(port);
  return out;
}

}  // namespace moat::csrf
