// SPDX-License-Identifier: Apache-2.0
// The operation "dotenv": a .env file's last value for each key.
#include <array>

#include "moat/env/dotenv.h"
#include "tests/conform/conform.h"

namespace moat::conform {

std::span<const Operation> env_operations();

namespace {

json::Object dotenv(const json::Value& request) {
  const json::Value* text = request.find("text");
  if (text == nullptr || text->as_string() == nullptr) return {{"error", "text is missing"}};
  const auto file = env::parse_dotenv(*text->as_string());
  if (!file) return {{"error", env::to_string(file.error().refusal)}};
  json::Object result;
  for (const env::Entry& entry : file->entries) {
    if (file->find(entry.key) == &entry) result.emplace_back(entry.key, entry.value.reveal());
  }
  return {{"result", std::move(result)}};
}

constexpr std::array operations{Operation{"dotenv", &dotenv}};

}  // namespace

std::span<const Operation> env_operations() { return operations; }

}  // namespace moat::conform
