// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/locales.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

TEST(Locale, IsALanguageTag) {
  // Most are of RFC 5646 appendix A.
  for (const char* text : {"de",
                           "i-enochian",
                           "zh-Hant",
                           "sr-Latn-RS",
                           "sl-rozaj-biske-1994",
                           "de-CH-1901",
                           "es-419",
                           "hy-Latn-IT-arevela",
                           "zh-cmn-Hans-CN",
                           "zh-yue-HK",
                           "x-whatever",
                           "qaa-Qaaa-QM-x-southern",
                           "de-CH-x-phonebk",
                           "en-US-u-islamcal",
                           "zh-CN-a-myext-x-private",
                           "en-a-myext-b-another",
                           "art-lojban",
                           "zh-min-nan",
                           "en-GB-oed",
                           "EN-us",
                           "abcd",
                           "abcdefgh"})
    EXPECT_TRUE(is_locale(text)) << text;
  for (const char* text : {"",
                           "-",
                           "d",
                           "a-DE",
                           "de-",
                           "-de",
                           "de--DE",
                           "de-DE-",
                           "de-419-DE",
                           "de-DE-1901-1901",
                           "ar-a-aaa-b-bbb-a-ccc",
                           "x",
                           "x-",
                           "de-x",
                           "en-a",
                           "en-a-b",
                           "de-toolongsubtag",
                           "abcdefghi",
                           "de-DE-Latn",
                           "dé",
                           "de DE",
                           "de_DE",
                           "en-u",
                           "zh-abc-def-ghi-jkl"})
    EXPECT_FALSE(is_locale(text)) << text;
}

TEST(Locale, HasUnderscoresWhenAllowed) {
  LocaleOptions options;
  options.allow_underscores = true;
  for (const char* text : {"es_ES", "en_US_POSIX", "es_419", "haw_US", "es-ES"})
    EXPECT_TRUE(is_locale(text, options)) << text;
  for (const char* text : {"es_", "lo_POP", "es_ES_", "es_ES-x", "e_ES", "es_Latn_ES", "_ES"})
    EXPECT_FALSE(is_locale(text, options)) << text;
}

TEST(Locale, HasAnEnd) {
  const std::string head = "en-x";
  std::string text = head;
  while (text.size() < 100) text += "-a";
  EXPECT_EQ(text.size(), 100u);
  EXPECT_TRUE(is_locale(text));
  EXPECT_FALSE(is_locale(text + "b"));
}

}  // namespace
}  // namespace moat::validate
