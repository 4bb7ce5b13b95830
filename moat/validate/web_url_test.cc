// SPDX-License-Identifier: Apache-2.0
// Cases marked (table) are those of the WHATWG URL standard's own text, sections 3.5 and 4.1.
#include "moat/validate/web_url.h"

#include <gtest/gtest.h>

#include <string>

#include "moat/validate/uuid.h"

namespace moat::validate {
namespace {

std::string read(std::string_view text, std::string_view base = {}) {
  const auto on = Url::parse(base);
  const auto url = on ? Url::parse(text, *on) : Url::parse(text);
  if (!url) return std::string(to_string(url.error()));
  const auto again = Url::parse(url->text());
  EXPECT_TRUE(again && *again == *url) << text;
  return url->text();
}

TEST(Url, IsReadAsBrowsersDo) {
  EXPECT_EQ(read("https:example.org"), "https://example.org/");  // (table), as those below
  EXPECT_EQ(read("https://////example.com///"), "https://example.com///");
  EXPECT_EQ(read("https://example.com/././foo"), "https://example.com/foo");
  EXPECT_EQ(read("https:example.org", "https://example.com/"), "https://example.com/example.org");
  EXPECT_EQ(read("\\example\\..\\demo/.\\", "https://example.com/"), "https://example.com/demo/");
  EXPECT_EQ(read("example", "https://example.com/demo"), "https://example.com/example");
  EXPECT_EQ(read("file:///C|/demo"), "file:///C:/demo");
  EXPECT_EQ(read("..", "file:///C:/demo"), "file:///C:/");
  EXPECT_EQ(read("file://loc%61lhost/"), "file:///");
  EXPECT_EQ(read("https://user:password@example.org/"), "https://user:password@example.org/");
  EXPECT_EQ(read("https://example.org/foo bar"), "https://example.org/foo%20bar");
  EXPECT_EQ(read("https://EXAMPLE.com/../x"), "https://example.com/x");
  EXPECT_EQ(read("https://example.com/[]?[]#[]"), "https://example.com/[]?[]#[]");
  EXPECT_EQ(read("https://example/%?%#%"), "https://example/%?%#%");
  EXPECT_EQ(read("https://ex ample.org/"), "bad_host");
  EXPECT_EQ(read("example"), "missing_scheme");
  EXPECT_EQ(read("https://example.com:demo"), "bad_port");
  EXPECT_EQ(read("http://[www.example.com]/"), "bad_host");
  EXPECT_EQ(read("https://"), "missing_host");
}

TEST(Url, HostsAreReadAsBrowsersDo) {
  EXPECT_EQ(read("https://EXAMPLE.COM"), "https://example.com/");  // (table), as those below
  EXPECT_EQ(read("https://example%2Ecom"), "https://example.com/");
  EXPECT_EQ(read("https://0"), "https://0.0.0.0/");
  EXPECT_EQ(read("https://%30"), "https://0.0.0.0/");
  EXPECT_EQ(read("https://0x"), "https://0.0.0.0/");
  EXPECT_EQ(read("https://0xffffffff"), "https://255.255.255.255/");
  EXPECT_EQ(read("https://[0:0::1]"), "https://[::1]/");
  EXPECT_EQ(read("https://[0:0::1%5D"), "bad_host");
  EXPECT_EQ(read("https://[0:0::%31]"), "bad_host");
  EXPECT_EQ(read("https://09"), "bad_host");
  EXPECT_EQ(read("https://example.255"), "bad_host");
  EXPECT_EQ(read("https://example^example"), "bad_host");

  EXPECT_EQ(read("http://0x7f.1/"), "http://127.0.0.1/");
  EXPECT_EQ(read("http://0177.0.0.1/"), "http://127.0.0.1/");
  EXPECT_EQ(read("http://2130706433/"), "http://127.0.0.1/");
  EXPECT_EQ(read("http://127.1./"), "http://127.0.0.1/");
  EXPECT_EQ(read("http://0x100000000/"), "bad_host");
  EXPECT_EQ(read("http://256.1.1.1/"), "bad_host");
  EXPECT_EQ(read("http://1.2.3.4.5/"), "bad_host");
  EXPECT_EQ(read("http://[::ffff:127.0.0.1]/"), "http://[::ffff:7f00:1]/");
  EXPECT_EQ(read("http://[::ffff:0.0.1.0]/"), "http://[::ffff:0:100]/");
  EXPECT_EQ(read("http://[fe80::1%25eth0]/"), "bad_host");
  EXPECT_EQ(read("http://a%00b/"), "bad_host");
  EXPECT_EQ(read("http://a%22b/"), "bad_host");
  EXPECT_EQ(read("http://a{b}/"), "bad_host");
  EXPECT_EQ(read("http://a`b/"), "bad_host");
  EXPECT_EQ(read("http://a!$&'()*+,;=_~b/"), "http://a!$&'()*+,;=_~b/");
}

TEST(Url, AHostBeyondAsciiIsRefused) {
  EXPECT_EQ(read("https://fa\u00df.example/"), "non_ascii_host");
  EXPECT_EQ(read("https://%EF%BC%91.example/"), "non_ascii_host");
  EXPECT_EQ(read("https://\uff11\uff12\uff17.0.0.1/"), "non_ascii_host");
  EXPECT_EQ(read("https://xn--fa-hia.example/"), "https://xn--fa-hia.example/");
}

TEST(Url, PartsAreCutAndEncoded) {
  const auto url = Url::parse("HTTPS://us er:p@ss:w@Example.COM:8443/a b/\u00e9?q='\u00e9#f`");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme(), "https");
  EXPECT_EQ(url->username(), "us%20er");
  EXPECT_EQ(url->password(), "p%40ss%3Aw");
  EXPECT_EQ(url->host(), "example.com");
  EXPECT_EQ(url->port(), 8443);
  EXPECT_EQ(url->path(), "/a%20b/%C3%A9");
  EXPECT_EQ(*url->query(), "q=%27%C3%A9");
  EXPECT_EQ(*url->fragment(), "f%60");
  EXPECT_EQ(url->origin(), "https://example.com:8443");
  EXPECT_FALSE(url->address());
  const auto plain = Url::parse("http://[::1]:80?");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->port());
  EXPECT_EQ(plain->effective_port(), 80);
  EXPECT_EQ(plain->path(), "/");
  EXPECT_EQ(*plain->query(), "");
  EXPECT_TRUE(plain->address()->is_loopback());
  EXPECT_EQ(plain->text(), "http://[::1]/?");
  EXPECT_EQ(Url::parse("file:///etc")->origin(), "null");
  EXPECT_FALSE(Url::parse("file:///etc")->effective_port());
}

