// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/target.h"

#include <gtest/gtest.h>

namespace moat::doctor {
namespace {

TEST(Target, IsANameAnAddressOrAUrl) {
  struct Good {
    const char* text;
    const char* host;
    unsigned port;
  };
  const Good goods[] = {{"example.com", "example.com", 443},
                        {"Example.COM:8443", "example.com", 8443},
                        {"https://example.com", "example.com", 443},
                        {"HTTPS://Example.com:444/path?q#f", "example.com", 444},
                        {"https://example.com?q", "example.com", 443},
                        {"127.0.0.1:1", "127.0.0.1", 1},
                        {"[::1]:65535", "::1", 65535},
                        {"2001:DB8::1", "2001:db8::1", 443},
                        {"localhost:8443", "localhost", 8443}};
  for (const Good& good : goods) {
    const auto target = parse_target(good.text);
    ASSERT_TRUE(target) << good.text;
    EXPECT_EQ(target->host, good.host);
    EXPECT_EQ(target->port, good.port);
    EXPECT_EQ(target->http_port.has_value(), good.port == 443) << good.text;
  }
}

TEST(Target, AnythingElseIsRefusedWithASentence) {
  for (const char* text : {"", " ", "http://example.com", "https://", "https://user@example.com",
                           "example.com:0", "example.com:65536", "example.com:", "a b",
                           "b\xc3\xbc"
                           "cher.example",
                           "ftp://example.com", "example.com/path", "-x\x1b[31m"}) {
    const auto target = parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_GT(target.error().size(), 10u);
    for (const char c : target.error()) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << text;
  }
  EXPECT_TRUE(parse_target("https://example.com/" + std::string(2028, 'x')));
  EXPECT_FALSE(parse_target("https://example.com/" + std::string(2029, 'x')));
}

TEST(Target, KnowsWhatIsLocal) {
  const auto local = [](const char* text) { return parse_target(text)->is_local(); };
  const auto no_hsts = [](const char* text) { return parse_target(text)->has_no_hsts(); };
  for (const char* text : {"localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"}) {
    EXPECT_TRUE(local(text)) << text;
    EXPECT_TRUE(no_hsts(text)) << text;
  }
  for (const char* text : {"192.0.2.1", "[2001:db8::1]"}) {
    EXPECT_FALSE(local(text)) << text;
    EXPECT_TRUE(no_hsts(text)) << text;
  }
  for (const char* text : {"example.com", "notlocalhost", "localhost.example.com"}) {
    EXPECT_FALSE(local(text)) << text;
    EXPECT_FALSE(no_hsts(text)) << text;
  }
}

TEST(Target, WritesItsHostField) {
  EXPECT_EQ(parse_target("example.com")->authority(443, 443), "example.com");
  EXPECT_EQ(parse_target("example.com")->authority(8080, 80), "example.com:8080");
  EXPECT_EQ(parse_target("[::1]:8443")->authority(8443, 443), "[::1]:8443");
  EXPECT_EQ(parse_target("127.0.0.1")->authority(80, 80), "127.0.0.1");
}

}  // namespace
}  // namespace moat::doctor
