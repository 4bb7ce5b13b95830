// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace moat::validate {

// Numbers and codes that other people give out. A yes says that the form and the check digits are
// right, not that somebody gave it out. All are linear in the text and allocate nothing.

// Separators that a person writes between the digits.
enum class Separators { none, allow_spaces_and_hyphens };

// any: version 1 to 8 with the variant of RFC 9562, or nil or max. loose: any hexadecimal digits.
enum class UuidForm { v1, v2, v3, v4, v5, v6, v7, v8, nil, max, any, loose };
[[nodiscard]] bool is_uuid(std::string_view text, UuidForm form);
// 26 digits of Crockford's base 32, of either case, within 128 bits (github.com/ulid/spec).
[[nodiscard]] bool is_ulid(std::string_view text);
// 24 hexadecimal digits (a BSON ObjectId).
[[nodiscard]] bool is_mongo_id(std::string_view text);

// ISO/IEC 7812-1 annex B: the last digit checks the others. At least two digits, digits only.
[[nodiscard]] bool is_luhn_number(std::string_view text);
enum class CardProvider { amex, diners_club, discover, jcb, maestro, mastercard, union_pay, visa };
// A card number of that provider (or of any), its check digit right.
[[nodiscard]] bool is_credit_card(std::string_view text,
                                  std::optional<CardProvider> provider = std::nullopt,
                                  Separators separators = Separators::none);

struct IbanOptions {
  // Countries that are right; empty: all of the table. Then those that are wrong.
  std::span<const std::string_view> only = {};
  std::span<const std::string_view> except = {};
  bool allow_separators = false;  // spaces and hyphens
  bool allow_lower_case = false;
};
// ISO 13616: a country that uses them, its length, and the check digits (ISO 7064, mod 97-10).
[[nodiscard]] bool is_iban(std::string_view text, const IbanOptions& options = {});
// ISO 9362: four letters (or digits), a country of ISO 3166-1 or XK, two for the place, three for a
// branch or none. Upper-case.
[[nodiscard]] bool is_bic(std::string_view text);
// The nine digits of a bank in the USA, the check digit and the prefix right.
[[nodiscard]] bool is_aba_routing(std::string_view text);
// ISO 6166: country or agency, nine letters or digits, a check digit. Upper-case.
[[nodiscard]] bool is_isin(std::string_view text);

enum class IsbnVersion { any, isbn10, isbn13 };
[[nodiscard]] bool is_isbn(std::string_view text, IsbnVersion version = IsbnVersion::any,
                           Separators separators = Separators::none);
struct IssnOptions {
  bool allow_missing_hyphen = false;
  bool allow_lower_case = false;  // "x" for the check character
};
[[nodiscard]] bool is_issn(std::string_view text, const IssnOptions& options = {});
// GTIN-8, 13 or 14 with its check digit.
[[nodiscard]] bool is_ean(std::string_view text);
// ISO 3901: two letters, three letters or digits, seven digits; no hyphens.
[[nodiscard]] bool is_isrc(std::string_view text);
enum class ImeiHyphens { none, required };  // "49-015420-323751-8"
// 15 digits with Luhn's check digit (3GPP TS 23.003 section 6.2).
[[nodiscard]] bool is_imei(std::string_view text, ImeiHyphens hyphens = ImeiHyphens::none);
// A freight container: owner, category U, J or Z, six digits and the check digit.
[[nodiscard]] bool is_iso6346(std::string_view text);

enum class Case { exact, ignore };
[[nodiscard]] bool is_iso31661_alpha2(std::string_view text, Case letters = Case::exact);
[[nodiscard]] bool is_iso31661_alpha3(std::string_view text, Case letters = Case::exact);
[[nodiscard]] bool is_iso31661_numeric(std::string_view text);
[[nodiscard]] bool is_iso4217(std::string_view text, Case letters = Case::exact);
[[nodiscard]] bool is_iso6391(std::string_view text);
[[nodiscard]] bool is_iso15924(std::string_view text);

// semver.org 2.0.0.
[[nodiscard]] bool is_semver(std::string_view text);
// Lower-case letters and digits, in words joined by one '-' or '_' each.
[[nodiscard]] bool is_slug(std::string_view text);
// "0x" and 40 hexadecimal digits; the checksum in the letters' case is not looked at.
[[nodiscard]] bool is_ethereum_address(std::string_view text);

}  // namespace moat::validate
