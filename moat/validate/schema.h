// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/result.h"

namespace moat::validate {

namespace schema {
struct Program;
}

// A document that a schema may refer to by its URI. Nothing is ever loaded from a file or the
// network: what is not given here, embedded, or the 2020-12 metaschema, does not exist.
struct SchemaDocument {
  std::string uri;  // absolute, without fragment
  json::Value schema;
};

// Bounds are inclusive.
struct SchemaOptions {
  // Whether `format` refuses values, or is a remark only (the default of JSON Schema 2020-12).
  bool assert_formats = false;
  std::vector<SchemaDocument> documents;
  std::size_t max_subschemas = 10'000;       // of all documents that are used
  std::size_t max_schema_depth = 64;         // of subschemas in each other
  std::size_t max_pattern_bytes = 4096;      // of one regular expression
  std::size_t max_pattern_memory = 1 << 20;  // bytes for one compiled regular expression
  std::size_t max_patterns = 256;            // each may come to take its memory
  std::size_t max_run_steps = 1'000'000;     // of one check; a step is about one comparison
  std::size_t max_run_depth = 512;           // subschemas within each other during one check
  std::size_t max_violations = 64;           // that one call reports
};

// Why a schema was refused: a place in it ("#/properties/name/pattern") and a sentence.
struct SchemaProblem {
  std::string pointer;
  std::string sentence;
};

// Why a value was refused. No part of the value is repeated: `instance` ends at the last place
// whose name the schema itself declares (a name that only matched patternProperties,
// additionalProperties, … is a stranger's text).
struct Violation {
  std::string instance;  // JSON Pointer (RFC 6901), empty for the whole value
  std::string keyword;   // "minLength"; "limit" when the check would cost too much
  std::string schema;    // where the schema says so: "#/properties/name/minLength"
  std::string message;   // a sentence to act on, beginning in lower case
};

enum class Report { first, all };

// Schema is a JSON Schema of draft 2020-12, checked and compiled once. Checking is bounded
// (max_run_steps, max_run_depth): what would cost more is refused. It allocates nothing for a value
// that passes, except for `uniqueItems` on more than 8 elements, `propertyNames` on names of more
// than 15 bytes, and `unevaluated…` on more than about a thousand members.
//
// Integers within 64 bits are exact. Beyond them a number is the double that json::parse made of
// it. `pattern` is linear in the text: look-around and back-references are refused by compile.
class Schema final {
 public:
  // Refuses keywords of the wrong type, regular expressions that are malformed or would need
  // backtracking, references that lead nowhere or in a circle, dialects other than 2020-12.
  [[nodiscard]] static Result<Schema, SchemaProblem> compile(json::Value schema,
                                                             const SchemaOptions& options = {});
  [[nodiscard]] static Result<Schema, SchemaProblem> parse(std::string_view text,
                                                           const SchemaOptions& options = {});

  [[nodiscard]] bool check(const json::Value& value) const;
  // Empty when the value passes. `all` goes on after the first violation, up to max_violations.
  [[nodiscard]] std::vector<Violation> validate(const json::Value& value,
                                                Report report = Report::first) const;
  // How many subschemas there are.
  std::size_t size() const;

 private:
  explicit Schema(std::shared_ptr<const schema::Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const schema::Program> program_;
};

}  // namespace moat::validate
