// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "moat/validate/internal/schema_compiler.h"
#include "moat/validate/internal/schema_leaf.h"

namespace moat::validate::schema {

std::span<const std::pair<std::string_view, std::string_view>> metaschema_files();

std::string_view embedded_metaschema(std::string_view uri) {
  if (uri == "http://json-schema.org/draft-07/schema") {
    for (const auto& [name, text] : metaschema_files()) {
      if (name == "draft-07.json") return text;
    }
  }
  constexpr std::string_view start = "https://json-schema.org/draft/2020-12/";
  if (uri.substr(0, start.size()) != start) return {};
  std::string_view rest = uri.substr(start.size());
  if (rest.substr(0, 5) == "meta/") {
    rest.remove_prefix(5);
    if (rest == "schema") return {};
  } else if (rest != "schema") {
    return {};
  }
  for (const auto& [name, text] : metaschema_files()) {
    if (name.substr(0, name.size() - 5) == rest) return text;  // without ".json"
  }
  return {};
}

std::string_view to_string(Keyword keyword) {
  constexpr std::string_view names[] = {"$ref",
                                        "$dynamicRef",
                                        "type",
                                        "enum",
                                        "const",
                                        "multipleOf",
                                        "minimum",
                                        "maximum",
                                        "exclusiveMinimum",
                                        "exclusiveMaximum",
                                        "minLength",
                                        "maxLength",
                                        "pattern",
                                        "format",
                                        "minItems",
                                        "maxItems",
                                        "uniqueItems",
                                        "minProperties",
                                        "maxProperties",
                                        "required",
                                        "dependentRequired",
                                        "propertyNames",
                                        "properties",
                                        "items",
                                        "contains",
                                        "allOf",
                                        "anyOf",
                                        "oneOf",
                                        "not",
                                        "if",
                                        "dependentSchemas",
                                        "unevaluatedItems",
                                        "unevaluatedProperties"};
  return names[static_cast<std::size_t>(keyword)];
}

namespace {

// Writes the operations of one schema object.
class NodeWriter final {
 public:
  NodeWriter(Index& index, Program& program, Id node)
      : index_(index),
        program_(program),
        schema_(*index.schemas()[node]),
        place_(index.place(node)),
        draft_7_(place_.dialect == Dialect::draft_7) {}

  bool write(Node& out) {
    out.pointer = place_.pointer;
    out.resource = place_.resource;
    if (const bool* truth = schema_.as_bool()) {
      out.never = !*truth;
      return true;
    }
    // Of draft 7, whose $ref is all there is of a schema.
    if (draft_7_ && find("$ref") != nullptr) return references() && append(out);
    if (!later_keywords() || !references() || !values() || !numbers() || !counts() || !strings() ||
        !names() || !members() || !elements() || !applicators() || !remarks())
      return false;
    append(out);
    out.declares = find("properties") != nullptr || find("patternProperties") != nullptr;
    out.has_rest =
        find("additionalProperties") != nullptr || find("unevaluatedProperties") != nullptr;
    out.default_value = find("default");
    out.leaf = leaf_of(program_, out);
    return true;
  }

