// SPDX-License-Identifier: Apache-2.0
// WHATWG URL section 3: hosts as browsers read them.
#include <algorithm>
#include <array>
#include <cstdint>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/idna.h"
#include "moat/validate/internal/web_host.h"

namespace moat::validate::internal {
namespace {

constexpr std::uint64_t too_large = std::uint64_t{1} << 40;

// "IPv4 number parser": decimal, octal behind 0, hexadecimal behind 0x. What is too large for any
// address is given as too_large.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  unsigned radix = 10;
  if (text.size() >= 2 && text[0] == '0' && to_lower(text[1]) == 'x') {
    text.remove_prefix(2);
    radix = 16;
  } else if (text.size() >= 2 && text[0] == '0') {
    text.remove_prefix(1);
    radix = 8;
  }
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_hex_digit(c)) return std::nullopt;
    const auto digit = static_cast<unsigned>(is_digit(c) ? c - '0' : to_lower(c) - 'a' + 10);
    if (digit >= radix) return std::nullopt;
    value = std::min(value * radix + digit, too_large);
  }
  return value;
}

// "IPv4 parser".
std::optional<IpAddress> parse_v4(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  std::array<std::uint64_t, 4> parts{};
  std::size_t count = 0;
  bool more = true;
  while (more) {
    const auto part = parse_number(take_until(host, '.', more));
    if (!part || count == parts.size()) return std::nullopt;
    parts[count++] = *part;
  }
  std::uint64_t address = parts[count - 1];
  if (address >= std::uint64_t{1} << (8 * (5 - count))) return std::nullopt;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    if (parts[i] > 255) return std::nullopt;
    address += parts[i] << (8 * (3 - i));
  }
  return IpAddress::from_v4(static_cast<std::uint32_t>(address));
}

// "IPv6 serializer", which writes a mapped IPv4 address in hexadecimal.
std::string print_v6(const IpAddress& address) {
  if (!address.is_v4()) return "[" + address.to_string() + "]";
  const auto& bytes = address.bytes();
  std::string out = "[::ffff";
  for (std::size_t i = 12; i < 16; i += 2) {
    const auto group =
        hex_encode(std::string{static_cast<char>(bytes[i]), static_cast<char>(bytes[i + 1])});
    out += ":" + group.substr(std::min(group.find_first_not_of('0'), std::size_t{3}));
  }
  return out + "]";
}

// "Forbidden domain code point"; and four more that no name has, so that none of them is in the
// text of a URL (the standard takes "a%22b").
bool is_forbidden(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || contains("#/:<>?@[\\]^|%\"`{}", c);
}

// Percent-decoding as browsers do it: a '%' that begins nothing stays.
std::string decode_leniently(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte =
        text[i] == '%' && i + 2 < text.size() ? hex_decode(text.substr(i + 1, 2)) : std::nullopt;
    out += byte ? (*byte)[0] : text[i];
    if (byte) i += 2;
  }
  return out;
}

// "Domain to ASCII" of a name beyond ASCII.
std::optional<UrlRefusal> make_ascii(std::string& host, const WebUrlOptions& options) {
  if (!options.allow_idn) return UrlRefusal::non_ascii_host;
  auto name = map_name(host);
  if (!name || name->empty()) return UrlRefusal::bad_host;
  host = *std::move(name);
  return std::nullopt;
}

bool has_bad_a_label(std::string_view host) {
  // Most hosts have no two hyphens in a row.
  return host.find("--") != std::string_view::npos &&
         (is_encoded_label(host) || host.find(".xn--") != std::string_view::npos) &&
         refuse_a_labels(host);
}

}  // namespace

bool ends_in_number(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  const auto dot = host.rfind('.');
  const auto last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return all(last, is_digit) || parse_number(last).has_value();
}

Result<WebHost, UrlRefusal> parse_web_host(std::string_view text, const WebUrlOptions& options) {
  if (text.front() == '[') {
    if (text.back() != ']' || text.find(':') == std::string_view::npos)
      return Error{UrlRefusal::bad_host};
    const auto address = IpAddress::parse(text.substr(1, text.size() - 2));
    if (!address) return Error{UrlRefusal::bad_host};
    return WebHost{print_v6(*address), address};
  }
  std::string host = ascii_lower(decode_leniently(text));
  if (is_beyond_ascii(host)) [[unlikely]]
    if (const auto refused = make_ascii(host, options)) return Error{*refused};
  // What letters beyond ASCII were mapped to is held against everything that ASCII is.
  if (std::any_of(host.begin(), host.end(), is_forbidden)) return Error{UrlRefusal::bad_host};
  if (has_bad_a_label(host)) return Error{UrlRefusal::bad_host};
  if (!ends_in_number(host)) return WebHost{std::move(host), std::nullopt};
  const auto address = parse_v4(host);
  if (!address) return Error{UrlRefusal::bad_host};
  return WebHost{address->to_string(), address};
}

}  // namespace moat::validate::internal
