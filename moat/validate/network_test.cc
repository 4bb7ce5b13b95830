// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/network.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

TEST(Port, IsInclusive) {
  for (const auto* text : {"1", "65535"}) EXPECT_TRUE(is_port(text)) << text;
  for (const auto* text : {"", "0", "65536", "080", "+80", "-1", "80 "})
    EXPECT_FALSE(is_port(text)) << text;
  PortOptions zero;
  zero.allow_zero = true;
  EXPECT_TRUE(is_port("0", zero));
  EXPECT_FALSE(is_port("00", zero));
}

TEST(IpRange, HasAPrefixOfItsFamily) {
  for (const auto* text : {"10.0.0.0/8", "10.1.2.3/32", "0.0.0.0/0", "::/128", "::1/0"})
    EXPECT_TRUE(is_ip_range(text)) << text;
  for (const auto* text : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/08",
                           "10.0.0.0/8/8", "/8", "10.0.0.0/-1", "fe80::1%1/64"})
    EXPECT_FALSE(is_ip_range(text)) << text;
  EXPECT_TRUE(is_ip_range("::/128", IpVersion::v6));
  EXPECT_FALSE(is_ip_range("::/128", IpVersion::v4));
  EXPECT_FALSE(is_ip_range("10.0.0.0/8", IpVersion::v6));
}

TEST(MacAddress, HasOneKindOfSeparator) {
  for (const auto* text : {"00:11:22:33:44:55", "00-11-22-aa-BB-55", "00 11 22 33 44 55",
                           "0011.2233.4455", "00:11:22:33:44:55:66:77", "0011.2233.4455.6677"})
    EXPECT_TRUE(is_mac_address(text)) << text;
  for (const auto* text :
       {"", "00:11:22:33:44", "00:11:22:33:44:55:66", "00:11-22:33:44:55", "00:11:22:33:44:5g",
        "001122334455", "0011:2233:4455", "00:11:22:33:44:55:", ":00:11:22:33:44:5"})
    EXPECT_FALSE(is_mac_address(text)) << text;
  EXPECT_FALSE(is_mac_address("00:11:22:33:44:55", Eui::eui64));
  EXPECT_FALSE(is_mac_address("00:11:22:33:44:55:66:77", Eui::eui48));
  EXPECT_TRUE(is_mac_address("001122334455", Eui::eui48, MacSeparators::absent));
  EXPECT_TRUE(is_mac_address("0011223344556677", Eui::eui64, MacSeparators::absent));
  EXPECT_FALSE(is_mac_address("00112233445566", Eui::any, MacSeparators::absent));
  EXPECT_FALSE(is_mac_address("00:11:22:33:44:55", Eui::any, MacSeparators::absent));
}

TEST(Fqdn, OptionsOpenOneThingEach) {
  FqdnOptions underscores;
  underscores.allow_underscores = true;
  EXPECT_TRUE(is_fqdn("_dmarc.example.com", underscores));
  EXPECT_FALSE(is_fqdn("_dmarc.example.com"));
  FqdnOptions numeric;
  numeric.allow_numeric_tld = true;
  EXPECT_TRUE(is_fqdn("example.12", numeric));
  EXPECT_FALSE(is_fqdn("example.12"));
  FqdnOptions wildcard;
  wildcard.allow_wildcard = true;
  EXPECT_TRUE(is_fqdn("*.example.com", wildcard));
  for (const auto* text : {"*", "*.", "*.*.com", "a.*.com", "*a.com"})
    EXPECT_FALSE(is_fqdn(text, wildcard)) << text;
  EXPECT_FALSE(is_fqdn("*.example.com"));
}

}  // namespace
}  // namespace moat::validate
