// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/license_plates.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "moat/validate/internal/layout.h"

namespace moat::validate {
namespace {

using internal::fits;
using internal::PlaceLayout;

// The countries' rules for registration marks: Zákon 56/2001 (CZ, no G, O, Q, W), FZV annexes 2 to
// 4 (DE: at most eight characters, E or H behind them), Central Motor Vehicles Rules 50 and 51
// (IN), Traficom (FI), 326/2011. Korm. rendelet (HU), Resolução CONTRAN 780 (BR), Decreto-Lei
// 54/2005 (PT), Transportstyrelsen (SE: no I, Q, V, and names of two to seven characters), DNRPA
// (AR), LTA (SG).
// "~" stands for a letter beyond ASCII, which is put there first.
constexpr PlaceLayout plates[] = {
    {"cs-CZ",
     "[A-FH-NPR-VX-Z0-9]-?[A-FH-NPR-VX-Z0-9]-?[A-FH-NPR-VX-Z0-9]-?"
     "[A-FH-NPR-VX-Z0-9]-?[A-FH-NPR-VX-Z0-9](-?[A-FH-NPR-VX-Z0-9])?"
     "(-?[A-FH-NPR-VX-Z0-9])?(-?[A-FH-NPR-VX-Z0-9])?"},
    {"de-DE",
     "[A-Z~]{1,2}[ -]?@{1,2}[ -]?#{1,4}([ -]?[EH])?|[A-Z~]{3}[ -]?@[ -]?#{1,4}([ -]?[EH])?|"
     "[A-Z~]{3}[ -]?@@[ -]?#{1,3}([ -]?[EH])?"},
    {"de-LI", "FL[ -]?#{1,5}[UZ]?"},
    {"en-IN", "@@[ -]?#{1,2}[ -]?@{1,3}[ -]?#{4}"},
    {"en-PK", "@{2,4}[ -]?#{3,4}([ -]##)?|@[ -]?#{4}([ -]##)?"},
    {"en-SG", "@{1,3}[ -]?#{1,4}[ -]?@"},
    {"es-AR", "@@ ?### ?@@|@{3} ?###"},
    {"fi-FI", "@{2,3}[ -]?#{1,3}|#{1,3}[ -]?@{2,3}|@[ -]?#{2,5}|#{2,3}[ -]?@"},
    {"hu-HU",
     "[B-NPR-TV-Z][A-PR-Z][A-HJ-NPR-Z]-###|A[B-PR-Z][A-HJ-NPR-Z]-###|AA[B-HJ-NPR-Z]-###|A[ABC][IO]-"
     "###|A[A-W]Q-###|BP[IO]-###|U[CD]O-###|"
     "XAO-###|@@ @@-###|M#{6}|C[DK] ##-##|DT ##-##|H[A-CEFIKLMNPRSTVX] ##-##|MA ##-##|OT ##-##|"
     "R@ ##-##|CD ###-###|C-[CX] #{4}|X-[ABC] #{4}|[EPVZ]-#{5}|S A@@ ##|SP ##-##"},
    {"pt-BR", "@{3}[ -]?####|@{3}[ -]?#@##"},
    {"pt-PT",
     "@@-##-##|##-@@-##|##-##-@@|@@-##-@@|@@ ## ##|## @@ ##|## ## @@|@@ ## @@|@@####|##@@##|"
     "####@@|@@##@@|@@·##·##|##·@@·##|##·##·@@|@@·##·@@"},
    {"sq-AL", "@@[ -]?###[ -]?@@"},
    {"sv-SE", "[A-HJ-PR-UW-Z]{3} ?##[A-HJ-NPR-UW-Z0-9]|[A-Z~][A-Z~ ]{0,5}[A-Z~]"},
};
static_assert(internal::is_table(plates));

// A text with "~" for each Ä, Å, Ö and Ü; empty when it is too long or has a "~" itself.
class Folded final {
 public:
  explicit Folded(std::string_view text) {
    while (!text.empty()) {
      const bool letter = is_letter(text.substr(0, 2));
      if (size_ == bytes_.size() || text[0] == '~') {
        size_ = 0;
        return;
      }
      bytes_[size_++] = letter ? '~' : text[0];
      text.remove_prefix(letter ? 2 : 1);
    }
  }
  std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  static bool is_letter(std::string_view two) {
    return two == "Ä" || two == "Å" || two == "Ö" || two == "Ü";
  }
  std::array<char, internal::max_layout_text> bytes_{};
  std::size_t size_ = 0;
};

bool is_plate(std::string_view layout, std::string_view text, Case letters) {
  return fits(layout, Folded(text).text(), letters);
}

}  // namespace

bool is_license_plate(std::string_view text, std::string_view locale, Case letters) {
  return is_plate(internal::layout_of(plates, locale), text, letters);
}

bool is_license_plate(std::string_view text, Case letters) {
  return std::any_of(std::begin(plates), std::end(plates),
                     [&](const PlaceLayout& row) { return is_plate(row.layout, text, letters); });
}

bool knows_license_plates_of(std::string_view locale) {
  return !internal::layout_of(plates, locale).empty();
}

}  // namespace moat::validate
