// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/idna.h"

#include <gtest/gtest.h>

#include <clocale>
#include <string>
#include <thread>
#include <vector>

namespace moat::validate {
namespace {

using namespace std::string_literals;

std::string shown(const Result<std::string, IdnaRefusal>& answer) {
  return answer ? *answer : "!" + std::string(to_string(answer.error()));
}
std::string ascii(std::string_view name) { return shown(domain_to_ascii(name)); }
std::string mapped(std::string_view name) {
  IdnaOptions options;
  options.allow_mapping = true;
  return shown(domain_to_ascii(name, options));
}
std::string unicode(std::string_view name) { return shown(domain_to_unicode(name)); }
std::string times(std::size_t count, std::string_view part) {
  std::string out;
  while (count-- > 0) out += part;
  return out;
}

TEST(Idna, EncodesAndDecodesWhatIdna2008Has) {
  struct Case {
    std::string u, a;
  };
  for (const auto& [u, a] :
       {Case{"münchen.de", "xn--mnchen-3ya.de"}, Case{"faß.de", "xn--fa-hia.de"},
        Case{"실례.테스트", "xn--9n2bp8q.xn--9t4b11yi5a"},
        Case{"пример.рф", "xn--e1afmkfd.xn--p1ai"}, Case{"例え.jp", "xn--r8jz45g.jp"},
        Case{"l·l.cat", "xn--ll-0ea.cat"}, Case{"אב.com", "xn--4dbc.com"},
        Case{"βόλος.com", "xn--nxasmm1c.com"}, Case{"نامه\u200cای.com", "xn--mgba3gch31f060k.com"},
        Case{"a--b.com", "a--b.com"}, Case{"r3---sn-x.example", "r3---sn-x.example"},
        Case{"𐌆.com", "xn--697c.com"}}) {
    EXPECT_EQ(ascii(u), a);
    EXPECT_EQ(ascii(a), a);
    EXPECT_EQ(unicode(a), u);
    EXPECT_EQ(unicode(u), u);
    EXPECT_EQ(mapped(u), a);
  }
}

TEST(Idna, AsciiIsLowerCasedOnly) {
  EXPECT_EQ(ascii("Example.COM"), "example.com");
  EXPECT_EQ(ascii("XN--MNCHEN-3YA.de"), "xn--mnchen-3ya.de");
  EXPECT_EQ(ascii("München.DE"), "xn--mnchen-3ya.de");
  EXPECT_EQ(ascii("localhost"), "localhost");
  EXPECT_EQ(ascii("127.0.0.1"), "127.0.0.1");
}

TEST(Idna, BadLabelsAreRefused) {
  EXPECT_EQ(ascii(""), "!empty");
  for (const auto* name :
       {".", "a..b", ".a", "a.", "é..com", ".é", "é.", "-a.com", "a-.com", "-é.com", "é-.com",
        "a_b.é.com", "a b.é.com", "é.a/b", "é.com:80", "éa--b.com", "xn--é.com", "a@b.é", "é.%61"})
    EXPECT_EQ(ascii(name), "!bad_label") << name;
  for (const auto& name : {"\xff.com"s, "\xc3.com"s, "\xed\xa0\x80.com"s, "é\0.com"s, "\0é.com"s})
    EXPECT_EQ(ascii(name), "!not_utf8") << name;
  EXPECT_EQ(ascii("a\0.com"s), "!bad_label");
}

TEST(Idna, BadPunycodeIsRefused) {
  // Without digits, with one that is none, cut off, beyond Unicode; what is ASCII when decoded, or
  // would be encoded in another way.
  for (const auto* label : {"xn--", "xn---", "xn--a-", "xn--example-", "xn--99999999999", "xn--a*b",
                            "xn--mnchen-3y", "xn--mnchen-3ya-", "xn---9uc0"}) {
    EXPECT_FALSE(is_a_label(label)) << label;
    EXPECT_EQ(ascii(std::string(label) + ".com").substr(0, 1), "!") << label;
    EXPECT_EQ(ascii("a." + std::string(label)).substr(0, 1), "!") << label;
  }
  // U+0080, a surrogate, a capital, a symbol, a soft hyphen, what is unassigned, a noncharacter.
  for (const auto* label :
       {"xn--a", "xn--zn7c", "xn--mnchen-p2a", "xn--ls8h", "xn--ab-5da", "xn--zva", "xn--266c"})
    EXPECT_FALSE(is_a_label(label)) << label;
  for (const auto* label : {"xn--mnchen-3ya", "XN--MNCHEN-3YA", "Xn--ll-0ea"})
    EXPECT_TRUE(is_a_label(label)) << label;
  for (const auto& label : {"münchen"s, "a"s, ""s, "xn--mnchen-3ya."s, "xn--mnchen-3ya.de"s,
                            "xn--mnchen-3ya\0"s, "xn--\0mnchen-3ya"s, "xn--mnchen-3y\xc3\xa4"s})
    EXPECT_FALSE(is_a_label(label)) << label;
}

TEST(Idna, WhatIdna2008LeavesOutIsRefused) {
  for (const auto* name : {"MÜNCHEN.de",    "ｅxample.com",        "①.com",       "💩.la",
                           "℀.com",         "a\u00adb.com",        "e\u0301.com", "\u0301a.com",
                           "\u0903hello",   "\u0378.com",          "\ue000.com",  "\uffff.com",
                           "a\u2024b.com",  "localhost。internal", "a．b",        "☃.net",
                           "\u302e실례.kr", "\u0640\u07fa",        "a\u200b.com", "\u202eé.com",
                           "a@é.com"})
    EXPECT_EQ(ascii(name), "!forbidden_character") << name;
}

TEST(Idna, WhatDependsOnItsNeighboursIsLookedAt) {
  // RFC 5892 appendix A: each once as it must be, then as it must not.
  for (const auto* name : {"l·l", "α͵β", "א׳ב", "א״ב", "・ぁ", "・ァ", "・丈", "ب٠ب", "۰0",
                           "क्‍ष", "क्‌ष", "بي‌بي"})
    EXPECT_NE(ascii(name).substr(0, 1), "!") << name;
  for (const auto* name : {"a·l", "l·a", "·l", "l·", "α͵s", "α͵", "׳ב", "״ב", "def・abc", "・",
                           "ب٠۰", "क‍ष", "‍ष", "a\u200cb", "क्‌षx‌y"})
    EXPECT_EQ(ascii(name).substr(0, 1), "!") << name;
}

TEST(Idna, DirectionsAreNotMixed) {
  for (const auto* name : {"א1.com", "אב.a1", "a1.אב", "אב.com.", "1.com", "אב.ב", "ab.א1ב",
                           "a-b.א", "l·l.א", "۰", "a-\u0301.com"})
    EXPECT_NE(ascii(std::string(name).substr(0, std::string(name).find_last_not_of('.') + 1)),
              "!mixed_direction")
        << name;
  // RFC 5893 section 2, conditions 1 to 6; the last ones look at the whole name.
  for (const auto* name :
       {"1א", "aא", "אa", "אaב", "א0٠", "0a.א", "א.0a", "xn--4db.0a", "1.אב.com", "۰a.א", "ˆa.א",
        "aˆ.א", "è.1è.אב", "ב-\u05b0", "ב-\u05b0ב", "ב--\u094d", "a-\u0301.א", "ˆ\u0301.א"})
    EXPECT_EQ(ascii(name), "!mixed_direction") << name;
  EXPECT_EQ(ascii("0a.xn--4db"), "!mixed_direction");
  EXPECT_EQ(ascii("a0.xn--4db"), "a0.xn--4db");
}

TEST(Idna, LimitsAreInclusive) {
  // "xn--9ca" and an "a" for each further "é".
  EXPECT_EQ(ascii(times(57, "é")).size(), 63);
  EXPECT_EQ(ascii(times(58, "é")), "!too_long");
  const auto label = ascii(times(57, "é"));
  EXPECT_TRUE(is_a_label(label));
  EXPECT_FALSE(is_a_label(label + "a"));
  EXPECT_EQ(ascii(times(63, "a") + ".é").size(), 71);
  EXPECT_EQ(ascii(times(64, "a") + ".é"), "!too_long");
  EXPECT_EQ(ascii(times(64, "a")), "!too_long");
  // 253 bytes in ASCII.
  const auto name = times(3, times(57, "é") + ".");  // 192
  EXPECT_EQ(ascii(name + times(61, "a")).size(), 253);
  EXPECT_EQ(ascii(name + times(62, "a")), "!too_long");
  EXPECT_EQ(ascii(times(126, "a.") + "a").size(), 253);
  EXPECT_EQ(ascii(times(127, "a.") + "a"), "!too_long");
  // 1024 bytes as given: soft hyphens go when they are mapped.
  EXPECT_EQ(mapped(times(511, "\u00ad") + "é").size(), 7);
  EXPECT_EQ(mapped(times(512, "\u00ad") + "é"), "!too_long");
  EXPECT_EQ(ascii(std::string(1025, 'a')), "!too_long");
  EXPECT_EQ(unicode(std::string(1'000'000, 'a')), "!too_long");
  // The longest names that there are in UTF-8.
  const auto four = times(4, times(52, "𐌰") + ".");
  EXPECT_LE(four.size(), 1024U);
  EXPECT_EQ(unicode(four.substr(0, four.size() - 1)), four.substr(0, four.size() - 1));
}

TEST(Idna, MappingIsAskedFor) {
  EXPECT_EQ(mapped("MÜNCHEN.de"), "xn--mnchen-3ya.de");
  EXPECT_EQ(mapped("mu\u0308nchen.de"), "xn--mnchen-3ya.de");
  EXPECT_EQ(mapped("ｅｘａｍｐｌｅ．ｃｏｍ"), "example.com");
  EXPECT_EQ(mapped("localhost。internal"), "localhost.internal");
  EXPECT_EQ(mapped("loc\u00adalhost"), "localhost");
  EXPECT_EQ(mapped("①②⑦.⓪.⓪.①"), "127.0.0.1");
  EXPECT_EQ(mapped("ｘｎ－－mnchen-3ya"), "xn--mnchen-3ya");
  // What becomes another character of URLs, or what is not of IDNA 2008 when it is mapped.
  for (const auto* name :
       {"℀.com", "a℆.com", "＠.com", "é.a／b", "a\u2024b\u2024", "💩.la", "☃.net", "ｘｎ－－a",
        "\u00ad", "a·l", "0a.א", "\u3002", "é\u3002", "a\u3002\u3002é", "a_b.é", "a b.é"})
    EXPECT_EQ(mapped(name).substr(0, 1), "!") << name;
  EXPECT_EQ(unicode("MÜNCHEN.de"), "!forbidden_character");
  IdnaOptions options;
  options.allow_mapping = true;
  EXPECT_EQ(shown(domain_to_unicode("MÜNCHEN.de", options)), "münchen.de");
}

TEST(Idna, IsTheSameInEveryLocaleAndThread) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const auto* locale : {"C", "C.UTF-8", "POSIX"}) {
    std::setlocale(LC_ALL, locale);
    EXPECT_EQ(mapped("MÜNCHEN.de"), "xn--mnchen-3ya.de") << locale;
    EXPECT_EQ(unicode("xn--mnchen-3ya.de"), "münchen.de") << locale;
  }
  std::setlocale(LC_ALL, before.c_str());
  std::vector<std::thread> threads;
  std::vector<int> good(4);
  for (std::size_t i = 0; i < good.size(); ++i)
    threads.emplace_back([&good, i] {
      for (int n = 0; n < 200; ++n) {
        const auto letter = std::string(1, static_cast<char>('a' + n % 26));
        const auto name = letter + "é." + letter + "ß.example";
        const auto encoded = domain_to_ascii(name);
        const auto decoded = domain_to_unicode(encoded ? *encoded : "");
        good[i] += decoded && *decoded == name ? 1 : 0;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<int>(4, 200));
}

}  // namespace
}  // namespace moat::validate
