// SPDX-License-Identifier: Apache-2.0
// What all checks promise together: a yes or no allocates nothing. And what they promise with all
// that reads a stranger's text: the cost grows as the text does, whatever the text.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "moat/base/json.h"
#include "moat/validate/alphabets.h"
#include "moat/validate/bitcoin.h"
#include "moat/validate/colors.h"
#include "moat/validate/coordinates.h"
#include "moat/validate/currency.h"
#include "moat/validate/dates.h"
#include "moat/validate/email.h"
#include "moat/validate/encode.h"
#include "moat/validate/encodings.h"
#include "moat/validate/fetch_target.h"
#include "moat/validate/file_name.h"
#include "moat/validate/form.h"
#include "moat/validate/host.h"
#include "moat/validate/identifiers.h"
#include "moat/validate/identity_cards.h"
#include "moat/validate/idna.h"
#include "moat/validate/internal/allocations.h"
#include "moat/validate/internal/cost.h"
#include "moat/validate/license_plates.h"
#include "moat/validate/locales.h"
#include "moat/validate/mail.h"
#include "moat/validate/mobile_phones.h"
#include "moat/validate/moments.h"
#include "moat/validate/network.h"
#include "moat/validate/numbers.h"
#include "moat/validate/passports.h"
#include "moat/validate/postal_codes.h"
#include "moat/validate/schema.h"
#include "moat/validate/strings.h"
#include "moat/validate/tax_ids.h"
#include "moat/validate/template.h"
#include "moat/validate/texts.h"
#include "moat/validate/uuid.h"
#include "moat/validate/vat_numbers.h"
#include "moat/validate/web_url.h"

std::atomic<std::size_t> moat::validate::testing::allocations{0};

