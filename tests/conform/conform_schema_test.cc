// SPDX-License-Identifier: Apache-2.0
// The JSON Schema Test Suite.
#include <gtest/gtest.h>

#include "tests/conform/conform.h"

namespace moat::conform {

std::span<const Operation> schema_operations();

namespace {

std::string text(const json::Value& row, std::string_view name) {
  const json::Value* value = row.find(name);
  return value == nullptr || value->as_string() == nullptr ? "" : *value->as_string();
}

bool is_left_out(const json::Value& schema) {
  return json::serialize(schema).find("localhost:1234") != std::string::npos;
}

// Runs one corpus; gives the number of cases. Cases that both drafts have differ in both.
int run_corpus(std::string_view corpus, std::string_view suite, std::string_view draft) {
  Deviations deviations(suite);
  Deviations common("schema");
  int count = 0;
  for (const json::Value& row : read_corpus(corpus)) {
    const json::Value* schema = row.find("schema");
    const json::Value* data = row.find("data");
    const json::Value* valid = row.find("valid");
    if (schema == nullptr || data == nullptr || valid == nullptr) continue;
    const std::string file = text(row, "file");
    if (is_left_out(*schema)) continue;
    const bool formats = file.rfind("optional/format/", 0) == 0;
    const json::Value request(json::Object{{"op", "schema"},
                                           {"schema", *schema},
                                           {"data", *data},
                                           {"draft", draft},
                                           {"assert_formats", formats}});
    const std::string answered = answer(schema_operations(), json::serialize(request));
    const json::Value got = json::parse(answered, corpus_limits()).value();
    ++count;
    const json::Value* ok = got.find("ok");
    const std::string name = file + ": " + text(row, "case") + ": " + text(row, "test");
    if ((ok != nullptr && *ok == *valid) || deviations.allows(name) || common.allows(name))
      continue;
    ADD_FAILURE() << name << "\n" << answered;
  }
  for (const std::string& name : deviations.unused())
    ADD_FAILURE() << "nothing differs in this row of docs/deviations.md: " << name;
  return count;
}

TEST(SchemaCorpus, Draft202012) {
  if (!corpora_folder()) GTEST_SKIP() << "MOAT_CORPORA is not set";
  EXPECT_GE(run_corpus("json_schema/draft2020-12.jsonl", "schema", "2020-12"), 1500);
}

TEST(SchemaCorpus, Draft7) {
  if (!corpora_folder()) GTEST_SKIP() << "MOAT_CORPORA is not set";
  EXPECT_GE(run_corpus("json_schema/draft7.jsonl", "schema_draft7", "7"), 1200);
}

}  // namespace
}  // namespace moat::conform
