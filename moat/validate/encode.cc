// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/encode.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/base/replace.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/unicode.h"

namespace moat::validate {
namespace {

using Refused = std::optional<EncodeRefusal>;

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// C0 controls and DEL, but for those in `allowed`.
bool has_control(std::string_view text, std::string_view allowed) {
  return std::any_of(text.begin(), text.end(), [allowed](char c) {
    return (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) && !internal::contains(allowed, c);
  });
}

Refused refuse_text(std::string_view text) {
  if (has_nul(text)) return EncodeRefusal::nul;
  if (!is_valid_utf8(text)) return EncodeRefusal::not_utf8;
  return std::nullopt;
}

Refused refuse_html(std::string_view text) {
  if (const auto refused = refuse_text(text)) return refused;
  if (has_control(text, "\t\n\r")) return EncodeRefusal::control;
  return std::nullopt;
}

constexpr char hex_digit(unsigned value) { return "0123456789abcdef"[value & 15]; }

// "\x3c" and the like: `prefix`, two hexadecimal digits, `suffix`.
constexpr void set_hex(Replacements& table, char c, std::string_view prefix,
                       std::string_view suffix = "") {
  std::array<char, 7> text{};
  std::size_t size = 0;
  for (const char p : prefix) text[size++] = p;
  text[size++] = hex_digit(static_cast<unsigned char>(c) >> 4);
  text[size++] = hex_digit(static_cast<unsigned char>(c));
  for (const char s : suffix) text[size++] = s;
  table.set(c, {text.data(), size});
}

// XML 1.0 sections 2.4, 2.11 and 3.3.3: what is markup, and the white space that a parser changes.
constexpr Replacements xml_text = [] {
  Replacements out;
  out.set('&', "&amp;");
  out.set('<', "&lt;");
  out.set('>', "&gt;");
  out.set('"', "&quot;");
  out.set('\'', "&#39;");
  out.set('\t', "&#9;");
  out.set('\n', "&#10;");
  out.set('\r', "&#13;");
  return out;
}();

// All of ASCII but letters and digits. Hexadecimal: a backslash before a mark is an
// error where the mark means nothing (ECMA-262 with flag u), and something else in a class (v).
constexpr Replacements regex_literal = [] {
  Replacements out;
  for (char c = 0; c < 0x7f; ++c)
    if (!internal::is_alnum(c)) set_hex(out, c, "\\x");
  set_hex(out, 0x7f, "\\x");
  return out;
}();

// What could end a string of either language, a script or style element, or a quoted attribute.
constexpr std::string_view js_marks = "\"'`\\<>&$/=";
constexpr Replacements js_string = [] {
  Replacements out;
  for (char c = 0; c < 0x20; ++c) set_hex(out, c, "\\u00");
  set_hex(out, 0x7f, "\\u00");
  for (const char c : js_marks) set_hex(out, c, "\\u00");
  return out;
}();

// CSS Syntax 3 section 4.3.7: hexadecimal digits, and one space that ends them.
constexpr Replacements css_string = [] {
  Replacements out;
  for (char c = 1; c < 0x7f; ++c)
    if (!internal::is_alnum(c) && !internal::contains(" -_.,", c)) set_hex(out, c, "\\", " ");
  set_hex(out, 0x7f, "\\", " ");
  return out;
}();

// RFC 4515 section 3: what is special, and what is no visible ASCII.
constexpr Replacements ldap_filter = [] {
  Replacements out;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    if (byte < 0x20 || byte > 0x7e || internal::contains("*()\\", c)) set_hex(out, c, "\\");
  }
  return out;
}();

constexpr Replacements ldap_dn = [] {
  Replacements out;
  for (char c = 0; c < 0x20; ++c) set_hex(out, c, "\\");
  set_hex(out, 0x7f, "\\");
  for (const char c : std::string_view("\"+,;<=>\\")) {
    const char escaped[] = {'\\', c};
    out.set(c, {escaped, 2});
  }
  return out;
}();

constexpr Replacements shell_word = [] {
  Replacements out;
  out.set('\'', "'\\''");
  return out;
}();

std::string replace(std::string_view text, const Replacements& table) {
  std::string out;
  table.append(text, out);
  return out;
}

std::string quote(std::string_view text, char open, char close) {
  std::string out(1, open);
  for (const char c : text) {
    if (c == close) out += c;
    out += c;
  }
  return out += close;
}

// Valid UTF-8 with each `character` of several bytes written as `name`.
std::string rename(std::string text, std::string_view character, std::string_view name) {
  auto at = text.find(character);
  if (at == std::string::npos) return text;
  std::string out;
  std::size_t done = 0;
  for (; at != std::string::npos; at = text.find(character, done)) {
    out.append(text, done, at - done) += name;
    done = at + character.size();
  }
  return out.append(text, done);
}

// Valid UTF-8 with U+0080 to U+009F written as numbers: XML 1.1 has no place for the most of them
// as they are (section 2.2), and changes U+0085.
std::string name_c1_controls(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t lead = std::min(text.find('\xc2'), text.size());
    out += text.substr(0, lead);
    text.remove_prefix(lead);
    if (text.empty()) break;
    const auto next = static_cast<unsigned char>(text[1]);  // it is valid UTF-8
    out += next < 0xa0 ? "&#" + std::to_string(next) + ";" : std::string(text.substr(0, 2));
    text.remove_prefix(2);
  }
  return out;
}

