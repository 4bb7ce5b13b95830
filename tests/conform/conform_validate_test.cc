// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/conform/conform.h"

namespace moat::conform {

std::span<const Operation> validate_operations();

namespace {

json::Value ask(std::string_view operation, const json::Value& function, const json::Value& args,
                const json::Value& input) {
  const auto text = answer(
      validate_operations(),
      json::serialize(json::Object{
          {"id", 1}, {"op", operation}, {"fn", function}, {"args", args}, {"input", input}}));
  return json::parse(text, corpus_limits()).value();
}

bool is_unsupported(const json::Value& answered) {
  const json::Value* error = answered.find("error");
  return error != nullptr && *error == json::Value("unsupported");
}

// The case's name in docs/deviations.md: isX [arguments] "input".
std::string case_name(const json::Value& function, const json::Value& args,
                      const json::Value& input) {
  return *function.as_string() + ' ' + json::serialize(args) + ' ' + json::serialize(input);
}

// Holds answers against a suite; what we do not have is counted and named at the end.
class Suite {
 public:
  explicit Suite(std::string_view name) : deviations_(name) {}

  void check(const json::Value& answered, bool good, const std::string& name) {
    if (is_unsupported(answered)) {
      ++unsupported_;
    } else if (good || deviations_.allows(name)) {
      ++count_;
    } else {
      ADD_FAILURE() << name << " -> " << json::serialize(answered);
    }
  }

  void finish(int at_least) const {
    EXPECT_GE(count_, at_least);
    for (const std::string& name : deviations_.unused())
      ADD_FAILURE() << "nothing differs in this row of docs/deviations.md: " << name;
    std::cout << count_ << " cases agree, " << unsupported_ << " need what is not here\n";
  }

 private:
  Deviations deviations_;
  int count_ = 0;
  int unsupported_ = 0;
};

TEST(ConformValidate, AnswersYesNoOrAnError) {
  const json::Array none;
  EXPECT_EQ(*ask("validate", "isMD5", none, std::string(32, 'a')).find("ok"), json::Value(true));
  EXPECT_EQ(*ask("validate", "isMD5", none, "a").find("ok"), json::Value(false));
  EXPECT_NE(ask("validate", "isMD5", none, 5).find("error"), nullptr);
  EXPECT_TRUE(is_unsupported(ask("validate", "isNothing", none, "a")));
  EXPECT_TRUE(is_unsupported(ask("validate", 5, none, "a")));
}

TEST(ConformValidate, AnswersWithTheSanitizedText) {
  EXPECT_EQ(*ask("sanitize", "stripLow", json::Array(), "a\n").find("result"), json::Value("a"));
  EXPECT_TRUE(is_unsupported(ask("sanitize", "isNothing", json::Array(), "a")));
  EXPECT_NE(ask("sanitize", "stripLow", json::Array(), 5).find("error"), nullptr);
}

TEST(ConformValidate, AgreesWithValidators) {
  if (!corpora_folder()) GTEST_SKIP() << "MOAT_CORPORA is not set: validatorjs/validator_cases";
  Suite suite("validator");
  for (const json::Value& row : read_corpus("validatorjs/validator_cases.jsonl")) {
    // A line with a lone surrogate is no JSON by RFC 8259; nobody can send it.
    if (row.is_null()) continue;
    const auto run = [&](const char* kind, auto is_right) {
      for (const json::Value& input : *row.find(kind)->as_array()) {
        const auto answered = ask("validate", *row.find("fn"), *row.find("args"), input);
        suite.check(answered, is_right(answered),
                    case_name(*row.find("fn"), *row.find("args"), input));
      }
    };
    const auto says = [](const json::Value& answered, bool ok) {
      return answered.find("ok") != nullptr && *answered.find("ok") == json::Value(ok);
    };
    run("valid", [&](const json::Value& a) { return says(a, true); });
    run("invalid", [&](const json::Value& a) { return says(a, false); });
    run("error", [](const json::Value& a) { return a.find("error") != nullptr; });
  }
  suite.finish(400);
}

TEST(ConformValidate, AgreesWithSanitizers) {
  if (!corpora_folder()) GTEST_SKIP() << "MOAT_CORPORA is not set: validatorjs/sanitizer_cases";
  Suite suite("sanitizer");
  for (const json::Value& row : read_corpus("validatorjs/sanitizer_cases.jsonl")) {
    if (row.is_null()) continue;
    for (const json::Value& pair : *row.find("expect")->as_array()) {
      const json::Value& input = pair.as_array()->at(0);
      const auto answered = ask("sanitize", *row.find("fn"), *row.find("args"), input);
      const json::Value* result = answered.find("result");
      suite.check(answered, result != nullptr && *result == pair.as_array()->at(1),
                  case_name(*row.find("fn"), *row.find("args"), input));
    }
  }
  suite.finish(5);
}

}  // namespace
}  // namespace moat::conform
