// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/mobile_phones.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "moat/validate/internal/mobile_plan.h"

namespace moat::validate {
namespace {

constexpr MobilePhoneOptions loose = {.allow_missing_plus = true, .allow_separators = true};

struct Twin {
  const char* locale;
  const char* good;
  const char* bad;
};

// The second differs in one digit, which no mobile number of the country has there.
constexpr Twin twins[] = {
    {"am-AM", "+37477123456", "+37417123456"},     {"ar-AE", "+971501234567", "+971101234567"},
    {"ar-BH", "+97336001234", "+97316001234"},     {"ar-DZ", "+213551234567", "+213151234567"},
    {"ar-EG", "+201001234567", "+202001234567"},   {"ar-EH", "+212650123456", "+212150123456"},
    {"ar-IQ", "+9647912345678", "+9641912345678"}, {"ar-JO", "+962790123456", "+962190123456"},
    {"ar-KW", "+96550012345", "+96510012345"},     {"ar-LB", "+96171123456", "+96111123456"},
    {"ar-LY", "+218912345678", "+218112345678"},   {"ar-MA", "+212650123456", "+212150123456"},
    {"ar-OM", "+96892123456", "+96812123456"},     {"ar-PS", "+970599123456", "+970199123456"},
    {"ar-QA", "+97433123456", "+97413123456"},     {"ar-SA", "+966512345678", "+966112345678"},
    {"ar-SD", "+249911231234", "+249211231234"},   {"ar-SY", "+963944567890", "+963144567890"},
    {"ar-TN", "+21620123456", "+21610123456"},     {"ar-YE", "+967712345678", "+967112345678"},
    {"az-AZ", "+994401234567", "+994201234567"},   {"be-BY", "+375294911911", "+375194911911"},
    {"bg-BG", "+35943012345", "+35913012345"},     {"bn-BD", "+8801812345678", "+8802812345678"},
    {"bs-BA", "+38761123456", "+38711123456"},     {"ca-AD", "+376312345", "+376112345"},
    {"cs-CZ", "+420601123456", "+420001123456"},   {"da-DK", "+4532123456", "+4502123456"},
    {"de-AT", "+43664123456", "+43064123456"},     {"de-CH", "+41781234567", "+41081234567"},
    {"de-DE", "+4915123456789", "+4925123456789"}, {"de-LU", "+352628123456", "+352128123456"},
    {"dv-MV", "+9607712345", "+9601712345"},       {"dz-BT", "+97517123456", "+97527123456"},
    {"el-CY", "+35796123456", "+35716123456"},     {"el-GR", "+306912345678", "+301912345678"},
    {"en-AG", "+12684641234", "+12681641234"},     {"en-AI", "+12642351234", "+12641351234"},
    {"en-AU", "+61412345678", "+61112345678"},     {"en-BM", "+14413701234", "+14411701234"},
    {"en-BS", "+12423591234", "+1242359123"},      {"en-BW", "+26771123456", "+26711123456"},
    {"en-CA", "+15062345678", "+15061345678"},     {"en-CM", "+237671234567", "+237171234567"},
    {"en-GB", "+447400123456", "+441400123456"},   {"en-GG", "+447781123456", "+441781123456"},
    {"en-GH", "+233231234567", "+233131234567"},   {"en-GY", "+5926091234", "+5921091234"},
    {"en-HK", "+85251234567", "+85211234567"},     {"en-IE", "+353850123456", "+353150123456"},
    {"en-IN", "+918123456789", "+911123456789"},   {"en-JM", "+18762101234", "+18761101234"},
    {"en-KE", "+254712123456", "+254212123456"},   {"en-KI", "+68672001234", "+68612001234"},
    {"en-KN", "+18697652917", "+18691652917"},     {"en-LS", "+26650123456", "+26610123456"},
    {"en-MO", "+85366123456", "+85316123456"},     {"en-MT", "+35696961234", "+35616961234"},
    {"en-MU", "+23052512345", "+23002512345"},     {"en-MW", "+265991234567", "+265191234567"},
    {"en-NA", "+264811234567", "+264111234567"},   {"en-NG", "+2348021234567", "+2341021234567"},
    {"en-NZ", "+64211234567", "+64111234567"},     {"en-PG", "+67570123456", "+67510123456"},
    {"en-PH", "+639051234567", "+631051234567"},   {"en-PK", "+923012345678", "+921012345678"},
    {"en-RW", "+250720123456", "+250120123456"},   {"en-SG", "+6581234567", "+6511234567"},
    {"en-SL", "+23225123456", "+23215123456"},     {"en-SS", "+211977123456", "+211177123456"},
    {"en-TZ", "+255621234567", "+255121234567"},   {"en-UG", "+256712345678", "+256112345678"},
    {"en-US", "+12015550123", "+12011550123"},     {"en-ZA", "+27711234567", "+27111234567"},
    {"en-ZM", "+260955123456", "+260155123456"},   {"en-ZW", "+263712345678", "+263012345678"},
    {"es-AR", "+5491123456789", "+5411123456789"}, {"es-BO", "+59171234567", "+59111234567"},
    {"es-CL", "+56221234567", "+56121234567"},     {"es-CO", "+573211234567", "+571211234567"},
    {"es-CR", "+50683123456", "+50613123456"},     {"es-CU", "+5351234567", "+5311234567"},
    {"es-DO", "+18092345678", "+18091345678"},     {"es-EC", "+593991234567", "+593191234567"},
    {"es-ES", "+34612345678", "+34112345678"},     {"es-GT", "+50251234567", "+50211234567"},
    {"es-HN", "+50491234567", "+50411234567"},     {"es-MX", "+522221234567", "+520221234567"},
    {"es-NI", "+50581234567", "+50501234567"},     {"es-PA", "+50761234567", "+50701234567"},
    {"es-PE", "+51912345678", "+51112345678"},     {"es-PY", "+595961456789", "+595161456789"},
    {"es-SV", "+50370123456", "+50310123456"},     {"es-UY", "+59894231234", "+59814231234"},
    {"es-VE", "+584121234567", "+581121234567"},   {"et-EE", "+37251234567", "+37211234567"},
    {"fa-AF", "+93701234567", "+93101234567"},     {"fa-IR", "+989123456789", "+981123456789"},
    {"fi-FI", "+358412345678", "+358112345678"},   {"fj-FJ", "+6797012345", "+6791012345"},
    {"fo-FO", "+298211234", "+298011234"},         {"fr-BE", "+32470123456", "+32170123456"},
    {"fr-BF", "+22670123456", "+22610123456"},     {"fr-BJ", "+22990011234", "+22910011234"},
    {"fr-CA", "+15062345678", "+15061345678"},     {"fr-CD", "+243991234567", "+243191234567"},
    {"fr-CF", "+23670012345", "+23610012345"},     {"fr-CH", "+41781234567", "+41081234567"},
    {"fr-CM", "+237671234567", "+237171234567"},   {"fr-DJ", "+25377831001", "+25317831001"},
    {"fr-FR", "+33612345678", "+33112345678"},     {"fr-GF", "+594694201234", "+594194201234"},
    {"fr-GP", "+590690001234", "+590190001234"},   {"fr-MQ", "+596696201234", "+596196201234"},
    {"fr-PF", "+68987123456", "+68917123456"},     {"fr-RE", "+262692123456", "+262192123456"},
    {"fr-WF", "+681821234", "+681121234"},         {"ga-IE", "+353850123456", "+353150123456"},
    {"he-IL", "+972502345678", "+972102345678"},   {"hu-HU", "+36201234567", "+36101234567"},
    {"id-ID", "+62812345678", "+62112345678"},     {"ir-IR", "+989123456789", "+981123456789"},
    {"it-CH", "+41781234567", "+41081234567"},     {"it-IT", "+393123456789", "+391123456789"},
    {"it-SM", "+37866661212", "+37816661212"},     {"ja-JP", "+819012345678", "+811012345678"},
    {"ka-GE", "+995555123456", "+995155123456"},   {"kk-KZ", "+77710009998", "+71710009998"},
    {"kl-GL", "+299221234", "+299021234"},         {"ko-KR", "+821020000000", "+822020000000"},
    {"ky-KG", "+996700123456", "+996100123456"},   {"lt-LT", "+37061234567", "+37011234567"},
    {"lv-LV", "+37121234567", "+37111234567"},     {"mg-MG", "+261321234567", "+261121234567"},
    {"mk-MK", "+38972345678", "+38912345678"},     {"mn-MN", "+97688123456", "+97618123456"},
    {"ms-MY", "+60123456789", "+60223456789"},     {"my-MM", "+9592123456", "+9512123456"},
    {"mz-MZ", "+258821234567", "+258121234567"},   {"nb-NO", "+4740612345", "+4710612345"},
    {"ne-NP", "+9779841234567", "+9771841234567"}, {"nl-AW", "+2975601234", "+2971601234"},
    {"nl-BE", "+32470123456", "+32170123456"},     {"nl-NL", "+31612345678", "+31112345678"},
    {"nn-NO", "+4740612345", "+4710612345"},       {"pl-PL", "+48512345678", "+48112345678"},
    {"pt-AO", "+244923123456", "+244123123456"},   {"pt-BR", "+5511961234567", "+5501961234567"},
    {"pt-PT", "+351912345678", "+351112345678"},   {"ro-MD", "+37362112345", "+37312112345"},
    {"ro-RO", "+40712034567", "+40112034567"},     {"ru-RU", "+79123456789", "+71123456789"},
    {"si-LK", "+94712345678", "+94112345678"},     {"sk-SK", "+421912123456", "+421012123456"},
    {"sl-SI", "+38631234567", "+38611234567"},     {"so-SO", "+25271123456", "+25211123456"},
    {"sq-AL", "+355672123456", "+355172123456"},   {"sr-RS", "+381601234567", "+381101234567"},
    {"sv-SE", "+46701234567", "+46101234567"},     {"tg-TJ", "+992917123456", "+992317123456"},
    {"th-TH", "+66812345678", "+66112345678"},     {"tk-TM", "+99366123456", "+99376123456"},
    {"tr-TR", "+905012345678", "+901012345678"},   {"uk-UA", "+380501234567", "+380101234567"},
    {"uz-UZ", "+998912345678", "+998112345678"},   {"vi-VN", "+84912345678", "+84112345678"},
    {"zh-CN", "+8613123456789", "+8623123456789"}, {"zh-HK", "+85251234567", "+85211234567"},
    {"zh-MO", "+85366123456", "+85316123456"},     {"zh-TW", "+886912345678", "+886112345678"},
};

TEST(MobilePhone, IsWrittenAsTheCountryWritesIt) {
  for (const Twin& twin : twins) {
    EXPECT_TRUE(is_mobile_phone(twin.good, twin.locale)) << twin.locale << ' ' << twin.good;
    EXPECT_FALSE(is_mobile_phone(twin.bad, twin.locale)) << twin.locale << ' ' << twin.bad;
    EXPECT_TRUE(is_mobile_phone(twin.good)) << twin.good;
    EXPECT_TRUE(is_mobile_phone(twin.good, twin.locale, loose)) << twin.good;
  }
}

TEST(MobilePhone, HasTwinsOfEveryLocale) {
  std::set<std::string> wanted;
  std::set<std::string> got;
  for (const auto& row : internal::mobile_plans()) wanted.insert(std::string(row.locale));
  for (const auto& row : internal::mobile_aliases()) wanted.insert(std::string(row.alias));
  for (const Twin& twin : twins) got.insert(twin.locale);
  EXPECT_EQ(got, wanted);
}

TEST(MobilePhone, HasNothingAroundOrInIt) {
  for (const Twin& twin : twins) {
    const std::string good = twin.good;
    for (const std::string& text :
         {good + '\n', ' ' + good, good + ' ', good + '\0', '+' + good, "tel:" + good,
          good + ";ext=1", good + '-', good.substr(0, 6) + "  " + good.substr(6),
          good.substr(0, 6) + "--" + good.substr(6), good.substr(0, 5) + 'a' + good.substr(6),
          good.substr(0, 5) + '\0' + good.substr(6), good.substr(0, 5) + "\uFF11" + good.substr(6),
          good.substr(0, 5) + "\u0661" + good.substr(6), good.substr(0, 4), good + "00000000000"}) {
      EXPECT_FALSE(is_mobile_phone(text, twin.locale)) << twin.locale << ' ' << text;
      EXPECT_FALSE(is_mobile_phone(text, twin.locale, loose)) << twin.locale << ' ' << text;
    }
  }
}

TEST(MobilePhone, NeedsAPlusUnlessItMayBeMissing) {
  constexpr MobilePhoneOptions national = {.allow_missing_plus = true};
  for (const Twin& twin :
       {Twin{"de-DE", "015123456789", "15123456789"},
        Twin{"de-DE", "015123456789", "4915123456789"},
        Twin{"zh-CN", "008613123456789", "8613123456789"},
        Twin{"en-GB", "447400123456", "00447400123456"}, Twin{"hu-HU", "06201234567", "0201234567"},
        Twin{"kk-KZ", "87710009998", "07710009998"}, Twin{"it-SM", "05496123456", "0549123456"},
        Twin{"mn-MN", "01197691112222", "01097691112222"},
        Twin{"it-IT", "3123456789", "03123456789"}, Twin{"mg-MG", "4269174", "04269174"},
        Twin{"sk-SK", "0912123456", "0812123456"}, Twin{"el-CY", "35799701619", "3599701619"},
        Twin{"my-MM", "9750202595", "975020259"}}) {
    EXPECT_TRUE(is_mobile_phone(twin.good, twin.locale, national)) << twin.good;
    EXPECT_FALSE(is_mobile_phone(twin.bad, twin.locale, national)) << twin.bad;
    EXPECT_FALSE(is_mobile_phone(twin.good, twin.locale)) << twin.good;
    EXPECT_FALSE(is_mobile_phone(twin.good, twin.locale, {.allow_separators = true})) << twin.good;
  }
}

TEST(MobilePhone, HasSeparatorsWherePeopleWriteThemIfAllowed) {
  constexpr MobilePhoneOptions separated = {.allow_separators = true};
  for (const Twin& twin : {Twin{"en-US", "+1 (567) 362-8910", "+1 (567 362-8910"},
                           Twin{"en-US", "+1-567-362-8910", "+1-567--362-8910"},
                           Twin{"en-BS", "+1 (242)-359-1234", "+1 242-(359)-1234"},
                           Twin{"en-HK", "+852-9123-4567", "+852-91-234567"},
                           Twin{"cs-CZ", "+420 601 123 456", "+420-601-123-456"},
                           Twin{"da-DK", "+45 32 12 34 56", "+45 321 23 456"},
                           Twin{"fi-FI", "+358 50 555 7171", "+3-585-0555-7171"},
                           Twin{"id-ID", "+62811 778 998", "+62 811 778 998"},
                           Twin{"ja-JP", "+81-(0)90-1234-5678", "+81-090-1234-5678"},
                           Twin{"ko-KR", "+82-10-1234-5678", "+82 101 1234 5678"},
                           Twin{"nl-NL", "+31(0)612345678", "+31(0612345678"},
                           Twin{"pl-PL", "+48 512 345 678", "+48 5123 45 678"},
                           Twin{"pt-BR", "+55 (11) 91431-4567", "+55 (11) 90431-4567"},
                           Twin{"ro-RO", "+40740.123.456", "+40740..123456"},
                           Twin{"sv-SE", "+46-70-123 45 67", "+46-70-123 45 "},
                           Twin{"fa-IR", "+98 938 345 6789", "+98 912 3456 6789"},
                           Twin{"zh-TW", "+886-912345678", "+886-912-345678"},
                           Twin{"ar-EH", "+212-5288-12312", "+212-5290-12312"}}) {
    EXPECT_TRUE(is_mobile_phone(twin.good, twin.locale, separated)) << twin.good;
    EXPECT_FALSE(is_mobile_phone(twin.bad, twin.locale, separated)) << twin.bad;
    EXPECT_FALSE(is_mobile_phone(twin.good, twin.locale)) << twin.good;
    EXPECT_FALSE(is_mobile_phone(twin.good, twin.locale, {.allow_missing_plus = true}));
  }
  // Nobody writes them so there.
  EXPECT_FALSE(is_mobile_phone("+380 98 234 5679", "uk-UA", separated));
  EXPECT_FALSE(is_mobile_phone("+86-13123456789", "zh-CN", separated));
}

TEST(MobilePhone, IsAsLongAsThePlanSays) {
  // Exactly as long, and within limits.
  EXPECT_FALSE(is_mobile_phone("+3361234567", "fr-FR"));
  EXPECT_TRUE(is_mobile_phone("+33612345678", "fr-FR"));
  EXPECT_FALSE(is_mobile_phone("+336123456789", "fr-FR"));
  EXPECT_FALSE(is_mobile_phone("+642123456", "en-NZ"));
  EXPECT_TRUE(is_mobile_phone("+6421234567", "en-NZ"));
  EXPECT_TRUE(is_mobile_phone("+642123456789", "en-NZ"));
  EXPECT_FALSE(is_mobile_phone("+6421234567890", "en-NZ"));
  EXPECT_TRUE(is_mobile_phone("+25377800000", "fr-DJ"));
  EXPECT_FALSE(is_mobile_phone("+25377900000", "fr-DJ"));
}

TEST(MobilePhone, IsOfOneOfTheLocalesAsked) {
  constexpr std::array<std::string_view, 3> locales = {"fr-FR", "xx-XX", "de-CH"};
  EXPECT_TRUE(is_mobile_phone("+33612345678", locales));
  EXPECT_TRUE(is_mobile_phone("+41781234567", locales));
  EXPECT_FALSE(is_mobile_phone("+447400123456", locales));
  EXPECT_FALSE(is_mobile_phone("0612345678", locales));
  EXPECT_TRUE(is_mobile_phone("0612345678", locales, {.allow_missing_plus = true}));
  EXPECT_FALSE(is_mobile_phone("+33612345678", std::span<const std::string_view>()));
}

TEST(MobilePhone, OfAnyLocaleIsOneOfTheTable) {
  EXPECT_TRUE(is_mobile_phone("+85366123456"));
  EXPECT_FALSE(is_mobile_phone("85366123456"));
  EXPECT_TRUE(is_mobile_phone("85366123456", {.allow_missing_plus = true}));
  EXPECT_TRUE(is_mobile_phone("+299 12 34 56", {.allow_separators = true}));
  EXPECT_FALSE(is_mobile_phone("+299 12 34 56"));
  EXPECT_FALSE(is_mobile_phone("+999612345678"));
  EXPECT_FALSE(is_mobile_phone("+0612345678", loose));
  EXPECT_FALSE(is_mobile_phone("0000000000", loose));
  EXPECT_FALSE(is_mobile_phone("asdf", loose));
}

TEST(MobilePhone, KnowsItsLocales) {
  for (const char* locale : {"de-DE", "en-CA", "fr-CA", "fr-BE", "zh-HK", "zh-MO", "ga-IE", "fr-CH",
                             "it-CH", "ir-IR", "nn-NO", "am-AM", "zh-TW"})
    EXPECT_TRUE(knows_mobile_phones_of(locale)) << locale;
  for (const char* locale :
       {"", "any", "is-NOT", "de", "DE", "de-de", "de_DE", "en-AT", "de-DE "}) {
    EXPECT_FALSE(knows_mobile_phones_of(locale)) << locale;
    EXPECT_FALSE(is_mobile_phone("+4915123456789", locale)) << locale;
  }
}

TEST(MobilePhone, IsRefusedBeforeItIsReadWhenItIsLong) {
  for (const std::size_t size : {0U, 1U, 64U, 65U, 1U << 20}) {
    for (const char* part : {"1", "+", " ", "0", "+1", "(", "5"}) {
      std::string text;
      while (text.size() < size) text += part;
      EXPECT_FALSE(is_mobile_phone(text, loose)) << size << part;
      EXPECT_FALSE(is_mobile_phone(text, "es-MX", loose)) << size << part;
      EXPECT_FALSE(is_mobile_phone('+' + text, loose)) << size << part;
    }
  }
}

// What is worked out of the table is what its layouts take.
TEST(MobilePlan, ShapesAreThoseOfTheLayouts) {
  constexpr auto shape = internal::shape_of({"xx-XX", "+1|", "2#{3,5}|[(]3[)] ?##"});
  static_assert(shape.least == 4 && shape.most == 6);
  static_assert(shape.fits("2345") && shape.fits("(3) 12") && !shape.fits("234"));
  static_assert(!shape.fits("2345678") && !shape.fits("3456") && !shape.fits("a456"));
  constexpr auto optional = internal::shape_of({"xx-XX", "+1", "0?1#(-#)?"});
  static_assert(optional.least == 2 && optional.most == 5);
  static_assert(optional.fits("01") && optional.fits("12") && !optional.fits("23"));
  static_assert(internal::shape_of({"xx-XX", "+1", "2#|["}).firsts == 0);
}

TEST(MobilePlan, TablesAreSortedAndDialled) {
  using internal::is_mobile_table;
  using internal::MobilePlan;
  constexpr MobilePlan good[] = {{"A", "+1|0", "#"}, {"A", "", "##"}, {"B", "+2", "##"}};
  constexpr MobilePlan unsorted[] = {{"B", "+1", "#"}, {"A", "+2", "##"}};
  constexpr MobilePlan no_plus[] = {{"A", "0", "#"}};
  constexpr MobilePlan no_code[] = {{"A", "+0", "#"}};
  constexpr MobilePlan letters[] = {{"A", "+1a", "#"}};
  static_assert(is_mobile_table(good) && !is_mobile_table(unsorted) && !is_mobile_table(no_plus));
  static_assert(!is_mobile_table(no_code) && !is_mobile_table(letters));
  EXPECT_EQ(internal::mobile_plans().size(), internal::mobile_shapes().size());
}

}  // namespace
}  // namespace moat::validate
