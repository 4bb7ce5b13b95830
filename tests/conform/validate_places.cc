// SPDX-License-Identifier: Apache-2.0
// What depends on a country's authorities.
#include "moat/validate/license_plates.h"
#include "moat/validate/passports.h"
#include "moat/validate/postal_codes.h"
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
  const auto letters = call.word(0) == "sv-SE" ? Case::exact : Case::ignore;
  if (is_any(call)) return from(is_license_plate(call.text(), letters));
  if (!knows_license_plates_of(call.word(0))) return Answer::error;
  return from(is_license_plate(call.text(), call.word(0), letters));
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
  return from(is_vat(call.text(), call.word(0), options));
}

constexpr Validator table[] = {
    {"isLicensePlate", license_plate},
    {"isPassportNumber", passport_number},
    {"isPostalCode", postal_code},
    {"isVAT", vat},
};

}  // namespace

std::span<const Validator> place_validators() { return table; }

}  // namespace moat::conform
