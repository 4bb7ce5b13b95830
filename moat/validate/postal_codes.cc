// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/postal_codes.h"

#include <algorithm>
#include <iterator>

#include "moat/validate/internal/layout.h"

namespace moat::validate {
namespace {

using internal::fits;
using internal::PlaceLayout;

// Universal Postal Union, "Postal addressing systems in member countries" (upu.int), and the posts
// themselves where they publish zones: Canada Post (letters not in use), Royal Mail (Programmers'
// Guide to PAF), Eircode (ECAD Product Guide), India Post (circles), China Post and 4-72 Colombia
// (provinces and departments), TNT Post (letters not in use), La Poste (departments).
constexpr PlaceLayout postal_codes[] = {
    {"AD", "AD[1-7]00"},
    {"AR", "####|[A-HJ-NP-Z]####@@@"},
    {"AT", "[1-9]###"},
    {"AU", "####"},
    {"AZ", "AZ ?####"},
    {"BA", "[78]####"},
    {"BD", "[1-8]###|9[0-4]##"},
    {"BE", "[1-9]###"},
    {"BG", "[1-9]###"},
    {"BR", "#{5}-?###"},
    {"BY", "2[1-4]####"},
    {"CA", "[ABCEGHJ-NPR-TVXY]#[ABCEGHJ-NPR-TV-Z][ -]?#[ABCEGHJ-NPR-TV-Z]#"},
    {"CH", "[1-9]###"},
    {"CN",
     "0[1-7]####|1[0-356]####|2[0-7]####|3[0-6]####|4[0-7]####|5[1-7]####|6[1-7]####|7[1-5]####|"
     "8[1345]####|99####"},
    {"CO",
     "0[58]####|1[135789]####|2[0357]####|4[147]####|5[024]####|6[368]####|7[036]####|8[1568]####|"
     "9[14579]####"},
    {"CZ", "### ?##"},
    {"DE", "0[1-9]###|[1-9]####"},
    {"DK", "####"},
    {"DO", "#{5}"},
    {"DZ", "#{5}"},
    {"EE", "#{5}"},
    {"ES", "0[1-9]###|[1-4]####|5[0-2]###"},
    {"FI", "#{5}"},
    {"FR", "0[1-9]###|[1-8]####|9[0-5]###|97[1-8]##|98[678]##"},
    // Area letters: none of Q, V, X first and none of I, J, Z second; inward none of C I K M O V.
    {"GB",
     "[A-PR-UWYZ][0-9]{1,2} ?#[ABD-HJLNP-UW-Z]{2}|[A-PR-UWYZ]#@ ?#[ABD-HJLNP-UW-Z]{2}|"
     "[A-PR-UWYZ][A-HK-Y]#{1,2} ?#[ABD-HJLNP-UW-Z]{2}|[A-PR-UWYZ][A-HK-Y]#@ ?#[ABD-HJLNP-UW-Z]{2}|"
     "GIR ?0AA"},
    {"GR", "### ?##"},
    {"HR", "[1-5]####"},
    {"HT", "HT####"},
    {"HU", "[1-9]###"},
    {"ID", "[1-9]####"},
    {"IE", "[AC-FHKNPRTV-Y]## [0-9AC-FHKNPRTV-Y]{4}|D6W [0-9AC-FHKNPRTV-Y]{4}"},
    {"IL", "#{5}|#{7}"},
    {"IN",
     "1[1-9]####|2[0-8]####|3[0-46-9]####|4#####|5[0-36-9]####|6[0-47-9]####|7#####|8[0-5]####|"
     "9#####"},
    // No 0 or 2 in the first five digits, no 5 as the fifth, no 2 behind it.
    {"IR", "[13-9]{4}[1346-9][013-9]{5}"},
    {"IS", "[1-9]##"},
    {"IT", "#{5}"},
    {"JO", "#{5}"},
    {"JP", "###-####"},
    {"KE", "#{5}"},
    {"KR", "#{5,6}"},
    {"LI", "948[5-9]|949[0-8]"},
    {"LK", "#{5}"},
    {"LT", "LT-#{5}"},
    {"LU", "[1-9]###"},
    {"LV", "LV-#{4}"},
    {"MC", "980##"},
    {"MG", "[1-6]##"},
    {"MT", "@@@ ?####"},
    {"MX", "#{5}"},
    {"MY", "#{5}"},
    {"NL", "[1-9]### ?[A-RT-Z]@|[1-9]### ?S[BCE-RT-Z]"},
    {"NO", "####"},
    {"NP", "10###|2[12]###|3[2-4]###|4[45]###|5[67]###"},
    {"NZ", "####"},
    {"PK", "#{5}"},
    {"PL", "##-###"},
    {"PR", "00[679]##(-####)?"},
    {"PT", "####-###"},
    {"RO", "#{6}"},
    {"RU", "#{6}"},
    {"SA", "#{5}(-####)?"},
    {"SE", "[1-9]## ?##"},
    {"SG", "#{6}"},
    {"SI", "[1-9]###"},
    {"SK", "[089]## ?##"},
    {"TH", "[1-9]####"},
    {"TN", "####"},
    {"TW", "###(##)?|#{6}"},
    {"UA", "#{5}"},
    {"US", "#{5}(-####)?"},
    {"ZA", "####"},
    {"ZM", "#{5}"},
};
static_assert(internal::is_table(postal_codes));

}  // namespace

bool is_postal_code(std::string_view text, std::string_view country, Case letters) {
  return fits(internal::layout_of(postal_codes, country), text, letters);
}

bool is_postal_code(std::string_view text, Case letters) {
  return std::any_of(std::begin(postal_codes), std::end(postal_codes),
                     [&](const PlaceLayout& row) { return fits(row.layout, text, letters); });
}

bool knows_postal_codes_of(std::string_view country) {
  return !internal::layout_of(postal_codes, country).empty();
}

}  // namespace moat::validate
