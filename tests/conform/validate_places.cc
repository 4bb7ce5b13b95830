// SPDX-License-Identifier: Apache-2.0
// What depends on a country's authorities.
#include <array>

#include "moat/validate/identity_cards.h"
#include "moat/validate/license_plates.h"
#include "moat/validate/mobile_phones.h"
#include "moat/validate/passports.h"
#include "moat/validate/postal_codes.h"
#include "moat/validate/tax_ids.h"
#include "moat/validate/vat_numbers.h"
#include "tests/conform/validate_call.h"

namespace moat::conform {
namespace {

using namespace validate;

bool is_any(const Call& call) { return call.word(0) == "any"; }

Answer postal_code(const Call& call) {
  if (is_any(call)) return from(is_postal_code(call.text(), Case::ignore));
  if (!knows_postal_codes_of(call.word(0))) return Answer::error;
  return from(is_postal_code(call.text(), call.word(0), Case::ignore));
}

Answer license_plate(const Call& call) {
  if (is_any(call)) return from(is_license_plate(call.text()));
  if (!knows_license_plates_of(call.word(0))) return Answer::error;
  return from(is_license_plate(call.text(), call.word(0)));
}

Answer mobile_phone(const Call& call) {
  const json::Value* strict = call.at(1) == nullptr ? nullptr : call.at(1)->find("strictMode");
  MobilePhoneOptions options;
  options.allow_missing_plus = strict == nullptr || *strict != json::Value(true);
  options.allow_separators = true;
  if (call.at(0) == nullptr || is_any(call)) return from(is_mobile_phone(call.text(), options));
  if (call.at(0)->as_array() != nullptr)
    return from(is_mobile_phone(call.text(), words(call.at(0)), options));
  if (!knows_mobile_phones_of(call.word(0))) return Answer::error;
  return from(is_mobile_phone(call.text(), call.word(0), options));
}

Answer passport_number(const Call& call) {
  // The peer means Slovenia by SL.
  const std::string country = call.word(0) == "SL" ? "SI" : call.word(0);
  PassportOptions options;
  options.allow_lower_case = options.allow_spaces = true;
  return from(is_passport_number(call.text(), country, options));
}

Answer vat(const Call& call) {
  if (!knows_vat_of(call.word(0))) return Answer::error;
  VatOptions options;
  options.allow_missing_prefix = true;
  // An option of Moat's own, for tests/interop.
  options.allow_missing_separators = call.word(1) == "allow_missing_separators";
  return from(is_vat(call.text(), call.word(0), options));
}

// The peer names some cards by locales.
std::string card_country(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> locales{{{"ar-LY", "LY"},
                                                                                  {"ar-TN", "TN"},
                                                                                  {"he-IL", "IL"},
                                                                                  {"zh-CN", "CN"},
                                                                                  {"zh-HK", "HK"},
                                                                                  {"zh-TW", "TW"}}};
  for (const auto& [locale, country] : locales)
    if (locale == name) return std::string(country);
  return name;
}

Answer identity_card(const Call& call) {
  IdentityCardOptions options;
  options.allow_lower_case = true;
  options.max_birth_year = 2026;  // when the peer's cases were written
  if (is_any(call)) return from(is_identity_card(call.text(), options));
  const std::string country = card_country(call.word(0));
  if (!knows_identity_cards_of(country)) return Answer::error;
  return from(is_identity_card(call.text(), country, options));
}

Answer tax_id(const Call& call) {
  std::string locale = call.at(0) == nullptr ? "en-US" : call.word(0);
  if (locale == "dk-DK") locale = "da-DK";
  if (!knows_tax_ids_of(locale)) return Answer::error;
  TaxIdOptions options;
  options.allow_lower_case = options.allow_separators = true;
  return from(is_tax_id(call.text(), locale, options));
}

constexpr Validator table[] = {
    {"isIdentityCard", identity_card},
    {"isTaxID", tax_id},
    {"isLicensePlate", license_plate},
    {"isMobilePhone", mobile_phone},
    {"isPassportNumber", passport_number},
    {"isPostalCode", postal_code},
    {"isVAT", vat},
};

}  // namespace

std::span<const Validator> place_validators() { return table; }

}  // namespace moat::conform
