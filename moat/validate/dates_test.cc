// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/dates.h"

#include <gtest/gtest.h>

namespace moat::validate {
namespace {

TEST(Iso8601, IsADayThatThereIs) {
  for (const auto* text :
       {"2024", "2024-02", "2024-02-29", "20240229", "2024-366", "2024366", "2020-W53",
        "2020-W53-7", "2020W537", "2024-02-29T23:59:59Z", "20240229T235959+0100",
        "2024-02-29T24:00", "2024-02-29T10:30.5", "2024-02-29T10,5-01", "2024-02-29T10"})
    EXPECT_TRUE(is_iso8601(text)) << text;
  for (const auto* text : {"",
                           "202",
                           "2024-",
                           "202402",
                           "2023-02-29",
                           "1900-02-29",
                           "2023-366",
                           "2024-000",
                           "2024-367",
                           "2021-W53",
                           "2020-W00",
                           "2020-W53-8",
                           "2020-W53-0",
                           "2024-13",
                           "2024-00",
                           "2024-01-00",
                           "2024-04-31",
                           "2024-0229",
                           "2024-02-29T",
                           "2024-02-29T24:01",
                           "2024-02-29T24.5",
                           "2024-02-29T25",
                           "2024-02-29T10:60",
                           "2024-02-29T10:30:60",
                           "2024-02-29T10:30.",
                           "2024-02-29T10.5:30",
                           "2024-02-29T10:30:10Zx",
                           "2024-02-29T10:30+24:00",
                           "2024-02-29 10:30",
                           "2024-02-29T10:3010",
                           "x2024",
                           "2024-02-29\n"})
    EXPECT_FALSE(is_iso8601(text)) << text;
}

TEST(Iso8601, OptionsOpenOneThingEach) {
  Iso8601Options space;
  space.allow_space_separator = true;
  EXPECT_TRUE(is_iso8601("2024-02-29 10:30", space));
  EXPECT_FALSE(is_iso8601("2024-02-29  10:30", space));
  Iso8601Options impossible;
  impossible.allow_impossible_dates = true;
  for (const auto* text : {"2023-02-31", "2023-366", "2021-W53"})
    EXPECT_TRUE(is_iso8601(text, impossible)) << text;
  for (const auto* text : {"2023-02-32", "2023-367", "2021-W54"})
    EXPECT_FALSE(is_iso8601(text, impossible)) << text;
  Iso8601Options mixed;
  mixed.allow_mixed_forms = true;
  for (const auto* text :
       {"2024-02-29T1030", "2024-W021", "2024-02T10:30", "2024-02-29T10:30+0100"}) {
    EXPECT_TRUE(is_iso8601(text, mixed)) << text;
    EXPECT_FALSE(is_iso8601(text)) << text;
  }
}

TEST(Rfc3339, IsAMomentThatThereIs) {
  for (const auto* text :
       {"1985-04-12T23:20:50.52Z", "1996-12-19T16:39:57-08:00", "1990-12-31T23:59:60Z",
        "1990-12-31T15:59:60-08:00", "1985-04-12t23:20:50z"})
    EXPECT_TRUE(is_rfc3339(text)) << text;
  for (const auto* text :
       {"", "1985-04-12", "1985-04-12T23:20Z", "1985-04-12T23:20:50", "1985-04-12 23:20:50Z",
        "1985-02-29T00:00:00Z", "1985-04-12T24:00:00Z", "1985-04-12T23:60:00Z",
        "1985-04-12T23:20:61Z", "1990-12-31T22:59:60Z", "1985-04-12T23:20:50.Z",
        "1985-04-12T23:20:50,5Z", "1985-04-12T23:20:50+0100", "1985-04-12T23:20:50+24:00",
        "1985-04-12T23:20:50Z ", "1985-4-12T23:20:50Z"})
    EXPECT_FALSE(is_rfc3339(text)) << text;
  Rfc3339Options loose;
  loose.allow_space_separator = loose.allow_impossible_dates = loose.allow_any_leap_second = true;
  EXPECT_TRUE(is_rfc3339("1985-02-31 22:59:60Z", loose));
  EXPECT_FALSE(is_rfc3339("1985-02-32 22:59:60Z", loose));
}

TEST(Date, FollowsItsFormat) {
  EXPECT_TRUE(is_date("2024/02/29"));
  for (const auto* text : {"", "2023/02/29", "2024-02-29", "2024/2/29", "2024/02/29/", "2024/02",
                           "24/02/29", "2024/00/01", "2024/13/01", "2024/01/00", "2024/02/29 "})
    EXPECT_FALSE(is_date(text)) << text;
  DateOptions other;
  other.format = "D.M.YY";
  EXPECT_TRUE(is_date("9.2.24", other));
  EXPECT_FALSE(is_date("09.2.24", other));
  DateOptions delimiters;
  delimiters.allow_delimiters = "/-";
  EXPECT_TRUE(is_date("2024-02-29", delimiters));
  EXPECT_FALSE(is_date("2024-02/29", delimiters));
  for (const auto* format :
       {"", "YYYY", "YYYY/MM", "YYYY/MM/MM", "YYY/MM/DD", "YYYY//MM/DD", "YYYY/MM/DDD"}) {
    DateOptions bad;
    bad.format = format;
    EXPECT_FALSE(is_date("2024/02/02", bad)) << format;
  }
}

TEST(Time, HasTheHoursAndSecondsAskedFor) {
  for (const auto* text : {"0:00", "00:00", "23:59"}) EXPECT_TRUE(is_time(text)) << text;
  for (const auto* text :
       {"", "24:00", "23:60", "23:5", "001:00", "23:59:59", "1:00 PM", "-1:00", "1:00 "})
    EXPECT_FALSE(is_time(text)) << text;
  EXPECT_TRUE(is_time("23:59:59", HourFormat::hour24, Seconds::required));
  EXPECT_FALSE(is_time("23:59", HourFormat::hour24, Seconds::required));
  EXPECT_FALSE(is_time("23:59:60", HourFormat::hour24, Seconds::required));
  EXPECT_TRUE(is_time("23:59", HourFormat::hour24, Seconds::optional));
  for (const auto* text : {"1:00 AM", "12:59 PM"})
    EXPECT_TRUE(is_time(text, HourFormat::hour12)) << text;
  for (const auto* text : {"0:00 AM", "13:00 PM", "1:00", "1:00 pm", "1:00PM", "1:00 PM "})
    EXPECT_FALSE(is_time(text, HourFormat::hour12)) << text;
}

TEST(Rfc3339Time, HasAZoneAndNoDay) {
  for (const std::string_view text : {"00:00:00Z", "23:59:59.999z", "12:00:00+23:59", "23:59:60Z",
                                      "00:59:60+01:00", "15:59:60-08:00"})
    EXPECT_TRUE(is_rfc3339_time(text)) << text;
  for (const std::string_view text :
       {"", "12:00:00", "24:00:00Z", "12:60:00Z", "12:00:61Z", "12:00:60Z", "12:00:00+24:00",
        "12:00:00+0100", "12:00Z", "12:00:00.Z", "12:00:00,5Z", "12:00:00Z ", "1:00:00Z"})
    EXPECT_FALSE(is_rfc3339_time(text)) << text;
}

}  // namespace
}  // namespace moat::validate
