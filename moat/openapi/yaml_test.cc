// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/yaml.h"

#include <gtest/gtest.h>

namespace moat::openapi {
namespace {

std::string read(std::string_view text, const YamlLimits& limits = {}) {
  const auto document = parse_yaml(text, limits);
  if (document) return json::serialize(document->value);
  return std::to_string(document.error().line) + ": " + document.error().sentence;
}

TEST(Yaml, ReadsTheCoreSchema) {
  EXPECT_EQ(read("a: 1\nb: [x, 'y', \"z\\n\"]\nc:\n  - true\n  - null\n  - ~\n  -\n"),
            R"({"a":1,"b":["x","y","z\n"],"c":[true,null,null,null]})");
  EXPECT_EQ(read("- 0x1F\n- 0o17\n- +3\n- -4\n- 1.5\n- .5\n- 1e3\n- -2.5E-1\n"),
            "[31,15,3,-4,1.5,0.5,1000.0,-0.25]");
  EXPECT_EQ(read("- yes\n- on\n- 1.2.3\n- 2026-01-01\n- 12:30\n- 1_000\n- '1'\n- !!str 1\n- e3\n- "
                 "0x\n- '-'\n"),
            R"(["yes","on","1.2.3","2026-01-01","12:30","1_000","1","1","e3","0x","-"])");
  EXPECT_EQ(read("200: x\ntrue: y\n"), R"({"200":"x","true":"y"})");
  EXPECT_EQ(read("a: |\n  one\n  two\nb: >-\n  one\n  two\n"),
            R"({"a":"one\ntwo\n","b":"one two"})");
  EXPECT_EQ(read("# only\n--- \n{a: {b: []}}\n...\n"), R"({"a":{"b":[]}})");
}

TEST(Yaml, NoTextIsAnEmptyOne) { EXPECT_EQ(read(std::string_view()), read("")); }

TEST(Yaml, MayComeFromOtherSystems) {
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "a: 1\r\nb: 2\r\n"),
            R"({"a":1,"b":2})");
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "# text\na: 1\n"),
            R"({"a":1})");
  EXPECT_EQ(read("a: 1\rb: 2\r"), R"({"a":1,"b":2})");
  EXPECT_EQ(read("%YAML 1.1\n---\na: yes\n"), R"({"a":"yes"})");
  EXPECT_EQ(read(std::string_view("\xff\xfe"
                                  "a\0:\0 \0",
                                  8)),
            "1: invalid leading UTF-8 octet");
  EXPECT_EQ(read("a:\n\tb: 1\n"), "2: found character that cannot start any token");
}

TEST(Yaml, HasNamesOfBoundedLength) {
  const std::string name(1024, 'n');
  EXPECT_EQ(read("? '" + name + "'\n: 1\n"), "{\"" + name + "\":1}");
  EXPECT_EQ(read("? 'n" + name + "'\n: 1\n"), "1: a name has at most 1024 bytes");
}

TEST(Yaml, WritesAliasesOut) {
  EXPECT_EQ(read("a: &x {b: 1}\nc: *x\nd: [*x, *x]\n"),
            R"({"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":1}]})");
  EXPECT_EQ(read("a: *x\n"), "1: this alias stands for nothing that came before");
  EXPECT_EQ(read("a: &x [*x]\n"), "1: this alias stands for nothing that came before");
}

TEST(Yaml, RefusesWhatJsonDoesNotHave) {
  EXPECT_EQ(read("a: 1\nb: 2\na: 3\n"), "3: this name stands here twice");
  EXPECT_EQ(read("? [a]\n: 1\n"), "1: a name is a text");
  EXPECT_EQ(read("a: &x {}\nb:\n  <<: *x\n"),
            "3: merge keys are not of YAML 1.2: write the members out");
  EXPECT_EQ(read("'<<': 1\n"), R"({"\u003c\u003c":1})");
  EXPECT_EQ(read("a: !binary x\n"), "1: tags are not understood here");
  EXPECT_EQ(read("a: !!int '1'\n"), "1: tags are not understood here");
  EXPECT_EQ(read("a: .inf\n"), "1: numbers are finite: JSON has no other");
  EXPECT_EQ(read("a: \"\\0\"\n"), "1: there is a NUL in this text");
  EXPECT_EQ(read("a: 1\n---\nb: 2\n"), "2: a second document begins here: one is read");
  EXPECT_EQ(read(""), "1: there is nothing in it");
  EXPECT_EQ(read("a: [1\n"), "2: did not find expected ',' or ']'");
}

TEST(Yaml, KeepsItsLimits) {
  YamlLimits limits{.bytes = 8, .nodes = 100, .depth = 100};
  EXPECT_EQ(read("[1,2,3]\n", limits), "[1,2,3]");
  EXPECT_EQ(read("[1,2,34]\n", limits), "0: it is larger than 8 bytes");
  limits = {.bytes = 1000, .nodes = 4, .depth = 100};
  EXPECT_EQ(read("[1,2,3]\n", limits), "[1,2,3]");
  EXPECT_EQ(read("[1,2,3,4]\n", limits), "1: there are more than 4 values in it");
  limits = {.bytes = 1000, .nodes = 100, .depth = 3};
  EXPECT_EQ(read("[[1]]\n", limits), "[[1]]");
  EXPECT_EQ(read("[[[1]]]\n", limits), "1: values stand more than 3 deep in each other");
}

TEST(Yaml, CountsWhatAliasesStandFor) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j == 0 ? "" : ", ") + before;
    text += "]\n";
  }
  EXPECT_EQ(read(text, {.bytes = 10000, .nodes = 50'000}),
            "5: there are more than 50000 values in it");
  // Nor do they stand deeper than written.
  text = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i)
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[*a" + std::to_string(i - 1) +
            "]]\n";
  EXPECT_EQ(read(text, {.bytes = 10000, .nodes = 50'000, .depth = 20}),
            "10: values stand more than 20 deep in each other");
}

TEST(Yaml, KnowsTheLineOfEachPlace) {
  const auto document = parse_yaml("a:\n  b/c:\n    - 1\n    - 2\n");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->lines.at(""), 1);
  EXPECT_EQ(document->lines.at("/a/b~1c"), 3);
  EXPECT_EQ(document->lines.at("/a/b~1c/1"), 4);
}

}  // namespace
}  // namespace moat::openapi
