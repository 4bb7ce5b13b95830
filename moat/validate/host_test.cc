// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/host.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

std::string read(std::string_view text, const HostOptions& options = {}) {
  const auto host = Host::parse(text, options);
  if (!host) return std::string(to_string(host.error()));
  const auto again = Host::parse(host->text(), options);
  EXPECT_TRUE(again && *again == *host) << text;
  const auto bracketed = Host::parse(host->for_url(), options);
  EXPECT_TRUE(bracketed && *bracketed == *host) << text;
  return host->text();
}

TEST(Host, IsANameOrAnAddress) {
  EXPECT_EQ(read("Example.COM"), "example.com");
  EXPECT_EQ(read("xn--fa-hia.example"), "xn--fa-hia.example");
  EXPECT_EQ(read("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(read("[2001:DB8:0::1]"), "2001:db8::1");
  EXPECT_EQ(read("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(Host::parse("2001:db8::1")->for_url(), "[2001:db8::1]");
  EXPECT_EQ(Host::parse("192.0.2.1")->for_url(), "192.0.2.1");
  EXPECT_TRUE(Host::parse("192.0.2.1")->address());
  EXPECT_FALSE(Host::parse("example.com")->address());
  HostOptions dotless;
  dotless.allow_dotless = true;
  EXPECT_EQ(read("localhost", dotless), "localhost");
}

TEST(Host, WhatIsReadInTwoWaysIsRefused) {
  EXPECT_EQ(read(""), "empty");
  EXPECT_EQ(read("localhost"), "no_dot");
  EXPECT_EQ(read("example.com."), "malformed");
  EXPECT_EQ(read("a_b.example"), "malformed");
  EXPECT_EQ(read("example..com"), "malformed");
  EXPECT_EQ(read("example.com:80"), "bad_address");
  EXPECT_EQ(read("fa\u00df.example"), "malformed");
  EXPECT_EQ(read("ex%61mple.com"), "malformed");
  for (const auto* odd : {"127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001", "1.2.3.4.5",
                          "example.0x1", "256.1.1.1", "::1%eth0", "[192.0.2.1]", "[]", "0x"})
    EXPECT_EQ(read(odd), "bad_address") << odd;
  EXPECT_EQ(read("[::1"), "malformed");
  EXPECT_EQ(read("["), "malformed");
  EXPECT_EQ(read("::ffff:192.0.2.1"), "mapped_address");
  EXPECT_EQ(read("[::ffff:7f00:1]"), "mapped_address");
}

}  // namespace
}  // namespace moat::validate
