// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/tax_ids.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

struct Twin {
  const char* locale;
  const char* good;
  const char* bad;
};

constexpr Twin twins[] = {
    {"bg-BG", "7501010010", "7501010011"},
    {"bg-BG", "0101010012", "7521320010"},  // no day 32
    {"cs-CZ", "5451219994", "5451219995"},  // no multiple of 11
    {"cs-CZ", "530121/999", "530121/000"},  // no serial
    {"cs-CZ", "0424175466", "0124175466"},  // month 24 before 2004
    {"da-DK", "010111-1113", "010111-1114"},
    {"da-DK", "0101651110", "0201651110"},  // no check on the 1st of January
    {"da-DK", "0101601110", "0101591110"},  // of 1960
    {"da-DK", "0101991110", "0101111110"},  // to 1999
    {"da-DK", "2110197007", "2902034000"},  // no 29 February 2003
    {"de-AT", "931736581", "931736582"},
    {"de-DE", "26954371827", "26954371828"},
    {"de-DE", "65929970489", "65999970489"},  // four of a kind
    {"de-DE", "86095742719", "11134567890"},  // three in a row
    {"el-CY", "99652156X", "99652156A"},
    {"el-CY", "60000000A", "50000000A"},  // since 2023; the check is not known
    {"el-GR", "054100004", "054100005"},
    {"en-CA", "120217450", "120217451"},
    {"en-CA", "744797853", "000000000"},
    {"en-GB", "AA123456A", "GB123456A"},
    {"en-GB", "AA123456", "AA123456E"},
    {"en-GB", "1234567890", "123456789"},
    {"en-IE", "1234567T", "1234567A"},
    {"en-IE", "1234577WW", "1234577JA"},
    {"en-IN", "AAAAA1111A", "AAADA1111A"},
    {"en-US", "01-1234567", "07-1234567"},
    {"en-US", "01 1234567", "01  1234567"},
    {"en-US", "951234567", "961234567"},
    {"es-AR", "20271633638", "20271633639"},
    {"es-AR", "27333234519", "21333234519"},
    {"es-ES", "X1234567L", "X1234567M"},
    {"es-ES", "00054237A", "00054237U"},
    {"et-EE", "46304280206", "46304280205"},
    {"et-EE", "48512117793", "48512117794"},  // a serial above those of hospitals
    {"et-EE", "37605030299", "37613030299"},  // no month 13
    {"fi-FI", "131052-308T", "131052-308U"},
    {"fi-FI", "131002+308W", "290219A1111"},  // no 29 February 2019
    {"fr-BE", "00012511148", "00012511149"},
    {"fr-BE", "00000011115", "00013211148"},  // no day 32
    {"fr-CA", "120217450", "120217452"},
    {"fr-FR", "3023217600053", "3023217600052"},
    {"fr-FR", "30 23 217 600 053", "3 023217600053"},
    {"fr-LU", "1893120105732", "1893120105742"},
    {"hr-HR", "94577403194", "94587403194"},
    {"hu-HU", "8071592153", "8071592152"},
    {"it-IT", "DMLPRY77D15H501F", "DMLPRY77D15H501G"},
    {"it-IT", "AXXFAXTTD41H501M", "DMALPR77D15H501F"},
    {"lb-LU", "1893120105732", "1893130105732"},
    {"lt-LT", "33309240064", "33309240065"},
    {"lv-LV", "01011012344", "01011012345"},
    {"lv-LV", "32579461005", "290217-22343"},   // no 29 February 2017
    {"lv-LV", "325794-61006", "315794-61006"},  // without a check; no day 31 of month 57
    {"mt-MT", "34581M", "34581X"},
    {"mt-MT", "882345608", "812345608"},
    {"nl-BE", "00012511148", "01022911148"},
    {"nl-NL", "174559434", "174559435"},
    {"pl-PL", "2234567895", "2234567896"},
    {"pl-PL", "02070803628", "02223013623"},  // no 30 February
    {"pt-BR", "123.456.789-09", "123.456.789-08"},
    {"pt-BR", "05423994000172", "05423994000173"},
    {"pt-BR", "12ABC34501DE35", "12ABC34501DE34"},
    {"pt-BR", "52998224725", "11111111111"},
    {"pt-PT", "299999998", "299999997"},
    {"ro-RO", "3001011234564", "3001011234565"},
    {"ro-RO", "8001011234563", "8001321234560"},
    {"sk-SK", "530121999", "540121999"},
    {"sk-SK", "1234567890", "123456789012"},
    {"sl-SI", "15012557", "15012558"},
    {"sv-SE", "640823-3234", "640823-3233"},
    {"sv-SE", "196408233234", "196408233233"},
    {"uk-UA", "3006321856", "3006321857"},
};

TEST(TaxId, IsWrittenAsTheCountryWritesItAndChecks) {
  for (const Twin& twin : twins) {
    EXPECT_TRUE(is_tax_id(twin.good, twin.locale)) << twin.locale << ' ' << twin.good;
    EXPECT_FALSE(is_tax_id(twin.bad, twin.locale)) << twin.locale << ' ' << twin.bad;
    EXPECT_FALSE(is_tax_id(std::string(twin.good) + '\n', twin.locale)) << twin.good;
    EXPECT_FALSE(is_tax_id(std::string(twin.good) + "000", twin.locale)) << twin.good;
    EXPECT_TRUE(knows_tax_ids_of(twin.locale));
  }
}

TEST(TaxId, HasSeparatorsWhereOfficesPrintThemIfAllowed) {
  TaxIdOptions options;
  options.allow_separators = true;
  EXPECT_TRUE(is_tax_id("659/299/7048/9", "de-DE", options));
  EXPECT_FALSE(is_tax_id("659/299/7048/9", "de-DE"));
  EXPECT_FALSE(is_tax_id("659//299/7048/9", "de-DE", options));
  EXPECT_FALSE(is_tax_id("659-299-7048-9", "de-DE", options));
  EXPECT_TRUE(is_tax_id("93-173/6581", "de-AT", options));
  EXPECT_TRUE(is_tax_id("00.01.25-111.48", "nl-BE", options));
  EXPECT_FALSE(is_tax_id("174-559-434", "nl-NL", options));
}

TEST(TaxId, HasSmallLettersIfAllowed) {
  TaxIdOptions options;
  options.allow_lower_case = true;
  EXPECT_TRUE(is_tax_id("x1234567l", "es-ES", options));
  EXPECT_FALSE(is_tax_id("x1234567l", "es-ES"));
}

TEST(TaxId, KnowsItsLocales) {
  for (const char* locale : {"", "dk-DK", "is-NOT", "de"}) {
    EXPECT_FALSE(knows_tax_ids_of(locale));
    EXPECT_FALSE(is_tax_id("123456789", locale));
  }
  EXPECT_FALSE(is_tax_id("", "de-DE"));
}

}  // namespace
}  // namespace moat::validate
