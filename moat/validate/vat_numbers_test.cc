// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/vat_numbers.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

struct Twin {
  const char* country;
  const char* good;
  const char* bad;
};

TEST(VatNumber, IsWrittenAsTheCountryWritesIt) {
  constexpr Twin twins[] = {
      {"AL", "ALK12345678A", "ALK123456789"},
      {"AR", "AR12345678901", "AR1234567890"},
      {"AT", "ATU12345678", "AT12345678"},
      {"BE", "BE1234567890", "BE2234567890"},
      {"BG", "BG123456789", "BG12345678"},
      {"BO", "BO1234567", "BO123456"},
      {"BR", "BR12.345.678/9012-34", "BR12345678901234"},
      {"BY", "УНП 123456789", "BY123456789"},
      {"CA", "CA123456789RT0001", "CA12345678"},
      {"CL", "CL12345678-9", "CL123456789"},
      {"CO", "CO1234567890", "CO123456789"},
      {"CR", "CR123456789", "CR12345678"},
      {"CY", "CY12345678X", "CY123456789"},
      {"CZ", "CZ12345678", "CZ1234567"},
      {"DE", "DE123456789", "DE1234567890"},
      {"DK", "DK12345678", "DK1234567"},
      {"DO", "DO123-4567890-1", "DO1234-567890-1"},
      {"EC", "EC1234567890123", "EC123456789012"},
      {"EE", "EE123456789", "EE12345678"},
      {"EL", "EL123456789", "GR123456789"},
      {"ES", "ESA1234567A", "ES1234567A"},
      {"FI", "FI12345678", "FI1234567"},
      {"FR", "FRA1123456789", "FRO1123456789"},
      {"GB", "GB123 4567 96", "GB123 4567 97"},
      {"GB", "GBHA500", "GBHA499"},
      {"GB", "GBGD499", "GBGD500"},
      {"GT", "GT1234567-8", "GT12345678"},
      {"HN", "HN12345678901234", "HN"},
      {"HR", "HR12345678901", "HR1234567890"},
      {"HU", "HU12345678", "HU1234567"},
      {"ID", "ID12.345.678.9-012.345", "ID12-345.678.9-012.345"},
      {"IE", "IE1234567WA", "IE12345678"},
      {"IL", "IL123456789", "IL12345678"},
      {"IN", "IN22AAAAA0000A1Z5", "IN22AAAAA0000A1A5"},
      {"IS", "IS12345", "IS1234"},
      {"IT", "IT12345678901", "IT1234567890"},
      {"KZ", "KZ123456789012", "KZ12345678901"},
      {"LT", "LT123456789012", "LT1234567890"},
      {"LU", "LU12345678", "LU1234567"},
      {"LV", "LV12345678901", "LV1234567890"},
      {"MK", "MK1234567890123", "MK123456789012"},
      {"MT", "MT12345678", "MT1234567"},
      {"MX", "MXABC123456DEF", "MXAB123456DEF"},
      {"NG", "NG12345678-9012", "NG1234567-89012"},
      {"NI", "NI123-456789-0123A", "NI123-456789-01234"},
      {"NL", "NL123456789B01", "NL123456789C01"},
      {"NO", "NO123456789MVA", "NO123456789"},
      {"NZ", "NZ123456789", "NZ1234567"},
      {"PA", "PA12345678-1-123456", "PA"},
      {"PE", "PE12345678901", "PE1234567890"},
      {"PH", "PH123456789012", "PH12345678901"},
      {"PL", "PL123-456-78-90", "PL12-3456-78-90"},
      {"PY", "PY12345678-9", "PY123456789"},
      {"RO", "RO12", "RO1"},
      {"RS", "RS123456789", "RS12345678"},
      {"RU", "RU1234567890", "RU12345678901"},
      {"SA", "SA123456789012345", "SA12345678901234"},
      {"SE", "SE123456789012", "SE1234567890"},
      {"SI", "SI12345678", "SI1234567"},
      {"SK", "SK1234567890", "SK123456789"},
      {"SM", "SM12345", "SM1234"},
      {"SV", "SV1234-567890-123-1", "SV12345678901231"},
      {"TR", "TR1234567890", "TR123456789"},
      {"UA", "UA123456789012", "UA12345678901"},
      {"UY", "UY123456789012", "UY12345678901"},
      {"UZ", "UZ123456789", "UZ12345678"},
      {"VE", "VEJ-12345678-9", "VEX-12345678-9"},
  };
  for (const Twin& twin : twins) {
    EXPECT_TRUE(is_vat(twin.good, twin.country)) << twin.country << ' ' << twin.good;
    EXPECT_FALSE(is_vat(twin.bad, twin.country)) << twin.country << ' ' << twin.bad;
    EXPECT_FALSE(is_vat(std::string(twin.good) + ' ', twin.country)) << twin.good;
    EXPECT_TRUE(knows_vat_of(twin.country));
  }
}

