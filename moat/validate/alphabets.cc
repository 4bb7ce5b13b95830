// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/alphabets.h"

#include <algorithm>
#include <iterator>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/unicode.h"

namespace moat::validate {
namespace {

using internal::next_code_point;

struct Alphabet {
  std::string_view language;
  std::string_view letters;  // "a-z" is a range
  std::string_view digits;
};

// Exemplar characters of the Unicode CLDR (cldr.unicode.org, main and auxiliary), with all of A to
// Z where the language uses them in names; for Indic, Arabic and Thai writing the letters and
// dependent signs of the Unicode blocks. Both cases are written out; where an editor would
// decompose letters, code points are.
constexpr Alphabet alphabets[] = {
    {"ar", "ء-غف-يً-ْٰ", "0-9٠-٩"},
    {"az", "A-VX-Za-vx-zÇçƏəĞğİıÖöŞşÜü", "0-9"},
    {"bg", "А-Яа-я", "0-9"},
    {"bn",
     "\u0981-\u0983\u0985-\u098c\u098f\u0990\u0993-\u09a8\u09aa-\u09b0\u09b2\u09b6-\u09b9\u09bc-"
     "\u09c4\u09c7\u09c8\u09cb-\u09ce\u09d7\u09dc\u09dd\u09df-\u09e3\u09f0\u09f1",
     "০-৯"},
    {"cs", "A-Za-zÁáČčĎďÉéĚěÍíŇňÓóŘřŠšŤťÚúŮůÝýŽž", "0-9"},
    {"da", "A-Za-zÆæØøÅå", "0-9"},
    {"de", "A-Za-zÄäÖöÜüẞß", "0-9"},
    {"el", "ΆΈ-ΊΌΎ-ΡΣ-ώ", "0-9"},
    {"en", "A-Za-z", "0-9"},
    {"eo", "A-PR-VZa-pr-vzĈĉĜĝĤĥĴĵŜŝŬŭ", "0-9"},
    {"es", "A-Za-zÁáÉéÍíÑñÓóÚúÜü", "0-9"},
    {"fa", "ءآأؤئابپت-جچح-زژس-غفقکگل-هویة", "0-9۰-۹"},
    {"fi", "A-Za-zÅåÄäÖö", "0-9"},
    {"fr", "A-Za-zÀàÂâÆæÇçÉéÈèÊêËëÏïÎîÔôŒœÙùÛûÜüŸÿ", "0-9"},
    {"gu", "ઁ-ઃઅ-ઍએ-ઑઓ-નપ-રલળવ-હ઼-ૅે-ૉો-્ૐૠ-ૣ", "0-9૦-૯"},
    {"he", "א-ת", "0-9"},
    {"hi", "ऀ-ॣॱ-ॿ", "0-9०-९"},
    {"hu", "A-Za-zÁáÉéÍíÓóÖöŐőÚúÜüŰű", "0-9"},
    {"it", "A-Za-zÀàÉéÈèÌìÎîÓóÒòÙù", "0-9"},
    {"ja", "ぁ-ゖゝ-ゞァ-ヶ・-ヾｦ-ﾟ一-龠々", "0-9０-９"},
    {"kk", "А-Яа-яЁёӘәҒғҚқҢңӨөҰұҮүҺһІі", "0-9"},
    {"kn", "ಁ-ಃಅ-ಌಎ-ಐಒ-ನಪ-ಳವ-ಹ಼-ೄೆ-ೈೊ-್ೕೖೞೠ-ೣ",
     "0-9೦-೯"},
    {"ko", "ㄱ-ㅎㅏ-ㅣ가-힣", "0-9"},
    {"ku", "ءآأؤإئابپةت-جچح-دذ-رڕزژس-غفڤقكکگلڵم-هھەویۆيێ", "0-9٠-٩"},
    {"ml", "ം-ഃഅ-ഌഎ-ഐഒ-ഺഽ-ൄെ-ൈൊ-ൎൗൠ-ൣൺ-ൿ", "0-9൦-൯"},
    {"nb", "A-Za-zÆæØøÅå", "0-9"},
    {"nl", "A-Za-zÁáÉéËëÏïÓóÖöÚúÜü", "0-9"},
    {"nn", "A-Za-zÆæØøÅå", "0-9"},
    {"or",
     "\u0b01-\u0b03\u0b05-\u0b0c\u0b0f\u0b10\u0b13-\u0b28\u0b2a-\u0b30\u0b32\u0b33\u0b35-"
     "\u0b39\u0b3c-\u0b44\u0b47\u0b48\u0b4b-\u0b4d\u0b56\u0b57\u0b5c\u0b5d\u0b5f-\u0b63\u0b71",
     "0-9୦-୯"},
    {"pa",
     "\u0a01-\u0a03\u0a05-\u0a0a\u0a0f\u0a10\u0a13-\u0a28\u0a2a-"
     "\u0a30\u0a32\u0a33\u0a35\u0a36\u0a38\u0a39\u0a3c\u0a3e-\u0a42\u0a47\u0a48\u0a4b-"
     "\u0a4d\u0a51\u0a59-\u0a5c\u0a5e\u0a70-\u0a75",
     "0-9੦-੯"},
    {"pl", "A-Za-zĄąĆćĘęŁłŃńÓóŚśŹźŻż", "0-9"},
    {"pt", "A-Za-zÃãÁáÀàÂâÄäÇçÉéÊêËëÍíÏïÕõÓóÔôÖöÚúÜü", "0-9"},
    {"ru", "А-Яа-яЁё", "0-9"},
    {"si", "ං-ඃඅ-ඖක-නඳ-රලව-ෆ්ා-ුූෘ-ෟෲෳ", "0-9෦-෯"},
    {"sk", "A-Za-zÁáÄäČčĎďÉéÍíĹĺĽľŇňÓóÔôŔŕŠšŤťÚúÝýŽž", "0-9"},
    {"sl", "A-Za-zČčĆćĐđŠšŽž", "0-9"},
    {"sr", "А-Яа-яЂђЈјЉљЊњЋћЏџ", "0-9"},
    {"sr@latin", "A-Za-zČčĆćŽžŠšĐđ", "0-9"},
    {"sv", "A-Za-zÅåÄäÖö", "0-9"},
    {"ta", "ஂஃஅ-ஊஎ-ஐஒ-கஙசஜஞடணதந-பம-ஹா-ூெ-ைொ-்ௐௗ", "0-9௦-௯"},
    {"te", "ఁ-ఃఅ-ఌఎ-ఐఒ-నప-హఽ-ౄె-ైొ-్ౕౖౘ-ౚౠ-ౣ",
     "0-9౦-౯"},
    {"th", "ก-ฺเ-๎", "0-9๐-๙"},
    {"tr", "A-Za-zÇçĞğİıÖöŞşÜü", "0-9"},
    {"uk", "А-ЩЬЮЯа-щьюяЄєІіЇїҐґ", "0-9"},
    {"vi", "A-Za-zÀ-ÃÈ-ÊÌÍÒ-ÕÙÚÝà-ãè-êìíò-õùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ", "0-9"},
};

// The language of a locale; empty when that is none.
const Alphabet* find(std::string_view locale) {
  const auto hyphen = locale.find('-');
  const bool latin =
      locale.size() > 6 && locale.substr(0, 3) == "sr-" && locale.substr(5) == "@latin";
  if (hyphen != std::string_view::npos) {
    const auto region = locale.substr(hyphen + 1, latin ? 2 : std::string_view::npos);
    if (region.size() != 2 || !internal::all(region, internal::is_upper)) return nullptr;
  }
  const auto language = latin ? std::string_view("sr@latin") : locale.substr(0, hyphen);
  const auto* row = std::find_if(std::begin(alphabets), std::end(alphabets),
                                 [&](const Alphabet& a) { return a.language == language; });
  return row == std::end(alphabets) ? nullptr : row;
}

// Whether a character is one of those, or in one of their ranges.
bool holds(std::string_view set, char32_t character) {
  while (!set.empty()) {
    const char32_t first = next_code_point(set);
    char32_t last = first;
    if (set.size() > 1 && set[0] == '-') {
      set.remove_prefix(1);
      last = next_code_point(set);
    }
    if (character >= first && character <= last) return true;
  }
  return false;
}

// The same without ranges, for a set that the caller brings.
bool is_ignored(std::string_view set, char32_t character) {
  while (!set.empty())
    if (next_code_point(set) == character) return true;
  return false;
}

bool is_made_of(std::string_view text, const Alphabet* alphabet, bool digits,
                std::string_view ignore) {
  if (alphabet == nullptr || !is_valid_utf8(text) || !is_valid_utf8(ignore)) return false;
  bool any = false;
  while (!text.empty()) {
    const char32_t character = next_code_point(text);
    const bool good =
        holds(alphabet->letters, character) || (digits && holds(alphabet->digits, character));
    if (!good && !is_ignored(ignore, character)) return false;
    any = any || good;
  }
  return any;
}

}  // namespace

bool is_alpha_in(std::string_view text, std::string_view locale, std::string_view ignore) {
  return is_made_of(text, find(locale), false, ignore);
}

bool is_alphanumeric_in(std::string_view text, std::string_view locale, std::string_view ignore) {
  return is_made_of(text, find(locale), true, ignore);
}

bool knows_alphabet_of(std::string_view locale) { return find(locale) != nullptr; }

}  // namespace moat::validate
