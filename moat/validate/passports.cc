// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/passports.h"

#include "moat/validate/internal/compact.h"
#include "moat/validate/internal/layout.h"

namespace moat::validate {
namespace {

using internal::PlaceLayout;

// ICAO Doc 9303 part 4: at most nine characters. The countries' own patterns as the Council of the
// European Union's public register of documents (PRADO, consilium.europa.eu/prado) and the issuers
// show them on specimens; where a country has changed its pattern, passports of both are about.
constexpr PlaceLayout passports[] = {
    {"AM", "@@#{7}"},
    {"AR", "@{3}#{6}"},
    {"AT", "@{1,2}#{7}"},
    {"AU", "@{1,2}#{7}"},
    {"AZ", "@#{8}"},
    {"BE", "@@#{6}"},
    {"BG", "#{9}"},
    {"BR", "@@#{6}"},
    {"BY", "@@#{7}"},
    {"CA", "@@#{6}|@#{6}@@"},
    {"CH", "@#{7}"},
    {"CN", "G#{8}|E#{8}|E[A-HJ-NP-Z]#{7}"},
    {"CY", "@#{6}(##)?"},
    {"CZ", "#{8}"},
    {"DE", "[CFGHJKLMNPRTVWXYZ0-9]{9}"},
    {"DK", "#{9}"},
    {"DZ", "#{9}"},
    {"EE", "@{1,2}#{7}"},
    {"ES", "@{2,3}#{6}"},
    {"FI", "@@#{7}"},
    {"FR", "##@@#{5}"},
    {"GB", "#{9}"},
    {"GR", "@@#{7}"},
    {"HR", "#{9}"},
    {"HU", "@@#{6,7}"},
    {"ID", "[ABCX]#{7}"},
    {"IE", "@*#{7}"},
    {"IN", "@-?#{7}"},
    {"IR", "@#{8}"},
    {"IS", "A#{7}"},
    {"IT", "@@#{7}"},
    {"JM", "A#{7}"},
    {"JP", "@@#{7}"},
    {"KR", "[MSRODG]#{8}|[MSRODG]###@#{4}"},
    {"KZ", "@#{7,8}"},
    {"LI", "@#{5}"},
    {"LT", "#{8}|@@#{6}"},
    {"LU", "*{8}"},
    {"LV", "@@#{7}"},
    {"LY", "*{8}"},
    {"MT", "#{7}"},
    {"MX", "@#{8}"},
    {"MY", "[AHK]#{8}"},
    {"MZ", "@@#{7}|##@@#{5}"},
    {"NL", "@@*{6}#"},
    {"NZ", "N#{6}|EA#{6}|EP#{6}|L[ADFH]#{6}"},
    {"PH", "@#{6}|@@#{6,7}|@#{7}@"},
    {"PK", "@@#{7}"},
    {"PL", "@@#{7}"},
    {"PT", "@{1,2}#{6}"},
    {"RO", "#{8,9}"},
    {"RU", "#{9}"},
    {"SE", "#{8}|@@#{6}"},
    {"SI", "P@#{7}"},
    {"SK", "*#{7}"},
    {"TH", "@{1,2}#{6,7}"},
    {"TR", "@#{8}"},
    {"UA", "@@#{6}"},
    {"US", "#{9}|@#{8}"},
    {"ZA", "[ADMT]#{8}"},
};
static_assert(internal::is_table(passports));

}  // namespace

bool is_passport_number(std::string_view text, std::string_view country,
                        const PassportOptions& options) {
  const internal::CompactCode code(text, options.allow_spaces ? " " : "", options.allow_lower_case);
  return internal::fits(internal::layout_of(passports, country), code.text());
}

bool knows_passports_of(std::string_view country) {
  return !internal::layout_of(passports, country).empty();
}

}  // namespace moat::validate
