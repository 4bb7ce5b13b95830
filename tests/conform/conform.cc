// SPDX-License-Identifier: Apache-2.0
#include "tests/conform/conform.h"

#include <cstdlib>
#include <fstream>

#include "moat/base/encoding.h"

namespace moat::conform {

json::Limits corpus_limits() {
  return {
      .depth = 1000, .members = 10'000'000, .string_bytes = 256u << 20, .total_bytes = 256u << 20};
}

std::string answer(std::span<const Operation> operations, std::string_view line) {
  const auto request = json::parse(line, corpus_limits());
  if (!request || request->as_object() == nullptr) {
    // What is no JSON by RFC 8259 (a lone surrogate, say) cannot be good input to anything.
    return json::serialize(json::Value(json::Object{
        {"ok", false},
        {"error", request ? std::string_view("no object") : to_string(request.error().refusal)}}));
  }
  const json::Value* name = request->find("op");
  const json::Value* id = request->find("id");
  json::Object out{{"error", "unsupported"}};
  for (const Operation& operation : operations) {
    if (name != nullptr && name->as_string() != nullptr && *name->as_string() == operation.name) {
      out = operation.handler(*request);
      break;
    }
  }
  out.insert(out.begin(), {"id", id == nullptr ? json::Value() : *id});
  return json::serialize(json::Value(std::move(out)));
}

std::optional<std::string> corpora_folder() {
  const char* folder = std::getenv("MOAT_CORPORA");
  if (folder == nullptr || *folder == '\0') return std::nullopt;
  return folder;
}

std::vector<json::Value> read_corpus(std::string_view name) {
  std::vector<json::Value> out;
  const std::optional<std::string> folder = corpora_folder();
  if (!folder) return out;
  std::ifstream file(*folder + "/" + std::string(name));
  for (std::string line; std::getline(file, line);) {
    if (trim(line).empty()) continue;
    auto parsed = json::parse(line, corpus_limits());
    out.push_back(parsed ? *std::move(parsed) : json::Value());
  }
  return out;
}

Deviations::Deviations(std::string_view suite) {
  std::ifstream file(MOAT_SOURCE_DIR "/docs/deviations.md");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] != '|') continue;
    std::vector<std::string> cells;
    std::string cell;
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '|') {
        cell += line[++i];
      } else if (line[i] == '|') {
        cells.emplace_back(trim(cell));
        cell.clear();
      } else {
        cell += line[i];
      }
    }
    if (cells.size() >= 2 && cells[0] == suite) rows_.push_back({cells[1]});
  }
}

bool Deviations::allows(std::string_view name) {
  for (Row& row : rows_) {
    if (row.name == name) return row.used = true;
  }
  return false;
}

std::vector<std::string> Deviations::unused() const {
  std::vector<std::string> out;
  for (const Row& row : rows_) {
    if (!row.used) out.push_back(row.name);
  }
  return out;
}

}  // namespace moat::conform