#if MOAT_COUNTS
// Counted for this program only. Not inlined: g++ would take malloc and new for a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++moat::validate::testing::allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace moat::validate {
namespace {

using testing::allocations;

using Check = bool (*)(std::string_view text);

constexpr Check checks[] = {
    is_aba_routing,
    [](std::string_view t) { return is_alpha(t); },
    [](std::string_view t) { return is_alphanumeric(t); },
    is_ascii,
    is_base32_crockford,
    is_base58,
    is_base64url,
    is_bic,
    is_data_uri,
    is_ean,
    is_ethereum_address,
    is_full_width,
    is_half_width,
    is_hex,
    is_hsl,
    is_iso15924,
    is_iso31661_numeric,
    is_iso6346,
    is_iso6391,
    is_isin,
    is_isrc,
    is_jwt,
    is_lat_long,
    is_lowercase,
    is_luhn_number,
    is_magnet_uri,
    is_md5,
    is_mime_type,
    is_mongo_id,
    is_multibyte,
    is_plain_line,
    is_safe_link,
    is_semver,
    is_slug,
    is_surrogate_pair,
    is_ulid,
    is_uppercase,
    is_variable_width,
    [](std::string_view t) { return is_base32(t); },
    [](std::string_view t) { return is_base64(t); },
    [](std::string_view t) { return is_boolean(t); },
    [](std::string_view t) { return is_credit_card(t, {}, Separators::allow_spaces_and_hyphens); },
    [](std::string_view t) { return is_currency(t); },
    [](std::string_view t) { return is_date(t); },
    [](std::string_view t) { return is_decimal(t); },
    [](std::string_view t) { return is_email(t); },
    [](std::string_view t) { return is_empty(t, Whitespace::ignore); },
    [](std::string_view t) { return is_float(t); },
    [](std::string_view t) { return is_fqdn(t); },
    [](std::string_view t) { return is_hash(t, HashName::sha512); },
    [](std::string_view t) { return is_hex_color(t); },
    [](std::string_view t) { return is_hexadecimal(t); },
    [](std::string_view t) { return is_iban(t); },
    [](std::string_view t) { return is_imei(t, ImeiHyphens::required); },
    [](std::string_view t) { return is_int(t, IntOptions()); },
    [](std::string_view t) { return is_ip(t); },
    [](std::string_view t) { return is_ip_range(t); },
    [](std::string_view t) { return is_isbn(t); },
    [](std::string_view t) { return is_iso31661_alpha2(t); },
    [](std::string_view t) { return is_iso31661_alpha3(t); },
    [](std::string_view t) { return is_iso4217(t); },
    [](std::string_view t) { return is_iso8601(t); },
    [](std::string_view t) { return is_issn(t); },
    [](std::string_view t) { return is_length(t, LengthOptions()); },
    [](std::string_view t) { return is_mac_address(t); },
    [](std::string_view t) { return is_numeric(t, Symbols::allow); },
    [](std::string_view t) { return is_octal(t); },
    [](std::string_view t) { return is_port(t); },
    [](std::string_view t) { return is_rfc3339(t); },
    [](std::string_view t) { return is_rgb_color(t); },
    [](std::string_view t) { return is_strong_password(t); },
    [](std::string_view t) { return is_time(t); },
    [](std::string_view t) { return is_url(t); },
    [](std::string_view t) { return is_uuid(t, UuidForm::any); },
    [](std::string_view t) { return is_whitelisted(t, "ab"); },
    [](std::string_view t) { return contains(t, "ab"); },
    [](std::string_view t) { return is_lat_long_dms(t); },
    [](std::string_view t) { return is_after(t, Time(), {.allow_other_forms = true}); },
    [](std::string_view t) { return is_alpha_in(t, "vi"); },
    [](std::string_view t) { return is_alphanumeric_in(t, "hi", "-"); },
    [](std::string_view t) { return is_before(t, Time()); },
    [](std::string_view t) { return is_btc_address(t, BitcoinNetwork::any); },
    [](std::string_view t) { return is_email_of_provider(t); },
    [](std::string_view t) { return is_identity_card(t); },
    [](std::string_view t) { return is_license_plate(t); },
    [](std::string_view t) { return is_locale(t, {.allow_underscores = true}); },
    [](std::string_view t) { return is_mailbox(t); },
    [](std::string_view t) { return is_mailto_uri(t); },
    [](std::string_view t) { return is_mobile_phone(t); },
    [](std::string_view t) { return is_mobile_phone(t, "en-US"); },
    [](std::string_view t) {
      return is_mobile_phone(t, {.allow_missing_plus = true, .allow_separators = true});
    },
    [](std::string_view t) { return is_passport_number(t, "NZ"); },
    [](std::string_view t) { return is_postal_code(t); },
    [](std::string_view t) { return is_tax_id(t, "it-IT"); },
    [](std::string_view t) { return is_tax_id(t, "pt-BR", {.allow_separators = true}); },
    [](std::string_view t) { return is_vat(t, "CH", {.allow_missing_prefix = true}); },
    [](std::string_view t) { return to_int(t, 16).has_value(); },
};

TEST(Checks, AllocateNothing) {
  if (MOAT_COUNTS == 0) GTEST_SKIP() << "nothing is counted in this build";
  const std::vector<std::string> texts{"",
                                       "a",
                                       "0",
                                       std::string(100, 'a'),
                                       "user.name@mail.example.com",
                                       "https://www.example.com/a/b?c=d",
                                       "GB82WEST12345698765432",
                                       "4242424242424242",
                                       "2024-02-29T23:59:59Z",
                                       "192.168.100.200/24",
                                       "2001:db8:0000:0000:0000:0000:0000:0001",
                                       "text/plain; charset=utf-8",
                                       "eyJhbGciOiJub25lIn0.e30.QQ",
                                       "DMLPRY77D15H501F",
                                       "mailto:user@example.com?subject=a&cc=b@example.com",
                                       "Some Name <user@example.com>",
                                       "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
                                       "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
                                       "40° 26′ 46″ N, 79° 58′ 56″ W",
                                       "123.456.789-09",
                                       "CHE-116.281.710 MWST",
                                       "FS AB 1234 E",
                                       "+4915123456789",
                                       "(22) 99956-7894"};
  for (const auto& text : texts) {
    for (const auto check : checks) {
      const std::size_t before = allocations;
      (void)check(text);
      EXPECT_EQ(allocations, before) << text << " check " << &check - checks;
    }
  }
}

// What makes something of a text, or reads it into something.
using Reader = void (*)(std::string_view text);

constexpr Reader readers[] = {
    [](std::string_view t) { (void)Url::parse(t); },
    [](std::string_view t) { (void)Url::parse("https://" + std::string(t)); },
    [](std::string_view t) { (void)Url::parse(t, *Url::parse("https://example.com/a/b/c?d#e")); },
    [](std::string_view t) { (void)Url::parse(t, *Url::parse("file:///C:/a/b/c")); },
    [](std::string_view t) { (void)FetchTarget::parse(t); },
    [](std::string_view t) { (void)FetchTarget::parse("https://" + std::string(t)); },
    [](std::string_view t) { (void)Host::parse(t); },
    [](std::string_view t) { (void)Uuid::parse(t); },
    [](std::string_view t) { (void)Email::parse(t); },
    [](std::string_view t) { (void)encode_html_text(t); },
    [](std::string_view t) { (void)encode_xml(t); },
    [](std::string_view t) { (void)encode_regex_literal(t); },
    [](std::string_view t) { (void)FileName::parse(t, {.max_bytes = t.size()}); },
    [](std::string_view t) {
      (void)FilePath::parse(t, {t.size(), {t.size(), true}});
    },
    [](std::string_view t) { (void)encode_js_string(t); },
    [](std::string_view t) { (void)encode_css_string(t); },
    [](std::string_view t) { (void)encode_url_component(t); },
    [](std::string_view t) { (void)encode_header_value(t); },
    [](std::string_view t) { (void)encode_mail_header("\u00e9" + std::string(t)); },
    [](std::string_view t) { (void)encode_shell_word(t); },
    [](std::string_view t) { (void)encode_sql_identifier(t, SqlDialect::sqlite); },
    [](std::string_view t) { (void)encode_ldap_filter(t); },
    [](std::string_view t) { (void)encode_ldap_dn(t); },
    [](std::string_view t) { (void)encode_csv_field(t, CsvFormulas::prefix_apostrophe); },
    [](std::string_view t) { (void)escape_html(t); },
    [](std::string_view t) { (void)escape(t); },
    [](std::string_view t) { (void)unescape(t); },
    [](std::string_view t) { (void)whitelist(t, "ab"); },
    [](std::string_view t) { (void)trim(t, " a"); },
    [](std::string_view t) { (void)strip_low(t); },
    [](std::string_view t) { (void)normalize_email(t); },
    [](std::string_view t) {
      (void)parse_form(t, {.parameters = 1'000'000, .value_bytes = 1'000'000});
    },
    [](std::string_view t) {
      (void)json::parse(t, {.depth = 32, .members = 1'000'000, .string_bytes = 1'000'000});
    },
    [](std::string_view t) { (void)Template::parse(t, Names().text("a").flag("b").text("c")); },
    [](std::string_view t) { (void)domain_to_ascii(t, {.allow_mapping = true}); },
    [](std::string_view t) { (void)domain_to_unicode(t); },
    [](std::string_view t) { (void)is_a_label("xn--" + std::string(t)); },
    [](std::string_view t) { (void)is_fqdn(t, {.allow_dotless = true, .allow_idn = true}); },
    [](std::string_view t) { (void)is_email("a@" + std::string(t), {.allow_idn_domain = true}); },
    [](std::string_view t) {
      (void)is_url("http://" + std::string(t), {.max_bytes = 1'000'000, .allow_idn_host = true});
    },
    [](std::string_view t) { (void)Host::parse(t, {.allow_idn = true}); },
    [](std::string_view t) {
      (void)Url::parse("http://" + std::string(t), WebUrlOptions{.allow_idn = true});
    },
    [](std::string_view t) {
      static const auto schema = Schema::parse(R"({"anyOf":[{"format":"iri"},{"format":"idn-email"},
          {"format":"iri-reference"},{"format":"idn-hostname"}]})",
                                               {.assert_formats = true});
      (void)schema->check(json::Value(std::string(t)));
    },
};