 private:
  bool append(Node& out) {
    // What was evaluated is known at the end only.
    std::stable_sort(ops_.begin(), ops_.end(),
                     [](const Op& a, const Op& b) { return a.keyword < b.keyword; });
    join_required();
    out.tracks = !ops_.empty() && ops_.back().keyword >= Keyword::unevaluated_items;
    out.first_op = static_cast<std::uint32_t>(program_.ops.size());
    out.op_count = static_cast<std::uint32_t>(ops_.size());
    program_.ops.insert(program_.ops.end(), ops_.begin(), ops_.end());
    return true;
  }
  // Where all names that are required are declared, they are a set of rows, so that each name of a
  // value is looked up once for both keywords.
  void join_required() {
    for (std::size_t i = 0; i + 1 < ops_.size(); ++i) {
      if (ops_[i].keyword != Keyword::required || ops_[i + 1].keyword != Keyword::members) continue;
      Members& table = program_.members[ops_[i + 1].first];
      if (table.properties.size() > 64) return;
      for (const std::string& name : program_.names[ops_[i].first]) {
        const std::uint32_t row = table.index.find(table.properties, name);
        if (row == NameIndex::absent) return;
        table.required |= std::uint64_t{1} << row;
      }
      ops_[i].count = 1;
    }
  }
  bool fail(std::string_view keyword, std::string sentence) {
    return index_.fail(place_.pointer + "/" + std::string(keyword), std::move(sentence));
  }
  const json::Value* find(std::string_view keyword) const { return schema_.find(keyword); }
  Id node(const json::Value& schema) const { return index_.node_of(&schema); }
  void add(Keyword keyword, std::uint64_t first, std::uint32_t count = 0) {
    ops_.push_back({keyword, first, count});
  }

  // Draft 7 would pass over these, and with them over what the author meant to refuse.
  bool later_keywords() {
    if (!draft_7_) return true;
    for (const std::string_view name :
         {"unevaluatedProperties", "unevaluatedItems", "prefixItems", "dependentRequired",
          "dependentSchemas", "minContains", "maxContains", "$dynamicRef", "$recursiveRef"}) {
      if (find(name) != nullptr)
        return fail(name, "draft 7 does not have " + std::string(name) +
                              " and would pass over it: name a later dialect in $schema");
    }
    return true;
  }

  bool references() {
    for (const Keyword keyword : {Keyword::ref, Keyword::dynamic_ref}) {
      const std::string_view name = to_string(keyword);
      if (draft_7_ && keyword != Keyword::ref) continue;
      const json::Value* value = find(name);
      if (value == nullptr) continue;
      if (value->as_string() == nullptr) return fail(name, std::string(name) + " is a string");
      Id anchor = none;
      const auto target = index_.resolve(*value->as_string(), place_.resource,
                                         place_.pointer + "/" + std::string(name),
                                         keyword == Keyword::dynamic_ref ? &anchor : nullptr);
      if (!target) return false;
      add(keyword, *target, anchor);
    }
    return true;
  }

  bool values() {
    if (const json::Value* type = find("type")) {
      std::uint32_t types = 0;
      const json::Array one{*type};
      const json::Array& list = type->as_array() != nullptr ? *type->as_array() : one;
      for (const json::Value& entry : list) {
        const std::uint32_t bit = type_bit(entry);
        if (bit == 0 || (types & bit) != 0)
          return fail("type",
                      "type is one of null, boolean, integer, number, string, array, object, or a "
                      "list of them without repetition");
        types |= bit;
      }
      if (types == 0) return fail("type", "a list of types must not be empty");
      add(Keyword::type, types);
    }
    if (const json::Value* list = find("enum")) {
      if (list->as_array() == nullptr) return fail("enum", "enum is a list of values");
      add(Keyword::enumeration, program_.values.size(),
          static_cast<std::uint32_t>(list->as_array()->size()));
      for (const json::Value& value : *list->as_array()) program_.values.push_back(&value);
    }
    if (const json::Value* value = find("const")) {
      add(Keyword::constant, program_.values.size(), 1);
      program_.values.push_back(value);
    }
    return true;
  }
  static std::uint32_t type_bit(const json::Value& entry) {
    constexpr std::pair<std::string_view, std::uint32_t> types[] = {
        {"null", type_null},     {"boolean", type_boolean}, {"integer", type_integer},
        {"number", type_number}, {"string", type_string},   {"array", type_array},
        {"object", type_object},
    };
    for (const auto& [name, bit] : types) {
      if (entry.as_string() != nullptr && *entry.as_string() == name) return bit;
    }
    return 0;
  }

