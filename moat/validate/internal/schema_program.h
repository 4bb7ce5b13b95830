// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/json_document.h"
#include "moat/validate/internal/name_index.h"
#include "moat/validate/internal/pattern.h"
#include "moat/validate/schema.h"

namespace moat::validate::schema {

using Id = std::uint32_t;
constexpr Id none = std::numeric_limits<Id>::max();

enum class Keyword : std::uint8_t {
  ref,
  dynamic_ref,
  type,
  enumeration,
  constant,
  multiple_of,
  minimum,
  maximum,
  exclusive_minimum,
  exclusive_maximum,
  min_length,
  max_length,
  pattern,
  format,
  min_items,
  max_items,
  unique_items,
  min_properties,
  max_properties,
  required,
  dependent_required,
  property_names,
  members,   // properties, patternProperties and additionalProperties
  elements,  // prefixItems and items
  contains,
  all_of,
  any_of,
  one_of,
  negation,
  condition,
  dependent_schemas,
  unevaluated_items,  // these two are last: they see what the others evaluated
  unevaluated_properties
};
std::string_view to_string(Keyword keyword);

enum Types : std::uint32_t {
  type_null = 1,
  type_boolean = 2,
  type_integer = 4,
  type_number = 8,
  type_string = 16,
  type_array = 32,
  type_object = 64
};
constexpr std::uint32_t any_type =
    type_null | type_boolean | type_integer | type_number | type_string | type_array | type_object;

// What `first` and `count` are depends on the keyword: a number (count), a node, an index into one
// of Program's tables, or a run of `count` entries in Program::nodes.
struct Op {
  Keyword keyword;
  std::uint64_t first = 0;
  std::uint32_t count = 0;
};

using NameTable = std::vector<std::pair<std::string, Id>>;  // sorted by name

struct Members {
  NameTable properties;
  NameIndex index;             // of properties
  std::vector<Id> nodes;       // of properties, by row
  std::uint64_t required = 0;  // rows of properties; for a `required` in front that has a count
  std::vector<std::pair<Id, Id>> patterns;  // pattern, node
  Id additional = none;
};
struct Elements {
  std::vector<Id> prefix;
  Id rest = none;
};
struct Contains {
  Id node = none;
  std::uint64_t min = 1;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};
struct DependentRequired {
  std::string name;
  std::vector<std::string> needs;
};
using FormatCheck = bool (*)(std::string_view text);

// What a node asks that looks at the value alone, in one piece: the operations of such a node are
// checked without a look at them one by one, where nobody wants to know which one refused.
struct Leaf {
  bool used = false;
  bool whole_bounds = false;  // all bounds of numbers are in `least` and `most`
  bool has_min_length = false;
  bool has_max_length = false;
  std::uint32_t types = std::numeric_limits<std::uint32_t>::max();
  Id list = none;  // the operation `enum` or `const`
  Id pattern = none;
  std::uint32_t first_number = 0;  // the operations for numbers
  std::uint32_t number_count = 0;
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::uint64_t min_length = 0;
  std::uint64_t max_length = 0;
  FormatCheck format = nullptr;
};

struct Node {
  std::uint32_t first_op = 0;
  std::uint32_t op_count = 0;
  Id resource = 0;
  bool never = false;   // the schema `false`
  bool tracks = false;  // has unevaluatedItems or unevaluatedProperties
  // For refuse_unknown_members: says which members there are; says what becomes of others; refuses
  // others where it judges a value of its own.
  bool declares = false;
  bool has_rest = false;
  bool closed = false;
  bool chooses = false;  // which members there are hangs on a choice: one that failed tells nothing
  Leaf leaf;
  const json::Value* default_value = nullptr;  // within documents
  std::string pointer;
};

// The nodes that a $dynamicRef may lead to, by resource.
struct Resource {
  std::vector<std::pair<Id, Id>> dynamic_anchors;  // name, node
};

struct Program {
  SchemaOptions options;  // without its documents
  std::vector<std::shared_ptr<const json::Value>> documents;
  std::vector<Node> nodes;
  std::vector<Op> ops;
  std::vector<Resource> resources;
  std::vector<Id> lists;
  std::vector<const json::Value*> values;  // within documents
  std::vector<Pattern> patterns;
  std::vector<std::vector<std::string>> names;
  std::vector<NameTable> tables;
  std::vector<Members> members;
  std::vector<Elements> elements;
  std::vector<Contains> contains;
  std::vector<std::vector<DependentRequired>> dependent;
  std::vector<FormatCheck> formats;
};

// A number within 64 bits, or a double.
class Number final {
 public:
  explicit Number(std::int64_t value) : is_integer_(true), integer_(value) {}
  explicit Number(double value) : real_(value) {}
  Number(const json::Value& value);  // which is a number
  const std::int64_t* integer() const { return is_integer_ ? &integer_ : nullptr; }
  double as_double() const { return is_integer_ ? static_cast<double>(integer_) : real_; }