std::string repeated(std::string_view head, std::string_view part, std::size_t size) {
  std::string text(head);
  while (text.size() < size) text += part;
  return text;
}
// Parts with a number in each, so that no two are the same.
std::string numbered(std::string_view head, std::string_view part, std::size_t size) {
  std::string text(head);
  for (int i = 0; text.size() < size; ++i) {
    text += part;
    text.replace(text.rfind('#'), 1, std::to_string(i));
  }
  return text;
}

// One text of sixteen times the length against sixteen texts: what is linear costs the same, what
// is quadratic sixteen times as much.
class Growth : public ::testing::Test {
 protected:
  template <class Work>
  void expect_linear(Work work, const std::string& small, const std::string& large) {
    constexpr double most = 3;
    const auto sixteen = [&] {
      for (int i = 0; i < 16; ++i) work(small);
    };
    EXPECT_LE(meter_.growth(
                  sixteen, [&] { work(large); }, most),
              most)
        << small.substr(0, 40);
  }
  static constexpr std::size_t small_size = 500;  // a URL has at most 8192 bytes
  testing::CostMeter meter_;
};

TEST_F(Growth, AQuadraticOneIsFound) {
  const auto count_pairs = [](const std::string& text) {
    volatile std::size_t pairs = 0;
    for (const char a : text)
      for (const char b : text) pairs = pairs + (a == b ? 1 : 0);
  };
  const auto small = repeated("", "ab", small_size);
  const auto large = repeated("", "ab", small_size * 16);
  const auto sixteen = [&] {
    for (int i = 0; i < 16; ++i) count_pairs(small);
  };
  EXPECT_GT(meter_.growth(
                sixteen, [&] { count_pairs(large); }, 3),
            3);
}

