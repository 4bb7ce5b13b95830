// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/network.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "moat/validate/email.h"

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

TEST(Url, OptionsOpenOneThingEach) {
  constexpr std::array<std::string_view, 1> ftp{"ftp"};
  UrlOptions schemes;
  schemes.schemes = ftp;
  EXPECT_TRUE(is_url("FTP://example.com/", schemes));
  EXPECT_FALSE(is_url("https://example.com/", schemes));
  UrlOptions any;
  any.allow_any_scheme = true;
  EXPECT_TRUE(is_url("a+b://example.com/", any));
  for (const auto* text :
       {"1a://example.com/", "://example.com/", "javascript:alert(1)", "a b://example.com"})
    EXPECT_FALSE(is_url(text, any)) << text;
  UrlOptions missing;
  missing.allow_missing_scheme = missing.allow_userinfo = true;
  for (const auto* text :
       {"example.com", "example.com:80/x", "example.com?u=http://a", "me@example.com"})
    EXPECT_TRUE(is_url(text, missing)) << text;
  for (const auto* text : {"", "//example.com", "javascript:x@example.com", "http:example.com",
                           "/example.com", "?a.com"})
    EXPECT_FALSE(is_url(text, missing)) << text;
  EXPECT_FALSE(is_url("example.com"));
  UrlOptions relative;
  relative.allow_relative_scheme = true;
  EXPECT_TRUE(is_url("//example.com", relative));
  for (const auto* text : {"example.com", "///example.com", "////example.com"})
    EXPECT_FALSE(is_url(text, relative)) << text;
  UrlOptions empty;
  empty.allow_empty_host = empty.allow_any_scheme = true;
  EXPECT_TRUE(is_url("file:///a", empty));
  EXPECT_FALSE(is_url("file://:80/a", empty));
  EXPECT_FALSE(is_url("https:///a"));
}

TEST(Url, OptionsForbid) {
  UrlOptions port;
  port.require_port = true;
  EXPECT_TRUE(is_url("https://example.com:1/", port));
  EXPECT_TRUE(is_url("https://[::1]:1/", port));
  for (const auto* text : {"https://example.com/", "https://example.com:/", "https://[::1]/",
                           "https://example.com:0/"})
    EXPECT_FALSE(is_url(text, port)) << text;
  UrlOptions bare;
  bare.forbid_query = bare.forbid_fragment = true;
  EXPECT_TRUE(is_url("https://example.com/a", bare));
  for (const auto* text : {"https://example.com/a?b", "https://example.com/a#b"})
    EXPECT_FALSE(is_url(text, bare)) << text;
  bare.forbid_fragment = false;
  EXPECT_TRUE(is_url("https://example.com/a#b?c", bare));
}

TEST(Hosts, AreComparedWithoutCaseAndFinalDot) {
  constexpr std::array<std::string_view, 2> hosts{"example.com", ".example.org"};
  for (const auto* text :
       {"example.com", "EXAMPLE.com", "example.com.", "a.example.org", "a.b.EXAMPLE.org"})
    EXPECT_TRUE(is_host_in(text, hosts)) << text;
  for (const auto* text : {"", ".", "a.example.com", "example.org", "aexample.org", ".example.org"})
    EXPECT_FALSE(is_host_in(text, hosts)) << text;
  constexpr std::array<std::string_view, 1> loopback{"::1"};
  EXPECT_TRUE(is_host_in("0:0:0:0:0:0:0:1", loopback));
  EXPECT_FALSE(is_host_in("::2", loopback));
  UrlOptions except;
  except.except_hosts = hosts;
  except.allow_trailing_dot = true;
  EXPECT_TRUE(is_url("https://example.net/", except));
  for (const auto* text : {"https://EXAMPLE.com/", "https://example.com./"})
    EXPECT_FALSE(is_url(text, except)) << text;
  UrlOptions only;
  only.only_hosts = hosts;
  EXPECT_TRUE(is_url("https://example.com/", only));
  for (const auto* text : {"https://example.net/", "https://1.2.3.4/", "https://[::1]/"})
    EXPECT_FALSE(is_url(text, only)) << text;
  EmailOptions mail;
  mail.only_domains = hosts;
  EXPECT_TRUE(is_email("a@Example.com", mail));
  EXPECT_FALSE(is_email("a@example.net", mail));
  EmailOptions no_mail;
  no_mail.except_domains = hosts;
  no_mail.forbid_characters = "+";
  EXPECT_TRUE(is_email("a@example.net", no_mail));
  for (const auto* text : {"a@EXAMPLE.com", "a@b.example.org", "a+b@example.net"})
    EXPECT_FALSE(is_email(text, no_mail)) << text;
}

}  // namespace
}  // namespace moat::validate
