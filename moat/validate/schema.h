// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/json_document.h"
#include "moat/base/result.h"

namespace moat::validate {

namespace schema {
struct Program;
}

// A document that a schema may refer to by its URI, at any place by a JSON Pointer ("URI#/a/b"): it
// need not be a schema as a whole. Nothing is ever loaded from a file or the network: what is not
// given here, embedded, or a metaschema of the two dialects, does not exist. Only what is referred
// to is compiled. The value is shared, never copied.
struct SchemaDocument {
  SchemaDocument(std::string name, json::Value value)
      : uri(std::move(name)), schema(std::make_shared<const json::Value>(std::move(value))) {}
  SchemaDocument(std::string name, std::shared_ptr<const json::Value> value)
      : uri(std::move(name)), schema(std::move(value)) {}
  std::string uri;  // absolute, without fragment
  std::shared_ptr<const json::Value> schema;
};

// Draft 7 differs in the keywords it has, in `items` with a list, and in that nothing beside a $ref
// counts.
enum class Dialect { draft_2020_12, draft_7 };

// Bounds are inclusive.
struct SchemaOptions {
  Dialect default_dialect = Dialect::draft_2020_12;  // where there is no $schema
  // Whether `format` refuses values, or is a remark only (the default of JSON Schema 2020-12).
  bool assert_formats = false;
  // Members that no schema declares are refused, as by `unevaluatedProperties: false`, wherever a
  // schema judges a value of its own (the whole value, a member, an element) and declares members
  // itself or through allOf, anyOf, oneOf, then, else, dependentSchemas or $ref, unless it says
  // additionalProperties or unevaluatedProperties itself. `not` and `if` ask as if this were off,
  // and oneOf counts so: what this accepts is accepted without it, too.
  bool refuse_unknown_members = false;
  // A `default` that its own schema refuses is a problem of the schema, unless this is set; then it
  // is a remark, and filling it in makes the value be refused.
  bool allow_unfit_defaults = false;
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
  std::size_t root = 0;  // which one of compile_all's
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

// What `read` does before it validates.
struct ReadOptions {
  // Text, as it comes from a query, a header, a cookie or a form, becomes what `type` wants at its
  // place ($ref, allOf, anyOf and oneOf are followed): an integer or a number in JSON's spelling, a
  // boolean "true" or "false", null where the text is empty. Where strings are allowed it stays a
  // string. A lone text becomes an array of one where only an array (or null) is allowed. What does
  // not convert stays, and is refused by validation.
  bool coerce_text = false;
  // Members of the whole value that did not come as text, and are taken as they are: JSON within a
  // form.
  std::vector<std::string> typed_members;
  // A missing member that `properties` declares for certain (not below anyOf, oneOf, not, if, …)
  // gets its `default`, as it is written: nothing is filled in within it.
  bool fill_defaults = false;
};

// Schema is a JSON Schema of draft 2020-12 or 7, checked and compiled once. Checking is bounded
// (max_run_steps, max_run_depth): what would cost more is refused. It allocates nothing for a value
// that passes, except for `uniqueItems` on more than 8 elements, `propertyNames` on names of more
// than 15 bytes (of a json::Value), and `unevaluated…` on more than about a thousand members.
//
// Integers within 64 bits are exact. Beyond them a number is the double that json::parse made of
// it. `pattern` is linear in the text: look-around and back-references are refused by compile.
class Schema final {
 public:
  // Refuses keywords of the wrong type, regular expressions that are malformed or would need
  // backtracking, references that lead nowhere or in a circle, other dialects, and in draft 7 what
  // only later ones obey (unevaluatedProperties, prefixItems, …).
  [[nodiscard]] static Result<Schema, SchemaProblem> compile(json::Value schema,
                                                             const SchemaOptions& options = {});
  [[nodiscard]] static Result<Schema, SchemaProblem> parse(std::string_view text,
                                                           const SchemaOptions& options = {});
  // One schema for each root. They share what they refer to, so that it is compiled once, and the
  // limits, which hold for all of them together. No two may have the same $id.
  [[nodiscard]] static Result<std::vector<Schema>, SchemaProblem> compile_all(
      std::vector<json::Value> roots, const SchemaOptions& options = {});

  [[nodiscard]] bool check(const json::Value& value) const;
  // The same of an item of a json::Document, which is cheaper to make.
  [[nodiscard]] bool check(json::Item value) const;
  // Empty when the value passes. `all` goes on after the first violation, up to max_violations.
  [[nodiscard]] std::vector<Violation> validate(const json::Value& value,
                                                Report report = Report::first) const;
  // The value with its text converted and its defaults filled in as `options` say, validated then.
  [[nodiscard]] Result<json::Value, std::vector<Violation>> read(
      json::Value value, const ReadOptions& options, Report report = Report::first) const;
  // Whether the member of that name, of an object as a whole value, may be an array and the schema
  // says so: a type is named. For ValuesOptions::repeat.
  [[nodiscard]] bool wants_array(std::string_view member) const;
  // How many subschemas were compiled, those of compile_all's other roots among them.
  std::size_t size() const;

 private:
  Schema(std::shared_ptr<const schema::Program> program, std::uint32_t root)
      : program_(std::move(program)), root_(root) {}
  std::shared_ptr<const schema::Program> program_;
  std::uint32_t root_;
};

}  // namespace moat::validate
