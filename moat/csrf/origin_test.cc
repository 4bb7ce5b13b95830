// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "moat/csrf/csrf.h"

namespace moat::csrf {
namespace {

std::string normal(std::string_view text) {
  const auto origin = Origin::parse(text);
  return origin ? origin->to_string() : "refused";
}
std::string of_url(std::string_view text) {
  const auto origin = Origin::of_url(text);
  return origin ? origin->to_string() : "refused";
}

TEST(Origin, ReadsWhatBrowsersWrite) {
  EXPECT_EQ(normal("https://example.com"), "https://example.com");
  EXPECT_EQ(normal("http://localhost:3000"), "http://localhost:3000");
  EXPECT_EQ(normal("https://[::1]:8443"), "https://[::1]:8443");
  EXPECT_EQ(normal("https://[::1]"), "https://[::1]");
  EXPECT_EQ(normal("https://127.0.0.1"), "https://127.0.0.1");
  EXPECT_EQ(normal("https://xn--bcher-kva.example"), "https://xn--bcher-kva.example");
}

TEST(Origin, DefaultPortsAreFilledInAndLeftOut) {
  EXPECT_EQ(normal("https://example.com:443"), "https://example.com");
  EXPECT_EQ(normal("http://example.com:80"), "http://example.com");
  EXPECT_EQ(normal("https://example.com:80"), "https://example.com:80");
  EXPECT_EQ(normal("HTTPS://EXAMPLE.com"), "https://example.com");
}

TEST(Origin, RefusesWhatIsNoOrigin) {
  for (const std::string_view text : {"",
                                      "null",
                                      "https",
                                      "https:",
                                      "https:/",
                                      "https://",
                                      "://example.com",
                                      "example.com",
                                      "//example.com",
                                      "https://example.com/",
                                      "https://example.com/path",
                                      "https://example.com?",
                                      "https://example.com#",
                                      "https://user@example.com",
                                      "https://example.com:",
                                      "https://example.com:0",
                                      "https://example.com:0443",
                                      "https://example.com:65536",
                                      "https://example.com:443x",
                                      "https://example.com:-1",
                                      "https://exa mple.com",
                                      " https://example.com",
                                      "https://example.com ",
                                      "https://a.example https://b.example",
                                      "https://a.example,https://b.example",
                                      "https://[::1",
                                      "https://::1",
                                      "https://[]",
                                      "https://[::1]x",
                                      "https://[example.com]",
                                      "https://example.com\\",
                                      "https://b\xc3\xbc.de",
                                      "https://example%2ecom",
                                      "1https://example.com",
                                      "ht tps://example.com",
                                      "chrome-extension://abcdef",
                                      "https://[::1]]:443",
                                      "https://a[::1]"}) {
    EXPECT_EQ(normal(text), "refused") << text;
  }
  EXPECT_EQ(normal(std::string("https://example.com\0.evil.example", 33)), "refused");
  EXPECT_EQ(normal("https://" + std::string(256, 'a')), "refused");
  EXPECT_NE(normal("https://" + std::string(255, 'a')), "refused");
}

TEST(Origin, OfAUrlIsWhatStandsBeforeItsPath) {
  EXPECT_EQ(of_url("https://example.com/a/b?c#d"), "https://example.com");
  EXPECT_EQ(of_url("https://example.com"), "https://example.com");
  EXPECT_EQ(of_url("https://example.com?x"), "https://example.com");
  EXPECT_EQ(of_url("http://[::1]:3000/"), "http://[::1]:3000");
  EXPECT_EQ(of_url("https://example.com/@evil.example"), "https://example.com");
}

TEST(Origin, OfAUrlRefusesTricks) {
  for (const std::string_view text :
       {"", "about:blank", "data:text/html,x", "https://example.com@evil.example/",
        "https://evil.example\\@example.com/", "https://example.com\\.evil.example/", "/path",
        "https:///example.com/", "https://example.com:80:80/"}) {
    EXPECT_EQ(of_url(text), "refused") << text;
  }
}

TEST(Origin, OfARequestTakesTheHostAndItsPort) {
  EXPECT_EQ(Origin::of_request("https", "example.com:8443")->to_string(),
            "https://example.com:8443");
  EXPECT_EQ(Origin::of_request("wss", "example.com")->to_string(), "https://example.com");
  EXPECT_EQ(Origin::of_request("ws", "example.com")->to_string(), "http://example.com");
  EXPECT_FALSE(Origin::of_request("https", ""));
  EXPECT_FALSE(Origin::of_request("", "example.com"));
  EXPECT_FALSE(Origin::of_request("https", "example.com/"));
}

TEST(Origin, IsComparedByAllThreeParts) {
  const Origin own = *Origin::parse("https://example.com");
  EXPECT_TRUE(own.same_as(*Origin::parse("https://EXAMPLE.com:443")));
  EXPECT_FALSE(own.same_as(*Origin::parse("http://example.com:443")));
  EXPECT_FALSE(own.same_as(*Origin::parse("https://example.com:444")));
  EXPECT_FALSE(own.same_as(*Origin::parse("https://example.com.")));
  EXPECT_FALSE(own.same_as(*Origin::parse("https://example.com.evil.example")));
  EXPECT_FALSE(own.same_as(*Origin::parse("https://evilexample.com")));
}

}  // namespace
}  // namespace moat::csrf
