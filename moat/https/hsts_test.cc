// SPDX-License-Identifier: Apache-2.0
#include "moat/https/hsts.h"

#include <gtest/gtest.h>

namespace moat::https {
namespace {

using std::chrono::days;
using std::chrono::seconds;

TEST(Hsts, IsTwoYearsWithSubdomainsAndNoPreload) {
  EXPECT_EQ(hsts_header("example.com"), "max-age=63072000; includeSubDomains");
  EXPECT_EQ(hsts_header("app.example.com:8443"), "max-age=63072000; includeSubDomains");
}

TEST(Hsts, IsNeverSentForThisMachineOrAnAddress) {
  for (const char* host :
       {"localhost", "LOCALHOST", "localhost:8443", "app.localhost", "a.b.localhost:1", "127.0.0.1",
        "127.0.0.1:8443", "[::1]", "[::1]:8443", "192.0.2.1", "[2001:db8::1]:443"})
    EXPECT_EQ(hsts_header(host), std::nullopt) << host;
  for (const char* host : {"notlocalhost", "localhost.example.com"})
    EXPECT_NE(hsts_header(host), std::nullopt) << host;
}

TEST(Hsts, IsNotSentForWhatIsNoHost) {
  for (const char* host :
       {"", "a b", "a/b", "a\r\nSet-Cookie: x=y", "http://example.com", ":443", "@"})
    EXPECT_EQ(hsts_header(host), std::nullopt) << host;
}

TEST(Hsts, PreloadComesOnlyWithWhatTheListDemands) {
  EXPECT_EQ(hsts_header("example.com", {days{365}, true, true}),
            "max-age=31536000; includeSubDomains; preload");
  EXPECT_EQ(hsts_header("example.com", {days{364}, true, true}),
            "max-age=31449600; includeSubDomains");
  EXPECT_EQ(hsts_header("example.com", {days{365}, false, true}), "max-age=31536000");
}

TEST(Hsts, CanBeTakenBack) {
  EXPECT_EQ(hsts_header("example.com", {seconds{0}, false, false}), "max-age=0");
  EXPECT_EQ(hsts_header("example.com", {seconds{-1}, true, false}), std::nullopt);
}

TEST(Hsts, TheRampClimbsInFourSteps) {
  const Time start = from_unix_seconds(1'800'000'000);
  const HstsOptions full{seconds{63'072'000}, true, true};
  const auto at = [&](auto age) {
    return hsts_header("example.com", hsts_ramp(full, start, start + age));
  };
  EXPECT_EQ(at(seconds{0}), "max-age=300");
  EXPECT_EQ(at(seconds{-5}), "max-age=300");
  EXPECT_EQ(at(days{1} - seconds{1}), "max-age=300");
  EXPECT_EQ(at(days{1}), "max-age=86400");
  EXPECT_EQ(at(days{7} - seconds{1}), "max-age=86400");
  EXPECT_EQ(at(days{7}), "max-age=2592000");
  EXPECT_EQ(at(days{30}), "max-age=63072000; includeSubDomains; preload");
  EXPECT_EQ(hsts_ramp({seconds{60}, true, false}, start, start + days{8}).max_age, seconds{60});
}

}  // namespace
}  // namespace moat::https
