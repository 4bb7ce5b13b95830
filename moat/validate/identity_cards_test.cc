// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/identity_cards.h"

#include <gtest/gtest.h>

#include <string>

#include "moat/validate/internal/national_numbers.h"

namespace moat::validate {
namespace {

struct Twin {
  const char* country;
  const char* good;
  const char* bad;
};

constexpr Twin twins[] = {
    {"CN", "235407195106112745", "235407195106112746"},
    {"CN", "110101491001001", "110101940231001"},        // no 31 February
    {"CN", "11010519491231002X", "160105194912310023"},  // no province 16
    {"ES", "01234567L", "01234567M"},
    {"ES", "Z1234567R", "W1234567R"},
    {"FI", "131052-308T", "131052-308A"},
    {"FI", "131052A308T", "321052A308T"},
    {"HK", "Q803337(0)", "Q803337(1)"},
    {"HK", "OV290326[A]", "RH265886(3)"},
    {"HK", "Z867821A", "Z867821(A"},
    {"IL", "219472156", "219472157"},
    {"IL", "335211686", "000000000"},
    {"IN", "2984 4886 3364", "2984 4886 3365"},
    {"IN", "298448863364", "098448863364"},
    {"IR", "0499370899", "0499370898"},
    {"IR", "1583250689", "1111111111"},
    {"IT", "CR43675TM", "CA00000AA"},
    {"LK", "993151225X", "993151225A"},
    {"LK", "200023125632", "000023125632"},
    {"LY", "119803455876", "319803455876"},
    {"MZ", "110101234567M", "110101234567"},
    {"FI", "090379-002N", "090379-001M"},  // serials begin with 002
    {"NO", "29126214926", "29126214927"},
    {"NO", "15116073584", "15115273407"},  // 734: of 1854 to 1899 alone
    {"NO", "13031379673", "26028338724"},
    {"PK", "45504-4185771-3", "85504-4185771-3"},
    {"PK", "21143-6182971-2", "21143-6182971-0"},
    {"PL", "09210215408", "09210215409"},
    {"PL", "20313034701", "06566860643"},  // no day 68
    {"TH", "1101230000060", "1101230000061"},
    {"TN", "09958092", "0995809"},
    {"TW", "B176944193", "B176944194"},
    {"TW", "Z277018381", "Z577018381"},
};

TEST(IdentityCard, IsWrittenAsTheCountryWritesItAndChecks) {
  for (const Twin& twin : twins) {
    EXPECT_TRUE(is_identity_card(twin.good, twin.country)) << twin.country << ' ' << twin.good;
    EXPECT_FALSE(is_identity_card(twin.bad, twin.country)) << twin.country << ' ' << twin.bad;
    EXPECT_FALSE(is_identity_card(std::string(twin.good) + '\n', twin.country)) << twin.good;
    EXPECT_TRUE(is_identity_card(twin.good)) << twin.good;
    EXPECT_TRUE(knows_identity_cards_of(twin.country));
  }
  EXPECT_FALSE(is_identity_card("no card"));
  EXPECT_FALSE(is_identity_card(""));
}

TEST(IdentityCard, IsOfNobodyWhoIsYetToBeBorn) {
  IdentityCardOptions options;
  options.max_birth_year = 1951;
  EXPECT_TRUE(is_identity_card("235407195106112745", "CN", options));
  options.max_birth_year = 1950;
  EXPECT_FALSE(is_identity_card("235407195106112745", "CN", options));
}

TEST(IdentityCard, HasSmallLettersIfAllowed) {
  IdentityCardOptions options;
  options.allow_lower_case = true;
  EXPECT_TRUE(is_identity_card("x1234567l", "ES", options));
  EXPECT_FALSE(is_identity_card("x1234567l", "ES"));
}

TEST(IdentityCard, KnowsItsCountries) {
  for (const char* country : {"", "DE", "zh-CN", "es"}) {
    EXPECT_FALSE(knows_identity_cards_of(country));
    EXPECT_FALSE(is_identity_card("01234567L", country));
  }
}

TEST(NationalNumbers, SeeEveryWrongDigitByVerhoeff) {
  const std::string good = "298448863364";
  ASSERT_TRUE(internal::has_verhoeff_digit(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (char c = '0'; c <= '9'; ++c) {
      auto text = good;
      text[i] = c;
      EXPECT_EQ(internal::has_verhoeff_digit(text), text == good) << text;
    }
  }
}

TEST(NationalNumbers, SeeEveryWrongDigitByIso7064) {
  const std::string good = "94577403194";
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (char c = '0'; c <= '9'; ++c) {
      auto text = good;
      text[i] = c;
      EXPECT_EQ(internal::has_iso7064_mod_11_10(text), text == good) << text;
    }
  }
}

}  // namespace
}  // namespace moat::validate
