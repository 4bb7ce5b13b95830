// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/json.h"

namespace moat::conform {

// A handler answers one request; the program adds the request's id. It must not throw on any
// request.
using Handler = json::Object (*)(const json::Value& request);
struct Operation {
  std::string_view name;
  Handler handler;
};

// Answers one line of the protocol with one line (without the newline).
std::string answer(std::span<const Operation> operations, std::string_view line);

// Limits for requests and corpora, which are larger than what a stranger may send.
json::Limits corpus_limits();

// For the tests. The folder of the corpora, from the environment variable MOAT_CORPORA.
std::optional<std::string> corpora_folder();
// The lines of a file in that folder, parsed; empty when it is absent. A line that is no strict
// JSON is null.
std::vector<json::Value> read_corpus(std::string_view name);

// Deviations are the cases in which Moat means to differ, read from docs/deviations.md: rows of a
// table whose first two columns are the suite and the case.
class Deviations {
 public:
  explicit Deviations(std::string_view suite);
  // Whether the case may differ; remembers that it did.
  bool allows(std::string_view name);
  // Rows that nothing differed in: to be taken out of the table.
  std::vector<std::string> unused() const;

 private:
  struct Row {
    std::string name;
    bool used = false;
  };
  std::vector<Row> rows_;
};

}  // namespace moat::conform
