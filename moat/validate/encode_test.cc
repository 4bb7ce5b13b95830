// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/encode.h"

#include <gtest/gtest.h>

#include <string>

#include "moat/validate/internal/encode_readers.h"
#include "moat/validate/text_pattern.h"
#include "moat/validate/texts.h"

namespace moat::validate {
namespace {

using std::string_view_literals::operator""sv;

std::string said(const Encoded& encoded) {
  return encoded ? *encoded : "refused: " + std::string(to_string(encoded.error()));
}

TEST(Encode, HtmlStaysTextOrAValue) {
  EXPECT_EQ(said(encode_html_text("a<b>&\"'`\u00e9\n")), "a&lt;b&gt;&amp;&quot;&#39;&#96;\u00e9\n");
  EXPECT_EQ(said(encode_html_attribute("\" onload='x")), "&quot; onload=&#39;x");
  EXPECT_EQ(said(encode_html_text("")), "");
  EXPECT_EQ(said(encode_html_text("a\x01")), "refused: control");
  EXPECT_EQ(said(encode_html_text("a\x7f")), "refused: control");
  EXPECT_EQ(said(encode_html_attribute("a\0"sv)), "refused: nul");
  EXPECT_EQ(said(encode_html_text("\xff")), "refused: not_utf8");
}

TEST(Encode, AValueOfXmlComesBack) {
  EXPECT_EQ(said(encode_xml("a<b>&\"'\u00e9")), "a&lt;b&gt;&amp;&quot;&#39;\u00e9");
  EXPECT_EQ(said(encode_xml("]]>")), "]]&gt;");
  EXPECT_EQ(said(encode_xml("\t\r\n")), "&#9;&#13;&#10;");
  EXPECT_EQ(said(encode_xml("a\u0085b\u2028")), "a&#133;b&#8232;");
  EXPECT_EQ(said(encode_xml("\u0080a\u009f\u00a0\u00c2")), "&#128;a&#159;\u00a0\u00c2");
  EXPECT_EQ(said(encode_xml("\ufffd\U0001ffff")), "\ufffd\U0001ffff");
  EXPECT_EQ(said(encode_xml("")), "");
  EXPECT_EQ(said(encode_xml("\ufffe")), "refused: no_such_character");
  EXPECT_EQ(said(encode_xml("a\uffff")), "refused: no_such_character");
  EXPECT_EQ(said(encode_xml("\x01")), "refused: control");
  EXPECT_EQ(said(encode_xml("a\0"sv)), "refused: nul");
  EXPECT_EQ(said(encode_xml("\xc3")), "refused: not_utf8");
}

TEST(Encode, AStringOfJavaScriptStaysOne) {
  EXPECT_EQ(said(encode_js_string("</script>")), "\\u003c\\u002fscript\\u003e");
  EXPECT_EQ(said(encode_js_string("\"'`\\${x}\n")),
            "\\u0022\\u0027\\u0060\\u005c\\u0024{x}\\u000a");
  EXPECT_EQ(said(encode_js_string("\u2028x\u2029\u2030\u00e9")), "\\u2028x\\u2029\u2030\u00e9");
  EXPECT_EQ(said(encode_js_string("\0"sv)), "\\u0000");
  EXPECT_EQ(said(encode_js_string("\xe2\x80")), "refused: not_utf8");
}

TEST(Encode, AStringOfCssStaysOne) {
  EXPECT_EQ(said(encode_css_string("a\"b</style>")), "a\\22 b\\3c \\2f style\\3e ");
  EXPECT_EQ(said(encode_css_string("\\\n x")), "\\5c \\0a  x");
  EXPECT_EQ(said(encode_css_string("a\0"sv)), "refused: nul");
  EXPECT_EQ(said(encode_css_string("\xc3")), "refused: not_utf8");
}

TEST(Encode, APartOfAUrlStaysOne) {
  EXPECT_EQ(said(encode_url_component("a b&c=d/e?\u00e9~")), "a%20b%26c%3Dd%2Fe%3F%C3%A9~");
  EXPECT_EQ(said(encode_url_component("..")), "..");
  EXPECT_EQ(said(encode_url_component("...", UrlPlace::path_segment)), "...");
  EXPECT_EQ(said(encode_url_component("../x", UrlPlace::path_segment)), "..%2Fx");
  EXPECT_EQ(said(encode_url_component("..", UrlPlace::path_segment)), "refused: dot_segment");
  EXPECT_EQ(said(encode_url_component(".", UrlPlace::path_segment)), "refused: dot_segment");
  EXPECT_EQ(said(encode_url_component("", UrlPlace::path_segment)), "refused: empty");
}

TEST(Encode, AHeaderValueIsOneLineOfAscii) {
  EXPECT_EQ(said(encode_header_value("text/html; a=\"b\tc\"")), "text/html; a=\"b\tc\"");
  EXPECT_EQ(said(encode_header_value("a\r\nSet-Cookie: x=y")), "refused: control");
  EXPECT_EQ(said(encode_header_value("a\n")), "refused: control");
  EXPECT_EQ(said(encode_header_value("a\0"sv)), "refused: nul");
  EXPECT_EQ(said(encode_header_value("\u010d\u010a")), "refused: no_such_character");
  EXPECT_EQ(said(encode_header_value(" a")), "refused: outer_space");
  EXPECT_EQ(said(encode_header_value("a\t")), "refused: outer_space");
}

TEST(Encode, AMailHeaderIsAsciiOrEncodedWords) {
  EXPECT_EQ(said(encode_mail_header("Your order, no. 5: (sent)")), "Your order, no. 5: (sent)");
  EXPECT_EQ(said(encode_mail_header("Gr\u00fc\u00dfe")), "=?UTF-8?B?R3LDvMOfZQ==?=");
  EXPECT_EQ(said(encode_mail_header("=?UTF-8?Q?x?=")), "=?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?=");
  EXPECT_EQ(said(encode_mail_header("Jane Doe", MailPlace::display_name)), "Jane Doe");
  EXPECT_EQ(said(encode_mail_header("Doe, J. <x@y>", MailPlace::display_name)),
            "=?UTF-8?B?RG9lLCBKLiA8eEB5Pg==?=");
  EXPECT_EQ(said(encode_mail_header("a\r\nBcc: x@y.example")), "refused: control");
  EXPECT_EQ(said(encode_mail_header("a\0"sv)), "refused: nul");
  EXPECT_EQ(said(encode_mail_header("\xff")), "refused: not_utf8");
  std::string long_text;
  while (long_text.size() < 2000) long_text += "\u20ac\u00e9x";
  EXPECT_EQ(testing::read_mail(encode_mail_header(long_text).value()), long_text);
  EXPECT_EQ(said(encode_mail_header(std::string(900, 'x'))), std::string(900, 'x'));
  EXPECT_EQ(testing::read_mail(encode_mail_header(std::string(901, 'x')).value()),
            std::string(901, 'x'));
  // "From: " or the like before it, an address of 254 bytes in brackets behind it.
  EXPECT_EQ(said(encode_mail_header(std::string(700, 'x'), MailPlace::display_name)),
            std::string(700, 'x'));
  EXPECT_EQ(testing::read_mail(
                encode_mail_header(std::string(701, 'x'), MailPlace::display_name).value()),
            std::string(701, 'x'));
  // Two spaces would become one.
  EXPECT_EQ(said(encode_mail_header("a  b", MailPlace::display_name)), "=?UTF-8?B?YSAgYg==?=");
  EXPECT_EQ(said(encode_mail_header("a  b")), "a  b");
  EXPECT_TRUE(encode_mail_header(std::string(65536, 'x')));
  EXPECT_EQ(said(encode_mail_header(std::string(65537, 'x'))), "refused: too_long");
}

TEST(Encode, AShellWordIsQuoted) {
  EXPECT_EQ(said(encode_shell_word("it's; rm -rf $HOME `x`\n")), "'it'\\''s; rm -rf $HOME `x`\n'");
  EXPECT_EQ(said(encode_shell_word("")), "''");
  EXPECT_EQ(said(encode_shell_word("a\0b"sv)), "refused: nul");
}

TEST(Encode, ALiteralOfARegularExpressionMeansItself) {
  EXPECT_EQ(said(encode_regex_literal(".*")), "\\x2e\\x2a");
  EXPECT_EQ(said(encode_regex_literal("a-b_1")), "\\x61\\x2db\\x5f1");
  EXPECT_EQ(said(encode_regex_literal("1")), "\\x31");
  EXPECT_EQ(said(encode_regex_literal("\u00e9+\n")), "\u00e9\\x2b\\x0a");
  EXPECT_EQ(said(encode_regex_literal("\0"sv)), "\\x00");
  EXPECT_EQ(said(encode_regex_literal("")), "");
  EXPECT_EQ(said(encode_regex_literal("\xff")), "refused: not_utf8");
  for (int byte = 0; byte < 128; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    const auto pattern = TextPattern::compile("^(?:" + encode_regex_literal(text).value() + ")$");
    ASSERT_TRUE(pattern) << byte;
    for (int other = 0; other < 128; ++other)
      EXPECT_EQ(pattern->is_found_in(std::string(1, static_cast<char>(other))), byte == other)
          << byte << " and " << other;
  }
}

TEST(Encode, ANameOfSqlIsQuotedAsTheDialectHasIt) {
  EXPECT_EQ(said(encode_sql_identifier("a\"b", SqlDialect::standard)), "\"a\"\"b\"");
  EXPECT_EQ(said(encode_sql_identifier("a\"b", SqlDialect::sqlite)), "\"a\"\"b\"");
  EXPECT_EQ(said(encode_sql_identifier("a`b", SqlDialect::mysql)), "`a``b`");
  EXPECT_EQ(said(encode_sql_identifier("a]b[", SqlDialect::sql_server)), "[a]]b[]");
  EXPECT_EQ(said(encode_sql_identifier("", SqlDialect::standard)), "refused: empty");
  EXPECT_EQ(said(encode_sql_identifier("a\0"sv, SqlDialect::mysql)), "refused: nul");
  EXPECT_EQ(said(encode_sql_identifier("\xbf\x27", SqlDialect::mysql)), "refused: not_utf8");
  EXPECT_EQ(said(encode_sql_identifier("\U0001f600", SqlDialect::mysql)),
            "refused: no_such_character");
  EXPECT_EQ(said(encode_sql_identifier("a ", SqlDialect::mysql)), "refused: outer_space");
  struct Limit {
    SqlDialect dialect;
    std::size_t most;
  };
  for (const auto& [dialect, most] :
       {Limit{SqlDialect::standard, 63}, Limit{SqlDialect::mysql, 64},
        Limit{SqlDialect::sqlite, 1024}, Limit{SqlDialect::sql_server, 128}}) {
    EXPECT_TRUE(encode_sql_identifier(std::string(most, 'a'), dialect));
    EXPECT_EQ(said(encode_sql_identifier(std::string(most + 1, 'a'), dialect)),
              "refused: too_long");
  }
}

TEST(Encode, ValuesOfLdapStayValues) {
  EXPECT_EQ(said(encode_ldap_filter("*)(uid=\\\0"sv)),
            "\\2a\\29\\28uid=\\5c\\00");  // RFC 4515 section 4
  EXPECT_EQ(said(encode_ldap_filter("Lu\u010di\u0107")), "Lu\\c4\\8di\\c4\\87");
  EXPECT_EQ(said(encode_ldap_filter("\xff")), "\\ff");
  EXPECT_EQ(said(encode_ldap_dn("James \"Jim\" Smith, III")),
            "James \\\"Jim\\\" Smith\\, III");  // RFC 4514 section 4
  EXPECT_EQ(said(encode_ldap_dn("Before\rAfter")), "Before\\0dAfter");
  EXPECT_EQ(said(encode_ldap_dn(" # ")), "\\ #\\ ");
  EXPECT_EQ(said(encode_ldap_dn("#")), "\\#");
  EXPECT_EQ(said(encode_ldap_dn(" ")), "\\ ");
  EXPECT_EQ(said(encode_ldap_dn("a+b=c;<d>\\")), "a\\+b\\=c\\;\\<d\\>\\\\");
  EXPECT_EQ(said(encode_ldap_dn("\xff")), "refused: not_utf8");
}

TEST(Encode, AFieldOfCsvStaysOneAndRunsNothing) {
  EXPECT_EQ(said(encode_csv_field("plain text")), "plain text");
  EXPECT_EQ(said(encode_csv_field("a \"b\", c")), "\"a \"\"b\"\", c\"");
  EXPECT_EQ(said(encode_csv_field("a\r\nb")), "\"a\r\nb\"");
  EXPECT_EQ(said(encode_csv_field("a\tb")), "\"a\tb\"");
  EXPECT_EQ(said(encode_csv_field("a;b")), "\"a;b\"");
  EXPECT_EQ(said(encode_csv_field(" a")), "\" a\"");
  EXPECT_EQ(said(encode_csv_field("")), "");
  for (const auto* number : {"-1", "+49", "-12.50", "+0.1"})
    EXPECT_EQ(said(encode_csv_field(number)), number);
  for (const auto* formula :
       {"=1+1", "+1+cmd",   "-2+3",     "@SUM(A1)", "\t=1",    "\ufeff=1", "\tplain", "\nplain",
        "\r",   "\u200b+x", "\u3000@x", "\x01=1",   " =1",     "\r\n@x",   "-",       "+",
        "-1.",  "-1.2.3",   "\uff1d1",  "\uff0b1",  "\uff0d1", "\uff20x"})
    EXPECT_EQ(said(encode_csv_field(formula)), "refused: formula") << formula;
  EXPECT_EQ(said(encode_csv_field("=1+1", CsvFormulas::prefix_apostrophe)), "'=1+1");
  EXPECT_EQ(said(encode_csv_field("a=1", CsvFormulas::prefix_apostrophe)), "a=1");
  EXPECT_EQ(said(encode_csv_field("=1+1", CsvFormulas::allow_formulas)), "=1+1");
  // A reader whose separator is another one reads the rest as a cell of its own.
  for (const auto* formula : {"a;=1", "a\t=1", "a\n=1", "a\r=1", "a\r\n- x", "a;\"=1", "a;\"\"=1",
                              "a; \" \"@x", "a;\ufeff=1", "a;b;\uff1d1", "a;-5b", ";="})
    EXPECT_EQ(said(encode_csv_field(formula)), "refused: formula") << formula;
  for (const auto* text : {"a;b\t-5;+1.5\nc", "a, =b", "a;b=1", "a;\"", "a;", ";", "a;\"\"b"})
    EXPECT_TRUE(encode_csv_field(text)) << text;
  const auto disarmed = [](std::string_view text) {
    return said(encode_csv_field(text, CsvFormulas::prefix_apostrophe));
  };
  EXPECT_EQ(disarmed("=1;=2;3\n@x"), "\"'=1;'=2;3\n'@x\"");
  EXPECT_EQ(disarmed("a;\"\"=1"), "\"a;'\"\"\"\"=1\"");
  EXPECT_EQ(disarmed("\t=1"), "\"'\t'=1\"");
  EXPECT_EQ(said(encode_csv_field("a;=1", CsvFormulas::allow_formulas)), "\"a;=1\"");
  EXPECT_EQ(said(encode_csv_field("a\0"sv)), "refused: nul");
  EXPECT_EQ(said(encode_csv_field("\xff")), "refused: not_utf8");
}

TEST(Encode, EveryByteComesBack) {
  using namespace testing;
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::string& around :
         {std::string(), std::string("x"), std::string(" "), std::string("f")}) {
      const std::string text = around + static_cast<char>(byte) + around;
      const auto js = encode_js_string(text);
      if (js) {
        EXPECT_EQ(read_js(*js + "`", '`')->text, text);
      }
      const auto css = encode_css_string(text);
      if (css) {
        EXPECT_EQ(read_css(*css + "\"", '"')->text, text);
      }
      const auto dn = encode_ldap_dn(text);
      if (dn) {
        EXPECT_EQ(read_ldap_dn(*dn + ",")->text, text) << byte;
      }
      const auto word = encode_shell_word(text);
      if (word) {
        EXPECT_EQ(read_shell(*word)->at(0), text);
      }
      EXPECT_EQ(read_ldap_filter(*encode_ldap_filter(text) + ")")->text, text);
      EXPECT_EQ(unescape(escape(text)), text);
    }
  }
}

}  // namespace
}  // namespace moat::validate