TEST(VatNumber, HasItsCheckDigitWhereThatIsLookedAt) {
  EXPECT_TRUE(is_vat("AU51824753556", "AU"));
  EXPECT_FALSE(is_vat("AU51824753557", "AU"));
  EXPECT_FALSE(is_vat("AU00000000000", "AU"));
  EXPECT_FALSE(is_vat("AU10300576603", "AU"));  // the first two digits are 11 to 99
  EXPECT_TRUE(is_vat("CHE-116.281.710 MWST", "CH"));
  EXPECT_FALSE(is_vat("CHE-116.281.711 MWST", "CH"));
  EXPECT_TRUE(is_vat("CHE116281710", "CH"));
  EXPECT_FALSE(is_vat("CH116281710", "CH"));
  EXPECT_TRUE(is_vat("PT123456789", "PT"));
  EXPECT_FALSE(is_vat("PT123456788", "PT"));
  EXPECT_FALSE(is_vat("PT097122971", "PT"));
}

TEST(VatNumber, NeedsItsPrefixUnlessAllowed) {
  EXPECT_FALSE(is_vat("123456789", "DE"));
  EXPECT_TRUE(is_vat("123456789", "DE", {.allow_missing_prefix = true}));
  EXPECT_TRUE(is_vat("DE123456789", "DE", {.allow_missing_prefix = true}));
  EXPECT_FALSE(is_vat("AT123456789", "DE", {.allow_missing_prefix = true}));
  EXPECT_FALSE(is_vat("DEDE123456789", "DE", {.allow_missing_prefix = true}));
  EXPECT_FALSE(is_vat("de123456789", "DE"));
}

TEST(VatNumber, NeedsItsSeparatorsUnlessAllowed) {
  constexpr Twin twins[] = {
      {"BR", "BR12345678901234", "BR1234567890123"},
      {"BR", "BR12ABC34501DE35", "BR12ABC34501DEF5"},
      {"BR", "BR12345678901", "BR1234567890A"},
      {"CL", "CL12345678K", "CL12345678A"},
      {"GB", "GB123456796", "GB123456797"},
      {"GB", "GB123456796001", "GB12345679600"},
      {"GT", "GT1234567K", "GT1234567A"},
      {"NI", "NI1234567890123A", "NI12345678901234"},
      {"PY", "PY1234567", "PY123456"},
      {"SV", "SV12345678901231", "SV1234567890123"},
  };
  for (const Twin& twin : twins) {
    EXPECT_FALSE(is_vat(twin.good, twin.country)) << twin.good;
    EXPECT_TRUE(is_vat(twin.good, twin.country, {.allow_missing_separators = true})) << twin.good;
    EXPECT_FALSE(is_vat(twin.bad, twin.country, {.allow_missing_separators = true})) << twin.bad;
  }
  EXPECT_TRUE(is_vat("GB123 4567 96", "GB", {.allow_missing_separators = true}));
  EXPECT_TRUE(is_vat("BR1A.345.678/9012-34", "BR"));
  EXPECT_TRUE(is_vat("CL1234567-K", "CL"));
}

TEST(VatNumber, KnowsItsCountries) {
  EXPECT_FALSE(knows_vat_of("GR"));
  EXPECT_FALSE(knows_vat_of(""));
  EXPECT_FALSE(is_vat("", "", {.allow_missing_prefix = true}));
  EXPECT_FALSE(is_vat("", "DE", {.allow_missing_prefix = true}));
}

}  // namespace
}  // namespace moat::validate