 private:
  bool is_integer_ = false;
  std::int64_t integer_ = 0;
  double real_ = 0;
};
// Numbers as mathematics has them: 1 and 1.0 are equal, an integer is never rounded to compare it.
// -1, 0 or 1.
int compare_numbers(const Number& a, const Number& b);
bool is_integral(double number);
bool is_integral(const json::Value& number);
// A number as JSON spells it, without white space around it; no zero with a minus.
std::optional<json::Value> to_number(std::string_view text);
// Whether `number` divided by `divisor` (above zero) is an integer, both taken as the shortest
// decimal that reads back as the same number: 0.3 is a multiple of 0.1.
bool is_multiple(const Number& number, const Number& divisor);
// Counts steps down to zero, for comparisons of what strangers send. Values that are nested too
// deep to be compared use them up.
struct Steps {
  std::size_t left = 0;
  std::size_t depth = 0;
  bool spend(std::size_t count) {
    if (count > left) {
      left = 0;
      return false;
    }
    left -= count;
    return true;
  }
  // For one more value within the others that are compared.
  bool spend_within(std::size_t count) {
    if (depth > 512) left = 0;
    return spend(count);
  }
};
// Equality by JSON Schema section 4.2.2; false when the steps run out.
bool equal(const json::Value& a, const json::Value& b, Steps& steps);
// Equal values have equal hashes.
std::uint64_t hash(const json::Value& value);
// Whether no two elements are equal; false when the steps run out.
bool all_unique(const json::Array& array, Steps& steps);

// Runs the node `root` on a value. Without `out` it only answers.
bool run(const Program& program, Id root, const json::Value& value,
         std::vector<Violation>* out = nullptr, Report report = Report::first);
bool run(const Program& program, Id root, json::Item value);
// The same with what is left of the steps of another errand; false when they run out.
bool run(const Program& program, Id root, const json::Value& value, Steps& steps);
// Why a value that is too costly was refused.
Violation limit_violation();
Id find_name(const NameTable& table, std::string_view name);
// The types that a value may have to fit a node, as far as can be said without a look at it: all,
// where the steps run out.
std::uint32_t possible_types(const Program& program, Id id, Steps& steps, std::size_t depth = 0);
// Of the branches of an anyOf or oneOf the only one that may take a value of one of these types;
// none: there are several, or there is none.
Id only_branch(const Program& program, const Op& op, std::uint32_t types);
// "a string or null"
std::string types_text(std::uint64_t types);
// "at least", for a keyword that bounds numbers
std::string_view bound_words(Keyword keyword);

// What `format: name` asks for; null for names that the standard does not have.
FormatCheck find_format(std::string_view name);
// What a check of `text` costs.
std::size_t format_steps(FormatCheck check, std::string_view text);

// RFC 3986 section 5.2: what `reference` means in a document at `base`.
std::string resolve_uri(std::string_view base, std::string_view reference);
// The text of an embedded metaschema, or empty.
std::string_view embedded_metaschema(std::string_view uri);

}  // namespace moat::validate::schema
