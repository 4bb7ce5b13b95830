// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <random>
#include <string>

#include "moat/base/json_document.h"

namespace moat::json {
namespace {

// Reads a text both ways, which must agree. Whether it was taken.
bool agree(Document& document, std::string_view text, const Limits& limits = {}) {
  const auto value = parse(text, limits);
  const auto item = document.parse(text, limits);
  EXPECT_EQ(value.has_value(), item.has_value()) << text;
  if (value.has_value() != item.has_value()) return false;
  if (value) {
    EXPECT_TRUE(to_value(*item) == *value) << text;
    return true;
  }
  EXPECT_EQ(to_string(value.error().refusal), to_string(item.error().refusal)) << text;
  EXPECT_EQ(value.error().offset, item.error().offset) << text;
  return false;
}

TEST(JsonDocument, HoldsEveryKindOfValue) {
  const std::string text =
      R"( {"a" : [1, -2.5e1, true, false, null, [], {}], "b\n" : "\u00e4\ud83d\ude00", "c":"x"} )";
  Document document;
  const auto item = document.parse(text);
  ASSERT_TRUE(item);
  ASSERT_EQ(item->kind(), Kind::object);
  EXPECT_EQ(item->size(), 3U);
  auto member = item->members().begin();
  EXPECT_EQ((*member).first, "a");
  const Item list = (*member).second;
  EXPECT_EQ(list.kind(), Kind::array);
  EXPECT_EQ(list.size(), 7U);
  std::string kinds;
  for (const Item element : list.elements())
    kinds += std::to_string(static_cast<int>(element.kind()));
  EXPECT_EQ(kinds, "2311056");
  EXPECT_EQ((*list.elements().begin()).integer(), 1);
  ++member;
  EXPECT_EQ((*member).first, "b\n");
  EXPECT_EQ((*member).second.text(), "\xc3\xa4\xf0\x9f\x98\x80");
  EXPECT_EQ((*member).second.size(), 0U);
  ++member;
  EXPECT_EQ((*member).second.text(), "x");
  // Without an escape it is a view into the text.
  EXPECT_EQ((*member).second.text().data(), text.data() + text.find("\"x\"") + 1);
  EXPECT_TRUE(++member == item->members().end());
}

TEST(JsonDocument, KeepsEarlierStringsWhenLaterOnesHaveEscapes) {
  std::string text = "[";
  for (int i = 0; i < 500; ++i) text += "\"\\\\" + std::to_string(i) + "\\n\",";
  text.back() = ']';
  Document document;
  const auto item = document.parse(text);
  ASSERT_TRUE(item);
  int i = 0;
  for (const Item element : item->elements())
    EXPECT_EQ(element.text(), "\\" + std::to_string(i++) + "\n");
  EXPECT_EQ(i, 500);
}

TEST(JsonDocument, RefusesAtThePlaceWhereParseDoes) {
  Document document;
  const Limits limits{
      .depth = 3, .members = 6, .string_bytes = 4, .total_bytes = 60, .number_bytes = 5};
  for (const char* text : {"",
                           "{",
                           "[1,]",
                           "{\"a\":1,}",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "1e+",
                           "-",
                           "nul",
                           "tru",
                           "'a'",
                           "\"\t\"",
                           "\"\\x\"",
                           "\"\\",
                           "\"\\u12g4\"",
                           "\"\\u12",
                           "1 2",
                           "NaN",
                           "[1 2]",
                           "\"abc",
                           "[[[1]]]",
                           "[[[[1]]]]",
                           "[1,2,3,4,5,6]",
                           "[1,2,3,4,5,6,7]",
                           "\"abcd\"",
                           "\"abcde\"",
                           "\"abc\\n\"",
                           "\"abcd\\n\"",
                           "12345",
                           "123456",
                           "[1e999]",
                           "1e-99",
                           "\"\\ud800\"",
                           "\"\\ud800\\n\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"\xff\"",
                           "{\"a\":1,\"a\":2}",
                           "{\"a\":1,\"\\u0061\":2}",
                           "{\"\\u0061\":1,\"b\":0,\"a\":2}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\" 1}",
                           "{\"abcde\":1}",
                           "{1:2}",
                           "\"\xc3\xa4\xf0\x9f\x98\x80\"",
                           "                                                             1"}) {
    agree(document, text, limits);
    agree(document, text);
  }
}

TEST(JsonDocument, TellsTheNamesOfLargeObjectsApart) {
  Document document;
  for (const int count : {15, 16, 17, 18, 40, 600}) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) {
      if (i > 0) text += ',';
      const std::string before = text;
      // The same front, end and length; every third has a large object within.
      text += "\"beginning" + std::to_string(100000 + i) + "the_end_\":";
      text += i % 300 == 2 ? before + "\"\":0}" : "1";
    }
    const std::string good = text + "}";
    EXPECT_TRUE(agree(document, good)) << count;
    for (const int again : {0, 1, count / 2, count - 1}) {
      const std::string bad =
          text + ",\"beginning" + std::to_string(100000 + again) + "the_end_\":1,}";
      EXPECT_FALSE(agree(document, bad)) << count;
      EXPECT_EQ(to_string(document.parse(bad).error().refusal), "duplicate_name");
      EXPECT_EQ(document.parse(bad).error().offset, text.size() + 1);
    }
  }
}

