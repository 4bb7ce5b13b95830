// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/alphabets.h"

#include <gtest/gtest.h>

namespace moat::validate {
namespace {

struct Twin {
  const char* locale;
  const char* good;
  const char* bad;
};

TEST(Alphabet, HasItsOwnLetters) {
  constexpr Twin twins[] = {
      {"ar-EG", "أبت", "أبت1"},         {"az-AZ", "Azərbaycan", "wəkil"},
      {"bg-BG", "жаба", "zhaba"},       {"bn-BD", "দাস", "দাস২"},
      {"cs-CZ", "žluťoučký", "ľúbi"},   {"da-DK", "Øre", "äre"},
      {"de-DE", "Heiß", "é"},           {"el-GR", "Ελλάδα", "ελλάδα!"},
      {"en-US", "abc", "äbc"},          {"eo", "ĉiuĵaŭde", "qwxyz"},
      {"es-ES", "español", "föö"},      {"fa-IR", "پارسی", "پارسی۱"},
      {"fi-FI", "Öljy", "Øljy"},        {"fr-FR", "Œuvre", "ñ"},
      {"gu-IN", "ગુજરાતી", "ગુજરાતી૧"},   {"he", "שלום", "שלום1"},
      {"hi-IN", "हिन्दी", "हिन्दी१"},     {"hu-HU", "ÁRVÍZTŰRŐ", "ä"},
      {"it-IT", "àéèìîóòù", "ä"},       {"ja-JP", "天国と地獄", "１９８４"},
      {"kk-KZ", "Қайталаңызшы", "Q"},   {"kn-IN", "ಕನ್ನಡ", "ಕನ್ನಡ."},
      {"ko-KR", "훈민정음", "abc"},     {"ku-IQ", "کوردستان", "abc"},
      {"ml-IN", "മലയാളം", "മലയാളം1"},   {"nb-NO", "Ære", "äre"},
      {"nl-NL", "één", "Øre"},          {"nn-NO", "Øre", "ö"},
      {"or-IN", "ଓଡ଼ିଆ", "ଓଡ଼ିଆ1"},         {"pa-IN", "ਪੰਜਾਬੀ", "ਪੰਜਾਬੀ."},
      {"pl-PL", "święty", "ř"},         {"pt-BR", "órgão", "Heiß"},
      {"ru-RU", "Ёлка", "Їжак"},        {"si-LK", "චතුර", "චතුර1"},
      {"sk-SK", "ľúbím", "你好"},       {"sl-SI", "Čaša", "ä"},
      {"sr-RS", "ЧПСТЋЏ", "Š"},         {"sr-RS@latin", "ŠATROĆčđš", "Ч"},
      {"sv-SE", "Åre", "Øre"},          {"ta-IN", "தமிழ்", "தமிழ்."},
      {"te-IN", "తెలుగు", "తెలుగు1"},     {"th-TH", "สวัสดี", "สวัสดี ๑"},
      {"tr-TR", "İıÖöÇçŞşĞğÜü", "ÄBC"}, {"uk-UA", "Їжак", "ЫыЪъЭэ"},
      {"vi-VN", "thiến", "thầy3"},
  };
  for (const Twin& twin : twins) {
    EXPECT_TRUE(is_alpha_in(twin.good, twin.locale)) << twin.locale << ' ' << twin.good;
    EXPECT_FALSE(is_alpha_in(twin.bad, twin.locale)) << twin.locale << ' ' << twin.bad;
    EXPECT_TRUE(is_alphanumeric_in(twin.good, twin.locale)) << twin.locale << ' ' << twin.good;
    EXPECT_FALSE(is_alpha_in("", twin.locale));
    EXPECT_TRUE(knows_alphabet_of(twin.locale));
  }
}

TEST(Alphabet, DoesNotHideLookAlikeLetters) {
  EXPECT_FALSE(is_alpha_in("p\u0430ypal", "en"));   // Cyrillic a
  EXPECT_FALSE(is_alpha_in("АБВI", "uk-UA"));       // Latin I
  EXPECT_FALSE(is_alpha_in("e\u0301te", "fr-FR"));  // a combining accent
  EXPECT_FALSE(is_alpha_in("ab\u200bc", "en"));     // zero width
  EXPECT_FALSE(is_alpha_in("ab\xff", "en"));        // no UTF-8
}

TEST(Alphabet, HasDigitsOfItsOwnAndTheUsualOnes) {
  EXPECT_TRUE(is_alphanumeric_in("پارسی۱۲۳9", "fa-IR"));
  EXPECT_FALSE(is_alphanumeric_in("٤٥٦", "fa-IR"));
  EXPECT_TRUE(is_alphanumeric_in("٤٥٦", "ar"));
  EXPECT_TRUE(is_alphanumeric_in("বাংলা১২৩", "bn-IN"));
  EXPECT_FALSE(is_alphanumeric_in("বাংলা123", "bn-IN"));
  EXPECT_TRUE(is_alphanumeric_in("２０世紀少年", "ja-JP"));
  EXPECT_FALSE(is_alphanumeric_in("äbc1", "en"));
  EXPECT_FALSE(is_alphanumeric_in("123.45", "ta-IN"));
}

TEST(Alphabet, IgnoresWhatItIsTold) {
  EXPECT_TRUE(is_alpha_in("en-US / de", "en", "-/ "));
  EXPECT_FALSE(is_alpha_in("en-US", "en"));
  EXPECT_FALSE(is_alpha_in("--", "en", "-"));
  EXPECT_TRUE(is_alpha_in("a\u2013z", "en", "\u2013"));
  EXPECT_FALSE(is_alpha_in("a-z", "en", "a-z\xff"));
  // No range: only those three characters.
  EXPECT_FALSE(is_alphanumeric_in("1b\u00e9", "en", "\u00e0-\u00ff"));
}

TEST(Alphabet, KnowsItsLocales) {
  for (const char* locale : {"de", "de-DE", "en-ZM", "ar-QM", "sr@latin", "sr-RS@latin", "bn"})
    EXPECT_TRUE(knows_alphabet_of(locale)) << locale;
  for (const char* locale : {"", "-", "xx", "is-NOT", "de-", "de-de", "de-DEU", "de_DE", "DE",
                             "de-DE@latin", "sr-@latin", "sr-R@latin", "sr-RSX@latin"})
    EXPECT_FALSE(knows_alphabet_of(locale)) << locale;
  EXPECT_FALSE(is_alpha_in("abc", "xx"));
}

}  // namespace
}  // namespace moat::validate
