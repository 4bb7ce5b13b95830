// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/client_address.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "moat/base/json.h"

namespace moat::limit {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

struct ClientAddress : testing::Test {
  std::vector<Cidr> trusted{*Cidr::parse("10.0.0.0/8"), *Cidr::parse("2001:db8:1::/48")};

  std::string client(std::string_view peer, const std::vector<std::string_view>& lines) {
    return client_address(ip(peer), lines, trusted).to_string();
  }
};

TEST_F(ClientAddress, WithoutTrustedProxiesThePeerIsTheClient) {
  trusted.clear();
  EXPECT_EQ(client("10.0.0.1", {"192.0.2.1"}), "10.0.0.1");
  EXPECT_EQ(client("192.0.2.9", {"127.0.0.1"}), "192.0.2.9");
}

TEST_F(ClientAddress, APeerThatIsNotTrustedIsNotBelieved) {
  EXPECT_EQ(client("192.0.2.9", {"198.51.100.7"}), "192.0.2.9");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7"}), "198.51.100.7");
}

TEST_F(ClientAddress, TheWalkGoesFromTheRightPastTrustedProxies) {
  EXPECT_EQ(client("10.0.0.1", {"203.0.113.5, 198.51.100.7, 10.1.1.1"}), "198.51.100.7");
  EXPECT_EQ(client("10.0.0.1", {"203.0.113.5, 198.51.100.7", "10.1.1.1, 10.2.2.2"}),
            "198.51.100.7");
  EXPECT_EQ(client("10.0.0.1", {"127.0.0.1", "198.51.100.7"}), "198.51.100.7") << "spoofed left";
  EXPECT_EQ(client("10.0.0.1", {"2001:db8:2::1, 2001:db8:1::9"}), "2001:db8:2::1");
}

TEST_F(ClientAddress, AListOfProxiesOnlyGivesTheFirst) {
  EXPECT_EQ(client("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", {"10.3.3.3, 10.2.2.2"}), "10.3.3.3");
}

TEST_F(ClientAddress, WhatIsNoAddressEndsTheWalkAtWhoeverReportedIt) {
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7, unknown"}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7, unknown, 10.2.2.2"}), "10.2.2.2");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7,"}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7", ""}), "10.0.0.1");
  EXPECT_EQ(client("10.0.0.1", {"198.51.100.7,,10.2.2.2"}), "10.2.2.2");
  EXPECT_EQ(client("10.0.0.1", {"garbage, 198.51.100.7"}), "198.51.100.7");
}

TEST_F(ClientAddress, PortsBracketsAndMappedAddressesAreOneClient) {
  for (const std::string_view text :
       {"198.51.100.7", "198.51.100.7:4711", "198.51.100.7:1", "::ffff:198.51.100.7",
        "[::ffff:198.51.100.7]:80", "0:0:0:0:0:FFFF:198.51.100.7", " \t198.51.100.7\t "}) {
    EXPECT_EQ(client("10.0.0.1", {text}), "198.51.100.7") << text;
    EXPECT_EQ(client("::ffff:10.0.0.1", {text}), "198.51.100.7") << text;
  }
  EXPECT_EQ(client("10.0.0.1", {"[2001:DB8:2::1]:443"}), "2001:db8:2::1");
  EXPECT_EQ(client("10.0.0.1", {"[2001:db8:2::1]"}), "2001:db8:2::1");
}

TEST_F(ClientAddress, RefusesOtherSpellings) {
  for (const std::string_view text :
       {"198.51.100.7:", "198.51.100.7:x", "198.51.100.7:123456", "198.51.100.7:80:80", "[::1",
        "::1]", "[198.51.100.7]", "[::1]x", "[::1]:", "[]", "[", ":", "fe80::1%eth0", "198.51.100",
        "0198.51.100.7", "198.51.100.7 8.8.8.8", "\"198.51.100.7\"", "for=198.51.100.7",
        "1.2.3.4\v"}) {
    EXPECT_FALSE(parse_forwarded_for_element(text)) << text;
    EXPECT_EQ(client("10.0.0.1", {text}), "10.0.0.1") << text;
  }
  EXPECT_FALSE(parse_forwarded_for_element(std::string_view("1.2.3.4\0", 8)));
}

TEST(LimitKeys, IPv4CountsByItself) {
  const LimitKeys keys = limit_keys(ip("198.51.100.7"));
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(*keys.begin(), (LimitKey{ip("198.51.100.7"), 32, 1}));
  EXPECT_EQ(*limit_keys(ip("::ffff:198.51.100.7")).begin(), *keys.begin());
}

TEST(LimitKeys, IPv6CountsByNetworksOf64And48Bits) {
  const LimitKeys keys = limit_keys(ip("2001:db8:1:2:3:4:5:6"));
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys.begin()[0], (LimitKey{ip("2001:db8:1:2::"), 64, 1}));
  EXPECT_EQ(keys.begin()[1], (LimitKey{ip("2001:db8:1::"), 48, 4}));
}

TEST(LimitKeys, Nat64ClientsAreNotOneBucket) {
  const LimitKeys keys = limit_keys(ip("64:ff9b::192.0.2.33"));
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(*keys.begin(), (LimitKey{ip("192.0.2.33"), 32, 1}));
  EXPECT_EQ(limit_keys(ip("64:ff9b:1::1")).size(), 2U) << "RFC 8215's local prefix is another";
}

// express-rate-limit's ipKeyGenerator: IPv4 everywhere, and IPv6 where it was asked for /64. Zones
// are no address.
TEST(LimitKeys, AgreeWithExpressRateLimit) {
  const char* const folder = std::getenv("MOAT_CORPORA");
  if (!folder) GTEST_SKIP() << "MOAT_CORPORA is not set: http/ip_key_generator.jsonl";
  std::ifstream file(std::string(folder) + "/http/ip_key_generator.jsonl");
  ASSERT_TRUE(file);
  int compared = 0;
  for (std::string line; std::getline(file, line);) {
    const auto row = json::parse(line);
    ASSERT_TRUE(row);
    const std::string& text = *row->find("ip")->as_string();
    const std::string& expected = *row->find("key")->as_string();
    const auto address = IpAddress::parse(text);
    if (text.find('%') != std::string::npos) {
      EXPECT_FALSE(address);
      continue;
    }
    ASSERT_TRUE(address) << text;
    const LimitKey key = *limit_keys(*address).begin();
    const json::Value* const subnet = row->find("ipv6Subnet");
    if (address->is_v4()) {
      EXPECT_EQ(key.network.to_string(), expected) << text;
    } else if (subnet->as_integer() && *subnet->as_integer() == 64) {
      EXPECT_EQ(key.network.to_string() + "/64", expected) << text;
    } else {
      continue;
    }
    ++compared;
  }
  EXPECT_GE(compared, 12);
}

}  // namespace
}  // namespace moat::limit
