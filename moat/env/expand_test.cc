// SPDX-License-Identifier: Apache-2.0
#include "moat/env/expand.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "moat/base/json.h"

namespace moat::env {
namespace {

using Map = std::map<std::string, std::string>;

Environment process(std::initializer_list<std::pair<const char*, const char*>> values) {
  Environment out;
  for (const auto& [key, value] : values) out.emplace(key, Secret::copy_of(value));
  return out;
}

// The last value of the file after expansion, or the refusal.
std::string last(std::string_view text, const Environment& environment = {},
                 const ExpandOptions& options = {}) {
  auto file = parse_dotenv(text);
  if (!file || file->entries.empty()) return "no file";
  const auto done = expand(*file, environment, ".env", options);
  if (!done)
    return std::string(to_string(done.error().refusal)) + " " + done.error().place.to_string();
  return std::string(file->entries.back().value.reveal());
}

TEST(Expand, NamesAboveAndInTheEnvironment) {
  EXPECT_EQ(last("A=1\nB=x${A}y$A"), "x1y1");
  EXPECT_EQ(last("B=$A", process({{"A", "2"}})), "2");
  EXPECT_EQ(last("A=1\nB=$A", process({{"A", "2"}})), "2");
  EXPECT_EQ(last("A=1\nA=2\nB=$A"), "2");
  EXPECT_EQ(last("a.b=1\nB=${a.b}"), "1");
}

TEST(Expand, DefaultsAndAlternatives) {
  EXPECT_EQ(last("A=\nB=${A:-d}"), "d");
  EXPECT_EQ(last("A=\nB=${A-d}"), "");
  EXPECT_EQ(last("B=${A-d}"), "d");
  EXPECT_EQ(last("B=${A:-}"), "");
  EXPECT_EQ(last("A=1\nB=${A:+x}"), "x");
  EXPECT_EQ(last("A=\nB=${A:+x}"), "");
  EXPECT_EQ(last("A=\nB=${A+x}"), "x");
  EXPECT_EQ(last("B=${A+x}"), "");
  EXPECT_EQ(last("B=${X:-${Y:-a}b}c"), "abc");
  EXPECT_EQ(last("A=1\nB=${A:-${UNDEFINED}}"), "1") << "what is not needed is not looked up";
}

TEST(Expand, DollarsThatAreNoReferencesStay) {
  EXPECT_EQ(last("A=abcd$$1234$"), "abcd$$1234$");
  EXPECT_EQ(last("A=$2b$10$"), "$2b$10$");
  EXPECT_EQ(last("A=\\$HOME"), "$HOME");
  EXPECT_EQ(last("A=\\${HOME}"), "${HOME}");
  EXPECT_EQ(last("A='$HOME'"), "$HOME") << "single quotes";
  EXPECT_EQ(last("A=${X:-\\}}"), "\\}");
}

TEST(Expand, UndefinedIsAnErrorWithItsPlace) {
  EXPECT_EQ(last("A=1\n\nB=$UNDEFINED"), "unresolved .env:3");
  EXPECT_EQ(last("B=$C\nC=1"), "unresolved .env:1") << "only lines above count";
  EXPECT_EQ(last("A=$A"), "unresolved .env:1");
  EXPECT_EQ(last("A=pa$w0rd"), "unresolved .env:1") << "not silently eaten";
  ExpandOptions options;
  options.allow_undefined = true;
  EXPECT_EQ(last("B=x$UNDEFINED", {}, options), "x");
}

TEST(Expand, CommandsAreNeverRun) {
  EXPECT_EQ(last("A=$(id)"), "unresolved .env:1");
  EXPECT_EQ(last("A=${X:-$(id)}"), "unresolved .env:1");
  EXPECT_EQ(last("A=\\$(id)"), "$(id)");
  EXPECT_EQ(last("B=$A", process({{"A", "$(id) ${HOME}"}})), "$(id) ${HOME}")
      << "the environment is data";
  EXPECT_EQ(last("A=`id`"), "id");
}

TEST(Expand, MalformedReferencesAreErrors) {
  for (const char* text :
       {"A=${", "A=${X", "A=${}", "A=${X:?no}", "A=${X:}", "A=${X!}", "A=${-x}", "A=${X:-${Y}"})
    EXPECT_EQ(last(text), "unresolved .env:1") << text;
}

TEST(Expand, CirclesByWayOfTheEnvironmentEnd) {
  const auto environment = process({{"A", "$B"}, {"B", "$A"}});
  EXPECT_EQ(last("A=$B\nB=$A", environment), "unresolved .env:2");
}

TEST(Expand, StaysWithinItsBounds) {
  std::string bomb = "A0=0123456789\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "${A" + std::to_string(i - 1) + "}";
    bomb += "A" + std::to_string(i) + "=" + before + before + "\n";
  }
  EXPECT_EQ(last(bomb), "out_of_range .env:14");
  ExpandOptions options;
  options.value_bytes = 20;
  options.total_bytes = 30;
  EXPECT_EQ(last("A=0123456789\nB=$A$A", {}, options), "01234567890123456789");
  EXPECT_EQ(last("A=0123456789\nB=$A$A.", {}, options), "out_of_range .env:2");
  EXPECT_EQ(last("A=0123456789\nB=$A$A\nC=1", {}, options), "out_of_range .env:3");
  std::string deep = "x";
  for (int i = 0; i < 16; ++i) deep = "${X:-" + deep + "}";
  EXPECT_EQ(last("A=" + deep), "x");
  EXPECT_EQ(last("A=${X:-" + deep + "}"), "unresolved .env:1");
}

// The cases of motdotla/dotenv-expand (BSD-3-Clause), in which what is undefined is empty. One of
// them wants a command run, which Moat refuses.
TEST(Expand, AgreesWithDotenvExpandsOwnCases) {
  const char* folder = std::getenv("MOAT_CORPORA");
  if (folder == nullptr)
    GTEST_SKIP() << "MOAT_CORPORA is not set: dotenv/motdotla_dotenv_expand.jsonl";
  std::ifstream in(std::string(folder) + "/dotenv/motdotla_dotenv_expand.jsonl");
  std::string line;
  int count = 0;
  ExpandOptions options;
  options.allow_undefined = true;
  while (std::getline(in, line)) {
    const auto test = json::parse(line);
    ASSERT_TRUE(test) << line;
    ++count;
    Environment environment;
    for (const auto& [key, value] : *test->find("processEnv")->as_object())
      environment.emplace(key, Secret::copy_of(*value.as_string()));
    Dotenv file;
    std::uint32_t number = 0;
    for (const auto& [key, value] : *test->find("parsed")->as_object())
      file.entries.push_back({key, Secret::copy_of(*value.as_string()), ++number, Quote::none});
    Map written;
    for (const Entry& entry : file.entries) written[entry.key] = entry.value.reveal();
    const auto done = expand(file, environment, ".env", options);
    if (test->find("parsed")->find("EVALUATED") != nullptr) {
      EXPECT_EQ(done.error().refusal, Refusal::unresolved);
      continue;
    }
    ASSERT_TRUE(done) << done.error().to_string();
    for (const Entry& entry : file.entries) {
      // The process's own value wins over the file's; an empty one does not, in dotenv-expand.
      const auto given = environment.find(entry.key);
      const bool wins = given != environment.end() && !given->second.empty() &&
                        given->second.reveal() != written[entry.key];
      const std::string_view value = wins ? given->second.reveal() : entry.value.reveal();
      EXPECT_EQ(value, *test->find("expected")->find(entry.key)->as_string())
          << count << " " << entry.key;
    }
  }
  EXPECT_EQ(count, 19);
}

}  // namespace
}  // namespace moat::env
