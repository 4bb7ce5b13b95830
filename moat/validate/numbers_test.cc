// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/numbers.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

TEST(Int, HasOneSpellingUnlessLoosened) {
  const IntOptions strict;
  for (const auto* text : {"0", "-1", "9223372036854775807", "-9223372036854775808"})
    EXPECT_TRUE(is_int(text, strict)) << text;
  for (const auto* text : {"", "-", "+", "+1", "01", "-0", "1.0", "1e3", " 1", "1 ",
                           "9223372036854775808", "-9223372036854775809"})
    EXPECT_FALSE(is_int(text, strict)) << text;
  IntOptions loose;
  loose.allow_plus = loose.allow_leading_zeros = loose.allow_negative_zero = true;
  for (const auto* text : {"+1", "01", "-0", "-007"}) EXPECT_TRUE(is_int(text, loose)) << text;
  for (const auto* text : {"+-1", "++1", "+", ""}) EXPECT_FALSE(is_int(text, loose)) << text;
}

TEST(Int, BoundsAreExact) {
  IntOptions options;
  options.min = 10;
  options.max = 12;
  for (const auto* text : {"10", "12"}) EXPECT_TRUE(is_int(text, options)) << text;
  for (const auto* text : {"9", "13"}) EXPECT_FALSE(is_int(text, options)) << text;
  IntOptions open;
  open.gt = 10;
  open.lt = 12;
  EXPECT_TRUE(is_int("11", open));
  for (const auto* text : {"10", "12"}) EXPECT_FALSE(is_int(text, open)) << text;
  IntOptions wide;
  wide.max = std::int64_t{1} << 53;
  EXPECT_TRUE(is_int("9007199254740992", wide));
  EXPECT_FALSE(is_int("9007199254740993", wide));  // equal as doubles
}

TEST(Float, IsFiniteAndSpelledPlainly) {
  for (const auto* text : {"0", "1.5", "-0.25", "1e3", "1E-3", "1.5e+10"})
    EXPECT_TRUE(is_float(text)) << text;
  for (const auto* text : {"", ".", "-", "1.", ".5", "+1", "01", "e5", ".e1", "1e", "1e+", "1e999",
                           "nan", "inf", "0x1p3", "1,5", "1.5.5", " 1", "1 "})
    EXPECT_FALSE(is_float(text)) << text;
  EXPECT_EQ(to_float("-2.5"), -2.5);
  EXPECT_EQ(to_float("1e2"), 100.0);
  FloatOptions loose;
  loose.allow_plus = loose.allow_leading_zeros = loose.allow_bare_separator = true;
  for (const auto* text : {"1.", ".5", "+1", "01"}) EXPECT_TRUE(is_float(text, loose)) << text;
  for (const auto* text : {".", "e5", ".e1", "+", "+-1"})
    EXPECT_FALSE(is_float(text, loose)) << text;
  FloatOptions comma;
  comma.decimal_separator = ",";
  EXPECT_EQ(to_float("1,5", comma), 1.5);
  EXPECT_FALSE(is_float("1.5", comma));
}

TEST(Float, BoundsAndSizeAreInclusive) {
  FloatOptions options;
  options.min = 0.5;
  options.max = 1;
  for (const auto* text : {"0.5", "1"}) EXPECT_TRUE(is_float(text, options)) << text;
  for (const auto* text : {"0.49", "1.01"}) EXPECT_FALSE(is_float(text, options)) << text;
  FloatOptions open;
  open.gt = 0.5;
  open.lt = 1;
  for (const auto* text : {"0.5", "1"}) EXPECT_FALSE(is_float(text, open)) << text;
  EXPECT_TRUE(is_float("0." + std::string(510, '1')));
  EXPECT_FALSE(is_float("0." + std::string(511, '1')));
  FloatOptions bare;
  bare.allow_bare_separator = true;
  EXPECT_TRUE(is_float("-." + std::string(510, '1'), bare));  // grows by a zero
}

