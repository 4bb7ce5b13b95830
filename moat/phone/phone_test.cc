// SPDX-License-Identifier: Apache-2.0
#include "moat/phone/phone.h"

#include <gtest/gtest.h>

namespace moat::phone {
namespace {

constexpr PhoneNumberOptions in(std::string_view region, bool separators = false) {
  return {.allow_national_in = region, .allow_separators = separators};
}

Refusal refusal(std::string_view text, const PhoneNumberOptions& options = {}) {
  const auto number = PhoneNumber::parse(text, options);
  EXPECT_FALSE(number) << text;
  return number ? Refusal::empty : number.error();
}

TEST(PhoneNumber, HasOneSpellingARegionAndAKind) {
  const auto number = PhoneNumber::parse("+4915123456789");
  ASSERT_TRUE(number);
  EXPECT_EQ(number->e164(), "+4915123456789");
  EXPECT_EQ(number->region(), "DE");
  EXPECT_EQ(number->kind(), Kind::mobile);
  EXPECT_TRUE(number->is_mobile());
  EXPECT_EQ(refusal("+491512345678901234"), Refusal::not_in_plan);
}

TEST(PhoneNumber, IsTheSameHoweverItIsDialled) {
  const auto number = PhoneNumber::parse("+4915123456789");
  for (const char* text : {"015123456789", "004915123456789", "+4915123456789"}) {
    const auto national = PhoneNumber::parse(text, in("DE"));
    ASSERT_TRUE(national) << text;
    EXPECT_EQ(*national, *number);
  }
  const auto spaced = PhoneNumber::parse("(0151) 234-567.89", in("DE", true));
  ASSERT_TRUE(spaced);
  EXPECT_EQ(*spaced, *number);
  EXPECT_FALSE(*PhoneNumber::parse("+4915123456780") == *number);
}

TEST(PhoneNumber, NeedsItsCountryUnlessAPlaceIsGiven) {
  EXPECT_EQ(refusal("015123456789"), Refusal::no_country);
  EXPECT_EQ(refusal("015123456789", in("ZZ")), Refusal::no_country);
  EXPECT_EQ(refusal("015123456789", in("de")), Refusal::no_country);
  // The code tells: a place does not make it another number.
  EXPECT_EQ(PhoneNumber::parse("+4915123456789", in("FR"))->region(), "DE");
}

TEST(PhoneNumber, HasNothingButDigitsUnlessSeparatorsAreAllowed) {
  for (const char* text : {"+49 15123456789", "+49-15123456789", "+49(151)23456789", "tel:+4915123",
                           "+4915123456789;ext=1", "+4915123456789x1", "1-800-FLOWERS", "++4915",
                           "+", "４９", "+49151234\n56789", "4915123456789+"})
    EXPECT_EQ(refusal(text, in("DE")), Refusal::forbidden_character) << text;
  for (const char* text :
       {"+49  15123456789", "+49- 15123456789", " +4915123456789", "+4915123456789 ",
        "+49 (151 23456789", "+49 151) 23456789", "+49 ((151)) 23456789", "+49 () 15123456789",
        "+49/15123456789", "+49 15123456789;ext=1"})
    EXPECT_EQ(refusal(text, in("DE", true)), Refusal::forbidden_character) << text;
  EXPECT_TRUE(PhoneNumber::parse("+49 (151) 234-567.89", in("", true)));
}

TEST(PhoneNumber, IsRefusedBeforeItIsReadWhenItIsLong) {
  EXPECT_EQ(refusal(""), Refusal::empty);
  EXPECT_EQ(refusal(std::string(40, '1'), in("DE")), Refusal::not_in_plan);
  EXPECT_EQ(refusal(std::string(41, '1'), in("DE")), Refusal::too_long);
  EXPECT_EQ(refusal(std::string(1'000'000, '('), in("DE", true)), Refusal::too_long);
}

TEST(PhoneNumber, TellsKindsApart) {
  EXPECT_EQ(PhoneNumber::parse("+493012345678")->kind(), Kind::fixed_line);
  EXPECT_EQ(PhoneNumber::parse("+498001234567")->kind(), Kind::toll_free);
  EXPECT_EQ(PhoneNumber::parse("+12012345678")->kind(), Kind::fixed_line_or_mobile);
  EXPECT_EQ(PhoneNumber::parse("+80012345678")->region(), "001");
  EXPECT_FALSE(PhoneNumber::parse("+493012345678")->is_mobile());
  EXPECT_TRUE(PhoneNumber::parse("+12012345678")->is_mobile());
}

}  // namespace
}  // namespace moat::phone
