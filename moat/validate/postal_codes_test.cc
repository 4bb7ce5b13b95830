// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/postal_codes.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

struct Twin {
  const char* country;
  const char* good;
  const char* bad;
};

TEST(PostalCode, IsWrittenAsTheCountryWritesIt) {
  constexpr Twin twins[] = {
      {"AD", "AD500", "AD800"},       {"AR", "C1425CLA", "I1425CLA"},
      {"AT", "1010", "0101"},         {"AU", "0800", "800"},
      {"AZ", "AZ1000", "AZ10000"},    {"BA", "71000", "61000"},
      {"BD", "9499", "9500"},         {"BE", "1000", "0999"},
      {"BG", "1000", "100"},          {"BR", "01310-100", "01310 100"},
      {"BY", "220114", "200114"},     {"CA", "K1A 0B1", "K1D 0B1"},
      {"CH", "8001", "0801"},         {"CN", "100000", "140000"},
      {"CO", "110221", "100221"},     {"CZ", "110 00", "110-00"},
      {"DE", "01067", "00067"},       {"DK", "2100", "21000"},
      {"DO", "10101", "1010"},        {"DZ", "16000", "1600A"},
      {"EE", "10111", "1011"},        {"ES", "52001", "53001"},
      {"FI", "00100", "0100"},        {"FR", "97400", "96000"},
      {"GB", "SW1A 1AA", "SW1A 1AC"}, {"GR", "105 57", "105-57"},
      {"HR", "10000", "60000"},       {"HT", "HT6110", "6110"},
      {"HU", "1051", "0051"},         {"ID", "40115", "00115"},
      {"IE", "D6W A1C2", "A6W A1C2"}, {"IL", "9614303", "961430"},
      {"IN", "110001", "100001"},     {"IR", "1619735744", "1019735744"},
      {"IS", "101", "001"},           {"IT", "00144", "0144"},
      {"JO", "11937", "1193"},        {"JP", "100-8994", "1008994"},
      {"KE", "00100", "100"},         {"KR", "03051", "0305"},
      {"LI", "9490", "9499"},         {"LK", "00100", "100"},
      {"LT", "LT-01124", "01124"},    {"LU", "2010", "0010"},
      {"LV", "LV-1010", "LV1010"},    {"MC", "98000", "98100"},
      {"MG", "101", "701"},           {"MT", "VLT 1117", "VL 1117"},
      {"MX", "06000", "6000"},        {"MY", "50050", "5005"},
      {"NL", "1012 SZ", "1012 SS"},   {"NO", "0010", "010"},
      {"NP", "44600", "46600"},       {"NZ", "6011", "601"},
      {"PK", "44000", "4400"},        {"PL", "00-950", "00950"},
      {"PR", "00907-1234", "00807"},  {"PT", "1000-205", "1000205"},
      {"RO", "010011", "10011"},      {"RU", "101000", "10100"},
      {"SA", "11564-2345", "11564-"}, {"SE", "114 55", "014 55"},
      {"SG", "018956", "18956"},      {"SI", "1000", "0100"},
      {"SK", "811 01", "110 00"},     {"TH", "10200", "00200"},
      {"TN", "1000", "100"},          {"TW", "10047", "1004"},
      {"UA", "01001", "1001"},        {"US", "94105-0011", "94105-001"},
      {"ZA", "0001", "00010"},        {"ZM", "10101", "1010"},
  };
  for (const Twin& twin : twins) {
    EXPECT_TRUE(is_postal_code(twin.good, twin.country)) << twin.country << ' ' << twin.good;
    EXPECT_FALSE(is_postal_code(twin.bad, twin.country)) << twin.country << ' ' << twin.bad;
    EXPECT_FALSE(is_postal_code(std::string(twin.good) + ' ', twin.country)) << twin.good;
    EXPECT_FALSE(is_postal_code(std::string(twin.good) + '\n', twin.country)) << twin.good;
  }
}

TEST(PostalCode, IsUpperCaseUnlessCasesAreIgnored) {
  EXPECT_FALSE(is_postal_code("k1a 0b1", "CA"));
  EXPECT_TRUE(is_postal_code("k1a 0b1", "CA", Case::ignore));
  EXPECT_FALSE(is_postal_code("k1a 0b1"));
  EXPECT_TRUE(is_postal_code("k1a 0b1", Case::ignore));
}

TEST(PostalCode, OfAnyCountryIsOneOfTheTable) {
  EXPECT_TRUE(is_postal_code("LT-01124"));
  EXPECT_FALSE(is_postal_code("XX-01124"));
  EXPECT_FALSE(is_postal_code(""));
}

TEST(PostalCode, KnowsItsCountries) {
  EXPECT_TRUE(knows_postal_codes_of("DE"));
  EXPECT_FALSE(knows_postal_codes_of("de"));
  EXPECT_FALSE(knows_postal_codes_of("XX"));
  EXPECT_FALSE(is_postal_code("12345", "XX"));
  EXPECT_FALSE(is_postal_code("", "DE"));
}

}  // namespace
}  // namespace moat::validate
