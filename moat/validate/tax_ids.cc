// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/tax_ids.h"

#include <algorithm>
#include <iterator>

#include "moat/validate/internal/layout.h"
#include "moat/validate/internal/tax_rules.h"

namespace moat::validate {
namespace {

namespace rules = internal;

struct TaxId {
  std::string_view locale;
  std::string_view layout;
  bool (*check)(std::string_view text);
  std::string_view separators = {};  // that may be left out
};

// OECD, "Tax Identification Numbers (TINs)", the country sheets (oecd.org/tax/automatic-exchange),
// and the European Commission's TIN portal (ec.europa.eu/taxation_customs/tin), for layouts and
// check digits; where a national law or office says more, tax_rules.cc names it. The USA: IRS, "How
// EINs are assigned and valid EIN prefixes". The United Kingdom: HMRC, NIM39110, for the prefixes
// of National Insurance numbers. India: Income Tax Rules, rule 114, for the fourth letter.
constexpr TaxId tax_ids[] = {
    {"bg-BG", "#{10}", rules::is_bulgarian},
    {"cs-CZ", "#{6}/?#{3,4}", rules::is_czech},
    {"da-DK", "#{6}-?####", rules::is_danish},
    {"de-AT", "#{9}", rules::is_austrian, "-/."},
    {"de-DE", "[1-9]#{10}", rules::is_german, "/"},
    {"el-CY", "[069]#{7}@", rules::is_cypriot},
    {"el-GR", "[0-47-9]#{8}", rules::is_greek},
    {"en-CA", "#{9}", rules::is_canadian},
    {"en-GB", "#{10}|[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z]#{6}[ABCD ]?", rules::is_british},
    {"en-IE", "#{7}[A-W][A-IW]?", rules::is_irish},
    {"en-IN", "@{3}[ABCEFGHJKLPT]@####@", rules::is_any_tax_id},
    {"en-US",
     "0[1-6][- ]?#{7}|1[0-6][- ]?#{7}|2[0-7][- ]?#{7}|3#[- ]?#{7}|4[0-8][- ]?#{7}|5#[- "
     "]?#{7}|6[0-8][- ]?#{7}|"
     "7[1-7][- ]?#{7}|8[0-8][- ]?#{7}|9[0-589][- ]?#{7}",
     rules::is_any_tax_id},
    {"es-AR", "20#{9}|2[347]#{9}|3[034]#{9}", rules::is_argentine},
    {"es-ES", "#{8}@|[K-MX-Z]#{7}@", rules::is_spanish_tax_id},
    {"et-EE", "[1-6]#{10}", rules::is_estonian},
    {"fi-FI", rules::finnish_layout, rules::is_finnish_number},
    {"fr-BE", "#{11}", rules::is_belgian, "/-."},
    {"fr-CA", "#{9}", rules::is_canadian},
    {"fr-FR", "[0-3]#{12}|[0-3]# ## ### ### ###", rules::is_french},
    {"fr-LU", "#{13}", rules::is_luxembourgish},
    {"hr-HR", "#{11}", rules::has_iso7064_mod_11_10},
    {"hu-HU", "8#{9}", rules::is_hungarian},
    {"it-IT", "@{6}[0-9L-NP-V]{2}[A-EHLMPRST][0-9L-NP-V]{2}[A-ILMZ][0-9L-NP-V]{3}@",
     rules::is_italian_tax_id},
    {"lb-LU", "#{13}", rules::is_luxembourgish},
    {"lt-LT", "[1-6]#{10}", rules::is_lithuanian},
    {"lv-LV", "#{6}-?#{5}", rules::is_latvian},
    // Of foreigners: two equal digits in front.
    {"mt-MT", "#{3,7}[ABGHLMPZ]|11#{7}|22#{7}|33#{7}|44#{7}|55#{7}|66#{7}|77#{7}|88#{7}",
     rules::is_any_tax_id},
    {"nl-BE", "#{11}", rules::is_belgian, "/-."},
    {"nl-NL", "#{9}", rules::is_dutch},
    {"pl-PL", "#{10,11}", rules::is_polish_tax_id},
    {"pt-BR", "#{11}|###.###.###-##|*{12}##", rules::is_brazilian},
    {"pt-PT", "[1-9]#{8}", rules::is_portuguese},
    {"ro-RO", "[1-9]#{12}", rules::is_romanian},
    {"sk-SK", "#{6}/?###|#{10}", rules::is_slovak},
    {"sl-SI", "[1-9]#{7}", rules::is_slovene},
    {"sv-SE", "#{6}[-+]?####|1[89]#{6}[-+]?####|20#{6}[-+]?####", rules::is_swedish},
    {"uk-UA", "#{10}", rules::is_ukrainian},
};

const TaxId* find(std::string_view locale) {
  const auto* row = std::find_if(std::begin(tax_ids), std::end(tax_ids),
                                 [&](const TaxId& id) { return id.locale == locale; });
  return row == std::end(tax_ids) ? nullptr : row;
}

}  // namespace

bool is_tax_id(std::string_view text, std::string_view locale, const TaxIdOptions& options) {
  const TaxId* row = find(locale);
  if (row == nullptr) return false;
  const internal::CompactCode code(text,
                                   options.allow_separators ? row->separators : std::string_view(),
                                   options.allow_lower_case);
  return internal::fits(row->layout, code.text()) && row->check(code.text());
}

bool knows_tax_ids_of(std::string_view locale) { return find(locale) != nullptr; }

}  // namespace moat::validate