TEST(JsonDocument, ReadsAnotherTextAfterwards) {
  Document document;
  EXPECT_TRUE(agree(document, R"({"a":["\n",1]})"));
  EXPECT_FALSE(agree(document, R"({"a":["\n",1])"));
  EXPECT_TRUE(agree(document, "2"));
  document.clear();
  EXPECT_TRUE(agree(document, R"(["\t"])"));
}

// Changes a text a little, so that most of it is still read.
std::string mutated(std::string text, std::mt19937& random) {
  constexpr std::string_view pieces = "{}[]\",:\\utfn0123.eE+- \n\x01\xc3\xa4/dD8";
  for (std::size_t i = random() % 4; i > 0 && !text.empty(); --i) {
    const std::size_t at = random() % text.size();
    const char piece = pieces[random() % pieces.size()];
    switch (random() % 4) {
      case 0:
        text[at] = piece;
        break;
      case 1:
        text.insert(at, 1, piece);
        break;
      case 2:
        text.erase(at, 1 + random() % 3);
        break;
      default:
        text.insert(at, text.substr(random() % text.size(), random() % 20));
    }
  }
  return text;
}

TEST(JsonDocument, AgreesWithParseOnWhateverComes) {
  std::mt19937 random(20261128);
  Document document;
  const std::string texts[] = {
      R"({"id":"0190a5b4-7c3e","n":-12.50,"e":1e3,"list":[1,2,[],{}],"t":true,"f":null,"z":0})",
      R"(["\u00e4\ud83d\ude00\\\"\/\b\f\n\r\t", "a long text without any escape in it at all"])",
      R"({"a":{"a":{"a":{"b":1},"b":2},"b":3},"b":4,"c":"\u0061","d":[[[["deep"]]]]})",
      R"({"a1":1,"a2":1,"a3":1,"a4":1,"a5":1,"a6":1,"a7":1,"a8":1,"a9":1,"b1":1,"b2":1,"b3":1,)"
      R"("b4":1,"b5":1,"b6":1,"b7":1,"b8":1,"b9":1})",
  };
  const Limits small{
      .depth = 4, .members = 19, .string_bytes = 20, .total_bytes = 200, .number_bytes = 8};
  std::size_t taken = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = mutated(texts[static_cast<std::size_t>(i) % 4], random);
    if (agree(document, text)) ++taken;
    agree(document, text, small);
    if (HasFailure()) return;
  }
  EXPECT_GT(taken, 4000U);
  EXPECT_LT(taken, 16000U);
}

// Short numbers are not read by from_chars, and are the same.
TEST(JsonDocument, ReadsNumbersToTheLastBit) {
  std::mt19937_64 random(7);
  Document document;
  for (int i = 0; i < 50000; ++i) {
    std::string text = random() % 2 == 0 ? "-" : "";
    text += std::to_string(random() >> (random() % 63));
    if (text.size() > 2 && text[text[0] == '-' ? 1 : 0] != '0' && random() % 4 != 0)
      text.insert(1 + (text[0] == '-' ? 1 : 0) + random() % (text.size() - 2), ".");
    if (text.back() == '.') text += '0';
    double wanted = 0;
    ASSERT_EQ(std::from_chars(text.data(), text.data() + text.size(), wanted).ec, std::errc());
    const auto item = document.parse(text);
    ASSERT_TRUE(item) << text;
    const double read =
        item->kind() == Kind::integer ? static_cast<double>(item->integer()) : item->number();
    ASSERT_EQ(read, wanted) << text;
    ASSERT_EQ(std::signbit(read),
              item->kind() == Kind::integer && read == 0 ? false : std::signbit(wanted))
        << text;
  }
}

}  // namespace
}  // namespace moat::json
