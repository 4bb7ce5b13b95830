// SPDX-License-Identifier: Apache-2.0
// Validators and sanitizers of strings: none throws, reads beyond its text or changes its mind;
// strict never takes what loose refuses; what is changed keeps what it promises.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

#include "moat/base/encoding.h"
#include "moat/validate/alphabets.h"
#include "moat/validate/bitcoin.h"
#include "moat/validate/colors.h"
#include "moat/validate/coordinates.h"
#include "moat/validate/currency.h"
#include "moat/validate/dates.h"
#include "moat/validate/encodings.h"
#include "moat/validate/identifiers.h"
#include "moat/validate/identity_cards.h"
#include "moat/validate/idna.h"
#include "moat/validate/license_plates.h"
#include "moat/validate/locales.h"
#include "moat/validate/mail.h"
#include "moat/validate/mobile_phones.h"
#include "moat/validate/moments.h"
#include "moat/validate/network.h"
#include "moat/validate/numbers.h"
#include "moat/validate/passports.h"
#include "moat/validate/postal_codes.h"
#include "moat/validate/strings.h"
#include "moat/validate/tax_ids.h"
#include "moat/validate/texts.h"
#include "moat/validate/vat_numbers.h"

namespace {

using namespace moat::validate;

void require(bool good) {
  if (!good) std::abort();
}

void encodings(std::string_view text) {
  Base64Options loose;
  loose.allow_empty = loose.allow_non_canonical = true;
  require(!is_base64(text) || is_base64(text, loose));
  // Two decoders agree about what is canonical.
  require(text.empty() || is_base64(text) == moat::base64_decode(text).has_value());
  Base64Options url;
  url.alphabet = Base64Alphabet::url_safe;
  url.padding = Base64Padding::absent;
  require(text.empty() || is_base64(text, url) == moat::base64url_decode(text).has_value());
  require(is_hexadecimal(text) == is_hex(text));
  require(is_variable_width(text) == (is_full_width(text) && is_half_width(text)));
  require(is_multibyte(text) == (moat::is_valid_utf8(text) && !text.empty() && !is_ascii(text)));
  (void)is_base32(text);
  (void)is_data_uri(text);
  (void)is_jwt(text);
  (void)is_magnet_uri(text);
  (void)is_mime_type(text);
  (void)is_surrogate_pair(text);
}

void identifiers(std::string_view text) {
  constexpr auto separators = Separators::allow_spaces_and_hyphens;
  require(!is_credit_card(text) || (is_luhn_number(text) && is_credit_card(text, {}, separators)));
  IbanOptions loose;
  loose.allow_separators = loose.allow_lower_case = true;
  require(!is_iban(text) || (is_iban(text, loose) && text.size() <= 34));
  require(!is_isbn(text) || is_isbn(text, IsbnVersion::any, separators));
  require(!is_uuid(text) || is_uuid(text, UuidForm::any));
  require(!is_uuid(text, UuidForm::any) || is_uuid(text, UuidForm::loose));
  constexpr std::array checks{is_aba_routing, is_bic,      is_ean,     is_isin,
                              is_isrc,        is_iso15924, is_iso6346, is_iso6391,
                              is_semver,      is_slug,     is_ulid,    is_ethereum_address};
  for (const auto check : checks) (void)check(text);
  (void)is_imei(text, ImeiHyphens::required);
  (void)is_issn(text);
}

void numbers(std::string_view text) {
  require(is_int(text, IntOptions()) == to_int(text).has_value());
  require(!is_float(text) || text.size() <= 512);
  require(!is_decimal(text) || is_numeric(text, Symbols::allow));
  FloatOptions wide;
  wide.decimal_separator = "\u066b";
  wide.allow_plus = wide.allow_leading_zeros = wide.allow_bare_separator = true;
  (void)is_float(text, wide);
  (void)is_lat_long(text);
  (void)is_octal(text);
}

void dates_and_addresses(std::string_view text) {
  Iso8601Options iso;
  iso.allow_space_separator = iso.allow_impossible_dates = iso.allow_mixed_forms = true;
  require(!is_iso8601(text) || is_iso8601(text, iso));
  Rfc3339Options rfc;
  rfc.allow_space_separator = rfc.allow_impossible_dates = rfc.allow_any_leap_second = true;
  require(!is_rfc3339(text) || is_rfc3339(text, rfc));
  DateOptions format;
  format.format = text;
  (void)is_date("2024/02/29", format);
  (void)is_date(text);
  require(!is_time(text) || is_time(text, HourFormat::hour24, Seconds::optional));
  CurrencyOptions signs;
  signs.allow_negatives = true;
  require(!is_currency(text) || is_currency(text, signs));
  signs.thousands_separator = signs.decimal_separator = signs.symbol = "";
  (void)is_currency(text, signs);
  require(!is_port(text) || is_int(text, 1, 65535));
  require(!is_mac_address(text) || text.size() <= 23);
  require(!is_ip_range(text) || !is_ip(text));
  FqdnOptions names;
  names.allow_dotless = names.allow_trailing_dot = names.allow_underscores = true;
  names.allow_numeric_tld = names.allow_wildcard = true;
  require(!is_fqdn(text) || is_fqdn(text, names));
  names.allow_idn = true;
  require(!is_fqdn(text) || is_fqdn(text, names));
  names.allow_underscores = names.allow_wildcard = names.allow_trailing_dot = false;
  require(is_fqdn(text, names) == domain_to_ascii(text).has_value());
}

void links_and_colors(std::string_view text) {
  constexpr std::array<std::string_view, 2> hosts{"example.com", ".example.org"};
  UrlOptions loose;
  loose.allow_any_scheme = loose.allow_missing_scheme = loose.allow_relative_scheme = true;
  loose.allow_userinfo = loose.allow_dotless_host = loose.allow_empty_host = true;
  loose.allow_underscores = loose.allow_trailing_dot = true;
  require(!is_url(text) || is_url(text, loose));
  loose.allow_idn_host = true;
  require(!is_url(text) || is_url(text, loose));
  require(!is_url(text, loose) || moat::is_valid_utf8(text));
  loose.except_hosts = hosts;
  loose.only_hosts = hosts;
  require(!is_url(text, loose));
  require(!is_rgb_color(text) || text.substr(0, 3) == "rgb");
  require(!is_hsl(text) || text.back() == ')');
}

void texts(std::string_view text) {
  require(unescape(escape(text)) == text);
  require(escape(text).find_first_of("<>\"'`") == std::string::npos);
  const auto kept = whitelist(text, "ab\u00e9");
  require(kept.empty() || is_whitelisted(kept, "ab\u00e9"));
  require(moat::is_valid_utf8(blacklist(text, "a")));
  require(trim(text, "ab").size() <= text.size());
  const auto email = normalize_email(text);
  if (email) require(normalize_email(*email).has_value() && email->find('\n') == std::string::npos);
  (void)is_strong_password(text);
  (void)password_score(text);
  (void)contains(text, "ab");
}

void places(std::string_view text) {
  constexpr std::array<std::string_view, 12> countries{"AR", "BR", "CA", "CH", "CN", "DE",
                                                       "ES", "GB", "HK", "IN", "PL", "TW"};
  for (const auto country : countries) {
    require(!is_postal_code(text, country) || is_postal_code(text));
    require(!is_postal_code(text, country) || is_postal_code(text, country, Case::ignore));
    require(!is_identity_card(text, country) || is_identity_card(text));
    require(!is_vat(text, country) || is_vat(text, country, {.allow_missing_prefix = true}));
    PassportOptions loose;
    loose.allow_lower_case = loose.allow_spaces = true;
    require(!is_passport_number(text, country) || is_passport_number(text, country, loose));
  }
  constexpr std::array<std::string_view, 37> locales{
      "bg-BG", "cs-CZ", "da-DK", "de-AT", "de-DE", "el-CY", "el-GR", "en-CA", "en-GB", "en-IE",
      "en-IN", "en-US", "es-AR", "es-ES", "et-EE", "fi-FI", "fr-BE", "fr-CA", "fr-FR", "fr-LU",
      "hr-HR", "hu-HU", "it-IT", "lb-LU", "lt-LT", "lv-LV", "mt-MT", "nl-BE", "nl-NL", "pl-PL",
      "pt-BR", "pt-PT", "ro-RO", "sk-SK", "sl-SI", "sv-SE", "uk-UA"};
  TaxIdOptions taxes;
  taxes.allow_lower_case = taxes.allow_separators = true;
  for (const auto locale : locales) {
    require(!is_tax_id(text, locale) || is_tax_id(text, locale, taxes));
    require(!is_license_plate(text, locale) || is_license_plate(text));
    require(!is_alpha_in(text, locale) || is_alphanumeric_in(text, locale) || locale == "bn");
  }
  require(!is_license_plate(text) || text.size() <= 64);
}

void telephones(std::string_view text) {
  constexpr std::array<std::string_view, 8> locales{"de-DE", "en-US", "es-MX", "fi-FI",
                                                    "fr-CH", "ja-JP", "nl-NL", "pt-BR"};
  MobilePhoneOptions loose;
  loose.allow_missing_plus = loose.allow_separators = true;
  for (const auto locale : locales) {
    require(!is_mobile_phone(text, locale) || is_mobile_phone(text));
    require(!is_mobile_phone(text, locale) || is_mobile_phone(text, locale, loose));
    require(!is_mobile_phone(text, locale, loose) || is_mobile_phone(text, locales, loose));
  }
  require(!is_mobile_phone(text, locales, loose) || is_mobile_phone(text, loose));
  require(!is_mobile_phone(text) || (text.size() < 20 && is_numeric(text.substr(1))));
}

void letters_and_moments(std::string_view text) {
  require(is_alpha_in(text, "en") == is_alpha(text));
  require(is_alphanumeric_in(text, "en") == is_alphanumeric(text));
  (void)is_alpha_in("a", "en", text);
  (void)is_alpha_in("a", text);
  require(to_int(text, 10) == to_int(text));
  MomentOptions other;
  other.allow_other_forms = true;
  if (const auto date = to_date(text)) {
    require(to_date(text, other) == date && !is_before(text, *date) && !is_after(text, *date));
    require(text.size() == 10 || is_rfc3339(text));
  }
  (void)to_date(text, other);
  LocaleOptions posix;
  posix.allow_underscores = true;
  require(!is_locale(text) || (is_locale(text, posix) && text.size() <= 100));
  require(!is_email(text) || is_mailbox(text));
  require(!is_email_of_provider(text) || is_email(text));
  require(!is_mailbox(text) || is_plain_line(text));
  require(!is_mailto_uri(text) || is_ascii(text));
  require(!is_btc_address(text) || is_alphanumeric(text));
  (void)is_btc_address(text, BitcoinNetwork::test);
  (void)is_lat_long_dms(text);
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  // A copy of its own, so that a sanitizer sees a byte read beyond the end.
  const auto copy = std::make_unique<char[]>(input.size());
  for (std::size_t i = 0; i < input.size(); ++i) copy[i] = static_cast<char>(input[i]);
  const std::string_view text(copy.get(), input.size());
  encodings(text);
  identifiers(text);
  numbers(text);
  dates_and_addresses(text);
  links_and_colors(text);
  texts(text);
  places(text);
  telephones(text);
  letters_and_moments(text);
}
