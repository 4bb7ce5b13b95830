// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/internal/url.h"

#include <gtest/gtest.h>

namespace moat::fetch::internal {
namespace {

TEST(FetchUrl, IsTakenApart) {
  const Url url = parse_url("https://Issuer.Example:8443/keys/jwks.json?v=1").value();
  EXPECT_TRUE(url.secure);
  EXPECT_EQ(url.host, "issuer.example");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.authority, "issuer.example:8443");
  EXPECT_EQ(url.target, "/keys/jwks.json?v=1");
}

TEST(FetchUrl, TheUsualPortIsNotWritten) {
  EXPECT_EQ(parse_url("https://issuer.example:443/")->authority, "issuer.example");
  EXPECT_EQ(parse_url("http://127.0.0.1")->authority, "127.0.0.1");
  EXPECT_EQ(parse_url("https://[::1]:80/x")->authority, "[::1]:80");
}

TEST(FetchUrl, APathIsThereWithoutOne) {
  EXPECT_EQ(parse_url("https://a.example")->target, "/");
  EXPECT_EQ(parse_url("https://a.example?x=1")->target, "/?x=1");
}

TEST(FetchUrl, WhatIsNoPlainWebAddressIsRefused) {
  for (const std::string_view text :
       {"", "https://", "https:///x", "HTTPS://a.example/", "ftp://a.example/", "//a.example/",
        "file:///etc/passwd", "https://u@a.example/", "https://u:p@a.example/x",
        "https://a.example/#x", "https://a.example/a b", "https://a.example/\r\nHost: b",
        "https://a.example:0/", "https://a.example:65536/", "https://::1/", "https://a..example/",
        "https://a.example/\xc3\xa4", "https://a.example\\@b.example/"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
  EXPECT_TRUE(parse_url("https://a.example/" + std::string(2048 - 18, 'x')));
  EXPECT_FALSE(parse_url("https://a.example/" + std::string(2048 - 17, 'x')));
}

TEST(FetchUrl, LoopbackIsWhatSaysSo) {
  for (const char* text : {"https://localhost/", "https://keys.localhost:1/", "https://127.0.0.2/",
                           "https://[::1]/", "https://LOCALHOST/"}) {
    EXPECT_TRUE(parse_url(text)->is_loopback()) << text;
  }
  for (const char* text : {"https://localhost.example/", "https://a.example/", "https://10.0.0.1/",
                           "https://notlocalhost/"}) {
    EXPECT_FALSE(parse_url(text)->is_loopback()) << text;
  }
}

}  // namespace
}  // namespace moat::fetch::internal
