// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/internal/address.h"

#include <gtest/gtest.h>

namespace moat::fetch::internal {
namespace {

bool may(const char* url, const char* address) {
  return may_connect(parse_url(url).value(), IpAddress::parse(address).value());
}

TEST(FetchAddress, PublicAndPrivateAddressesMayBeAsked) {
  for (const char* address : {"192.0.2.1", "10.0.0.7", "192.168.1.1", "172.16.0.1", "100.64.0.1",
                              "2001:db8::1", "fd12::1", "::ffff:10.0.0.7", "100.100.100.201"}) {
    EXPECT_TRUE(may("https://issuer.example/", address)) << address;
  }
}

TEST(FetchAddress, PlacesOfCredentialsAndNobodysServersMayNot) {
  for (const char* address :
       {"169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "fe80::1", "febf::1",
        "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "0.0.0.0", "0.1.2.3",
        "::", "224.0.0.1", "255.255.255.255", "ff02::1"}) {
    EXPECT_FALSE(may("https://issuer.example/", address)) << address;
    EXPECT_FALSE(may("https://localhost/", address)) << address;
  }
}

// A name whose owner changes what it leads to (DNS rebinding) does not reach this machine.
TEST(FetchAddress, OnlyAUrlThatSaysLoopbackLeadsThere) {
  for (const char* address : {"127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_FALSE(may("https://issuer.example/", address)) << address;
    EXPECT_TRUE(may("https://localhost/", address)) << address;
    EXPECT_TRUE(may("https://127.0.0.1/", address)) << address;
  }
}

TEST(FetchAddress, LiteralsAndLocalhostAreNotLookedUp) {
  const auto resolved = [](const char* url) { return resolve(parse_url(url).value(), Tick()); };
  EXPECT_EQ(resolved("https://192.0.2.1/")->front().to_string(), "192.0.2.1");
  EXPECT_EQ(resolved("https://localhost/")->size(), 2u);
  EXPECT_FALSE(resolved("https://169.254.169.254/"));
  EXPECT_FALSE(resolved("https://issuer.example/"));  // its time is over
}

// Spellings that the system's resolver takes for addresses.
TEST(FetchAddress, OddSpellingsOfLoopbackAreRefused) {
  for (const char* url : {"https://0x7f.1/", "https://2130706433/", "https://127.1/"}) {
    const auto parsed = parse_url(url);
    if (!parsed) continue;
    const auto addresses = resolve(*parsed, system_clock().tick() + std::chrono::seconds(10));
    EXPECT_FALSE(addresses) << url;
  }
}

}  // namespace
}  // namespace moat::fetch::internal
