// SPDX-License-Identifier: Apache-2.0
// Moat's half of encode_interop.py and of tests/e2e/encode_interop.mjs: each line of standard input
// is a text in hexadecimal. Answers with an object that has, by encoder, what is written of it;
// what is refused is left out.
#include <iostream>
#include <string>

#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/validate/encode.h"
#include "moat/validate/file_name.h"

namespace {

using namespace moat::validate;

std::string written(const std::string& text) {
  moat::json::Object out;
  const auto add = [&out](const char* name, const Encoded& encoded) {
    if (encoded) out.emplace_back(name, moat::json::Value(*encoded));
  };
  add("html", encode_html_text(text));
  add("xml", encode_xml(text));
  add("js", encode_js_string(text));
  add("css", encode_css_string(text));
  add("url", encode_url_component(text));
  add("segment", encode_url_component(text, UrlPlace::path_segment));
  add("header", encode_header_value(text));
  add("mail", encode_mail_header(text));
  add("display_name", encode_mail_header(text, MailPlace::display_name));
  add("shell", encode_shell_word(text));
  add("sql", encode_sql_identifier(text, SqlDialect::sqlite));
  add("csv", encode_csv_field(text, CsvFormulas::allow_formulas));
  add("csv_safe", encode_csv_field(text, CsvFormulas::prefix_apostrophe));
  add("regex", encode_regex_literal(text));
  if (const auto name = FileName::parse(text)) add("disposition", content_disposition(*name));
  return moat::json::serialize(moat::json::Value(std::move(out)));
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) std::cout << written(moat::hex_decode(line).value()) << "\n";
}
