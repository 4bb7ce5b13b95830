// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/moments.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

std::string read(std::string_view text, bool others = false) {
  MomentOptions options;
  options.allow_other_forms = others;
  const auto time = to_date(text, options);
  return time ? format_rfc3339_millis(*time) : "none";
}

TEST(Moment, IsADayOrATimeWithItsZone) {
  EXPECT_EQ(read("2011-08-04"), "2011-08-04T00:00:00.000Z");
  EXPECT_EQ(read("2011-08-04T12:34:56Z"), "2011-08-04T12:34:56.000Z");
  EXPECT_EQ(read("2011-08-04t12:34:56.789z"), "2011-08-04T12:34:56.789Z");
  EXPECT_EQ(read("2011-08-04T12:34:56.5+02:30"), "2011-08-04T10:04:56.500Z");
  EXPECT_EQ(read("2011-12-31T23:00:00-02:00"), "2012-01-01T01:00:00.000Z");
  EXPECT_EQ(read("2024-02-29"), "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(to_date("1970-01-01T00:00:00.000001999Z"), Time(std::chrono::microseconds(1)));
}

TEST(Moment, IsNothingElse) {
  for (const char* text : {"",
                           "2011",
                           "2011-08",
                           "2011-8-4",
                           "2023-02-29",
                           "2011-13-01",
                           "2011-00-01",
                           "2011-01-00",
                           "2011-08-04T12:34:56",
                           "2011-08-04T12:34Z",
                           "2011-08-04 12:34:56Z",
                           "2011-08-04T24:00:00Z",
                           "2011-08-04T23:60:00Z",
                           "2011-08-04T23:59:60Z",
                           "2011-08-04T12:34:56.Z",
                           "2011-08-04T12:34:56.1234567890Z",
                           "2011-08-04T12:34:56+24:00",
                           "2011-08-04T12:34:56+02:60",
                           "2011-08-04T12:34:56+0200",
                           "2011-08-04Z",
                           "2011-08-04 ",
                           " 2011-08-04",
                           "12011-08-04",
                           "-2011-08-04",
                           "invalid date",
                           "1"})
    EXPECT_EQ(read(text), "none") << text;
}

TEST(Moment, HasOtherFormsWhenAllowed) {
  constexpr const char* forms[] = {
      "08/04/2011", "Thu Aug 04 2011 00:00:00 GMT+0000 (Coordinated Universal Time)",
      "Thu Aug 04 2011 02:00:00 GMT+0200", "Thu, 04 Aug 2011 00:00:00 GMT"};
  for (const char* text : forms) {
    EXPECT_EQ(read(text, true), "2011-08-04T00:00:00.000Z") << text;
    EXPECT_EQ(read(text), "none") << text;
  }
  for (const char* text :
       {"13/04/2011", "8/4/2011", "Thu Foo 04 2011 00:00:00 GMT+0000",
        "Foo Aug 04 2011 00:00:00 GMT+0000", "Thu Aug 32 2011 00:00:00 GMT+0000",
        "Thu Aug 04 2011 24:00:00 GMT+0000", "Thu Aug 04 2011 00:00:00 GMT+0000 ()",
        "Thu Aug 04 2011 00:00:00 GMT+0000 (a) b", "Thu Aug 04 2011 00:00:00 GMT+0000x",
        "Thu Aug 04 2011 00:00:00 GMT", "Thu, 04 Ugu 2011 00:00:00 GMT",
        "Thu, 04 Aug 2011 00:00:00 UTC", "hu, 04 Aug 2011 00:00:00 GMT"})
    EXPECT_EQ(read(text, true), "none") << text;
}

TEST(Moment, IsBeforeOrAfterAnother) {
  const Time moment = *to_date("2011-08-04");
  EXPECT_TRUE(is_before("2011-08-03T23:59:59.999999Z", moment));
  EXPECT_FALSE(is_before("2011-08-04", moment));
  EXPECT_FALSE(is_after("2011-08-04", moment));
  EXPECT_TRUE(is_after("2011-08-04T00:00:00.000001Z", moment));
  EXPECT_FALSE(is_before("invalid", moment));
  EXPECT_FALSE(is_after("invalid", moment));
  EXPECT_FALSE(is_after("08/05/2011", moment));
  EXPECT_TRUE(is_after("08/05/2011", moment, {.allow_other_forms = true}));
}

}  // namespace
}  // namespace moat::validate