  bool numbers() {
    for (const Keyword keyword : {Keyword::multiple_of, Keyword::minimum, Keyword::maximum,
                                  Keyword::exclusive_minimum, Keyword::exclusive_maximum}) {
      const json::Value* value = find(to_string(keyword));
      if (value == nullptr) continue;
      const std::string name(to_string(keyword));
      const auto number = value->as_number();
      if (!number || !std::isfinite(*number)) return fail(name, name + " is a number");
      if (keyword == Keyword::multiple_of && *number <= 0)
        return fail(name, "multipleOf is a number above 0");
      add(keyword, program_.values.size());
      program_.values.push_back(value);
    }
    return true;
  }

  // A count is a non-negative integer, also when spelled 2.0. What is larger than any size is the
  // largest there is.
  bool count(std::string_view name, std::optional<std::uint64_t>& out) {
    const json::Value* value = find(name);
    if (value == nullptr) return true;
    const auto number = value->as_number();
    if (!number || !is_integral(*value) || *number < 0)
      return fail(name, std::string(name) + " is an integer of 0 or more");
    if (const auto* integer = value->as_integer()) {
      out = static_cast<std::uint64_t>(*integer);
    } else {
      out = *number < 9e18 ? static_cast<std::uint64_t>(*number) : std::uint64_t{1} << 63;
    }
    return true;
  }

  bool counts() {
    for (const Keyword keyword :
         {Keyword::min_length, Keyword::max_length, Keyword::min_items, Keyword::max_items,
          Keyword::min_properties, Keyword::max_properties}) {
      std::optional<std::uint64_t> bound;
      if (!count(to_string(keyword), bound)) return false;
      if (bound) add(keyword, *bound);
    }
    if (const json::Value* unique = find("uniqueItems")) {
      if (unique->as_bool() == nullptr) return fail("uniqueItems", "uniqueItems is true or false");
      if (*unique->as_bool()) add(Keyword::unique_items, 0);
    }
    return true;
  }

  std::optional<Id> pattern(std::string_view text, const std::string& where) {
    if (program_.patterns.size() >= program_.options.max_patterns) {
      fail(where, "there are more than " + std::to_string(program_.options.max_patterns) +
                      " regular expressions");
      return std::nullopt;
    }
    auto compiled = Pattern::compile(text, program_.options.max_pattern_bytes,
                                     program_.options.max_pattern_memory);
    if (!compiled) {
      fail(where, "this regular expression cannot be used: " + compiled.error());
      return std::nullopt;
    }
    program_.patterns.push_back(*std::move(compiled));
    return static_cast<Id>(program_.patterns.size() - 1);
  }

  bool strings() {
    if (const json::Value* value = find("pattern")) {
      if (value->as_string() == nullptr) return fail("pattern", "pattern is a string");
      const auto id = pattern(*value->as_string(), "pattern");
      if (!id) return false;
      add(Keyword::pattern, *id);
    }
    if (const json::Value* value = find("format")) {
      if (value->as_string() == nullptr) return fail("format", "format is a string");
      const FormatCheck check = find_format(*value->as_string());
      if (!program_.options.assert_formats || check == nullptr) return true;
      add(Keyword::format, program_.formats.size(), static_cast<Id>(program_.names.size()));
      program_.formats.push_back(check);
      program_.names.push_back({*value->as_string()});
    }
    return true;
  }

  bool name_list(const json::Value& value, std::string_view where, std::vector<std::string>& out) {
    const json::Array* list = value.as_array();
    std::set<std::string_view> seen;
    bool good = list != nullptr;
    for (std::size_t i = 0; good && i < list->size(); ++i) {
      const std::string* name = (*list)[i].as_string();
      good = name != nullptr && seen.insert(*name).second;
      if (good) out.push_back(*name);
    }
    return good || fail(where, "here stands a list of names without repetition");
  }