bool ends_in_blank(std::string_view text) {
  return !text.empty() &&
         (internal::contains(" \t", text.front()) || internal::contains(" \t", text.back()));
}

}  // namespace

Encoded encode_html_text(std::string_view text) {
  if (const auto refused = refuse_html(text)) return Error{*refused};
  std::string out;
  append_html_escaped(text, out);
  return out;
}

Encoded encode_html_attribute(std::string_view text) { return encode_html_text(text); }

Encoded encode_xml(std::string_view text) {
  if (const auto refused = refuse_html(text)) return Error{*refused};
  // Section 2.2: no characters of XML. Others of Unicode's noncharacters are.
  for (const std::string_view none : {"\ufffe", "\uffff"})
    if (text.find(none) != std::string_view::npos) return Error{EncodeRefusal::no_such_character};
  // XML 1.1 section 2.11: one more line end, beside U+0085.
  return rename(name_c1_controls(replace(text, xml_text)), "\u2028", "&#8232;");
}

Encoded encode_js_string(std::string_view text) {
  if (!is_valid_utf8(text)) return Error{EncodeRefusal::not_utf8};
  // Both ended a line of JavaScript before ES2019.
  auto out = rename(replace(text, js_string), "\u2028", "\\u2028");
  return rename(std::move(out), "\u2029", "\\u2029");
}

Encoded encode_css_string(std::string_view text) {
  if (const auto refused = refuse_text(text)) return Error{*refused};
  return replace(text, css_string);
}

Encoded encode_url_component(std::string_view text, UrlPlace place) {
  if (place == UrlPlace::path_segment) {
    if (text.empty()) return Error{EncodeRefusal::empty};
    if (text == "." || text == "..") return Error{EncodeRefusal::dot_segment};
  }
  return percent_encode(text);
}

Encoded encode_header_value(std::string_view text) {
  if (has_nul(text)) return Error{EncodeRefusal::nul};
  if (has_control(text, "\t")) return Error{EncodeRefusal::control};
  if (std::any_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; }))
    return Error{EncodeRefusal::no_such_character};
  if (ends_in_blank(text)) return Error{EncodeRefusal::outer_space};
  return std::string(text);
}

