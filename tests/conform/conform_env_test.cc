// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/conform/conform.h"

namespace moat::conform {

std::span<const Operation> env_operations();

namespace {

std::string ask(const json::Value& text) {
  return answer(env_operations(),
                json::serialize(json::Object{{"id", 1}, {"op", "dotenv"}, {"text", text}}));
}

TEST(ConformEnv, AnswersWithTheLastValueOrTheRefusal) {
  const auto good = json::parse(ask("A=1\nA='2'\n"));
  ASSERT_TRUE(good);
  EXPECT_EQ(json::serialize(*good->find("result")), R"({"A":"2"})");
  const auto bad = json::parse(ask(std::string(1, '\0')));
  ASSERT_TRUE(bad);
  EXPECT_EQ(*bad->find("error")->as_string(), "nul_byte");
  EXPECT_NE(json::parse(ask(5))->find("error"), nullptr);
}

TEST(ConformEnv, AgreesWithDotenv) {
  if (!corpora_folder()) GTEST_SKIP() << "MOAT_CORPORA is not set: dotenv/motdotla_dotenv.jsonl";
  Deviations deviations("dotenv");
  int count = 0;
  for (const json::Value& row : read_corpus("dotenv/motdotla_dotenv.jsonl")) {
    ++count;
    const std::string input = *row.find("input")->as_string();
    const auto answered = json::parse(ask(input));
    ASSERT_TRUE(answered);
    const json::Value* result = answered->find("result");
    if (result != nullptr && *result == *row.find("expected")) continue;
    EXPECT_TRUE(deviations.allows(input)) << input;
  }
  EXPECT_GT(count, 20);
  EXPECT_TRUE(deviations.unused().empty());
}

}  // namespace
}  // namespace moat::conform
