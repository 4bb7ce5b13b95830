// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/vat_numbers.h"

#include <array>

#include "moat/validate/internal/compact.h"
#include "moat/validate/internal/layout.h"

namespace moat::validate {
namespace {

using internal::fits;
using internal::PlaceLayout;

// What stands behind the prefix. The European Union: VIES, "Structure of VAT identification
// numbers" (ec.europa.eu/taxation_customs/vies, FAQ, question 11). Elsewhere the tax offices: HMRC
// (GB), EStV (CH), Skatteetaten (NO), ATO (AU), GST Council (IN), Receita Federal (BR), SAT (MX),
// SUNAT (PE), SET (PY), DGII (DO), SENIAT (VE), and OECD's "Tax Identification Numbers" country
// sheets.
constexpr PlaceLayout vat_numbers[] = {
    {"AL", "*#{8}@"},
    {"AR", "#{11}"},
    {"AT", "U#{8}"},
    {"AU", "#{11}"},
    {"BE", "[01]#{9}"},
    {"BG", "#{9,10}"},
    {"BO", "#{7}"},
    // Since July 2026 a CNPJ may have letters (Instrução Normativa RFB 2229/2024).
    {"BR", "**.***.***/****-##|###.###.###-##"},
    {"BY", "#{9}"},
    {"CA", "#{9}(RT####)?"},
    {"CH",
     "#{9}( ?MWST)?|#{9}( ?TVA)?|#{9}( ?IVA)?|###.###.###( ?MWST)?|###.###.###( ?TVA)?|"
     "###.###.###( ?IVA)?|### ### ###( ?MWST)?|### ### ###( ?TVA)?|### ### ###( ?IVA)?"},
    {"CL", "#{7,8}-[0-9K]"},
    {"CO", "#{10}"},
    {"CR", "#{9,12}"},
    {"CY", "#{8}@"},
    {"CZ", "#{8,10}"},
    {"DE", "#{9}"},
    {"DK", "#{8}"},
    {"DO", "#{9}|#{11}|###-#{7}-#|#-##-#{5}-#"},
    {"EC", "#{13}"},
    {"EE", "#{9}"},
    {"EL", "#{9}"},
    {"ES", "*#{7}*"},
    {"FI", "#{8}"},
    {"FR", "[0-9A-HJ-NP-Z]{2}#{9}"},
    {"GB", "### #### [0-8]#|### #### 9[0-6]|#{9} ###|GD[0-4]##|HA[5-9]##"},
    {"GT", "#{7}-[0-9K]"},
    {"HN", "#{14}"},
    {"HR", "#{11}"},
    {"HU", "#{8}"},
    {"ID", "#{15,16}|##.###.###.#-###.###"},
    {"IE", "#{7}@{1,2}|#[A-Z+*]#{5}@"},
    {"IL", "#{9}"},
    {"IN", "#{15}|##@{5}#{4}@*Z*"},
    {"IS", "#{5,6}"},
    {"IT", "#{11}"},
    {"KZ", "#{12}"},
    {"LT", "#{9}(###)?"},
    {"LU", "#{8}"},
    {"LV", "#{11}"},
    {"MK", "#{13}"},
    {"MT", "#{8}"},
    {"MX", "@{3,4}#{6}***"},
    {"NG", "#{12}|#{8}-#{4}"},
    {"NI", "###-#{6}-#{4}@"},
    {"NL", "#{9}B##"},
    {"NO", "#{9}MVA"},
    {"NZ", "#{8,9}"},
    {"PA", "#{1,8}-#{1,4}-#{1,6}"},
    {"PE", "#{11}"},
    {"PH", "#{12}"},
    {"PL", "#{10}|###-###-##-##|###-##-##-###"},
    {"PT", "[1-9]#{8}"},
    {"PY", "#{6,8}-#"},
    {"RO", "#{2,10}"},
    {"RS", "#{9}"},
    {"RU", "#{10}(##)?"},
    {"SA", "#{15}"},
    {"SE", "#{12}"},
    {"SI", "#{8}"},
    {"SK", "#{10}"},
    {"SM", "#{5}"},
    {"SV", "#{4}-#{6}-###-#"},
    {"TR", "#{10}"},
    {"UA", "#{12}"},
    {"UY", "#{12}"},
    {"UZ", "#{9}"},
    {"VE", "[JGVEP]-?#{8}-?#"},
};
static_assert(internal::is_table(vat_numbers));

// The same without separators, where those are not optional above.
constexpr PlaceLayout plain_vat_numbers[] = {
    {"BR", "*{12}##|#{11}"},
    {"CL", "#{7,8}[0-9K]"},
    {"GB", "#{7}[0-8]#|#{7}9[0-6]|#{7}[0-8]####|#{7}9[0-6]###"},
    {"GT", "#{7}[0-9K]"},
    {"NI", "#{13}@"},
    {"PY", "#{7,9}"},
    {"SV", "#{14}"},
};
static_assert(internal::is_table(plain_vat_numbers));

struct Prefix {
  std::string_view country, prefix;
};
// Where it is not the country's two letters.
constexpr Prefix prefixes[] = {
    {"BY", "УНП "}, {"BY", "УНП"}, {"CH", "CHE-"}, {"CH", "CHE "}, {"CH", "CHE"}};

// Takes the country's prefix off; whether there was one.
bool take_prefix(std::string_view& text, std::string_view country) {
  bool own = false;
  for (const Prefix& row : prefixes) {
    if (row.country != country) continue;
    own = true;
    if (text.substr(0, row.prefix.size()) != row.prefix) continue;
    text.remove_prefix(row.prefix.size());
    return true;
  }
  if (own || text.substr(0, country.size()) != country) return false;
  text.remove_prefix(country.size());
  return true;
}

// Australian Taxation Office, "Format of the ABN": one less than the first digit, weights,
// modulo 89.
bool is_abn(std::string_view digits) {
  constexpr unsigned weights[] = {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19};
  if (digits.substr(0, 2) < "11") return false;  // the two are a check: 11 to 99
  return (internal::weighted_sum(digits, weights) - 10) % 89 == 0;
}

// Verordnung über die Unternehmens-Identifikationsnummer (SR 431.031), annex: weights, modulo 11.
bool is_uid(std::string_view text) {
  std::array<char, 9> digits{};
  std::size_t size = 0;
  for (const char c : text)
    if (internal::is_digit(c)) digits[size++] = c;
  constexpr unsigned weights[] = {5, 4, 3, 2, 7, 6, 5, 4};
  const std::string_view view(digits.data(), digits.size());
  return (11 - internal::weighted_sum(view, weights) % 11) % 11 == internal::digit(view[8]);
}

// Decreto-Lei 14/2013 and OECD's sheet for Portugal: weights 9 to 2, modulo 11, 10 and 11 are 0.
bool is_nif(std::string_view digits) {
  constexpr unsigned weights[] = {9, 8, 7, 6, 5, 4, 3, 2};
  const unsigned check = 11 - internal::weighted_sum(digits, weights) % 11;
  return (check > 9 ? 0 : check) == internal::digit(digits[8]);
}

}  // namespace

bool is_vat(std::string_view text, std::string_view country, const VatOptions& options) {
  const auto layout = internal::layout_of(vat_numbers, country);
  if (layout.empty() || (!take_prefix(text, country) && !options.allow_missing_prefix))
    return false;
  if (!fits(layout, text) && !(options.allow_missing_separators &&
                               fits(internal::layout_of(plain_vat_numbers, country), text)))
    return false;
  if (country == "AU") return is_abn(text);
  if (country == "CH") return is_uid(text);
  if (country == "PT") return is_nif(text);
  return true;
}

bool knows_vat_of(std::string_view country) {
  return !internal::layout_of(vat_numbers, country).empty();
}

}  // namespace moat::validate
