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

// ------------------------------------------------------------------------------------------- ramp

const Time begun = from_unix_seconds(1'800'000'000);

std::string field_at(std::size_t step) {
  HstsOptions all;
  all.preload = true;
  return hsts_header("example.com", HstsRamp::options(all, step)).value();
}

TEST(HstsRamp, GoesUpInFourSteps) {
  using std::chrono::days;
  HstsRamp ramp(begun);
  EXPECT_EQ(ramp.step(), 0u);
  EXPECT_EQ(ramp.next(), begun + days{1});
  const std::chrono::seconds second{1};
  std::size_t step = 0;
  for (const days at : {days{1}, days{7}, days{30}}) {
    EXPECT_FALSE(ramp.advance(begun + at - second));
    EXPECT_EQ(ramp.step(), step);
    EXPECT_TRUE(ramp.advance(begun + at));
    EXPECT_EQ(ramp.step(), ++step);
    EXPECT_EQ(ramp.since(), begun + at);
  }
  EXPECT_TRUE(ramp.finished());
  EXPECT_FALSE(ramp.next());
  EXPECT_FALSE(ramp.advance(begun + days{10'000}));
  EXPECT_EQ(field_at(0), "max-age=300");
  EXPECT_EQ(field_at(1), "max-age=86400");
  EXPECT_EQ(field_at(2), "max-age=2592000");
  EXPECT_EQ(field_at(3), "max-age=63072000; includeSubDomains; preload");
  EXPECT_EQ(field_at(99), field_at(3));
}

TEST(HstsRamp, AClockThatJumpsSkipsNoStepAndNeverGoesDown) {
  using std::chrono::days;
  using std::chrono::hours;
  HstsRamp ramp(begun);
  const Time far = begun + days{30'000};
  EXPECT_TRUE(ramp.advance(far));
  EXPECT_FALSE(ramp.advance(far + hours{1}));
  EXPECT_EQ(ramp.step(), 1u);
  // Back again: the step begins anew, now.
  EXPECT_TRUE(ramp.advance(begun + days{2}));
  EXPECT_EQ(ramp.step(), 1u);
  EXPECT_EQ(ramp.since(), begun + days{2});
  EXPECT_FALSE(ramp.advance(begun + days{2} - hours{1}));  // a little is nothing
  EXPECT_TRUE(ramp.advance(begun + days{2} - hours{1} - std::chrono::seconds{1}));
  EXPECT_TRUE(ramp.advance(Time{}));
  EXPECT_EQ(ramp.step(), 1u);
  // One that was at the beginning of time for a moment has not waited since then.
  EXPECT_TRUE(ramp.advance(begun + days{3}));
  EXPECT_EQ(ramp.step(), 2u);
  EXPECT_FALSE(ramp.advance(begun + days{4}));
  // At the end nothing takes it back.
  EXPECT_TRUE(ramp.advance(begun + days{40}));
  EXPECT_FALSE(ramp.advance(Time{}));
  EXPECT_TRUE(ramp.finished());
}

TEST(HstsRamp, IsReadAsItWasWrittenAndNotOtherwise) {
  HstsRamp ramp(begun);
  EXPECT_EQ(ramp.to_text(), "0 1800000000\n");
  EXPECT_TRUE(ramp.advance(begun + std::chrono::days{1}));
  const auto again = HstsRamp::parse(ramp.to_text());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->step(), 1u);
  EXPECT_EQ(again->since(), begun + std::chrono::days{1});
  for (const char* bad : {"", "\n", "0", "0 1800000000", "4 1800000000\n", "-1 1800000000\n",
                          "0  1\n", "0 -1\n", "0 1 \n", "a 1\n", "0 a\n",
                          "0 99999999999999999999\n", "0 253402300800\n", "00 1\n", "0 \n"})
    EXPECT_FALSE(HstsRamp::parse(bad)) << bad;
  EXPECT_TRUE(HstsRamp::parse("3 253402300799\n"));
}

}  // namespace
}  // namespace moat::https