TEST(Url, APortIsANumberUpTo65535) {
  EXPECT_EQ(read("https://a:65535/"), "https://a:65535/");
  EXPECT_EQ(read("https://a:65536/"), "bad_port");
  EXPECT_EQ(read("https://a:0/"), "https://a:0/");
  EXPECT_EQ(read("https://a:000443/"), "https://a/");
  EXPECT_EQ(read("ws://a:80/"), "ws://a/");
  EXPECT_EQ(read("ftp://a:21/"), "ftp://a/");
  EXPECT_EQ(read("https://a:/"), "https://a/");
  EXPECT_EQ(read("https://:80/"), "missing_host");
  EXPECT_EQ(read("https://user@/"), "missing_host");
}

TEST(Url, ReferencesAreResolvedOnTheirBase) {
  constexpr std::string_view base = "http://u:p@a/b/c/d;p?q#f";
  EXPECT_EQ(read("g", base), "http://u:p@a/b/c/g");
  EXPECT_EQ(read("../../../g", base), "http://u:p@a/g");  // RFC 3986 section 5.4.2
  EXPECT_EQ(read("%2E%2e/g", base), "http://u:p@a/b/g");
  EXPECT_EQ(read("g/.%2e", base), "http://u:p@a/b/c/");
  EXPECT_EQ(read("...", base), "http://u:p@a/b/c/...");
  EXPECT_EQ(read("?y", base), "http://u:p@a/b/c/d;p?y");
  EXPECT_EQ(read("#y", base), "http://u:p@a/b/c/d;p?q#y");
  EXPECT_EQ(read("", base), "http://u:p@a/b/c/d;p?q");
  EXPECT_EQ(read("/\\evil.example/x", base), "http://evil.example/x");
  EXPECT_EQ(read("//evil.example/x", base), "http://evil.example/x");
  EXPECT_EQ(read("https:evil.example/x", base), "https://evil.example/x");
  EXPECT_EQ(read("java\nscript:alert(1)", base), "unknown_scheme");
  EXPECT_EQ(read("/..//C:/..", "file:///D:/x"), "file:///D://");
  EXPECT_EQ(read("C|/x", "file://h/y/z"), "file://h/C:/x");
}

