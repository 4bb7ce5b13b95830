// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <clocale>
#include <cstdint>
#include <limits>
#include <string>

#include "moat/base/json.h"

namespace moat {
namespace {

std::string refusal(std::string_view text, const json::Limits& limits = {}) {
  const auto value = json::parse(text, limits);
  return value ? "" : std::string(json::to_string(value.error().refusal));
}

TEST(Json, ReadsWhatRfc8259Allows) {
  const auto value =
      json::parse(R"( {"a":[1,-2.5e1,true,null],"b":"\u00e4\ud83d\ude00\n","c":{}} )");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(*value->find("a")->as_array()->at(0).as_integer(), 1);
  EXPECT_EQ(value->find("a")->as_array()->at(1).as_number(), -25.0);
  EXPECT_EQ(*value->find("b")->as_string(), "\xc3\xa4\xf0\x9f\x98\x80\n");
  EXPECT_EQ(value->find("d"), nullptr);
}

TEST(Json, RefusesTheRest) {
  for (const char* text : {"",
                           "{",
                           "[1,]",
                           "{\"a\":1,}",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "nul",
                           "'a'",
                           "\"\t\"",
                           "\"\\x\"",
                           "1 2",
                           "// c\n1",
                           "NaN",
                           "\xef\xbb\xbf"
                           "1",
                           "{a:1}",
                           "[1 2]",
                           "\"abc",
                           "\"\\u12g4\""}) {
    EXPECT_EQ(refusal(text), "syntax") << text;
  }
  EXPECT_EQ(refusal(R"({"a":1,"\u0061":2})"), "duplicate_name");
  EXPECT_EQ(refusal("\"\\ud800\""), "invalid_unicode");
  EXPECT_EQ(refusal("\"\\udc00\""), "invalid_unicode");
  EXPECT_EQ(refusal("\"\xff\""), "invalid_unicode");
  EXPECT_EQ(refusal("1e999"), "number_out_of_range");
  EXPECT_EQ(refusal("-1e999"), "number_out_of_range");
  EXPECT_EQ(refusal("1e-999"), "");
}

TEST(Json, LimitsAreInclusive) {
  json::Limits limits;
  limits.depth = 2;
  limits.members = 3;
  limits.string_bytes = 4;
  limits.total_bytes = 20;
  EXPECT_EQ(refusal("[[]]", limits), "");
  EXPECT_EQ(refusal("[[[]]]", limits), "too_deep");
  EXPECT_EQ(refusal("[1,2,3]", limits), "");
  EXPECT_EQ(refusal("[1,2,3,4]", limits), "too_many");
  EXPECT_EQ(refusal("\"abcd\"", limits), "");
  EXPECT_EQ(refusal("\"abcde\"", limits), "too_long");
  EXPECT_EQ(refusal(std::string(19, ' ') + "1", limits), "");
  EXPECT_EQ(refusal(std::string(20, ' ') + "1", limits), "too_large");
}

TEST(Json, ANumberHasALimitOfItsOwn) {
  json::Limits limits;
  for (const char* start : {"1", "-1", "0.", "1e-", "1e+00"}) {
    const auto number = [&](std::size_t size) {
      return start + std::string(size - std::string_view(start).size(), '0');
    };
    for (const std::size_t most : {std::size_t{8}, std::size_t{64}}) {
      limits.number_bytes = most;
      EXPECT_EQ(refusal(number(most - 1), limits), "") << start;
      EXPECT_EQ(refusal("[" + number(most) + "]", limits), "") << start;
      EXPECT_EQ(refusal(number(most + 1), limits), "number_too_long") << start;
    }
  }
  EXPECT_EQ(refusal("[1, " + std::string(1000000, '7') + "]"), "number_too_long");
  EXPECT_EQ(json::parse("[1, " + std::string(65, '7') + "]").error().offset, 4U);
}

TEST(Json, PositionsAreLinesAndColumnsOfCharacters) {
  using json::Position;
  const std::string text = "a\nb\xc3\xa4\xf0\x9f\x98\x80x\r\ny\rz";
  EXPECT_EQ(json::position_of(text, 0), (Position{1, 1}));
  EXPECT_EQ(json::position_of(text, 1), (Position{1, 2}));
  EXPECT_EQ(json::position_of(text, 2), (Position{2, 1}));
  EXPECT_EQ(json::position_of(text, text.find('x')), (Position{2, 4}));
  EXPECT_EQ(json::position_of(text, text.find('y')), (Position{3, 1}));
  EXPECT_EQ(json::position_of(text, text.find('z')), (Position{4, 1}));
  EXPECT_EQ(json::position_of(text, 10'000), (Position{4, 2}));
  EXPECT_EQ(json::position_of("", 5), (Position{1, 1}));
}

TEST(Json, ARefusalSaysWhereAndNamesTheLimit) {
  const json::Limits limits{
      .depth = 2, .members = 3, .string_bytes = 4, .total_bytes = 40, .number_bytes = 5};
  const auto told = [&](std::string_view text) {
    const auto value = json::parse(text, limits);
    return value ? "" : json::describe(text, value.error(), limits);
  };
  EXPECT_EQ(told("[1,\n x]"), "line 2, column 2: this is not JSON");
  EXPECT_EQ(told("[1,\n"), "line 2, column 1: the text ends here, too early to be JSON");
  EXPECT_EQ(told("[1]\n]"), "line 2, column 1: something stands behind the end of the JSON text");
  EXPECT_EQ(told("{\"a\":1,\n\"a\":2}"),
            "line 2, column 1: two members of one object have the same name");
  EXPECT_EQ(told("[[[]]]"),
            "line 1, column 3: objects and arrays stand more than 2 deep in each other");
  EXPECT_EQ(told("[1,2,3,4]"), "line 1, column 8: there are more than 3 members and elements");
  EXPECT_EQ(told("[\"abcde\"]"), "line 1, column 8: a string is longer than 4 bytes");
  EXPECT_EQ(told(std::string(41, ' ')), "line 1, column 41: the text is longer than 40 bytes");
  EXPECT_EQ(told("\n\"\xc3\xa4\xff\""),
            "line 2, column 3: these bytes are no UTF-8, or the escape of half a character");
  EXPECT_EQ(told("[123456]"), "line 1, column 2: a number is written with more than 5 bytes");
  EXPECT_EQ(told("1e309"), "line 1, column 6: a number is too large: the limit is about 1.8e308");
}

TEST(Json, TheFirstByteThatIsNoUtf8IsFound) {
  for (const char* bad :
       {"\xff", "\x80", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3"}) {
    const auto value = json::parse("\"a\xc3\xa4\xf0\x9f\x98\x80" + std::string(bad) + "\"");
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().offset, 8U);
  }
}

TEST(Json, FindsDuplicatesInLargeObjectsToo) {
  std::string text = "{";
  for (int i = 0; i < 500; ++i) text += "\"k" + std::to_string(i) + "\":0,";
  EXPECT_EQ(refusal(text + "\"last\":0}"), "");
  EXPECT_EQ(refusal(text + "\"k3\":0}"), "duplicate_name");
  EXPECT_EQ(refusal(text + "\"k400\":0}"), "duplicate_name");
}

TEST(Json, NamesThatAreNearlyTheSameAreToldApart) {
  // Of every length around a word, with one byte that differs, and as the same name by an escape.
  for (std::size_t size = 1; size <= 40; ++size) {
    const std::string name(size, 'a');
    for (std::size_t at = 0; at < size; ++at) {
      auto other = name;
      other[at] = 'b';
      EXPECT_TRUE(json::parse("{\"" + name + "\":1,\"" + other + "\":2}")) << other;
      auto escaped = name;
      escaped.replace(at, 1, "\\u0061");
      EXPECT_EQ(refusal("{\"" + name + "\":1,\"" + escaped + "\":2}"), "duplicate_name");
    }
    EXPECT_TRUE(json::parse("{\"" + name + "\":1,\"" + name + "a\":2}"));
  }
  // Where another way of looking begins: 16 members and one beyond.
  for (const int count : {15, 16, 17, 18}) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) text += "\"k" + std::to_string(i) + "\":0,";
    EXPECT_TRUE(json::parse(text + "\"k\":0}")) << count;
    EXPECT_EQ(refusal(text + "\"k0\":0}"), "duplicate_name") << count;
    EXPECT_EQ(refusal(text + "\"k" + std::to_string(count - 1) + "\":0}"), "duplicate_name");
  }
}

TEST(Json, PrintsWhatItReads) {
  const std::string text = R"({"a":[1,-25.0,true,null],"b":"\u003cä\n\"\\","c":{}})";
  const auto value = json::parse(text);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(json::serialize(*value), text);
}

