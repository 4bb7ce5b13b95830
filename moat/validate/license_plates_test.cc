// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/license_plates.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

struct Twin {
  const char* locale;
  const char* good;
  const char* bad;
};

TEST(LicensePlate, IsWrittenAsTheCountryWritesIt) {
  constexpr Twin twins[] = {
      {"cs-CZ", "4A2-3000", "4G23000"},
      {"cs-CZ", "DICTAT0R", "DICTAT0RS"},
      {"cs-CZ", "ABCDE", "ABCD"},
      {"de-DE", "M-AB 1234", "M-ABC 123"},
      {"de-DE", "LÖ X 1", "LÉ X 1"},
      {"de-DE", "LDK-AB 123H", "LDK-AB 1234H"},
      {"de-DE", "B A 1 E", "B A 1 "},
      {"de-LI", "FL 99999", "FL 999999"},
      {"en-IN", "MH 04 AD 0001", "MH04AD1"},
      {"en-PK", "LEA 1234 19", "LEA 12345"},
      {"en-PK", "A-1234", "A-123"},
      {"en-SG", "SGX-1234-A", "SGXX1234A"},
      {"es-AR", "AB 123 CD", "AB-123-CD"},
      {"es-AR", "ABC123", "ABC1234"},
      {"fi-FI", "ABC-123", "ABCD-123"},
      {"fi-FI", "123-ABC", "1234-ABC"},
      {"hu-HU", "ABC-123", "QBC-123"},
      {"hu-HU", "AAB-123", "AAA-123"},
      {"hu-HU", "AA AA-123", "AAAA-123"},
      {"hu-HU", "CD 12-34", "CE 12-34"},
      {"pt-BR", "ABC1D23", "ABC1DD3"},
      {"pt-BR", "ABC-1234", "ABC_1234"},
      {"pt-PT", "AA-00-AA", "AA-AA-00"},
      {"pt-PT", "12·AA·34", "12·AA-34"},
      {"sq-AL", "AA 123 BB", "AA 12 BB"},
      {"sv-SE", "ABC 12A", "IQV 123"},
      {"sv-SE", "ÅÄÖ ÅÄÖ", "ÅÄÖ ÅÄÖÅ"},
      {"sv-SE", "AB", "A"},
      {"sv-SE", "EN VARG", " VARG"},
  };
  for (const Twin& twin : twins) {
    EXPECT_TRUE(is_license_plate(twin.good, twin.locale)) << twin.locale << ' ' << twin.good;
    EXPECT_FALSE(is_license_plate(twin.bad, twin.locale)) << twin.locale << ' ' << twin.bad;
    EXPECT_FALSE(is_license_plate(std::string(twin.good) + '\n', twin.locale)) << twin.good;
  }
}

TEST(LicensePlate, TakesNoStandInForALetter) {
  EXPECT_FALSE(is_license_plate("L~ X 1", "de-DE"));
  EXPECT_FALSE(is_license_plate("~~~", "sv-SE"));
  EXPECT_FALSE(is_license_plate("L\xc3 X 1", "de-DE"));
}

TEST(LicensePlate, IsUpperCaseUnlessCasesAreIgnored) {
  EXPECT_FALSE(is_license_plate("m-ab 1234", "de-DE"));
  EXPECT_TRUE(is_license_plate("m-ab 1234", "de-DE", Case::ignore));
}

TEST(LicensePlate, OfAnyLocaleIsOneOfTheTable) {
  EXPECT_TRUE(is_license_plate("FL 1"));
  EXPECT_FALSE(is_license_plate("fl 1"));
  EXPECT_TRUE(is_license_plate("fl 1", Case::ignore));
  EXPECT_FALSE(is_license_plate(""));
  EXPECT_FALSE(is_license_plate("ABC-123", "xx-XX"));
  EXPECT_FALSE(knows_license_plates_of("xx-XX"));
  EXPECT_TRUE(knows_license_plates_of("sv-SE"));
}

}  // namespace
}  // namespace moat::validate
