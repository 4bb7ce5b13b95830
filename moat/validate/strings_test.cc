// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/strings.h"

#include <gtest/gtest.h>

namespace moat::validate {
namespace {

TEST(Strings, IpAddresses) {
  EXPECT_TRUE(is_ip("127.0.0.1"));
  EXPECT_TRUE(is_ip("::1"));
  EXPECT_TRUE(is_ip("127.0.0.1", IpVersion::v4));
  EXPECT_FALSE(is_ip("127.0.0.1", IpVersion::v6));
  EXPECT_TRUE(is_ip("::ffff:127.0.0.1", IpVersion::v6));
  EXPECT_FALSE(is_ip("::ffff:127.0.0.1", IpVersion::v4));
  for (const auto* bad : {"", "127.1", "0177.0.0.1", "256.0.0.0", "1.2.3.4 ", "::1::", "[::1]",
                          "fe80::1%eth0", "1.2.3.4:80"})
    EXPECT_FALSE(is_ip(bad)) << bad;
}

TEST(Strings, DomainNames) {
  for (const auto* good : {"domain.com", "a.domain.co", "xn--froschgrn-x9a.com", "1337.com"})
    EXPECT_TRUE(is_fqdn(good)) << good;
  for (const auto* bad : {"",
                          ".",
                          "com",
                          "a.b",
                          "256.0.0.0",
                          "s!ome.com",
                          "domain.com/",
                          "/more.com",
                          "domain.com.",
                          "-a.com",
                          "a-.com",
                          "foo_bar.com",
                          "*.a.com",
                          "example.0",
                          "a..com",
                          "domain.com\n",
                          "a.b2",
                          "192.168.0.1a",
                          "0x7f.0x1",
                          "a.c-om"})
    EXPECT_FALSE(is_fqdn(bad)) << bad;
  EXPECT_TRUE(is_fqdn("a.xn--90ae"));
  FqdnOptions options;
  options.allow_dotless = true;
  EXPECT_TRUE(is_fqdn("localhost", options));
  EXPECT_TRUE(is_fqdn("db1", options));
  for (const auto* number : {"123", "0x7f000001", "0X7F", "0x"})
    EXPECT_FALSE(is_fqdn(number, options)) << number;
  options.allow_trailing_dot = true;
  EXPECT_TRUE(is_fqdn("example.com.", options));
  EXPECT_FALSE(is_fqdn("example.com..", options));
  std::string long_name;
  while (long_name.size() < 250) long_name += "abcd.";
  EXPECT_TRUE(is_fqdn(long_name + "com"));    // 253 bytes
  EXPECT_FALSE(is_fqdn(long_name + "comm"));  // 254
}

TEST(Strings, Urls) {
  for (const auto* good :
       {"https://www.foobar.com/", "HTTP://WWW.FOOBAR.COM/", "https://foobar.com:65535/a?b=c#d",
        "http://1.2.3.4/", "http://[2001:db8::1]:80/index.html", "https://a.example?x=%2F",
        "http://foobar.com?next=https://a@b.example/"})
    EXPECT_TRUE(is_url(good)) << good;
  for (const auto* bad : {"",
                          "foobar.com",
                          "//foobar.com",
                          "ftp://foobar.com",
                          "javascript:alert(1)",
                          "http:foobar.com",
                          "http:/foobar.com",
                          "http:///foobar.com",
                          "http://",
                          "http://localhost/",
                          "http://user@foobar.com/",
                          "http://user:pw@foobar.com/",
                          "http://@foobar.com",
                          "http://foobar.com\\@evil.example/",
                          "http:\\\\foobar.com",
                          "http://foo bar.com/",
                          "http://foobar.com/\t",
                          "http://foobar.com/\n",
                          " http://foobar.com",
                          "http://foobar.com:0/",
                          "http://foobar.com:65536/",
                          "http://foobar.com:/",
                          "http://foobar.com:080/",
                          "http://0x7f.1/",
                          "http://127.1/",
                          "http://2130706433/",
                          "http://300.0.0.1/",
                          "http://foobar.com./",
                          "http://foo_bar.com/",
                          "http://[::1",
                          "http://[::1]x/",
                          "http://[1.2.3.4]/",
                          "http://foobar.com/%",
                          "http://foobar.com/%2",
                          "http://foobar.com/%zz",
                          "http://foobar.com/<b>",
                          "http://foobar.com/\"",
                          "http://f\xC3\xBCr.com/"})
    EXPECT_FALSE(is_url(bad)) << bad;
}

TEST(Strings, UrlOptionsLoosenOneThingEach) {
  UrlOptions options;
  options.allow_userinfo = true;
  EXPECT_FALSE(is_url("https://user:pass:word@foobar.com/", options));
  EXPECT_FALSE(is_url("https://::@foobar.com/", options));
  EXPECT_TRUE(is_url("http://user:pw@foobar.com/", options));
  EXPECT_FALSE(is_url("http://a@b@foobar.com/", options));
  EXPECT_FALSE(is_url("http://@foobar.com/", options));
  options = {};
  options.allow_dotless_host = true;
  EXPECT_TRUE(is_url("http://localhost:3000/", options));
  options = {};
  options.allow_ip_host = false;
  EXPECT_FALSE(is_url("http://1.2.3.4/", options));
  EXPECT_FALSE(is_url("http://[::1]/", options));
  options = {};
  options.max_bytes = 20;
  EXPECT_TRUE(is_url("http://foobar.com/12", options));
  EXPECT_FALSE(is_url("http://foobar.com/123", options));
}

TEST(Strings, LinksStayOnTheHostOrAreHttp) {
  for (const auto* good : {"/", "/a/b?c=d#e", "a", "a/b:c", "?a=b", "#top", "../x", "/a?u=http://b",
                           "https://foobar.com/", "http://localhost:3000/"})
    EXPECT_TRUE(is_safe_link(good)) << good;
  for (const auto* bad :
       {"", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "JaVaScRiPt:alert(1)", "\x01javascript:alert(1)", " javascript:alert(1)",
        "java\nscript:alert(1)", "data:text/html,x", "vbscript:x", "mailto:a@b.co", "a:b",
        "http:evil.example", "https:/evil.example", "https://user@evil.example/"})
    EXPECT_FALSE(is_safe_link(bad)) << bad;
}

TEST(Strings, Uuids) {
  EXPECT_TRUE(is_uuid("A987FBC9-4BED-4078-8F07-9141BA07C9F3"));
  EXPECT_TRUE(is_uuid("018c544a-d384-7000-bb74-3b1738abe43c", 7));
  EXPECT_FALSE(is_uuid("018c544a-d384-7000-bb74-3b1738abe43c", 4));
  for (const auto* bad :
       {"", "A987FBC94BED40788F079141BA07C9F3", "A987FBC9-4BED-3078-CF07-9141BA07C9F3",
        "A987FBC9-4BED-0078-8F07-9141BA07C9F3", "A987FBC9-4BED-9078-8F07-9141BA07C9F3",
        "A987FBC9-4BED-4078-8F07-9141BA07C9F3x", "A987FBC9-4BED-4078-8F07-9141BA07C9G3",
        "00000000-0000-0000-0000-000000000000"})
    EXPECT_FALSE(is_uuid(bad)) << bad;
}

TEST(Strings, IntegersAreExactAtTheBounds) {
  EXPECT_EQ(to_int("0"), 0);
  EXPECT_EQ(to_int("-1"), -1);
  EXPECT_EQ(to_int("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(to_int("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  for (const auto* bad : {"", "-", "+1", "01", "-0", "-01", "1.0", "1e3", " 1", "1 ", "0x1",
                          "12abc", "9223372036854775808", "-9223372036854775809", "--1"})
    EXPECT_EQ(to_int(bad), std::nullopt) << bad;
  EXPECT_TRUE(is_int("10", 10, 15));
  EXPECT_TRUE(is_int("15", 10, 15));
  EXPECT_FALSE(is_int("9", 10, 15));
  EXPECT_FALSE(is_int("16", 10, 15));
  EXPECT_FALSE(is_int("9007199254740993", 0, 9007199254740992));
}

TEST(Strings, LengthIsInCodePoints) {
  EXPECT_TRUE(is_length("\xF0\xA0\xAE\xB7\xE9\x87\x8E", 2, 2));
  EXPECT_FALSE(is_length("abc", 4, 9));
  EXPECT_FALSE(is_length("abc", 0, 2));
  EXPECT_TRUE(is_length("", 0, 0));
  EXPECT_FALSE(is_length("\xFF", 0, 9));
}

TEST(Strings, CharacterClasses) {
  EXPECT_TRUE(is_alphanumeric("abcXYZ019"));
  EXPECT_FALSE(is_alphanumeric(""));
  EXPECT_FALSE(is_alphanumeric("abc "));
  EXPECT_FALSE(is_alphanumeric("J\xC3\xB6n"));
  EXPECT_TRUE(is_hex("09afAF"));
  EXPECT_FALSE(is_hex("0g"));
  EXPECT_FALSE(is_hex(""));
  EXPECT_TRUE(is_base64url("PDw_Pz8-Pg"));
  EXPECT_FALSE(is_base64url("PDw/Pz8+Pg"));
  EXPECT_FALSE(is_base64url("QR"));  // unused bits that are not zero
  EXPECT_FALSE(is_base64url("PDw_Pz8-Pg=="));
  EXPECT_FALSE(is_base64url(""));
}

TEST(Strings, PlainLines) {
  EXPECT_TRUE(is_plain_line("Zo\xC3\xAB d'Arc <3"));
  for (const auto* bad : {"", "a\nb", "a\tb", "a\x7f",
                          "a\xE2\x80\xAE"
                          "b",
                          "a\xE2\x80\x8B"
                          "b",
                          "a\xE2\x80\xA8"
                          "b",
                          "a\xC2\x85"
                          "b",
                          "a\xFF", "a\xF3\xA0\x81\x81"})
    EXPECT_FALSE(is_plain_line(bad)) << bad;
}

TEST(Strings, Sanitizers) {
  EXPECT_EQ(trim(" \t\r\n\v\f a b \n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(strip_low(std::string_view("a\0b\nc\rd\x7f"
                                       "e\x1f",
                                       10)),
            "abcde");
  EXPECT_EQ(strip_low("a\nb\r\tc", NewLines::keep), "a\nb\rc");
  EXPECT_EQ(escape_html("<a b='c' d=\"e\">&`"),
            "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;&#96;");
  EXPECT_EQ(escape_html("&lt;"), "&amp;lt;");
}

}  // namespace
}  // namespace moat::validate