TEST(Json, IntegersOfSixtyFourBitsStayIntegers) {
  EXPECT_EQ(*json::parse("9223372036854775807")->as_integer(),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(*json::parse("-9223372036854775808")->as_integer(),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(json::parse("9223372036854775808")->as_integer(), nullptr);
  EXPECT_EQ(json::parse("9223372036854775808")->as_number(), 9223372036854775808.0);
  EXPECT_EQ(json::parse("1.0")->as_integer(), nullptr);
  EXPECT_EQ(json::parse("9007199254740993")->as_integer()[0], 9007199254740993);
}

TEST(Json, NumbersAtTheEndsOfDouble) {
  EXPECT_EQ(json::parse("1.7976931348623157e308")->as_number(), 1.7976931348623157e308);
  EXPECT_EQ(json::parse("5e-324")->as_number(), 5e-324);
  for (const char* text : {"1e-400", "-1e-400", "0.0000000001e-390", "1e-99999999999999999999",
                           "0e99999", "0.0e999999999999999999999", "123456e-450"}) {
    ASSERT_EQ(refusal(text), "") << text;
    EXPECT_EQ(json::parse(text)->as_number(), 0.0) << text;
  }
  for (const char* text : {"1e309", "1e99999999999999999999", "123456e305", "0.00001e400"})
    EXPECT_EQ(refusal(text), "number_out_of_range") << text;
  const json::Limits long_numbers{.number_bytes = 1000};
  EXPECT_EQ(refusal("1" + std::string(400, '0'), long_numbers), "number_out_of_range");
  EXPECT_EQ(refusal("0." + std::string(400, '0') + "1", long_numbers), "");
}

TEST(Json, NumbersDoNotObeyTheLocale) {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"})
    if (std::setlocale(LC_NUMERIC, name) != nullptr) break;
  EXPECT_EQ(json::parse("1.5e-400")->as_number(), 0.0);
  EXPECT_EQ(json::serialize(1.5), "1.5");
  std::setlocale(LC_NUMERIC, before.c_str());
}

TEST(Json, StringsAndEscapes) {
  EXPECT_EQ(*json::parse(R"("\"\\\/\b\f\n\r\t")")->as_string(), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(*json::parse(R"("\u0000")")->as_string(), std::string(1, '\0'));
  EXPECT_EQ(*json::parse(R"("\uD83D\uDE00")")->as_string(), "\xf0\x9f\x98\x80");
  EXPECT_EQ(*json::parse(R"("\uFFFF")")->as_string(), "\xef\xbf\xbf");
  for (const char* text : {R"("\ud800\u0061")", R"("\ud800\ud800")", R"("\ud800x")", R"("\udfff")"})
    EXPECT_EQ(refusal(text), "invalid_unicode") << text;
  for (const char* text : {R"("\u")", R"("\u123")", R"("\u+123")", R"("\U0041")", R"("\)",
                           R"("\a")", "\"\n\"", "\"\x01\"", "\"\\\n\""})
    EXPECT_EQ(refusal(text), "syntax") << text;
  EXPECT_EQ(refusal(std::string_view("\"\0\"", 3)), "syntax");
}

TEST(Json, OneTextAndNothingBehindIt) {
  for (const char* text : {"1", " 1 ", "\t\r\n[]\n", "null", "\"\""}) EXPECT_EQ(refusal(text), "");
  for (const char* text : {"[]]",
                           "{}{}",
                           "1,",
                           "[1",
                           "[",
                           "]",
                           "}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{1:2}",
                           "{,}",
                           "[,]",
                           "[1,,2]",
                           "truex",
                           "tru",
                           "True",
                           "-",
                           "--1",
                           "1e+",
                           "-01",
                           "0x1",
                           "1_000",
                           "Infinity",
                           "\f1",
                           "\xc2\xa0"
                           "1",
                           "/**/1"})
    EXPECT_EQ(refusal(text), "syntax") << text;
  EXPECT_EQ(refusal(std::string_view("1\0", 2)), "syntax");
}

TEST(Json, SaysWhereItStopped) {
  EXPECT_EQ(json::parse("[1, x]").error().offset, 4U);
  EXPECT_EQ(json::parse("{\"a\":1,\"a\":2}").error().offset, 7U);
  EXPECT_EQ(json::parse("[1] 2").error().offset, 4U);
}

TEST(Json, DuplicatesCountInTheirOwnObjectOnly) {
  EXPECT_EQ(refusal(R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})"), "");
  EXPECT_EQ(refusal(R"([{"b":{"a":1,"a":2}}])"), "duplicate_name");
  EXPECT_EQ(refusal(R"({"":1,"":2})"), "duplicate_name");
  EXPECT_EQ(refusal(R"({"__proto__":1})"), "");
}

TEST(Json, ManyOpenBracketsAreRefusedEarly) {
  EXPECT_EQ(refusal(std::string(1000000, '[')), "too_deep");
  EXPECT_EQ(refusal(std::string(32, '[') + std::string(32, ']')), "");
  EXPECT_EQ(refusal(std::string(33, '[') + std::string(33, ']')), "too_deep");
  std::string objects;
  for (int i = 0; i < 33; ++i) objects += "{\"a\":";
  EXPECT_EQ(refusal(objects), "too_deep");
}

TEST(Json, WhatItPrintsIsHarmlessInAPageAndOnATerminal) {
  EXPECT_EQ(json::serialize("</script><!--&"), R"("\u003c/script\u003e\u003c!--\u0026")");
  EXPECT_EQ(json::serialize("\xe2\x80\xa8\xe2\x80\xa9"), R"("\u2028\u2029")");
  EXPECT_EQ(json::serialize("\xc2\x9b"
                            "2J\x1b[2J\x7f"),
            R"("\u009b2J\u001b[2J\u007f")");
  EXPECT_EQ(json::serialize("\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9"), R"("\u202e\u2066\u2069")");
  // Their neighbours are ordinary characters.
  const std::string plain = "\"\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\"";
  EXPECT_EQ(json::serialize(json::parse(plain).value()), plain);
}

TEST(Json, WhatItPrintsReadsBackToTheSame) {
  const json::Value value =
      json::Object{{"numbers", json::Array{0, -1, 0.1, 1e300, -2.5e-7, std::int64_t{1} << 62, 3U}},
                   {"texts", json::Array{"", "\xc3\xa4\n\x01\xf0\x9f\x98\x80", "\xe2\x80\xa8"}},
                   {"others", json::Array{true, false, nullptr, json::Object{}, json::Array{}}}};
  EXPECT_EQ(json::parse(json::serialize(value)).value(), value);
}

TEST(Json, WhatIsNotFiniteBecomesNull) {
  EXPECT_EQ(json::serialize(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(json::serialize(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(Json, AccessorsRefuseAnotherType) {
  const json::Value value = json::parse(R"({"n":1,"s":"x","b":false})").value();
  EXPECT_EQ(value.find("n")->as_string(), nullptr);
  EXPECT_EQ(value.find("s")->as_number(), std::nullopt);
  EXPECT_EQ(value.find("b")->as_integer(), nullptr);
  EXPECT_FALSE(*value.find("b")->as_bool());
  EXPECT_EQ(value.find("n")->find("n"), nullptr);
  EXPECT_FALSE(value.find("b")->is_null());
  EXPECT_TRUE(json::parse("null")->is_null());
}

TEST(Json, AStringEndsAtTheFirstCharacterThatMayNotStandInIt) {
  for (std::size_t place = 0; place < 20; ++place) {
    for (int byte = 0; byte < 128; ++byte) {
      std::string content(20, 'a');
      content[place] = static_cast<char>(byte);
      const auto parsed =
          json::parse('"' + content + "\"    ");  // eight bytes and more behind it, or not
      const auto bare = json::parse('"' + content + '"');
      const bool good = byte >= 0x20 && byte != '"' && byte != '\\';
      ASSERT_EQ(parsed.has_value(), good) << place << ' ' << byte;
      ASSERT_EQ(bare.has_value(), good) << place << ' ' << byte;
      if (!good) continue;
      EXPECT_EQ(*parsed, json::Value(content));
      EXPECT_EQ(*bare, json::Value(content));
    }
    // Next to each other, and beside bytes above 127.
    const std::string filler(place, 'a');
    EXPECT_EQ(*json::parse('"' + filler + "\\\"#! \xc3\xbf\xc2\x80\"").value().as_string(),
              filler + "\"#! \xc3\xbf\xc2\x80");
    EXPECT_FALSE(json::parse('"' + filler + "\x1f !#\""));
  }
}

}  // namespace
}  // namespace moat
