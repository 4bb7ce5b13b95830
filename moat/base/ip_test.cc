// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "moat/base/ip.h"

namespace moat {
namespace {

TEST(Ip, ReadsAndPrintsCanonically) {
  const std::pair<const char*, const char*> cases[] = {
      {"127.0.0.1", "127.0.0.1"},
      {"::ffff:1.2.3.4", "1.2.3.4"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"}};
  for (const auto& [text, printed] : cases) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), printed);
  }
}

TEST(Ip, RefusesWhatOthersGuessAt) {
  for (const char* text : {"",
                           "1",
                           "127.1",
                           "0177.0.0.1",
                           "1.2.3.4.",
                           "1.2.3.256",
                           "1.2.3",
                           "1.2.3.4.5",
                           "0x7f.0.0.1",
                           ":",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1::2::3",
                           "1:2:3:4:5:6:7:8:9",
                           "fe80::1%eth0",
                           "[::1]",
                           "12345::",
                           "::1:",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           " 1.2.3.4",
                           "::ffff:1.2.3"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(Ip, PrefixesAndNetworks) {
  EXPECT_EQ(IpAddress::parse("2001:db8:1:2:3::4")->prefix(64).to_string(), "2001:db8:1:2::");
  EXPECT_EQ(IpAddress::parse("10.1.2.3")->prefix(8).to_string(), "10.0.0.0");
  EXPECT_EQ(IpAddress::parse("10.1.2.3")->prefix(0).to_string(), "0.0.0.0");
  EXPECT_TRUE(Cidr::parse("10.0.0.0/8")->contains(*IpAddress::parse("10.255.0.1")));
  EXPECT_TRUE(Cidr::parse("10.0.0.0/8")->contains(*IpAddress::parse("::ffff:10.255.0.1")));
  EXPECT_FALSE(Cidr::parse("10.0.0.0/8")->contains(*IpAddress::parse("11.0.0.1")));
  EXPECT_FALSE(Cidr::parse("::/0")->contains(*IpAddress::parse("11.0.0.1")));
  for (const char* text : {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "x/8"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
}

TEST(Ip, KnowsItsFamilyAndLoopback) {
  for (const char* text : {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(IpAddress::parse(text)->is_loopback()) << text;
  for (const char* text : {"128.0.0.1", "126.255.255.255", "::", "::2", "1::1", "::127.0.0.1"})
    EXPECT_FALSE(IpAddress::parse(text)->is_loopback()) << text;
  EXPECT_TRUE(IpAddress::parse("::ffff:7f00:1")->is_v4());
  EXPECT_EQ(*IpAddress::parse("::ffff:7f00:1"), IpAddress::from_v4(0x7f000001));
  EXPECT_FALSE(IpAddress::parse("::7f00:1")->is_v4());
}

// RFC 5952 section 4: no single zero group is shortened, of two equal runs the first is.
TEST(Ip, PrintsAsRfc5952Recommends) {
  EXPECT_EQ(IpAddress::parse("2001:db8:0:1:1:1:1:1")->to_string(), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(IpAddress::parse("2001:0:0:1:0:0:1:1")->to_string(), "2001::1:0:0:1:1");
  EXPECT_EQ(IpAddress::parse("0:0:1::")->to_string(), "0:0:1::");
  EXPECT_EQ(IpAddress::parse("2001:0DB8::00Ab")->to_string(), "2001:db8::ab");
}

TEST(Ip, PrefixesOfEveryLength) {
  const auto v4 = *IpAddress::parse("255.255.255.255");
  const auto v6 = *IpAddress::parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
  EXPECT_EQ(v4.prefix(25).to_string(), "255.255.255.128");
  EXPECT_EQ(v4.prefix(32), v4);
  EXPECT_EQ(v6.prefix(48).to_string(), "ffff:ffff:ffff::");
  EXPECT_EQ(v6.prefix(1).to_string(), "8000::");
  EXPECT_EQ(v6.prefix(0).to_string(), "::");
  EXPECT_EQ(v6.prefix(128), v6);
}

TEST(Ip, NetworksPrintBack) {
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32"})
    EXPECT_EQ(Cidr::parse(text)->to_string(), text);
  EXPECT_EQ(Cidr::parse("192.0.2.7")->to_string(), "192.0.2.7/32");
  EXPECT_TRUE(Cidr::parse("192.0.2.7")->contains(*IpAddress::parse("192.0.2.7")));
  EXPECT_FALSE(Cidr::parse("192.0.2.7")->contains(*IpAddress::parse("192.0.2.8")));
  for (const char* text : {"2001:db8::1/32", "::/129", "/8", "10.0.0.0/-1", "10.0.0.0/8/8", ""})
    EXPECT_FALSE(Cidr::parse(text)) << text;
}

TEST(HostPort, ReadsAnAuthority) {
  EXPECT_EQ(HostPort::parse("Example.COM:8443")->to_string(), "example.com:8443");
  EXPECT_EQ(HostPort::parse("[::1]:80")->host, "::1");
  EXPECT_EQ(HostPort::parse("127.0.0.1")->port, std::nullopt);
  for (const char* text : {"",
                           ":80",
                           "a:",
                           "a:b",
                           "a:65536",
                           "a:080",
                           "a b",
                           "-a",
                           "a-",
                           "a..b",
                           "::1",
                           "[::1",
                           "[::1]x",
                           "[1.2.3.4]",
                           "user@host",
                           "1.2.3",
                           "0x7f.1",
                           "127.1",
                           "a/b",
                           "ex\xc3\xa4"
                           "mple"}) {
    EXPECT_FALSE(HostPort::parse(text)) << text;
  }
}

TEST(HostPort, KeepsTheLimitsOfNames) {
  const std::string label(63, 'a');
  EXPECT_TRUE(HostPort::parse(label + ".example"));
  EXPECT_FALSE(HostPort::parse(label + "a.example"));
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'b');
  EXPECT_TRUE(HostPort::parse(longest));
  EXPECT_FALSE(HostPort::parse(longest + "b"));
  EXPECT_TRUE(HostPort::parse("my_service-1.internal.")) << "a dot may stand at the end";
  EXPECT_FALSE(HostPort::parse("."));
  EXPECT_FALSE(HostPort::parse("a.."));
}

TEST(HostPort, KeepsTheLimitsOfPorts) {
  EXPECT_EQ(HostPort::parse("a:65535")->port, 65535);
  EXPECT_EQ(HostPort::parse("a:1")->port, 1);
  for (const char* text : {"a:-1", "a:+1", "a: 1", "a:1 ", "a:99999999999", "a:1:2", "[::1]:"})
    EXPECT_FALSE(HostPort::parse(text)) << text;
}

TEST(HostPort, BracketsHoldIpv6Only) {
  EXPECT_EQ(HostPort::parse("[2001:DB8::0:1]:443")->to_string(), "[2001:db8::1]:443");
  EXPECT_TRUE(HostPort::parse("[::1]")->is_ipv6);
  EXPECT_FALSE(HostPort::parse("localhost")->is_ipv6);
  for (const char* text :
       {"[]", "[::1]]", "[[::1]]", "[fe80::1%25eth0]", "[example.com]", "[v1.x]"})
    EXPECT_FALSE(HostPort::parse(text)) << text;
}

TEST(HostPort, RefusesWhatSplitsAHeaderOrAUrl) {
  for (const char* text : {"a\r\nb", "a,b", "a;b", "a?b", "a#b", "a@b", "a\\b", "a%2eb", "a\tb"})
    EXPECT_FALSE(HostPort::parse(text)) << text;
  EXPECT_FALSE(HostPort::parse(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace moat
