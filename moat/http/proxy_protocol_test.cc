// SPDX-License-Identifier: Apache-2.0
#include "moat/http/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::http {
namespace {

using namespace std::string_literals;

// Reads as a connection is read: no more than is needed each time.
ProxyParse feed(const std::string& text, ProxyHeader& out) {
  std::size_t size = 0;
  for (;;) {
    const ProxyParse parsed = parse_proxy_header(std::string_view(text).substr(0, size), out);
    if (parsed.kind != ProxyParse::incomplete) return parsed;
    EXPECT_GT(parsed.needed, 0U);
    if (size + parsed.needed > text.size()) return parsed;
    size += parsed.needed;
  }
}

std::string client_of(const std::string& text) {
  ProxyHeader header;
  const ProxyParse parsed = feed(text, header);
  EXPECT_EQ(parsed.kind, ProxyParse::complete) << parsed.code << " " << text;
  EXPECT_EQ(parsed.consumed, text.size());
  // The same with what comes behind it there at once.
  ProxyHeader again;
  const ProxyParse whole = parse_proxy_header(text + "\x16\x03\x01 and more", again);
  EXPECT_EQ(whole.kind, ProxyParse::complete);
  EXPECT_EQ(whole.consumed, text.size());
  EXPECT_EQ(again.client, header.client);
  if (!header.client) return "none";
  return header.client->to_string() + " " + std::to_string(header.client_port);
}

std::string why(const std::string& text) {
  ProxyHeader header;
  const ProxyParse parsed = feed(text, header);
  EXPECT_EQ(parsed.kind, ProxyParse::refused) << text;
  EXPECT_FALSE(header.client.has_value());
  return std::string(parsed.code);
}

std::string v2(unsigned command, unsigned family, const std::string& rest) {
  std::string out("\r\n\r\n\0\r\nQUIT\n", 12);
  out += static_cast<char>(command);
  out += static_cast<char>(family);
  out += static_cast<char>(rest.size() >> 8);
  out += static_cast<char>(rest.size() & 0xff);
  return out + rest;
}
const std::string v4_addresses = "\xc0\x00\x02\x07\x0a\x00\x00\x01\xdc\x04\x01\xbb"s;
const std::string v6_addresses =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"s + std::string(16, '\1') + "\x10\x00\x01\xbb"s;

TEST(ProxyProtocol, Version1NamesTheClient) {
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n"), "192.0.2.7 56324");
  EXPECT_EQ(client_of("PROXY TCP4 1.1.1.1 1.1.1.1 0 0\r\n"), "1.1.1.1 0");
  EXPECT_EQ(client_of("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
            "255.255.255.255 65535");
  EXPECT_EQ(client_of("PROXY TCP6 2001:db8::7 2001:db8::1 4096 443\r\n"), "2001:db8::7 4096");
  EXPECT_EQ(client_of("PROXY TCP6 :: :: 1 1\r\n"), ":: 1");
}

TEST(ProxyProtocol, Version1MayNotKnow) {
  EXPECT_EQ(client_of("PROXY UNKNOWN\r\n"), "none");
  EXPECT_EQ(client_of("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), "none");
  const std::string longest = "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n";
  ASSERT_EQ(longest.size(), longest_proxy_header_v1);
  EXPECT_EQ(client_of(longest), "none");
  EXPECT_EQ(why("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"), "too_long");
}

TEST(ProxyProtocol, Version1HasOneSpelling) {
  for (const char* line : {"PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\n",
                           "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443 \r\n",
                           "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443 1\r\n",
                           "PROXY TCP4  192.0.2.7 10.0.0.1 56324 443\r\n",
                           "PROXY  TCP4 192.0.2.7 10.0.0.1 56324 443\r\n",
                           "PROXY TCP4 192.0.2.7 10.0.0.1 056324 443\r\n",
                           "PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n",
                           "PROXY TCP4 192.0.2.7 10.0.0.1 56324 -1\r\n",
                           "PROXY TCP4 192.0.2.7 10.0.0.1 +1 443\r\n",
                           "PROXY TCP4 192.0.2.07 10.0.0.1 1 443\r\n",
                           "PROXY TCP4 192.0.2.256 10.0.0.1 1 443\r\n",
                           "PROXY TCP4 192.0.2 10.0.0.1 56324 443\r\n",
                           "PROXY TCP4 2001:db8::7 10.0.0.1 1 443\r\n",
                           "PROXY TCP4 192.0.2.7 localhost 56324 443\r\n",
                           "PROXY TCP6 192.0.2.7 10.0.0.1 1 443\r\n",
                           "PROXY TCP6 2001:db8::7%eth0 ::1 4096 443\r\n",
                           "PROXY tcp4 192.0.2.7 10.0.0.1 1 443\r\n",
                           "PROXY UDP4 192.0.2.7 10.0.0.1 56324 443\r\n",
                           "PROXY UNKNOWNX xxxxxxxxxx\r\n",
                           "PROXY TCP4           \r\n",
                           "PROXY xxxxxxxxxxxxxxxxxxxxx\r\n"}) {
    EXPECT_EQ(why(std::string(line) + "\x16\x03\x01\x02\x01\x01"), "bad_line") << line;
  }
  EXPECT_EQ(why("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\n........."), "bad_byte");
  EXPECT_EQ(why("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\rX........"), "bad_byte");
  EXPECT_EQ(why("PROXY TCP4 192.0.2.7\t10.0.0.1 56324 443\r\n......."), "bad_byte");
  EXPECT_EQ(why("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\0\r\n......"s), "bad_byte");
  EXPECT_EQ(why("PROXY UNKNOWN\n\r\n"), "bad_byte");
  EXPECT_EQ(why("PROXY TCP4 " + std::string(200, '1')), "too_long");
}

TEST(ProxyProtocol, Version2NamesTheClient) {
  EXPECT_EQ(client_of(v2(0x21, 0x11, v4_addresses)), "192.0.2.7 56324");
  EXPECT_EQ(client_of(v2(0x21, 0x21, v6_addresses)), "2001:db8::7 4096");
}

TEST(ProxyProtocol, Version2SpeaksForItselfOrDoesNotSay) {
  EXPECT_EQ(client_of(v2(0x20, 0x00, "")), "none");
  EXPECT_EQ(client_of(v2(0x20, 0x11, v4_addresses)), "none");  // of a LOCAL they mean nothing
  EXPECT_EQ(client_of(v2(0x20, 0x31, std::string(216, 'x'))), "none");
  EXPECT_EQ(client_of(v2(0x21, 0x00, "")), "none");
  EXPECT_EQ(client_of(v2(0x21, 0x00, "whatever")), "none");
}

TEST(ProxyProtocol, FieldsBehindTheAddressesArePassedOver) {
  const std::string fields =
      "\x01\x00\x08http/1.1\x04\x00\x00\x03\x00\x04"
      "crc!"s;
  EXPECT_EQ(client_of(v2(0x21, 0x11, v4_addresses + fields)), "192.0.2.7 56324");
  EXPECT_EQ(client_of(v2(0x21, 0x21, v6_addresses + fields)), "2001:db8::7 4096");
  EXPECT_EQ(why(v2(0x21, 0x11, v4_addresses + "\x01\x00"s)), "bad_fields");
  EXPECT_EQ(why(v2(0x21, 0x11, v4_addresses + "\x01\x00\x09http/1.1"s)), "bad_fields");
}

TEST(ProxyProtocol, Version2HasBounds) {
  const std::string filling = "\x04\x01\xf9"s + std::string(505, 'x');
  const std::string longest = v2(0x21, 0x11, v4_addresses + filling);
  ASSERT_EQ(longest.size(), longest_proxy_header);
  EXPECT_EQ(client_of(longest), "192.0.2.7 56324");
  EXPECT_EQ(why(v2(0x21, 0x11, v4_addresses + "\x04\x01\xfa"s + std::string(506, 'x'))),
            "too_long");
  // It is refused as soon as it is announced.
  ProxyHeader header;
  const std::string announced = "\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"s;
  EXPECT_EQ(parse_proxy_header(announced, header).kind, ProxyParse::refused);
  EXPECT_EQ(why(v2(0x21, 0x11, v4_addresses.substr(0, 11))), "bad_length");
  EXPECT_EQ(why(v2(0x21, 0x21, v6_addresses.substr(0, 35))), "bad_length");
}

TEST(ProxyProtocol, Version2KnowsTcpOnly) {
  EXPECT_EQ(why(v2(0x31, 0x11, v4_addresses)), "bad_version");
  EXPECT_EQ(why(v2(0x11, 0x11, v4_addresses)), "bad_version");
  EXPECT_EQ(why(v2(0x22, 0x11, v4_addresses)), "bad_command");
  for (const unsigned family : {0x12U, 0x22U, 0x31U, 0x32U, 0x10U, 0x01U, 0x41U})
    EXPECT_EQ(why(v2(0x21, family, std::string(216, '\1'))), "bad_family") << family;
}

TEST(ProxyProtocol, OtherBytesAreRefusedAtOnce) {
  ProxyHeader header;
  for (const char* text : {"G", "GET / HTTP/1.1\r\n", "\x16\x03\x01", "PROXX", "PROXYTCP4",
                           "proxy ", "\r\n\r\nGET", "\n", " PROXY "}) {
    EXPECT_EQ(parse_proxy_header(text, header).kind, ProxyParse::refused) << text;
  }
  EXPECT_EQ(parse_proxy_header("", header).needed, 15U);
  EXPECT_EQ(parse_proxy_header("PRO", header).needed, 12U);
}

}  // namespace
}  // namespace moat::http
