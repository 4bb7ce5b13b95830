// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "moat/base/clock.h"

namespace moat {
namespace {

TEST(Clock, FormatsDates) {
  const Time time = from_unix_seconds(784111777) + std::chrono::milliseconds{120};
  EXPECT_EQ(format_http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_rfc3339(time), "1994-11-06T08:49:37Z");
  EXPECT_EQ(format_rfc3339_millis(time), "1994-11-06T08:49:37.120Z");
  EXPECT_EQ(format_rfc3339(from_unix_seconds(-1)), "1969-12-31T23:59:59Z");
}

TEST(Clock, ReadsInternetTimes) {
  const Time time = from_unix_seconds(784111777);
  EXPECT_EQ(parse_rfc3339("1994-11-06T08:49:37Z"), time);
  EXPECT_EQ(parse_rfc3339("1994-11-06T09:49:37+01:00"), time);
  EXPECT_EQ(parse_rfc3339("1994-11-05T23:19:37.25-09:30"), time + std::chrono::milliseconds{250});
  EXPECT_EQ(parse_rfc3339("1994-11-06T08:49:37.1234567891Z"),
            time + std::chrono::microseconds{123456});
  // RFC 3339 section 5.8.
  EXPECT_EQ(parse_rfc3339("1990-12-31T23:59:60Z"), parse_rfc3339("1991-01-01T00:00:00Z"));
  EXPECT_EQ(parse_rfc3339("2000-02-29T00:00:00Z"), from_unix_seconds(951782400));
  for (const char* text : {"", "1994-11-06", "1994-11-06T08:49:37", "1994-11-06T08:49:37Z ",
                           "1994-11-06t08:49:37z", "1994-11-06 08:49:37Z", "1994-13-06T08:49:37Z",
                           "1994-02-29T08:49:37Z", "1994-00-06T08:49:37Z", "1994-11-06T24:00:00Z",
                           "1994-11-06T08:60:37Z", "1994-11-06T08:49:61Z", "1994-11-06T08:49:37.Z",
                           "1994-11-06T08:49:37+0100", "1994-11-06T08:49:37+24:00",
                           "94-11-06T08:49:37Z", "1994-11-06T08:49:3", "-994-11-06T08:49:37Z"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

TEST(Clock, ReadsHttpDates) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), from_unix_seconds(784111777));
  for (const char* text : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:37 GMT, x"})
    EXPECT_FALSE(parse_http_date(text)) << text;
}

TEST(Clock, DurationsNeedTheirUnit) {
  EXPECT_EQ(parse_duration("250ms"), std::chrono::milliseconds{250});
  EXPECT_EQ(parse_duration("90d"), std::chrono::hours{24 * 90});
  for (const char* text : {"", "5", "s", "-5s", "5 s", "5S", "1.5h", "5sm", "99999999999999999999s",
                           "999999999999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_EQ(parse_size("16KiB"), 16384U);
  for (const char* text : {"", "16", "16KB", "16kib", "99999999999999GiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Clock, FormatsTheEdgesOfTheCalendar) {
  EXPECT_EQ(format_rfc3339(from_unix_seconds(951782400)), "2000-02-29T00:00:00Z");
  EXPECT_EQ(format_rfc3339(from_unix_seconds(253402300799)), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339(from_unix_seconds(253402300800)), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339(Time::max()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339(Time::min()), "0000-01-01T00:00:00Z");
  EXPECT_EQ(format_http_date(from_unix_seconds(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(Clock, AStrangersSecondsDoNotOverflow) {
  EXPECT_EQ(unix_seconds(from_unix_seconds(1)), 1);
  EXPECT_EQ(unix_seconds(from_unix_seconds(-1)), -1);
  EXPECT_GT(from_unix_seconds(std::numeric_limits<std::int64_t>::max()), from_unix_seconds(1));
  EXPECT_LT(from_unix_seconds(std::numeric_limits<std::int64_t>::min()), from_unix_seconds(-1));
}

TEST(Clock, SizesAndDurationsReachTheirLimit) {
  EXPECT_EQ(parse_size("0B"), 0U);
  EXPECT_EQ(parse_size("17179869183GiB"), 17179869183ULL << 30);
  EXPECT_FALSE(parse_size("17179869184GiB"));
  EXPECT_EQ(parse_duration("0s"), std::chrono::milliseconds{0});
  EXPECT_FALSE(parse_duration("+5s"));
  EXPECT_FALSE(parse_duration("5s "));
}

TEST(Clock, AManualClockMovesBothTimes) {
  ManualClock clock(from_unix_seconds(100));
  const Tick before = clock.tick();
  clock.advance(std::chrono::seconds{5});
  EXPECT_EQ(unix_seconds(clock.now()), 105);
  EXPECT_EQ(clock.tick() - before, std::chrono::seconds{5});
}

TEST(Clock, TheSystemClockRuns) {
  EXPECT_GT(unix_seconds(system_clock().now()), 1'700'000'000);
  const Tick before = system_clock().tick();
  EXPECT_GE(system_clock().tick(), before);
}

}  // namespace
}  // namespace moat
