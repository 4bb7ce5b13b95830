// SPDX-License-Identifier: Apache-2.0
// A document in YAML or JSON. Reading it ends, within bounds, and never crashes; what is read
// answers requests, and what is not has a reason.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "moat/openapi/openapi.h"

namespace {

using namespace moat::openapi;

void require(bool condition) {
  if (!condition) std::abort();
}

// Asks the document for what it says that it has.
void ask(const Document& document) {
  require(!document.operations().empty());
  for (const Operation* operation : document.operations()) {
    require(!name_of(*operation).empty());
    describe(*operation);
    const std::string path(path_of(*operation));
    const auto match = document.find("GET", path);
    if (!match) {
      require(match.error().status == 404 || match.error().status == 405);
      continue;
    }
    Request request{.method = "GET", .path = path, .query = "a=1&b[c]=2", .cookie = "a=1"};
    for (const std::string_view type : {"application/json", "application/x-www-form-urlencoded"}) {
      request.content_type = type;
      request.has_body = true;
      const auto head = document.check_head(*match, request);
      if (head)
        require(head->status >= 400 && head->status < 500 && !to_problem_json(*head).empty());
      if (document.reads_body(*match->operation, type))
        static_cast<void>(document.check_body(*match->operation, type, R"({"a":[1,"x",null]})"));
    }
    static_cast<void>(document.check_response_head(*match->operation, 200, "a/b", true, {}));
    static_cast<void>(
        document.check_response_body(*match->operation, 200, "application/json", "{}"));
  }
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  DocumentOptions options;
  options.max_bytes = 64 * 1024;
  options.max_nodes = 2'000;
  options.checks_responses = input.size() % 2 == 0;
  // Another file is what stands behind the first zero byte.
  const std::size_t middle = std::min(text.find('\0'), text.size());
  const std::string_view other = text.substr(std::min(middle + 1, text.size()));
  options.loader = [&](std::string_view name) -> moat::Result<std::string, std::string> {
    require(!name.empty() && name[0] != '/' && name.find("..") != 0 &&
            name.find("/../") == std::string_view::npos);
    return std::string(other);
  };
  const auto document = Document::parse(text.substr(0, middle), options);
  if (!document) {
    require(!document.error().empty() && document.error().size() <= 64);
    for (const DocumentProblem& problem : document.error()) {
      require(!problem.sentence.empty() && problem.line >= 0);
      require(!problem.to_string().empty());
    }
    return;
  }
  ask(*document);
}
