// SPDX-License-Identifier: Apache-2.0
#include "moat/http/proxy_protocol.h"

#include <algorithm>
#include <array>

namespace moat::http {
namespace {

constexpr std::string_view signature_v1 = "PROXY ";
constexpr std::string_view signature_v2("\r\n\r\n\0\r\nQUIT\n", 12);
// "PROXY UNKNOWN\r\n"; version 2 has at least one byte more.
constexpr std::size_t shortest = 15;
constexpr std::size_t fixed_v2 = 16;
// Spaces in "PROXY TCP4 source destination port port".
constexpr std::size_t spaces_v1 = 5;

ProxyParse refuse(std::string_view code) {
  ProxyParse result;
  result.kind = ProxyParse::refused;
  result.code = code;
  return result;
}
ProxyParse more(std::size_t needed) {
  ProxyParse result;
  result.needed = needed;
  return result;
}
ProxyParse done(std::size_t consumed) {
  ProxyParse result;
  result.kind = ProxyParse::complete;
  result.consumed = consumed;
  return result;
}

bool begins(std::string_view buffer, std::string_view signature) {
  const std::size_t size = std::min(buffer.size(), signature.size());
  return buffer.substr(0, size) == signature.substr(0, size);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

std::optional<IpAddress> parse_address(std::string_view text, bool v6) {
  const bool colon = text.find(':') != std::string_view::npos;
  return colon == v6 ? IpAddress::parse(text) : std::nullopt;
}

// What stands behind "PROXY ", without the line's end.
bool read_line(std::string_view line, ProxyHeader& out) {
  constexpr std::string_view unknown = "UNKNOWN";
  if (line.substr(0, unknown.size()) == unknown) {
    // Whatever else it says is to be passed over.
    line.remove_prefix(unknown.size());
    return line.empty() || line[0] == ' ';
  }
  std::array<std::string_view, spaces_v1> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t space = line.find(' ');
    const bool last = i + 1 == words.size();
    if ((space == std::string_view::npos) != last) return false;
    words[i] = line.substr(0, space);
    line.remove_prefix(last ? line.size() : space + 1);
  }
  if (words[0] != "TCP4" && words[0] != "TCP6") return false;
  const bool v6 = words[0] == "TCP6";
  const auto source = parse_address(words[1], v6);
  const auto port = parse_port(words[3]);
  if (!source || !port || !parse_address(words[2], v6) || !parse_port(words[4])) return false;
  out.client = source;
  out.client_port = *port;
  return true;
}

ProxyParse parse_v1(std::string_view buffer, ProxyHeader& out) {
  const std::string_view head = buffer.substr(0, longest_proxy_header_v1);
  const auto is_text = [](char c) { return c >= ' ' && c <= '~'; };
  const auto stop = std::find_if_not(head.begin(), head.end(), is_text);
  const auto length = static_cast<std::size_t>(stop - head.begin());
  if (length < head.size()) {
    if (head[length] != '\r') return refuse("bad_byte");
    if (length + 1 == longest_proxy_header_v1) return refuse("too_long");
    if (length + 1 == head.size()) return more(1);
    if (head[length + 1] != '\n') return refuse("bad_byte");
    const std::string_view line = head.substr(signature_v1.size(), length - signature_v1.size());
    if (!read_line(line, out)) return refuse("bad_line");
    return done(length + 2);
  }
  if (head.size() + 2 > longest_proxy_header_v1) return refuse("too_long");
  // The line's end, and before it each word that is missing, with its space.
  const bool unknown = head.substr(signature_v1.size()).front() == 'U';
  const auto spaces = static_cast<std::size_t>(std::count(head.begin(), head.end(), ' '));
  if (unknown || spaces >= spaces_v1) return more(2);
  return more(2 + 2 * (spaces_v1 - spaces));
}

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

IpAddress v4_at(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | byte_at(text, at + i);
  return IpAddress::from_v4(value);
}

IpAddress v6_at(std::string_view text, std::size_t at) {
  std::array<std::uint8_t, 16> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(byte_at(text, at + i));
  return IpAddress::from_v6(bytes);
}

// Type, length in two bytes, value; again and again, to the end.
bool are_fields(std::string_view rest) {
  while (!rest.empty()) {
    if (rest.size() < 3) return false;
    const std::size_t size = 3 + (byte_at(rest, 1) << 8 | byte_at(rest, 2));
    if (size > rest.size()) return false;
    rest.remove_prefix(size);
  }
  return true;
}

ProxyParse parse_v2(std::string_view buffer, ProxyHeader& out) {
  if (buffer.size() < fixed_v2) return more(fixed_v2 - buffer.size());
  const unsigned command = byte_at(buffer, 12);
  const unsigned family = byte_at(buffer, 13);
  const std::size_t total = fixed_v2 + (byte_at(buffer, 14) << 8 | byte_at(buffer, 15));
  if (command >> 4 != 2) return refuse("bad_version");
  const bool local = (command & 0x0f) == 0;
  if (!local && (command & 0x0f) != 1) return refuse("bad_command");
  if (total > longest_proxy_header) return refuse("too_long");
  const bool unspecified = local || family == 0;  // its addresses mean nothing
  const bool v4 = family == 0x11;
  const bool v6 = family == 0x21;
  if (!unspecified && !v4 && !v6) return refuse("bad_family");
  const std::size_t addresses = unspecified ? 0 : v4 ? 12 : 36;
  if (total < fixed_v2 + addresses) return refuse("bad_length");
  if (buffer.size() < total) return more(total - buffer.size());
  if (unspecified) return done(total);
  if (!are_fields(buffer.substr(fixed_v2 + addresses, total - fixed_v2 - addresses)))
    return refuse("bad_fields");
  out.client = v4 ? v4_at(buffer, fixed_v2) : v6_at(buffer, fixed_v2);
  const std::size_t port = fixed_v2 + (v4 ? 8 : 32);
  out.client_port =
      static_cast<std::uint16_t>(byte_at(buffer, port) << 8 | byte_at(buffer, port + 1));
  return done(total);
}

}  // namespace

ProxyParse parse_proxy_header(std::string_view buffer, ProxyHeader& out) {
  out = ProxyHeader();
  const bool v1 = begins(buffer, signature_v1);
  if (!v1 && !begins(buffer, signature_v2)) return refuse("no_proxy_header");
  // An end of line before that is looked at with the rest.
  if (buffer.size() < shortest) return more(shortest - buffer.size());
  return v1 ? parse_v1(buffer, out) : parse_v2(buffer, out);
}

}  // namespace moat::http