TEST_F(Growth, OfChecksIsThatOfTheirText) {
  for (const std::string_view part : {"a",
                                      "0",
                                      "1,",
                                      "=",
                                      "&xt=urn:btih:",
                                      ";a=b",
                                      "a.",
                                      "-",
                                      " ",
                                      "(",
                                      "\xe2\x9c\x93",
                                      "\xff",
                                      "%41",
                                      "1:",
                                      "0-a.",
                                      ",",
                                      "Ä",
                                      "\xe0\xa4\x95",
                                      "&cc=a@b.de",
                                      "%0a",
                                      "-aa"}) {
    for (const std::string_view head : {"", "magnet:?", "text/a", "data:,", "1.0.0-", "hsl(",
                                        "http://", "$1", "mailto:?", "mailto:", "\"", "en-x"}) {
      const auto small = repeated(head, part, small_size * 4);
      const auto large = repeated(head, part, small_size * 4 * 16);
      for (const auto check : checks)
        expect_linear([&](const std::string& t) { (void)check(t); }, small, large);
    }
  }
}

TEST_F(Growth, OfReadersIsThatOfTheirText) {
  for (const std::string_view part :
       {"a",    "/",    "/a/..",  "../",  "%2e%2e/",  "@",    ":",       "?",
        "#",    "\\",   "\t",     "0.",   "0x",       "]",    "%",       "\xe2\x80\xa8",
        "\xff", "\"",   "'",      "\\\\", "&",        "&amp", "&amp;",   "=",
        " ",    "\r\n", "=?",     "[",    "{\"a\":",  "[1,",  "\\u0041", "1",
        "<",    "<a ",  "<a b='", "<!--", "<script>", "</",   "{{a}}",   "{{#if b}}",
        "{{",   "{{!",  "é",      "é.",   "xn--4ca.", "。"}) {
    for (const std::string_view head : {"", "http://", "file:///C:/", "[", "\"", "[\"", "a=", "{\"",
                                        "<p>", "<a b=\"", "<script>"}) {
      const auto small = repeated(head, part, small_size);
      const auto large = repeated(head, part, small_size * 16);
      for (const auto reader : readers) expect_linear(reader, small, large);
    }
  }
}

// Names are refused when they are long, so these are short.
TEST_F(Growth, OfDomainNamesIsThatOfTheirText) {
  for (const std::string_view part :
       {"é",       "é.",      "xn--4ca.", "。",           "\u00ad", "\u0301", "a\u0301", "\u0660",
        "ب\u0660", "・",      "l·l",      "\u094d\u200d", "\u200c", "א.",     "א",       "\ufdfa",
        "①",       "ｘn--a.", "𐌰",        "한",           "xn--",   "%C3%BC"}) {
    for (const std::string_view head : {"", "ب", "क", "xn--", "a."}) {
      const auto small = repeated(head, part, 60);
      const auto large = repeated(head, part, 60 * 16);
      for (const auto reader : readers) expect_linear(reader, small, large);
    }
  }
}

TEST_F(Growth, OfManyNamesIsThatOfTheirNumber) {
  struct Case {
    const char* head;
    const char* part;
  };
  for (const auto& [head, part] : {Case{"", "a#=1&"}, Case{"{\"a\":0", ",\"b#\":1"},
                                   Case{"<p", " a#='{{a}}'"}, Case{"", "a#;"}}) {
    auto small = numbered(head, part, small_size);
    auto large = numbered(head, part, small_size * 16);
    for (auto* text : {&small, &large}) {
      if (head[0] == '{') *text += '}';
      if (head[0] == '<') *text += '>';
      if (text->back() == '&') text->pop_back();
    }
    for (const auto reader : readers) expect_linear(reader, small, large);
  }
}

}  // namespace
}  // namespace moat::validate
