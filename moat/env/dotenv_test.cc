// SPDX-License-Identifier: Apache-2.0
#include "moat/env/dotenv.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "moat/base/json.h"

namespace moat::env {
namespace {

using Map = std::map<std::string, std::string>;

Map read(std::string_view text) {
  Map out;
  const auto file = parse_dotenv(text);
  if (!file) return {{"refused", std::string(to_string(file.error().refusal))}};
  for (const Entry& entry : file->entries) out[entry.key] = entry.value.reveal();
  return out;
}

std::string one(std::string_view text) {
  const Map map = read(text);
  return map.size() == 1 ? map.begin()->second : "(" + std::to_string(map.size()) + " entries)";
}

std::vector<NoteKind> notes(std::string_view text) {
  std::vector<NoteKind> out;
  const auto file = parse_dotenv(text);
  if (file)
    for (const Note& note : file->notes) out.push_back(note.kind);
  return out;
}

TEST(Dotenv, ReadsPlainAssignments) {
  EXPECT_EQ(read("A=1\nB=two words\n"), (Map{{"A", "1"}, {"B", "two words"}}));
  EXPECT_EQ(one("  SPACED_KEY = parsed  "), "parsed");
  EXPECT_EQ(one("export KEY=value"), "value");
  EXPECT_EQ(one("export\tKEY=value"), "value");
  EXPECT_EQ(read("export=1"), (Map{{"export", "1"}}));
  EXPECT_EQ(read("export = 1"), (Map{{"export", "1"}}));
  EXPECT_EQ(one("KEY: value"), "value");
  EXPECT_EQ(one("EQUAL_SIGNS=equals=="), "equals==");
  EXPECT_EQ(one("EMPTY="), "");
  EXPECT_EQ(one("EMPTY= \t"), "");
  EXPECT_EQ(read("2FA.KEY-x=1"), (Map{{"2FA.KEY-x", "1"}}));
  EXPECT_EQ(read("A=1\nA=2"), (Map{{"A", "2"}}));
  EXPECT_EQ(read(""), Map{});
  EXPECT_EQ(read("\n\n# only\n  # comments\n"), Map{});
}

TEST(Dotenv, QuotesKeepWhatTheyHold) {
  EXPECT_EQ(one("A=' spaced '"), " spaced ");
  EXPECT_EQ(one("A=\" spaced \""), " spaced ");
  EXPECT_EQ(one("A=` spaced `"), " spaced ");
  EXPECT_EQ(one("A='a#b'"), "a#b");
  EXPECT_EQ(one("A='a' # comment"), "a");
  EXPECT_EQ(one("A='a'# comment"), "a");
  EXPECT_EQ(one("A='it is \"so\"'"), "it is \"so\"");
  EXPECT_EQ(one("A=\"double \"quotes\" inside double quotes\""),
            "double \"quotes\" inside double quotes");
  EXPECT_EQ(one("A={\"foo\": \"bar\"}"), "{\"foo\": \"bar\"}");
  EXPECT_EQ(one("A=''"), "");
  EXPECT_EQ(one("A=\"\""), "");
  EXPECT_EQ(one("A=\"$(reboot) ${HOME} `id`\""), "$(reboot) ${HOME} `id`");
}

TEST(Dotenv, LineEndsByEscapeInDoubleQuotesOnly) {
  EXPECT_EQ(one(R"(A="one\ntwo\rthree\tfour")"), "one\ntwo\rthree\\tfour");
  EXPECT_EQ(one(R"(A='one\ntwo')"), R"(one\ntwo)");
  EXPECT_EQ(one(R"(A=`one\ntwo`)"), R"(one\ntwo)");
  EXPECT_EQ(one(R"(A=one\ntwo)"), R"(one\ntwo)");
  EXPECT_EQ(one(R"(A="a\"b")"), R"(a\"b)");
  EXPECT_EQ(one(R"(A='C:\dir\')"), R"(C:\dir\)");
}

TEST(Dotenv, QuotedValuesReachOverLines) {
  const std::string pem = "-----BEGIN KEY-----\nMII=\n\n-----END KEY-----";
  for (const char mark : {'\'', '"', '`'}) {
    const std::string text = std::string("A=") + mark + pem + mark + " # key\nB=1\n";
    EXPECT_EQ(read(text), (Map{{"A", pem}, {"B", "1"}}));
    const auto file = parse_dotenv(text);
    EXPECT_EQ(file->find("A")->line, 1U);
    EXPECT_EQ(file->find("B")->line, 5U);
  }
  EXPECT_EQ(read("A='x\r\ny'\rB=1"), (Map{{"A", "x\ny"}, {"B", "1"}}));
  EXPECT_EQ(read("A=one\\\nB=two"), (Map{{"A", "one\\"}, {"B", "two"}}));
}

TEST(Dotenv, CommentsEndUnquotedValues) {
  EXPECT_EQ(one("A=value # comment"), "value");
  EXPECT_EQ(one("A=pass#word"), "pass");
  EXPECT_EQ(one("A=#fff"), "");
  EXPECT_EQ(one("A= # nothing"), "");
}

TEST(Dotenv, WhatSurprisesIsNoted) {
  using V = std::vector<NoteKind>;
  EXPECT_EQ(notes("A=1\n# fine\nB='x' # fine\nC=v # fine\nD= # fine\nE=v\xc2\xa0# fine\n"), V{});
  EXPECT_EQ(notes("just words"), V{NoteKind::ignored_line});
  EXPECT_EQ(notes("FOO BAR=1"), V{NoteKind::ignored_line});
  EXPECT_EQ(notes("KEY"), V{NoteKind::ignored_line});
  EXPECT_EQ(notes("KEY:value"), V{NoteKind::ignored_line});
  EXPECT_EQ(notes("=1"), V{NoteKind::ignored_line});
  EXPECT_EQ(notes("\xc3\xa4=1"), V{NoteKind::ignored_line});
  EXPECT_EQ(notes("A=pass#word"), V{NoteKind::cut_short});
  EXPECT_EQ(notes("A=#fff"), V{NoteKind::cut_short});
  EXPECT_EQ(notes("A='open"), V{NoteKind::unclosed_quote});
  EXPECT_EQ(notes("A=\""), V{NoteKind::unclosed_quote});
  EXPECT_EQ(notes("A='a' b"), V{NoteKind::text_after_quote});
  const auto file = parse_dotenv("A=1\n\nB=pass#word\n");
  ASSERT_EQ(file->notes.size(), 1U);
  EXPECT_EQ(file->notes[0].line, 3U);
  EXPECT_EQ(file->notes[0].key, "B");
}

TEST(Dotenv, AnOpenQuoteDoesNotSwallowTheFile) {
  EXPECT_EQ(read("A='open\nB=1\nC=it's\n"), (Map{{"A", "'open"}, {"B", "1"}, {"C", "it's"}}));
}

TEST(Dotenv, RefusesWhatIsNoText) {
  const auto line = [](std::string_view text, DotenvRefusal refusal) {
    const auto file = parse_dotenv(text);
    if (file || file.error().refusal != refusal) return 0U;
    return file.error().line;
  };
  EXPECT_EQ(line(std::string_view("A=1\nB=\0x\n", 9), DotenvRefusal::nul_byte), 2U);
  EXPECT_EQ(line("A=1\r\n\r\nB=\xff\r\n", DotenvRefusal::invalid_utf8), 3U);
  EXPECT_EQ(line("A='x\n\xc0\x80'", DotenvRefusal::invalid_utf8), 2U);
  EXPECT_EQ(read("A=\xc3\xa4"), (Map{{"A", "\xc3\xa4"}}));
}

TEST(Dotenv, LimitsAreInclusive) {
  DotenvLimits limits;
  limits.line_bytes = 6;
  limits.file_bytes = 12;
  limits.entries = 2;
  EXPECT_TRUE(parse_dotenv("A=1234\nB=2\n", limits));
  EXPECT_EQ(parse_dotenv("A=1\nB=23456\n", limits).error().refusal, DotenvRefusal::line_too_long);
  EXPECT_EQ(parse_dotenv("A=1\nB=23456\n", limits).error().line, 2U);
  EXPECT_TRUE(parse_dotenv("A=1\n#\n#\n#\n#\n\n", limits).error().refusal ==
              DotenvRefusal::file_too_large);
  EXPECT_TRUE(parse_dotenv("A=1\n#\n#\n#\n#\n", limits));
  EXPECT_TRUE(parse_dotenv("A=1\nB=1\n", limits));
  EXPECT_EQ(parse_dotenv("A=\nB=\nC=\n", limits).error().refusal, DotenvRefusal::too_many);
  EXPECT_EQ(parse_dotenv("a\nb\nc\n", limits).error().refusal, DotenvRefusal::too_many);
}

TEST(Dotenv, ManyOpenQuotesTakeLinearTime) {
  std::string text;
  for (int i = 0; i < 9999; ++i)
    text += std::string("K=") + "'\"`"[i % 3] + "\\" + "'\"`"[i % 3] + " x\n";
  const auto file = parse_dotenv(text);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->entries.size(), 9999U);
}

TEST(Dotenv, PrintsWhatReadsBack) {
  for (const char* value : {"", "plain", " spaced ", "it's", "it's `so`\r", "a\nb", "a#b", "\\n",
                            "a\\b", "\"quoted\"", "$HOME", "\xc3\xa4"}) {
    const auto line = print_assignment("KEY", value);
    ASSERT_TRUE(line) << value;
    EXPECT_EQ(read(*line + "NEXT='1'\n"), (Map{{"KEY", value}, {"NEXT", "1"}})) << *line;
  }
  EXPECT_FALSE(print_assignment("KEY", "ends in \\"));
  EXPECT_FALSE(print_assignment("KEY", "'\"`"));
  EXPECT_FALSE(print_assignment("KEY", "\xff"));
  EXPECT_FALSE(print_assignment("KEY", std::string_view("\0", 1)));
  EXPECT_FALSE(print_assignment("K Y", "x"));
  EXPECT_FALSE(print_assignment("", "x"));
  EXPECT_FALSE(print_assignment("K\n", "x"));
}

// The cases of motdotla/dotenv (BSD-2-Clause), which is the dialect.
TEST(Dotenv, AgreesWithDotenvsOwnCases) {
  const char* folder = std::getenv("MOAT_CORPORA");
  if (folder == nullptr) GTEST_SKIP() << "MOAT_CORPORA is not set: dotenv/motdotla_dotenv.jsonl";
  std::ifstream in(std::string(folder) + "/dotenv/motdotla_dotenv.jsonl");
  std::string line;
  int count = 0;
  while (std::getline(in, line)) {
    const auto test = json::parse(line);
    ASSERT_TRUE(test) << line;
    Map expected;
    for (const auto& [key, value] : *test->find("expected")->as_object())
      expected[key] = *value.as_string();
    EXPECT_EQ(read(*test->find("input")->as_string()), expected) << line;
    ++count;
  }
  EXPECT_GT(count, 20);
}

}  // namespace
}  // namespace moat::env