TEST(Url, LimitsAndBytes) {
  const std::string head = "https://a/";
  EXPECT_EQ(read(head + std::string(Url::max_bytes - head.size(), 'x')).size(), Url::max_bytes);
  EXPECT_EQ(read(head + std::string(Url::max_bytes - head.size() + 1, 'x')), "too_long");
  // Within the limit as it is given, and beyond it when it is written out.
  EXPECT_EQ(read(head + std::string(Url::max_bytes / 2, ' ') + "x"), "too_long");
  EXPECT_EQ(read(""), "empty");
  EXPECT_EQ(read(" \t\n"), "empty");
  EXPECT_EQ(read("https://a/\xff"), "not_utf8");
  EXPECT_EQ(read("\x01 https://a/\t\nb\x1f "), "https://a/b");
  EXPECT_EQ(read("javascript:alert(1)"), "unknown_scheme");
  EXPECT_EQ(read("data:text/html,x"), "unknown_scheme");
}

TEST(Uuid, HasOneSpelling) {
  const auto uuid = Uuid::parse("F81D4FAE-7dec-11d0-a765-00a0c91e6bf6");  // RFC 9562 section 4
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->text(), "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
  EXPECT_EQ(uuid->version(), 1U);
  EXPECT_EQ(uuid->bytes()[0], 0xf8);
  EXPECT_EQ(*Uuid::parse(uuid->text()), *uuid);
  EXPECT_TRUE(Uuid::parse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", 1));
}

TEST(Uuid, WhatIsNoneIsRefused) {
  EXPECT_EQ(Uuid::parse("").error(), UuidRefusal::malformed);
  EXPECT_EQ(Uuid::parse("f81d4fae7dec11d0a76500a0c91e6bf6").error(), UuidRefusal::malformed);
  EXPECT_EQ(Uuid::parse("{f81d4fae-7dec-11d0-a765-00a0c91e6bf6").error(), UuidRefusal::malformed);
  EXPECT_EQ(Uuid::parse("f81d4fae-7dec-11d0-a765-00a0c91e6bfg").error(), UuidRefusal::malformed);
  EXPECT_EQ(Uuid::parse("f81d4fae--dec-11d0-a765-00a0c91e6bf6").error(), UuidRefusal::malformed);
  EXPECT_EQ(Uuid::parse("f81d4fae-7dec-11d0-c765-00a0c91e6bf6").error(),
            UuidRefusal::wrong_variant);
  EXPECT_EQ(Uuid::parse("00000000-0000-0000-0000-000000000000").error(),
            UuidRefusal::wrong_variant);
  EXPECT_EQ(Uuid::parse("f81d4fae-7dec-91d0-a765-00a0c91e6bf6").error(),
            UuidRefusal::wrong_version);
  EXPECT_EQ(Uuid::parse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", 4).error(),
            UuidRefusal::wrong_version);
}

}  // namespace
}  // namespace moat::validate
