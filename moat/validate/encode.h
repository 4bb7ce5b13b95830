// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "moat/base/result.h"

namespace moat::validate {

// Encoders: each puts any text into one place of another language, so that it stays one piece there
// and means the same. What a place cannot hold is refused, never dropped or changed. All are
// linear. None checks what the text says: a link needs is_safe_link() beside its encoding.

enum class EncodeRefusal {
  empty,    // a name that is empty
  nul,      // a zero byte
  control,  // a control character, a line end among them
  not_utf8,
  no_such_character,  // beyond ASCII in a header, beyond U+FFFF in MySQL
  outer_space,        // white space at an end, which would be cut off
  dot_segment,        // "." or "..", which a browser resolves even when it is encoded
  formula,            // a spreadsheet would run it
  too_long
};
std::string_view to_string(EncodeRefusal refusal);
using Encoded = Result<std::string, EncodeRefusal>;

// For the text of an HTML element. Not for script, style, a comment or a tag's name. As
// escape_html, which writes U+FFFD where this refuses a control.
[[nodiscard]] Encoded encode_html_text(std::string_view text);

// For the value of an HTML attribute between quotes, double or single. Not without quotes; not for
// href, src, style, srcdoc or on…, whose values are read once more.
[[nodiscard]] Encoded encode_html_attribute(std::string_view text);

// For the text of an XML element and for the value of an attribute between quotes of either kind
// (XML 1.0 and 1.1). Line ends and tabs come back as they are. Not for a comment, a CDATA section,
// a name, or a document type.
[[nodiscard]] Encoded encode_xml(std::string_view text);

// For a string of JavaScript or JSON, between quotes of any kind, in a script element or file or in
// a quoted attribute. Not for a name, a number, a regular expression or a comment, nor for what the
// program then hands to eval or innerHTML.
[[nodiscard]] Encoded encode_js_string(std::string_view text);

// For a string of CSS, between quotes of either kind, in a style element or a quoted attribute. Not
// for url(), a name, a number or a selector.
[[nodiscard]] Encoded encode_css_string(std::string_view text);

enum class UrlPlace {
  query,        // a name or a value in a query or a fragment
  path_segment  // between two slashes: refuses "", "." and ".."
};
// For one part of a URL. Not for a whole URL, nor for a host.
[[nodiscard]] Encoded encode_url_component(std::string_view text, UrlPlace place = UrlPlace::query);

// For the whole value of an HTTP header field (RFC 9110 section 5.5): visible ASCII, spaces and
// tabs within. Nothing is rewritten. Not for one parameter of several: a comma or semicolon ends
// that.
[[nodiscard]] Encoded encode_header_value(std::string_view text);

enum class MailPlace {
  text,         // all of an unstructured field, such as Subject
  display_name  // before <address>
};
// For the header of a mail: as it is when it is short ASCII that means itself there, otherwise as
// encoded words (RFC 2047), folded by CRLF and a space. Field names up to 14 letters, texts up to
// 64 KiB. Not for the address itself: that is Email's.
[[nodiscard]] Encoded encode_mail_header(std::string_view text, MailPlace place = MailPlace::text);

// For one argument of a command of a POSIX shell (Shell Command Language section 2.2.2), in single
// quotes. Not for cmd.exe; not against a program that takes "-x" for an option: write "--" before.
// Better than any encoding: execve with a list.
[[nodiscard]] Encoded encode_shell_word(std::string_view text);

// For a text that stands for itself in a regular expression of RE2, ECMA-262 (flags u and v too),
// PCRE, Perl, Python, Java, .NET, Go, Rust or Ruby, in a class of characters too, and behind any
// other part. A quantifier behind it is of its last character: write "(?:" and ")" around. UTF-8 is
// the engine's to understand. Not in free-spacing mode (flag x), not for POSIX, PostgreSQL and
// other engines without \xHH of two digits.
[[nodiscard]] Encoded encode_regex_literal(std::string_view text);

enum class SqlDialect {
  standard,   // "a""b", at most 63 bytes: PostgreSQL cuts off the rest
  mysql,      // `a``b`, at most 64 characters, none beyond U+FFFF, no space at the end
  sqlite,     // "a""b", at most 1024 bytes
  sql_server  // [a]]b], at most 128 UTF-16 units
};
// For the name of a table or column, quoted. Not for a value: values are bound, never written. The
// connection speaks UTF-8.
[[nodiscard]] Encoded encode_sql_identifier(std::string_view text, SqlDialect dialect);

// For an assertion value in an LDAP search filter (RFC 4515 section 3). Takes any bytes. Not for an
// attribute's name.
[[nodiscard]] Encoded encode_ldap_filter(std::string_view text);

// For the value of an attribute in an LDAP distinguished name (RFC 4514 section 2.4). Not for its
// type.
[[nodiscard]] Encoded encode_ldap_dn(std::string_view text);

enum class CsvFormulas {
  refuse,
  prefix_apostrophe,  // a spreadsheet shows the text; every other reader sees the apostrophe too
  allow_formulas      // nobody opens the file in a spreadsheet
};
// For one field of CSV (RFC 4180 section 2), quoted where that is needed. A formula begins with a
// tab or a line end, or, after white space and what nobody sees, with = + - @ or the full-width
// forms of these, and is not a plain number. What stands behind a semicolon, a tab or a line end
// within the field is looked at in the same way: another separator may be the reader's.
[[nodiscard]] Encoded encode_csv_field(std::string_view text,
                                       CsvFormulas formulas = CsvFormulas::refuse);

}  // namespace moat::validate
