// SPDX-License-Identifier: Apache-2.0
#include "moat/base/ip.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "moat/base/encoding.h"

namespace moat {

namespace {

constexpr std::array<std::uint8_t, 12> v4_mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// Decimal digits without sign, blank or leading zero; `most` inclusive.
std::optional<std::uint32_t> parse_decimal(std::string_view text, std::uint32_t most) {
  if (text.empty() || text.size() > 10 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value > most) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = part < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const auto octet = parse_decimal(text.substr(0, dot), 255);
    if (!octet) return std::nullopt;
    value = value << 8 | *octet;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return value;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  std::uint16_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

// RFC 4291 section 2.2. Groups are collected on either side of the one "::".
std::optional<std::array<std::uint8_t, 16>> parse_v6(std::string_view text) {
  std::array<std::uint16_t, 8> groups{};
  std::size_t count = 0;
  std::optional<std::size_t> gap;
  if (text.substr(0, 2) == "::") {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (count == 8) return std::nullopt;
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    if (colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4 || count > 6) return std::nullopt;
      groups[count++] = static_cast<std::uint16_t>(*v4 >> 16);
      groups[count++] = static_cast<std::uint16_t>(*v4 & 0xffff);
      break;
    }
    const auto group = parse_group(part);
    if (!group) return std::nullopt;
    groups[count++] = *group;
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // a single ':' at the end
    if (text[0] == ':') {
      if (gap) return std::nullopt;
      gap = count;
      text.remove_prefix(1);
    }
  }
  if (gap ? count > 7 : count != 8) return std::nullopt;
  std::array<std::uint8_t, 16> out{};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = gap && i >= *gap ? 8 - count + i : i;
    out[2 * at] = static_cast<std::uint8_t>(groups[i] >> 8);
    out[2 * at + 1] = static_cast<std::uint8_t>(groups[i] & 0xff);
  }
  return out;
}

// RFC 5952: lower case, the longest run of two or more zero groups (the first of equals) as "::".
std::string print_v6(const std::array<std::uint8_t, 16>& bytes) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i)
    groups[i] = static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  std::size_t best = 8;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < 8;) {
    if (i == best) {
      out += "::";
      i += best_length;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    std::array<char, 8> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), groups[i], 16);
    out.append(text.data(), end.ptr);
    ++i;
  }
  return out;
}

bool is_label_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// Labels of 1 to 63 letters, digits, hyphens and underscores (which container networks use), 253 in
// all; one dot may stand at the end. What looks like a number at the end is no name, but a badly
// written address.
bool is_host_name(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host.empty() || host.size() > 253) return false;
  std::string_view label;
  while (true) {
    const std::size_t dot = host.find('.');
    label = host.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
      return false;
    if (!std::all_of(label.begin(), label.end(), is_label_byte)) return false;
    if (dot == std::string_view::npos) break;
    host.remove_prefix(dot + 1);
  }
  const bool number =
      std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
  return !number && label.substr(0, 2) != "0x";
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() > 45) return std::nullopt;
  if (text.find(':') == std::string_view::npos) {
    const auto v4 = parse_v4(text);
    if (!v4) return std::nullopt;
    return from_v4(*v4);
  }
  const auto v6 = parse_v6(text);
  if (!v6) return std::nullopt;
  return from_v6(*v6);
}

IpAddress IpAddress::from_v4(std::uint32_t host_order) {
  IpAddress out;
  std::copy(v4_mapped.begin(), v4_mapped.end(), out.bytes_.begin());
  for (std::size_t i = 0; i < 4; ++i)
    out.bytes_[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  return out;
}

IpAddress IpAddress::from_v6(const std::array<std::uint8_t, 16>& bytes) {
  IpAddress out;
  out.bytes_ = bytes;
  return out;
}

bool IpAddress::is_v4() const {
  return std::equal(v4_mapped.begin(), v4_mapped.end(), bytes_.begin());
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.begin() + 15, [](std::uint8_t b) { return b == 0; });
}

IpAddress IpAddress::prefix(unsigned bits) const {
  IpAddress out = *this;
  const unsigned start = is_v4() ? 96 : 0;
  for (std::size_t i = 0; i < 16; ++i) {
    const unsigned first = static_cast<unsigned>(i) * 8;
    if (first >= start + bits) {
      out.bytes_[i] = 0;
    } else if (first + 8 > start + bits) {
      out.bytes_[i] =
          static_cast<std::uint8_t>(out.bytes_[i] & (0xff << (first + 8 - start - bits)));
    }
  }
  // An IPv4 address keeps its mark, whatever the bits.
  if (is_v4()) std::copy(v4_mapped.begin(), v4_mapped.end(), out.bytes_.begin());
  return out;
}

std::string IpAddress::to_string() const {
  if (!is_v4()) return print_v6(bytes_);
  std::array<char, 15> text{};
  char* end = text.data();
  for (std::size_t i = 12; i < 16; ++i) {
    if (i > 12) *end++ = '.';
    end = std::to_chars(end, text.data() + text.size(), bytes_[i]).ptr;
  }
  return {text.data(), end};
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  Cidr out;
  out.base_ = *base;
  const unsigned most = base->is_v4() ? 32 : 128;
  out.bits_ = most;
  if (slash != std::string_view::npos) {
    const auto bits = parse_decimal(text.substr(slash + 1), most);
    if (!bits) return std::nullopt;
    out.bits_ = *bits;
  }
  if (base->prefix(out.bits_) != *base) return std::nullopt;
  return out;
}

bool Cidr::contains(const IpAddress& address) const {
  return address.is_v4() == base_.is_v4() && address.prefix(bits_) == base_;
}

std::string Cidr::to_string() const { return base_.to_string() + "/" + std::to_string(bits_); }

std::optional<HostPort> HostPort::parse(std::string_view text) {
  HostPort out;
  std::string_view port;
  bool has_port = false;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const auto address = IpAddress::parse(text.substr(1, close - 1));
    if (!address || text.substr(1, close - 1).find(':') == std::string_view::npos)
      return std::nullopt;
    out.host = ascii_lower(text.substr(1, close - 1));
    if (!address->is_v4()) out.host = address->to_string();
    out.is_ipv6 = true;
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    out.host = ascii_lower(text.substr(0, colon));
    if (!is_host_name(out.host) && !parse_v4(out.host)) return std::nullopt;
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
  }
  if (has_port) {
    const auto value = parse_decimal(port, 65535);
    if (!value) return std::nullopt;
    out.port = static_cast<std::uint16_t>(*value);
  }
  return out;
}

std::string HostPort::to_string() const {
  std::string out = is_ipv6 ? "[" + host + "]" : host;
  if (port) out += ":" + std::to_string(*port);
  return out;
}

}  // namespace moat