TEST(Decimal, HasAFractionOfAsManyDigits) {
  for (const auto* text : {"0", "-1.5", "123456789012345678901234567890.1"})
    EXPECT_TRUE(is_decimal(text)) << text;
  for (const auto* text : {"", "-", "1.", ".5", "+1", "01", "1e3", "1.5.", "1,5"})
    EXPECT_FALSE(is_decimal(text)) << text;
  DecimalOptions options;
  options.require_fraction = true;
  options.min_fraction_digits = 2;
  options.max_fraction_digits = 3;
  for (const auto* text : {"1.00", "1.000"}) EXPECT_TRUE(is_decimal(text, options)) << text;
  for (const auto* text : {"1", "1.0", "1.0000"}) EXPECT_FALSE(is_decimal(text, options)) << text;
  DecimalOptions loose;
  loose.allow_plus = loose.allow_leading_zeros = loose.allow_bare_separator = true;
  for (const auto* text : {"+1", "01", ".5"}) EXPECT_TRUE(is_decimal(text, loose)) << text;
  for (const auto* text : {"1.", "."}) EXPECT_FALSE(is_decimal(text, loose)) << text;
}

TEST(Numeric, IsDigitsAndSymbolsOnlyWhenAllowed) {
  EXPECT_TRUE(is_numeric("007"));
  for (const auto* text : {"", "-1", "1.5", "a"}) EXPECT_FALSE(is_numeric(text)) << text;
  for (const auto* text : {"-1", "+1.5", ".5"})
    EXPECT_TRUE(is_numeric(text, Symbols::allow)) << text;
  for (const auto* text : {"", ".", "1.", "-", "1,5"})
    EXPECT_FALSE(is_numeric(text, Symbols::allow)) << text;
  EXPECT_TRUE(is_numeric("1,5", Symbols::allow, ","));
}

TEST(Numbers, OfOtherKinds) {
  OctalOptions prefix;
  prefix.allow_prefix = true;
  EXPECT_TRUE(is_octal("0127"));
  EXPECT_FALSE(is_octal("8"));
  EXPECT_FALSE(is_octal("0o7"));
  EXPECT_TRUE(is_octal("0o7", prefix));
  EXPECT_FALSE(is_octal("0o", prefix));
  EXPECT_TRUE(is_divisible_by("-4", 2));
  EXPECT_FALSE(is_divisible_by("-3", 2));
  EXPECT_FALSE(is_divisible_by("4", 0));
  EXPECT_FALSE(is_divisible_by("x", 1));
  EXPECT_TRUE(is_divisible_by("-9223372036854775808", -1));
  EXPECT_EQ(decimal_separator("de-DE"), ",");
  EXPECT_EQ(decimal_separator("en-US"), ".");
  EXPECT_FALSE(decimal_separator("xx-XX"));
}

TEST(LatLong, IsWithinTheGlobe) {
  for (const auto* text : {"90,180", "-90.0, -180.00", "(0.5, +1)", "0,0"})
    EXPECT_TRUE(is_lat_long(text)) << text;
  for (const auto* text :
       {"", ",", "(", ")", "()", "(,)", "90.0000000000000000000001,0", "0,180.1", "91,0", "01,0",
        "1", "1,", "1.,1", "(1,1", "1,1)", "1 ,1", "1,1 ", "1,1,1", "+,1"})
    EXPECT_FALSE(is_lat_long(text)) << text;
}

TEST(Integer, HasTheBaseAsked) {
  EXPECT_EQ(to_int("ff", 16), 255);
  EXPECT_EQ(to_int("-Ff", 16), -255);
  EXPECT_EQ(to_int("101", 2), 5);
  EXPECT_EQ(to_int("z", 36), 35);
  EXPECT_EQ(to_int("9223372036854775807", 10), 9223372036854775807);
  for (const char* text :
       {"", "-", "0x1", "02", "-0", "+1", " 1", "1 ", "--1", "9223372036854775808"})
    EXPECT_EQ(to_int(text, 10), std::nullopt) << text;
  EXPECT_EQ(to_int("2", 2), std::nullopt);
  EXPECT_EQ(to_int("0x1f", 16), std::nullopt);
  EXPECT_EQ(to_int("1", 1), std::nullopt);
  EXPECT_EQ(to_int("1", 37), std::nullopt);
  EXPECT_EQ(to_int("1", 0), std::nullopt);
}

}  // namespace
}  // namespace moat::validate
