// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::validate {

// Tax identification numbers of persons, in some countries of companies too. A yes says that the
// number is written as that country writes it, its check digits right and its day of birth in the
// calendar where it has those; not that somebody has it. Linear in the text; nothing is allocated.

struct TaxIdOptions {
  bool allow_lower_case = false;
  // "/", "-" and "." where offices print them in Austria, Belgium and Germany. What belongs to a
  // number ("131052-308T") is no separator.
  bool allow_separators = false;
};
// `locale` is one of bg-BG, cs-CZ, da-DK, de-AT, de-DE, el-CY, el-GR, en-CA, en-GB, en-IE, en-IN,
// en-US, es-AR, es-ES, et-EE, fi-FI, fr-BE, fr-CA, fr-FR, fr-LU, hr-HR, hu-HU, it-IT, lb-LU, lt-LT,
// lv-LV, mt-MT, nl-BE, nl-NL, pl-PL, pt-BR, pt-PT, ro-RO, sk-SK, sl-SI, sv-SE, uk-UA; false for
// another.
[[nodiscard]] bool is_tax_id(std::string_view text, std::string_view locale,
                             const TaxIdOptions& options = {});
[[nodiscard]] bool knows_tax_ids_of(std::string_view locale);

}  // namespace moat::validate
