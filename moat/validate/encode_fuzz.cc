// SPDX-License-Identifier: Apache-2.0
// Encoders: what they write is read back, by a reader that knows nothing of them, as the very text,
// and nothing behind it changes its place.
#include "moat/validate/encode.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "moat/validate/alphabets.h"
#include "moat/validate/file_name.h"
#include "moat/validate/internal/encode_readers.h"
#include "moat/validate/strings.h"
#include "moat/validate/text_pattern.h"
#include "moat/validate/texts.h"

namespace {

using namespace moat::validate;
using namespace moat::validate::testing;

void require(bool good) {
  if (!good) std::abort();
}

// The place opened, the text in it, the place closed by `end`.
template <class Reader>
void reads(const Encoded& encoded, std::string_view text, const std::string& end, Reader reader) {
  if (!encoded) return;
  const std::string page = *encoded + end;
  const auto read = reader(std::string_view(page));
  require(read && read->text == text && read->rest == end);
}

void pages(std::string_view text) {
  const auto html = [](char end) {
    return [end](std::string_view in) { return read_html(in, end); };
  };
  reads(encode_html_text(text), text, "</p>", html('<'));
  for (const char quote : {'"', '\''})
    reads(encode_html_attribute(text), text, quote + std::string(" x"), html(quote));
  for (const char end : {'<', '"', '\''})
    reads(encode_xml(text), text, end + std::string(" x"),
          [end](std::string_view in) { return read_html(in, end); });
  if (encode_html_text(text)) require(*encode_html_text(text) == escape_html(text));
  for (const char quote : {'"', '\'', '`'})
    reads(encode_js_string(text), text, quote + std::string(";x"),
          [quote](std::string_view in) { return read_js(in, quote); });
  for (const char quote : {'"', '\''})
    reads(encode_css_string(text), text, quote + std::string(";x"),
          [quote](std::string_view in) { return read_css(in, quote); });
  require(unescape(escape(text)) == text);
}

void directories(std::string_view text) {
  reads(encode_ldap_filter(text), text, ")(uid=*", read_ldap_filter);
  reads(encode_ldap_dn(text), text, ",dc=example", read_ldap_dn);
  reads(encode_sql_identifier(text, SqlDialect::standard), '"' + std::string(text), "",
        [](std::string_view in) -> MaybeRead {
          auto read = read_doubled(in.substr(1), '"');
          if (!read || read->rest != "\"") return std::nullopt;
          return Read{'"' + read->text, ""};
        });
}

void lines(std::string_view text) {
  const auto word = encode_shell_word(text);
  if (word) {
    const auto words = read_shell("a " + *word + " b");
    require(words && words->size() == 3 && (*words)[1] == text && (*words)[2] == "b");
  }
  const auto field = encode_csv_field(text, CsvFormulas::allow_formulas);
  if (field) {
    const auto fields = read_csv("a," + *field + ",b\r\n");
    require(fields && fields->size() == 3 && (*fields)[1] == text && (*fields)[2] == "b");
  }
  const auto safe = encode_csv_field(text, CsvFormulas::prefix_apostrophe);
  require(safe.has_value() == field.has_value());
  if (safe)
    require(safe->empty() || std::string_view("=@").find((*safe)[0]) == std::string_view::npos);
  const auto header = encode_header_value(text);
  if (header) require(*header == text && header->find_first_of("\r\n") == std::string::npos);
  for (const auto place : {MailPlace::text, MailPlace::display_name}) {
    const auto mail = encode_mail_header(text, place);
    if (mail) require(read_mail(*mail) == text);
  }
  const auto component = encode_url_component(text);
  require(component && component->find_first_of("&=?#/+; \r\n") == std::string::npos &&
          moat::percent_decode(*component) == text);
}

// Whether a pattern that holds the literal finds the text, and nothing of which it is a part.
void patterns(std::string_view text) {
  const auto literal = encode_regex_literal(text);
  require(literal.has_value() == moat::is_valid_utf8(text));
  if (!literal) return;
  for (const char c : *literal)
    require((c & 0x80) != 0 || c == '\\' ||
            moat::validate::is_alphanumeric(std::string_view(&c, 1)));
  const auto pattern = TextPattern::compile("^(?:a" + *literal + "[" + *literal + "]?)$");
  require(pattern.has_value() || text.empty());  // ECMA-262 alone knows an empty class
  if (!pattern) return;
  require(pattern->is_found_in("a" + std::string(text)));
  require(!pattern->is_found_in("b" + std::string(text)));
}

void file_names(std::string_view text) {
  const auto name = FileName::parse(text);
  const auto path = FilePath::parse(text);
  if (path) require(path->text() == text && (path->names().size() > 1 || name.has_value()));
  if (!name) return;
  require(name->text() == text && path && path->names().size() == 1);
  require(text.find_first_of("/\\:\"\r\n") == std::string_view::npos && text != "..");
  const std::string field = content_disposition(*name);
  require(encode_header_value(field).has_value());
  constexpr std::string_view encoded = "attachment; filename*=UTF-8''";
  if (field.rfind(encoded, 0) == 0) {
    require(moat::percent_decode(field.substr(encoded.size())) == text);
  } else {
    require(field == "attachment; filename=\"" + std::string(text) + "\"");
  }
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string text(input.begin(), input.end());
  pages(text);
  directories(text);
  lines(text);
  patterns(text.substr(0, 100));
  file_names(text);
}
