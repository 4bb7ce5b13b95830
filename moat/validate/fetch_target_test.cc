// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/fetch_target.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace moat::validate {
namespace {

std::string read(std::string_view text, const FetchRules& rules = {}) {
  const auto target = FetchTarget::parse(text, rules);
  return target ? target->url().text() : std::string(to_string(target.error()));
}

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(FetchTarget, IsAPlainUrlOfTheOpenInternet) {
  EXPECT_EQ(read("https://Example.com/a?b#c"), "https://example.com/a?b#c");
  EXPECT_EQ(read("https://hooks.example.com:443/x"), "https://hooks.example.com/x");
  EXPECT_EQ(read("https://93.184.215.14/"), "https://93.184.215.14/");
  EXPECT_EQ(read("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/"),
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/");
  const auto target = FetchTarget::parse("https://example.com:80/");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->port(), 80);
  EXPECT_EQ(target->host().text(), "example.com");
}

TEST(FetchTarget, WhatParsersReadDifferentlyIsRefused) {
  EXPECT_EQ(read("https://example.com\\@evil.example/"), "forbidden_character");
  EXPECT_EQ(read("https:\\\\example.com/"), "forbidden_character");
  EXPECT_EQ(read(" https://example.com/"), "forbidden_character");
  EXPECT_EQ(read("https://exa\tmple.com/"), "forbidden_character");
  EXPECT_EQ(read("https://example.com/\r\nHost: x"), "forbidden_character");
  EXPECT_EQ(read(std::string_view("https://example.com/\0", 21)), "forbidden_character");
  EXPECT_EQ(read("https://\uff11\uff12\uff17.0.0.1/"), "forbidden_character");
  EXPECT_EQ(read("https://user@example.com/"), "userinfo");
  EXPECT_EQ(read("https://example.com@evil.example/"), "userinfo");
  EXPECT_EQ(read("https://:@example.com/"), "userinfo");
  EXPECT_EQ(read("https:example.com/"), "malformed");
  EXPECT_EQ(read("https:/example.com/"), "malformed");
  EXPECT_EQ(read("https:///example.com/"), "odd_host");
  EXPECT_EQ(read("//example.com/"), "malformed");
  EXPECT_EQ(read("/a?x=https://example.com/"), "malformed");
  EXPECT_EQ(read(""), "malformed");
  EXPECT_EQ(read("https://"), "malformed");
}

TEST(FetchTarget, AnAddressHasOneSpelling) {
  for (const auto* odd :
       {"0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.1", "127.0.0.1.",
        "%31%32%37.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:5db8:d70e]",
        "[2606:2800:0:0::1]", "example.com.", "ex%61mple.com", "a_b.example.com", "0x", "1.2.3.4.5",
        "example.com:0443", "example.com:", "example.com:+443"})
    EXPECT_TRUE(read("https://" + std::string(odd) + "/") == "odd_host" ||
                read("https://" + std::string(odd) + "/") == "malformed")
        << odd << read("https://" + std::string(odd) + "/");
}

TEST(FetchTarget, SchemesAndPortsAreThoseOfTheRules) {
  EXPECT_EQ(read("http://example.com/"), "forbidden_scheme");
  for (const auto* other :
       {"ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
        "javascript://example.com/", "dict://example.com:11211/", "wss://example.com/"})
    EXPECT_EQ(read(other), "forbidden_scheme");
  FetchRules rules;
  rules.allow_http = true;
  EXPECT_EQ(read("http://example.com/", rules), "http://example.com/");
  EXPECT_EQ(read("ftp://example.com/", rules), "forbidden_scheme");
  EXPECT_EQ(read("https://example.com:22/"), "forbidden_port");
  EXPECT_EQ(read("https://example.com:442/"), "forbidden_port");
  EXPECT_EQ(read("https://example.com:444/"), "forbidden_port");
  constexpr std::array<std::uint16_t, 1> ports{8443};
  rules.ports = ports;
  EXPECT_EQ(read("https://example.com:8443/", rules), "https://example.com:8443/");
  EXPECT_EQ(read("https://example.com/", rules), "forbidden_port");
}

TEST(FetchTarget, NamesOfTheOwnNetworkAreRefused) {
  for (const auto* name : {"localhost", "a.localhost", "intranet", "metadata.google.internal",
                           "x.internal", "printer.local", "router.lan", "a.home.arpa",
                           "METADATA.GOOGLE.INTERNAL", "db.svc", "x.onion"})
    EXPECT_EQ(read("https://" + std::string(name) + "/"), "local_name") << name;
  EXPECT_EQ(read("https://notlocalhost.example/"), "https://notlocalhost.example/");
  EXPECT_EQ(read("https://internal.example/"), "https://internal.example/");
  FetchRules rules;
  rules.allow_private_networks = true;
  EXPECT_EQ(read("https://x.internal/", rules), "https://x.internal/");
  EXPECT_EQ(read("https://intranet/", rules), "https://intranet/");
  EXPECT_EQ(read("https://localhost/", rules), "local_name");
  EXPECT_EQ(read("https://metadata.google.internal/", rules), "local_name");
  EXPECT_EQ(read("https://10.0.0.1/", rules), "https://10.0.0.1/");
  EXPECT_EQ(read("https://127.0.0.1/", rules), "forbidden_address");
  EXPECT_EQ(read("https://169.254.169.254/", rules), "forbidden_address");
  EXPECT_EQ(read("https://[fd00:ec2::254]/", rules), "forbidden_address");
  rules.allow_loopback = true;
  EXPECT_EQ(read("https://localhost/", rules), "https://localhost/");
  EXPECT_EQ(read("https://[::1]/", rules), "https://[::1]/");
}

TEST(FetchTarget, HostsAreThoseOfTheRules) {
  constexpr std::array<std::string_view, 2> hosts{"example.com", ".example.org"};
  FetchRules rules;
  rules.only_hosts = hosts;
  EXPECT_EQ(read("https://EXAMPLE.com/", rules), "https://example.com/");
  EXPECT_EQ(read("https://a.example.org/", rules), "https://a.example.org/");
  EXPECT_EQ(read("https://a.example.com/", rules), "forbidden_host");
  rules.only_hosts = {};
  rules.except_hosts = hosts;
  EXPECT_EQ(read("https://example.com/", rules), "forbidden_host");
  EXPECT_EQ(read("https://a.example.com/", rules), "https://a.example.com/");
}

TEST(FetchTarget, AnExceptedAddressIsRefusedHoweverItIsReached) {
  constexpr std::array<std::string_view, 3> hosts{"93.184.215.14", "[2606:2800:21f::1]",
                                                  "example.net."};
  FetchRules rules;
  rules.except_hosts = hosts;
  EXPECT_EQ(read("https://93.184.215.14/", rules), "forbidden_host");
  EXPECT_EQ(read("https://93.184.215.15/", rules), "https://93.184.215.15/");
  EXPECT_EQ(read("https://[2606:2800:21f::1]/", rules), "forbidden_host");
  EXPECT_EQ(read("https://[2606:2800:21f::2]/", rules), "https://[2606:2800:21f::2]/");
  EXPECT_EQ(read("https://example.net/", rules), "forbidden_host");
  const auto target = FetchTarget::parse("https://example.com/", rules);
  ASSERT_TRUE(target);
  for (const auto* address : {"93.184.215.14", "::ffff:93.184.215.14", "2606:2800:21f::1"}) {
    const std::vector<IpAddress> one{ip(address)};
    EXPECT_EQ(target->judge(one).error(), FetchRefusal::forbidden_address) << address;
  }
  const std::vector<IpAddress> other{ip("93.184.215.15"), ip("2606:2800:21f::2")};
  EXPECT_TRUE(target->judge(other));
}

TEST(FetchTarget, OneForbiddenAddressRefusesAll) {
  const auto target = FetchTarget::parse("https://example.com/");
  ASSERT_TRUE(target);
  const std::vector<IpAddress> good{ip("93.184.215.14"), ip("2606:2800:21f:cb07::1")};
  EXPECT_EQ(target->judge(good).value(), good[0]);
  auto mixed = good;
  mixed.push_back(ip("10.0.0.1"));
  EXPECT_EQ(target->judge(mixed).error(), FetchRefusal::forbidden_address);
  EXPECT_EQ(target->judge({}).error(), FetchRefusal::no_address);
  const std::vector<IpAddress> mapped{ip("::ffff:127.0.0.1")};
  EXPECT_EQ(target->judge(mapped).error(), FetchRefusal::forbidden_address);
  std::vector<IpAddress> many(FetchTarget::max_addresses, good[0]);
  EXPECT_TRUE(target->judge(many));
  many.push_back(good[0]);
  EXPECT_EQ(target->judge(many).error(), FetchRefusal::too_many_addresses);
  FetchRules rules;
  rules.allow_private_networks = true;
  EXPECT_TRUE(FetchTarget::parse("https://example.com/", rules)->judge(mixed));
}

TEST(FetchTarget, AnAddressInTheUrlIsItsOwnAnswer) {
  const auto target = FetchTarget::parse("https://93.184.215.14/");
  ASSERT_TRUE(target);
  const std::vector<IpAddress> other{ip("127.0.0.1")};
  EXPECT_EQ(target->judge(other).value(), ip("93.184.215.14"));
  EXPECT_EQ(target->judge({}).value(), ip("93.184.215.14"));
}

TEST(FetchTarget, AUrlHasAtMost2084Bytes) {
  const std::string head = "https://example.com/";
  const auto of = [&head](std::size_t size) { return head + std::string(size - head.size(), 'x'); };
  EXPECT_EQ(read(of(2083)).size(), 2083U);
  EXPECT_EQ(read(of(2084)).size(), 2084U);
  EXPECT_EQ(read(of(2085)), "malformed");
  const auto target = FetchTarget::parse(head);
  ASSERT_TRUE(target);
  EXPECT_EQ(target->redirect(of(2085)).error(), FetchRefusal::malformed);
  // Within the limit as a reference, and beyond it as a URL.
  EXPECT_EQ(target->redirect(std::string(2080, 'x')).error(), FetchRefusal::malformed);
}

TEST(FetchTarget, ARedirectIsJudgedAnew) {
  const auto target = FetchTarget::parse("https://example.com/a/b");
  ASSERT_TRUE(target);
  const auto to = [&](std::string_view location) {
    const auto next = target->redirect(location);
    return next ? next->url().text() : std::string(to_string(next.error()));
  };
  EXPECT_EQ(to("../c?d"), "https://example.com/c?d");
  EXPECT_EQ(to("//www.example.com/"), "https://www.example.com/");
  EXPECT_EQ(to("https://www.example.com/"), "https://www.example.com/");
  EXPECT_EQ(to("/c?u=http://x/"), "https://example.com/c?u=http://x/");
  EXPECT_EQ(to("http://example.com/"), "forbidden_scheme");
  EXPECT_EQ(to("http:/x"), "malformed");
  EXPECT_EQ(to("https://169.254.169.254/latest/meta-data/"), "forbidden_address");
  EXPECT_EQ(to("//127.0.0.1/"), "forbidden_address");
  EXPECT_EQ(to("//0x7f.1/"), "odd_host");
  EXPECT_EQ(to("///evil.example/"), "odd_host");
  EXPECT_EQ(to("/\\evil.example/"), "forbidden_character");
  EXPECT_EQ(to("file:///etc/passwd"), "forbidden_scheme");
  EXPECT_EQ(to(""), "malformed");
}

TEST(AddressKind, EachRangeIsMetAtItsEdges) {
  struct Case {
    const char* text;
    AddressKind kind;
  };
  using enum AddressKind;
  constexpr Case cases[] = {
      {"0.0.0.0", unspecified},
      {"0.255.255.255", unspecified},
      {"1.0.0.0", global},
      {"9.255.255.255", global},
      {"10.0.0.0", private_use},
      {"10.255.255.255", private_use},
      {"11.0.0.0", global},
      {"100.63.255.255", global},
      {"100.64.0.0", private_use},
      {"100.127.255.255", private_use},
      {"100.128.0.0", global},
      {"100.100.100.200", cloud_metadata},
      {"100.100.100.201", private_use},
      {"126.255.255.255", global},
      {"127.0.0.0", loopback},
      {"127.255.255.255", loopback},
      {"128.0.0.0", global},
      {"168.63.129.15", global},
      {"168.63.129.16", cloud_metadata},
      {"169.253.255.255", global},
      {"169.254.0.0", link_local},
      {"169.254.169.254", cloud_metadata},
      {"169.254.170.2", cloud_metadata},
      {"169.254.255.255", link_local},
      {"169.255.0.0", global},
      {"172.15.255.255", global},
      {"172.16.0.0", private_use},
      {"172.31.255.255", private_use},
      {"172.32.0.0", global},
      {"191.255.255.255", global},
      {"192.0.0.0", reserved},
      {"192.0.0.192", cloud_metadata},
      {"192.0.0.255", reserved},
      {"192.0.1.0", global},
      {"192.0.2.0", documentation},
      {"192.0.3.0", global},
      {"192.31.196.1", reserved},
      {"192.52.193.1", reserved},
      {"192.88.99.1", reserved},
      {"192.167.255.255", global},
      {"192.168.0.0", private_use},
      {"192.168.255.255", private_use},
      {"192.169.0.0", global},
      {"192.175.48.1", reserved},
      {"198.17.255.255", global},
      {"198.18.0.0", benchmarking},
      {"198.19.255.255", benchmarking},
      {"198.20.0.0", global},
      {"198.51.100.7", documentation},
      {"203.0.113.255", documentation},
      {"203.0.114.0", global},
      {"223.255.255.255", global},
      {"224.0.0.0", multicast},
      {"239.255.255.255", multicast},
      {"240.0.0.0", reserved},
      {"255.255.255.255", reserved},
      {"::ffff:10.0.0.1", private_use},
      {"::", unspecified},
      {"::1", loopback},
      {"::2", embedded_ipv4},
      {"::7f00:1", embedded_ipv4},
      {"::1:0:0", reserved},
      {"64:ff9b::7f00:1", embedded_ipv4},
      {"64:ff9b:1::1", embedded_ipv4},
      {"64:ff9b:2::1", reserved},
      {"100::1", reserved},
      {"1fff:ffff::1", reserved},
      {"2000::1", global},
      {"2001::1", embedded_ipv4},
      {"2001:2::1", benchmarking},
      {"2001:10::1", reserved},
      {"2001:1ff:ffff::1", reserved},
      {"2001:200::1", global},
      {"2001:db7:ffff::1", global},
      {"2001:db8::1", documentation},
      {"2001:db9::1", global},
      {"2002:7f00:1::1", embedded_ipv4},
      {"2003::1", global},
      {"2606:4700::1111", global},
      {"2606:4700::5efe:7f00:1", embedded_ipv4},
      {"2606:4700::200:5efe:a00:1", embedded_ipv4},
      {"2620:4f:8000::1", reserved},
      {"3fff::1", documentation},
      {"3fff:fff:ffff::1", documentation},
      {"3fff:1000::1", global},
      {"4000::1", reserved},
      {"5f00::1", reserved},
      {"fbff::1", reserved},
      {"fc00::1", private_use},
      {"fd00:ec2::254", cloud_metadata},
      {"fd00:ec2::23", cloud_metadata},
      {"fd00:ec1:ffff::1", private_use},
      {"fd00:ec3::1", private_use},
      {"fd00:42::42", cloud_metadata},
      {"fd00:42::41", private_use},
      {"fd20:ce::254", cloud_metadata},
      {"fdff::1", private_use},
      {"fe00::1", reserved},
      {"fe80::1", link_local},
      {"febf::1", link_local},
      {"fec0::1", reserved},
      {"ff00::1", multicast},
      {"ff02::1", multicast},
  };
  for (const auto& c : cases)
    EXPECT_EQ(to_string(address_kind(ip(c.text))), to_string(c.kind)) << c.text;
}

}  // namespace
}  // namespace moat::validate
