// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/passports.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

struct Twin {
  const char* country;
  const char* good;
  const char* bad;
};

TEST(PassportNumber, IsWrittenAsTheCountryWritesIt) {
  constexpr Twin twins[] = {
      {"AM", "AN0123456", "A01234567"}, {"AR", "AAC811035", "AC8110350"},
      {"AT", "U1234567", "12345678"},   {"AU", "PA1234567", "PA123456"},
      {"AZ", "C01234567", "CC1234567"}, {"BE", "EM000000", "EM0000000"},
      {"BG", "123456789", "12345678"},  {"BR", "FZ973689", "F9736891"},
      {"BY", "MP1234567", "MP123456"},  {"CA", "A123456AB", "AB123456A"},
      {"CH", "S5200073", "52000730"},   {"CN", "EA1234567", "EO1234567"},
      {"CY", "K00000006", "K0000006"},  {"CZ", "42747260", "4274726"},
      {"DE", "C01X00T47", "A01X00T47"}, {"DK", "207189141", "20718914"},
      {"DZ", "197025599", "A97025599"}, {"EE", "KB0012345", "KBC012345"},
      {"ES", "PAA000024", "PAAA00024"}, {"FI", "FP1234567", "F12345678"},
      {"FR", "12AB34567", "AB1234567"}, {"GB", "107182890", "10718289"},
      {"GR", "AE0000057", "A00000057"}, {"HR", "138463188", "13846318A"},
      {"HU", "BH123456", "B1234567"},   {"ID", "A4859472", "D4859472"},
      {"IE", "XN0019390", "1N0019390"}, {"IN", "A1234567", "AA123456"},
      {"IR", "Z11977831", "11977831"},  {"IS", "A1234567", "B1234567"},
      {"IT", "YA1234567", "Y12345678"}, {"JM", "A1234567", "B1234567"},
      {"JP", "NH1106002", "N11060021"}, {"KR", "M123A4567", "X12345678"},
      {"KZ", "N07654321", "076543210"}, {"LI", "R00536", "R0053"},
      {"LT", "LB311756", "LBA11756"},   {"LU", "JC4E7L2H", "JC4E7L2"},
      {"LV", "LV9000339", "L90003391"}, {"LY", "P79JF34X", "P79JF34"},
      {"MT", "1026564", "102656"},      {"MX", "N23457890", "2345789012"},
      {"MY", "H12345678", "B12345678"}, {"MZ", "AB0808212", "A0808212"},
      {"NL", "XR1001R58", "XR1001R5A"}, {"NZ", "LF012345", "LE012345"},
      {"PH", "P1234567A", "P1234567"},  {"PK", "AB1234567", "A1234567"},
      {"PL", "ZS0000177", "Z00001771"}, {"PT", "CA123456", "CAB12345"},
      {"RO", "040005646", "0400056"},   {"RU", "530000123", "53000012"},
      {"SE", "AA123456", "A1234567"},   {"SI", "PB0036440", "QB0036440"},
      {"SK", "P1234567", "PP123456"},   {"TH", "AA1234567", "1234567"},
      {"TR", "U06764100", "06764100U"}, {"UA", "EH345655", "E3456551"},
      {"US", "A12345678", "AA1234567"}, {"ZA", "A12345678", "B12345678"},
  };
  for (const Twin& twin : twins) {
    EXPECT_TRUE(is_passport_number(twin.good, twin.country)) << twin.country << ' ' << twin.good;
    EXPECT_FALSE(is_passport_number(twin.bad, twin.country)) << twin.country << ' ' << twin.bad;
    EXPECT_FALSE(is_passport_number(std::string(twin.good) + '\n', twin.country)) << twin.good;
    EXPECT_TRUE(knows_passports_of(twin.country));
  }
}

TEST(PassportNumber, HasNoSpacesOrSmallLettersUnlessAllowed) {
  EXPECT_FALSE(is_passport_number("ZS 0000177", "PL"));
  EXPECT_TRUE(is_passport_number("ZS 0000177", "PL", {.allow_spaces = true}));
  EXPECT_FALSE(is_passport_number("ZS  0000177", "PL", {.allow_spaces = true}));
  EXPECT_FALSE(is_passport_number("ZS0000177 ", "PL", {.allow_spaces = true}));
  EXPECT_FALSE(is_passport_number("zs0000177", "PL"));
  EXPECT_TRUE(is_passport_number("zs0000177", "PL", {.allow_lower_case = true}));
}

TEST(PassportNumber, KnowsItsCountries) {
  EXPECT_FALSE(knows_passports_of("XX"));
  EXPECT_FALSE(is_passport_number("123456789", "XX"));
  EXPECT_FALSE(is_passport_number("", "DE"));
}

}  // namespace
}  // namespace moat::validate
