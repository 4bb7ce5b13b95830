// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/identifiers.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace moat::validate {
namespace {

using Texts = std::vector<std::string>;

// Each validator of one argument with what it takes and its refused twins.
struct Row {
  const char* name;
  bool (*check)(std::string_view text);
  Texts good, bad;
};

TEST(Identifiers, TakeTheirFormAndNothingBesideIt) {
  const Row rows[] = {
      {"ulid",
       is_ulid,
       {"7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01hbgw8cwq5q6dtt7xp89vv4kt"},
       {"8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01HBGW8CWQ5Q6DTT7XP89VV4K", "01HBGW8CWQ5Q6DTT7XP89VV4KTT",
        "01HBGW8CWQ5Q6DTT7XP89VV4KU"}},
      {"mongo_id",
       is_mongo_id,
       {"507f1f77bcf86cd799439011"},
       {"507f1f77bcf86cd79943901", "507f1f77bcf86cd7994390111", "507f1f77bcf86cd79943901g"}},
      {"luhn",
       is_luhn_number,
       {"79927398713", "00"},
       {"79927398710", "0", "7992739871a", "79927398713 "}},
      {"bic",
       is_bic,
       {"DEUTDEFF", "DEUTDEFF500", "ABCDXKPR"},
       {"DEUTDEF", "DEUTDEFF5", "DEUTDEFF50", "DEUTDEFF5000", "DEUTXXFF", "deutdeff", "D1UTDEFF"}},
      {"aba",
       is_aba_routing,
       {"011000015", "122105155"},
       {"011000016", "01100001", "0110000150", "131000010", "01100001a"}},
      {"isin",
       is_isin,
       {"US0378331005", "AU0000XVGZA3"},
       {"US0378331006", "AU0000VXGZA4", "US037833100", "us0378331005", "U10378331005"}},
      {"ean",
       is_ean,
       {"4006381333931", "73513537", "10614141000415"},
       {"4006381333932", "73513538", "10614141000416", "036000291452", "4006381333931 "}},
      {"isrc",
       is_isrc,
       {"USRC17607839"},
       {"US-RC1-76-07839", "USRC1760783", "usrc17607839", "USRC176078399"}},
      {"iso6346",
       is_iso6346,
       {"CSQU3054383"},
       {"CSQU3054384", "CSQA3054383", "csqu3054383", "CSQU305438", "CSQU30543833"}},
      {"numeric", is_iso31661_numeric, {"276", "004"}, {"4", "000", "27", "2766"}},
      {"iso6391", is_iso6391, {"de", "zu", "aa"}, {"DE", "xx", "d", "deu", "ea"}},
      {"iso15924", is_iso15924, {"Latn", "Zzzz"}, {"latn", "Lat", "Xxxx", "atnL"}},
      {"semver",
       is_semver,
       {"0.0.0", "1.2.3-a.1+01", "1.0.0-0a", "1.0.0--", "999999999999999999999.0.0"},
       {"1.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0+", "v1.0.0",
        "1.0.0 ", "1.0.0+a+b"}},
      {"slug", is_slug, {"a", "a-b_c", "1"}, {"-a", "a-", "a--b", "a-_b", "A", "a b"}},
      {"ethereum",
       is_ethereum_address,
       {"0x" + std::string(40, 'a')},
       {"0X" + std::string(40, 'a'), "0x" + std::string(39, 'a'), "0x" + std::string(41, 'a'),
        "0x" + std::string(40, 'g')}},
  };
  for (const Row& row : rows) {
    for (const auto& text : row.good) EXPECT_TRUE(row.check(text)) << row.name << ' ' << text;
    for (const auto& text : row.bad) EXPECT_FALSE(row.check(text)) << row.name << ' ' << text;
    EXPECT_FALSE(row.check("")) << row.name;
    for (const auto& text : row.good) {
      EXPECT_FALSE(row.check(text + '\n')) << row.name;
      EXPECT_FALSE(row.check(text + '\0')) << row.name;
    }
  }
}

TEST(Uuid, FormsTellVersionsApart) {
  const std::string v4 = "9c858901-8a57-4791-81fe-4c455b099bc9";
  const std::string nil = "00000000-0000-0000-0000-000000000000";
  const std::string max = "FFFFFFFF-FFFF-ffff-FFFF-FFFFFFFFFFFF";
  const std::string other = "9c858901-8a57-9791-c1fe-4c455b099bc9";
  EXPECT_TRUE(is_uuid(v4, UuidForm::v4));
  EXPECT_FALSE(is_uuid(v4, UuidForm::v1));
  EXPECT_FALSE(is_uuid(v4, UuidForm::v8));
  EXPECT_TRUE(is_uuid(nil, UuidForm::nil));
  EXPECT_FALSE(is_uuid(v4, UuidForm::nil));
  EXPECT_TRUE(is_uuid(max, UuidForm::max));
  EXPECT_FALSE(is_uuid(nil, UuidForm::max));
  for (const auto& text : {v4, nil, max}) EXPECT_TRUE(is_uuid(text, UuidForm::any));
  EXPECT_FALSE(is_uuid(other, UuidForm::any));
  EXPECT_TRUE(is_uuid(other, UuidForm::loose));
  EXPECT_FALSE(is_uuid(other.substr(1), UuidForm::loose));
  for (char version = '1'; version <= '8'; ++version) {
    std::string text = v4;
    text[14] = version;
    EXPECT_TRUE(is_uuid(text, static_cast<UuidForm>(version - '1')));
  }
}

TEST(CreditCard, HasARangeALengthAndACheckDigit) {
  const struct {
    CardProvider provider;
    const char* number;
  } rows[] = {{CardProvider::amex, "378282246310005"},
              {CardProvider::diners_club, "30569309025904"},
              {CardProvider::discover, "6011111111111117"},
              {CardProvider::jcb, "3530111333300000"},
              {CardProvider::diners_club, "38520000023237"},
              {CardProvider::maestro, "6765780016990268"},
              {CardProvider::mastercard, "5555555555554444"},
              {CardProvider::mastercard, "2223003122003222"},
              {CardProvider::union_pay, "6200000000000005"},
              {CardProvider::visa, "4242424242424242"}};
  for (const auto& row : rows) {
    EXPECT_TRUE(is_credit_card(row.number)) << row.number;
    for (const auto& other : rows)
      EXPECT_EQ(is_credit_card(row.number, other.provider), row.provider == other.provider)
          << row.number << ' ' << other.number;
  }
  for (const auto* text : {"", "4242424242424241", "424242424242424", "42424242424242424242424242",
                           "510008", "4242 4242 4242 4242", "9999999999999995"})
    EXPECT_FALSE(is_credit_card(text)) << text;
  constexpr auto separators = Separators::allow_spaces_and_hyphens;
  EXPECT_TRUE(is_credit_card("4242 4242-4242 4242", std::nullopt, separators));
  for (const auto* text :
       {" 4242424242424242", "4242424242424242-", "4242  4242 4242 4242", "4242\t424242424242"})
    EXPECT_FALSE(is_credit_card(text, std::nullopt, separators)) << text;
}

TEST(Iban, HasACountryItsLengthAndCheckDigits) {
  for (const auto* text : {"GB82WEST12345698765432", "DE89370400440532013000", "NO9386011117947"})
    EXPECT_TRUE(is_iban(text)) << text;
  for (const auto* text :
       {"", "GB", "GB82WEST12345698765433", "GB82WEST1234569876543", "GB82WEST123456987654322",
        "XX82WEST12345698765432", "gb82west12345698765432", "GB82 WEST 1234 5698 7654 32",
        "GBA2WEST12345698765432"})
    EXPECT_FALSE(is_iban(text)) << text;
  // The registry's examples of countries that joined late.
  for (const std::string text :
       {"BI4210000100010000332045181", "DJ2100010000000154000100186", "FK88SC123456789012",
        "HN88CABF00000000000250005469", "LY83002048000020100120361", "MN121234123456789123",
        "NI45BAPR00000013000003558124", "OM810180000001299123456",
        "RU0304452522540817810538091310419", "SD8811123456789012", "SO211000001001000100141",
        "ST23000100010051845310146", "YE15CBYE0001018861234567891234"}) {
    EXPECT_TRUE(is_iban(text)) << text;
    EXPECT_FALSE(is_iban(text.substr(0, text.size() - 1) + (text.back() == '1' ? '2' : '1')));
  }
  IbanOptions loose;
  loose.allow_separators = loose.allow_lower_case = true;
  EXPECT_TRUE(is_iban("gb82 WEST 1234-5698 7654 32", loose));
  EXPECT_FALSE(is_iban("gb82 WEST 1234--5698 7654 32", loose));
  constexpr std::array<std::string_view, 1> german{"DE"};
  IbanOptions only;
  only.only = german;
  EXPECT_TRUE(is_iban("DE89370400440532013000", only));
  EXPECT_FALSE(is_iban("NO9386011117947", only));
  IbanOptions except;
  except.except = german;
  EXPECT_FALSE(is_iban("DE89370400440532013000", except));
  EXPECT_TRUE(is_iban("NO9386011117947", except));
}

TEST(Books, HaveCheckDigits) {
  EXPECT_TRUE(is_isbn("0306406152"));
  EXPECT_TRUE(is_isbn("9780306406157"));
  EXPECT_TRUE(is_isbn("080442957X", IsbnVersion::isbn10));
  EXPECT_FALSE(is_isbn("080442957X", IsbnVersion::isbn13));
  EXPECT_FALSE(is_isbn("9780306406157", IsbnVersion::isbn10));
  for (const auto* text : {"", "0306406153", "9780306406158", "9770306406150", "030640615",
                           "08044295X7", "080442957x", "0-306-40615-2"})
    EXPECT_FALSE(is_isbn(text)) << text;
  EXPECT_TRUE(is_isbn("0-306-40615-2", IsbnVersion::any, Separators::allow_spaces_and_hyphens));
  EXPECT_TRUE(is_issn("0378-5955"));
  EXPECT_TRUE(is_issn("2434-561X"));
  for (const auto* text : {"", "0378-5956", "03785955", "2434-561x", "0378-595", "03785-955"})
    EXPECT_FALSE(is_issn(text)) << text;
  IssnOptions loose;
  loose.allow_missing_hyphen = loose.allow_lower_case = true;
  EXPECT_TRUE(is_issn("2434561x", loose));
  EXPECT_FALSE(is_issn("24345610", loose));
}

TEST(Imei, HasHyphensOrNone) {
  EXPECT_TRUE(is_imei("490154203237518"));
  EXPECT_FALSE(is_imei("490154203237517"));
  EXPECT_FALSE(is_imei("49-015420-323751-8"));
  EXPECT_TRUE(is_imei("49-015420-323751-8", ImeiHyphens::required));
  EXPECT_FALSE(is_imei("490154203237518", ImeiHyphens::required));
  EXPECT_FALSE(is_imei("49-015420-32375-18", ImeiHyphens::required));
}

TEST(Codes, AreExactUnlessCaseIsIgnored) {
  EXPECT_TRUE(is_iso31661_alpha2("DE"));
  EXPECT_FALSE(is_iso31661_alpha2("de"));
  EXPECT_TRUE(is_iso31661_alpha2("de", Case::ignore));
  for (const auto* text : {"", "D", "UK", "XK", "DEU"})
    EXPECT_FALSE(is_iso31661_alpha2(text)) << text;
  EXPECT_TRUE(is_iso31661_alpha3("DEU"));
  EXPECT_FALSE(is_iso31661_alpha3("deu"));
  EXPECT_TRUE(is_iso31661_alpha3("deu", Case::ignore));
  for (const auto* text : {"", "DE", "EUR", "DEUT", "UDZ"})
    EXPECT_FALSE(is_iso31661_alpha3(text)) << text;
  EXPECT_TRUE(is_iso4217("EUR"));
  EXPECT_FALSE(is_iso4217("eur"));
  EXPECT_TRUE(is_iso4217("eur", Case::ignore));
  for (const auto* text : {"", "EU", "DEM", "HRK", "EURO"}) EXPECT_FALSE(is_iso4217(text)) << text;
}

}  // namespace
}  // namespace moat::validate