Encoded encode_mail_header(std::string_view text, MailPlace place) {
  // RFC 5322 section 2.1.1: a line has at most 998 bytes, behind a name the address is one of them.
  // An encoded word of 60 and the field's name fit into the 76 of RFC 2047 section 2.
  constexpr std::size_t bytes_a_word = 33, max_bytes = 65536;
  const bool is_name = place == MailPlace::display_name;
  const std::size_t max_plain = is_name ? 700 : 900;
  if (const auto refused = refuse_text(text)) return Error{*refused};
  if (has_control(text, "")) return Error{EncodeRefusal::control};
  if (text.size() > max_bytes) return Error{EncodeRefusal::too_long};
  const bool ascii = std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
  // RFC 5322 section 3.2.3: what ends a name that is not quoted.
  const std::string_view specials = is_name ? "\"\\()<>[]:;@,." : "";
  const bool plain = ascii && text.size() <= max_plain && !ends_in_blank(text) &&
                     text.find("=?") == std::string_view::npos &&
                     !(is_name && text.find("  ") != std::string_view::npos) &&
                     text.find_first_of(specials) == std::string_view::npos;
  if (plain) return std::string(text);
  std::string out;
  while (!text.empty()) {
    // Section 5: a word holds whole characters.
    auto size = std::min(text.size(), bytes_a_word);
    while (size < text.size() && (text[size] & 0xc0) == 0x80) --size;
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64_encode(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return out;
}

Encoded encode_shell_word(std::string_view text) {
  if (has_nul(text)) return Error{EncodeRefusal::nul};
  std::string out = "'";
  shell_word.append(text, out);
  return out += '\'';
}

Encoded encode_regex_literal(std::string_view text) {
  if (!is_valid_utf8(text)) return Error{EncodeRefusal::not_utf8};
  auto out = replace(text, regex_literal);
  if (text.empty() || !internal::is_alnum(text[0])) return out;
  // A digit or letter would belong to an escape before it: \1, \c, \x4.
  return std::string("\\x") + hex_digit(static_cast<unsigned char>(text[0]) >> 4) +
         hex_digit(static_cast<unsigned char>(text[0])) + out.substr(1);
}

Encoded encode_sql_identifier(std::string_view text, SqlDialect dialect) {
  if (text.empty()) return Error{EncodeRefusal::empty};
  if (const auto refused = refuse_text(text)) return Error{*refused};
  std::size_t characters = 0;
  std::size_t beyond = 0;  // U+FFFF: two units in UTF-16
  for (auto rest = text; !rest.empty(); ++characters)
    if (internal::next_code_point(rest) > 0xffff) ++beyond;
  switch (dialect) {
    case SqlDialect::standard:
    case SqlDialect::sqlite:
      if (text.size() > (dialect == SqlDialect::sqlite ? 1024 : 63))
        return Error{EncodeRefusal::too_long};
      return quote(text, '"', '"');
    case SqlDialect::mysql:
      if (characters > 64) return Error{EncodeRefusal::too_long};
      if (beyond > 0) return Error{EncodeRefusal::no_such_character};
      if (text.back() == ' ') return Error{EncodeRefusal::outer_space};
      return quote(text, '`', '`');
    case SqlDialect::sql_server:
      if (characters + beyond > 128) return Error{EncodeRefusal::too_long};
      return quote(text, '[', ']');
  }
  return Error{EncodeRefusal::empty};
}

Encoded encode_ldap_filter(std::string_view text) { return replace(text, ldap_filter); }

Encoded encode_ldap_dn(std::string_view text) {
  if (!is_valid_utf8(text)) return Error{EncodeRefusal::not_utf8};
  auto out = replace(text, ldap_dn);
  // RFC 4514 section 2.4: a space at either end, '#' at the front.
  if (!out.empty() && out.back() == ' ') out.insert(out.size() - 1, 1, '\\');
  if (out.size() > 1 && internal::contains(" #", out.front())) out.insert(0, 1, '\\');
  if (out == "#") out = "\\#";
  return out;
}

std::string_view to_string(EncodeRefusal refusal) {
  switch (refusal) {
    case EncodeRefusal::empty:
      return "empty";
    case EncodeRefusal::nul:
      return "nul";
    case EncodeRefusal::control:
      return "control";
    case EncodeRefusal::not_utf8:
      return "not_utf8";
    case EncodeRefusal::no_such_character:
      return "no_such_character";
    case EncodeRefusal::outer_space:
      return "outer_space";
    case EncodeRefusal::dot_segment:
      return "dot_segment";
    case EncodeRefusal::formula:
      return "formula";
    case EncodeRefusal::too_long:
      return "too_long";
  }
  return "unknown";
}

namespace {

// A number, perhaps with a sign, is no formula.
bool is_plain_number(std::string_view text) {
  if (internal::contains("+-", text[0])) text.remove_prefix(1);
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  return internal::all(whole, internal::is_digit) &&
         (dot == std::string_view::npos || internal::all(text.substr(dot + 1), internal::is_digit));
}

// Without what a program may pass over before a formula: white space and what nobody sees. A byte
// order mark that begins a file is cut off by every spreadsheet.
std::string_view skip_unseen(std::string_view text) {
  while (!text.empty()) {
    auto rest = text;
    const char32_t c = internal::next_code_point(rest);
    if (c != ' ' && !internal::is_invisible(c) && !internal::is_wide_space(c)) break;
    text = rest;
  }
  return text;
}

bool begins_formula(std::string_view text) {
  const auto rest = skip_unseen(text);
  if (rest.empty()) return false;
  if (internal::contains("=@", rest[0])) return true;
  if (internal::contains("+-", rest[0])) return !is_plain_number(rest);
  // Full-width = + - @ (U+FF1D, U+FF0B, U+FF0D, U+FF20), which spreadsheets fold.
  constexpr std::string_view wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
                                       "\xef\xbc\xa0"};
  return std::any_of(std::begin(wide), std::end(wide),
                     [rest](std::string_view w) { return rest.substr(0, 3) == w; });
}

// What parts cells for a spreadsheet that goes by another separator than the file's, as those of
// half of Europe do. Then a quote behind a comma quotes nothing: x,"a;=1" is the cells x,"a and
// =1".
constexpr std::string_view other_separators = ";\t\r\n";

// Puts an apostrophe before each formula. False: there is none.
bool disarm(std::string_view text, std::string& out) {
  // OWASP ASVS 5.0 section 1.2.10 names the tab too.
  bool found = (!text.empty() && internal::contains("\t\r\n", text[0])) || begins_formula(text);
  if (found) out += '\'';
  while (!text.empty()) {
    const auto next = std::min(text.find_first_of(other_separators), text.size());
    out += text.substr(0, std::min(next + 1, text.size()));
    text.remove_prefix(std::min(next + 1, text.size()));
    auto cell = text.substr(0, text.find_first_of(other_separators));
    while (!cell.empty() && skip_unseen(cell).substr(0, 1) == "\"")
      cell = skip_unseen(cell).substr(1);
    if (!begins_formula(cell)) continue;
    out += '\'';
    found = true;
  }
  return found;
}

}  // namespace

Encoded encode_csv_field(std::string_view text, CsvFormulas formulas) {
  if (const auto refused = refuse_text(text)) return Error{*refused};
  std::string disarmed;
  if (formulas != CsvFormulas::allow_formulas && disarm(text, disarmed)) {
    if (formulas == CsvFormulas::refuse) return Error{EncodeRefusal::formula};
    text = disarmed;
  }
  // RFC 4180 section 2.6; semicolons and tabs part the fields where the locale or the program says
  // so, and some readers cut spaces off.
  if (text.find_first_of("\",\r\n;\t") == std::string_view::npos && !ends_in_blank(text))
    return std::string(text);
  return quote(text, '"', '"');
}

}  // namespace moat::validate