  bool names() {
    if (const json::Value* value = find("required")) {
      add(Keyword::required, program_.names.size());
      if (!name_list(*value, "required", program_.names.emplace_back())) return false;
    }
    // The older spelling `dependencies` has schemas in it, too. It is deprecated, and in use: not
    // to read it would let pass what its author meant to refuse.
    for (const std::string name : {"dependentRequired", "dependencies"}) {
      const json::Value* value = find(name);
      if (value == nullptr) continue;
      if (value->as_object() == nullptr)
        return fail(name, name + " is an object of lists of names");
      add(Keyword::dependent_required, program_.dependent.size());
      std::vector<DependentRequired> rows;
      for (const auto& [key, list] : *value->as_object()) {
        if (name == "dependencies" && list.as_array() == nullptr) continue;
        rows.push_back({key, {}});
        if (!name_list(list, name + pointer_step(key), rows.back().needs)) return false;
      }
      program_.dependent.push_back(std::move(rows));
    }
    return true;
  }

  NameTable table_of(const json::Object& object) const {
    NameTable out;
    for (const auto& [name, schema] : object) {
      if (schema.as_array() == nullptr)  // in `dependencies` a list of names
        out.emplace_back(name, node(schema));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  bool members() {
    Members out;
    if (const json::Value* value = find("properties"))
      out.properties = table_of(*value->as_object());
    out.index = NameIndex(out.properties);
    for (const auto& [name, id] : out.properties) out.nodes.push_back(id);
    if (const json::Value* value = find("patternProperties")) {
      for (const auto& [name, schema] : *value->as_object()) {
        const auto id = pattern(name, "patternProperties" + pointer_step(name));
        if (!id) return false;
        out.patterns.emplace_back(*id, node(schema));
      }
    }
    if (const json::Value* value = find("additionalProperties")) out.additional = node(*value);
    if (!out.properties.empty() || !out.patterns.empty() || out.additional != none) {
      add(Keyword::members, program_.members.size());
      program_.members.push_back(std::move(out));
    }
    if (const json::Value* value = find("propertyNames"))
      add(Keyword::property_names, node(*value));
    for (const std::string_view name : {"dependentSchemas", "dependencies"}) {
      const json::Value* value = find(name);
      if (value == nullptr) continue;
      add(Keyword::dependent_schemas, program_.tables.size());
      program_.tables.push_back(table_of(*value->as_object()));
    }
    if (const json::Value* value = find("unevaluatedProperties"))
      add(Keyword::unevaluated_properties, node(*value));
    return true;
  }

  bool elements() {
    Elements out;
    const json::Value* items = find("items");
    const bool listed = draft_7_ && items != nullptr && items->as_array() != nullptr;
    const json::Value* first = listed ? items : find("prefixItems");
    const json::Value* rest = listed ? find("additionalItems") : items;
    if (first != nullptr) {
      for (const json::Value& schema : *first->as_array()) out.prefix.push_back(node(schema));
    }
    if (rest != nullptr) out.rest = node(*rest);
    if (!out.prefix.empty() || out.rest != none) {
      add(Keyword::elements, program_.elements.size());
      program_.elements.push_back(std::move(out));
    }
    std::optional<std::uint64_t> least;
    std::optional<std::uint64_t> most;
    if (!count("minContains", least) || !count("maxContains", most)) return false;
    if (const json::Value* value = find("contains")) {
      add(Keyword::contains, program_.contains.size());
      Contains& wanted = program_.contains.emplace_back();
      wanted.node = node(*value);
      if (least) wanted.min = *least;
      if (most) wanted.max = *most;
    }
    if (const json::Value* value = find("unevaluatedItems"))
      add(Keyword::unevaluated_items, node(*value));
    return true;
  }

  bool applicators() {
    for (const Keyword keyword : {Keyword::all_of, Keyword::any_of, Keyword::one_of}) {
      const json::Value* value = find(to_string(keyword));
      if (value == nullptr) continue;
      add(keyword, program_.lists.size(), static_cast<std::uint32_t>(value->as_array()->size()));
      for (const json::Value& schema : *value->as_array()) program_.lists.push_back(node(schema));
    }
    if (const json::Value* value = find("not")) add(Keyword::negation, node(*value));
    if (const json::Value* value = find("if")) {
      const json::Value* then = find("then");
      const json::Value* otherwise = find("else");
      add(Keyword::condition, program_.lists.size());
      program_.lists.push_back(node(*value));
      program_.lists.push_back(then == nullptr ? none : node(*then));
      program_.lists.push_back(otherwise == nullptr ? none : node(*otherwise));
    }
    return true;
  }

  // Keywords that refuse nothing still have a type.
  bool remarks() {
    for (const std::string_view name :
         {"$comment", "title", "description", "contentEncoding", "contentMediaType"}) {
      const json::Value* value = find(name);
      if (value != nullptr && value->as_string() == nullptr)
        return fail(name, std::string(name) + " is a string");
    }
    for (const std::string_view name : {"deprecated", "readOnly", "writeOnly"}) {
      const json::Value* value = find(name);
      if (draft_7_ && name == "deprecated") continue;
      if (value != nullptr && value->as_bool() == nullptr)
        return fail(name, std::string(name) + " is true or false");
    }
    const json::Value* examples = find("examples");
    if (examples != nullptr && examples->as_array() == nullptr)
      return fail("examples", "examples is a list");
    return true;
  }

  Index& index_;
  Program& program_;
  const json::Value& schema_;
  const Place place_;  // a copy: resolving may add places
  const bool draft_7_;
  std::vector<Op> ops_;
};

}  // namespace

std::optional<SchemaProblem> compile_nodes(Index& index, Program& program) {
  // References and dynamic anchors bring further subschemas, so that the end moves.
  while (program.nodes.size() < index.schemas().size()) {
    while (program.nodes.size() < index.schemas().size()) {
      const Id id = static_cast<Id>(program.nodes.size());
      program.nodes.emplace_back();
      if (!NodeWriter(index, program, id).write(program.nodes.back())) return index.problem;
    }
    program.resources = index.resources();
  }
  return std::nullopt;
}

}  // namespace moat::validate::schema

namespace moat::validate {

Result<Schema, SchemaProblem> Schema::compile(json::Value schema, const SchemaOptions& options) {
  std::vector<json::Value> roots;
  roots.push_back(std::move(schema));
  MOAT_TRY(auto all, compile_all(std::move(roots), options));
  return std::move(all.front());
}

Result<std::vector<Schema>, SchemaProblem> Schema::compile_all(std::vector<json::Value> roots,
                                                               const SchemaOptions& options) {
  auto program = std::make_shared<schema::Program>();
  program->options = options;
  program->options.documents.clear();
  schema::Index index(options, *program);
  std::vector<schema::Id> nodes;
  std::vector<std::size_t> ends;  // how many nodes there are behind each root
  for (std::size_t i = 0; i < roots.size(); ++i) {
    const auto node = index.add_root(std::move(roots[i]));
    // Compiled one by one, so that a problem is told of the root that has it.
    auto problem = node ? schema::compile_nodes(index, *program) : index.problem;
    if (problem) {
      problem->root = i;
      return Error{*std::move(problem)};
    }
    nodes.push_back(*node);
    ends.push_back(program->nodes.size());
  }
  if (auto found = schema::finish(*program)) {
    const auto end = std::upper_bound(ends.begin(), ends.end(), std::size_t{found->node});
    return Error{SchemaProblem{std::move(found->pointer), std::move(found->sentence),
                               static_cast<std::size_t>(end - ends.begin())}};
  }
  std::vector<Schema> out;
  for (const schema::Id node : nodes) out.push_back(Schema(program, node));
  return out;
}

Result<Schema, SchemaProblem> Schema::parse(std::string_view text, const SchemaOptions& options) {
  const json::Limits limits{
      .depth = 256, .members = 200'000, .string_bytes = 65536, .total_bytes = 8u << 20};
  auto parsed = json::parse(text, limits);
  if (!parsed) {
    return Error{SchemaProblem{"", "the schema is no JSON that is taken here: " +
                                       json::describe(text, parsed.error(), limits)}};
  }
  return compile(*std::move(parsed), options);
}

}  // namespace moat::validate
