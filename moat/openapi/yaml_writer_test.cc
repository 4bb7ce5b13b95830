// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/yaml_writer.h"

#include <gtest/gtest.h>

#include <random>

#include "moat/openapi/internal/yaml.h"

namespace moat::openapi {
namespace {

json::Value read(std::string_view text) { return json::parse(text).value(); }

TEST(YamlWriter, WritesBlocksThatPeopleRead) {
  EXPECT_EQ(write_yaml(read(R"({"a":1,"b":{"c":["x",{"d":null,"e":true}],"f":[]},"g":{}})")),
            "a: 1\n"
            "b:\n"
            "  c:\n"
            "    - x\n"
            "    - d: null\n"
            "      e: true\n"
            "  f: []\n"
            "g: {}\n");
  EXPECT_EQ(write_yaml(read(R"({"/a/{id}":{"200":"application/json"}})")),
            "/a/{id}:\n  \"200\": application/json\n");
  EXPECT_EQ(write_yaml(json::Value("x")), "x\n");
  EXPECT_EQ(write_yaml(json::Array{}), "[]\n");
}

TEST(YamlWriter, QuotesWhatAnotherReaderMightTakeForSomethingElse) {
  for (const std::string_view text :
       {"yes", "No",  "on", "OFF", "y",    "N",  "true",       "Null",  "~",    "",      " a",
        "a b", "1",   "-1", "1e3", "0x1F", ".5", "2026-01-01", "12:30", "a: b", "a #b",  "- a",
        "*a",  "&a",  "!a", "%a",  "@a",   "`a", "|",          ">",     "'a'",  "\"a\"", "[a]",
        "{a}", "a,b", "?",  ":",   "<<",   "=",  "---",        "..."}) {
    const std::string yaml = write_yaml(json::Value(text));
    EXPECT_EQ(yaml[0], '"') << text;
    EXPECT_EQ(parse_yaml(yaml)->value, json::Value(text)) << text;
  }
  for (const std::string_view text : {"a", "orderId", "/a/{id}", "date-time", "a.b", "_x", "e3"})
    EXPECT_EQ(write_yaml(json::Value(text)), std::string(text) + "\n");
}

TEST(YamlWriter, EscapesAllButAscii) {
  EXPECT_EQ(write_yaml(json::Value("\"\\\n\t\x7f\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80")),
            "\"\\\"\\\\\\n\\u0009\\u007F\\u00E9\\u2028\\U0001F600\"\n");
}

TEST(YamlWriter, LongNamesAreExplicit) {
  for (const std::size_t size : {1000u, 1001u, 1024u}) {
    json::Object inner{{"b", 1}, {"c", json::Array{2}}};
    const json::Value value = json::Object{{std::string(size, 'k'), inner}, {"z", 3}};
    const auto back = parse_yaml(write_yaml(json::Array{value, value}));
    ASSERT_TRUE(back) << size << back.error().sentence;
    EXPECT_EQ(back->value, json::Value(json::Array{value, value}));
  }
}

class Maker final {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}
  json::Value value(int depth) {
    switch (below(depth > 0 ? 8 : 6)) {
      case 0:
        return json::Value();
      case 1:
        return json::Value(below(2) == 0);
      case 2:
        return json::Value(static_cast<std::int64_t>(random_()) - (std::int64_t{1} << 31));
      case 3:
        return json::Value(static_cast<double>(random_()) / 128);
      case 4:
      case 5:
        return json::Value(text());
      case 6: {
        json::Array array;
        for (unsigned i = below(4); i > 0; --i) array.push_back(value(depth - 1));
        return array;
      }
      default: {
        json::Object object;
        for (unsigned i = below(4); i > 0; --i)
          object.emplace_back(std::to_string(i) + text(), value(depth - 1));
        return object;
      }
    }
  }

 private:
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string text() {
    static constexpr std::string_view parts[] = {
        "a",  "Z", "0",  "-",        ":",  " ",        "#",   "'", "\"", "{", "}",
        "\n", "~", "\\", "\xc3\xa9", "\t", ",",        "[",   "]", "&",  "*", "\xef\xbb\xbf",
        "%",  "!", "\r", "|",        ">",  "\xc2\x85", "true"};
    std::string out;
    for (unsigned i = below(6); i > 0; --i) out += parts[below(std::size(parts))];
    return out;
  }
  std::mt19937 random_;
};

TEST(YamlWriter, OwnReaderReadsTheSame) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    const json::Value value = Maker(seed).value(5);
    const std::string yaml = write_yaml(value);
    const auto back = parse_yaml(yaml);
    ASSERT_TRUE(back) << seed << ": " << back.error().sentence << "\n" << yaml;
    ASSERT_EQ(back->value, value) << seed << "\n" << yaml;
  }
}

}  // namespace
}  // namespace moat::openapi
