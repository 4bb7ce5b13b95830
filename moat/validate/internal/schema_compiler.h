// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "moat/base/json_pointer.h"
#include "moat/validate/internal/schema_program.h"

namespace moat::validate::schema {

// Where a subschema stands. It has a node once it is to be compiled.
struct Place {
  Id node = none;
  Id resource = 0;
  std::string pointer;
  std::size_t depth = 0;
  Dialect dialect = Dialect::draft_2020_12;
};

// Index finds the subschemas of documents, their identifiers and anchors, and what a reference
// leads to. It numbers the nodes: all subschemas of a root, and of other documents those that
// something leads to.
class Index final {
 public:
  Index(const SchemaOptions& options, Program& program) : options_(options), program_(program) {}

  // Reads a schema that is to be compiled as a whole, and gives its node.
  std::optional<Id> add_root(json::Value schema);
  // The node that `reference` leads to from `resource`. `dynamic` gets the anchor's number where
  // the fragment is a $dynamicAnchor.
  std::optional<Id> resolve(std::string_view reference, Id resource, std::string pointer,
                            Id* dynamic = nullptr);

  // By node.
  const std::vector<const json::Value*>& schemas() const { return schemas_; }
  const Place& place(Id node) const { return places_.at(schemas_[node]); }
  // The node of a subschema that was found; it is compiled from now on.
  Id node_of(const json::Value* schema);
  // For the program: the dynamic anchors of each resource. May number further nodes.
  std::vector<Resource> resources();

  bool fail(std::string pointer, std::string sentence) {
    if (!problem) problem = SchemaProblem{std::move(pointer), std::move(sentence)};
    return false;
  }
  std::optional<SchemaProblem> problem;

 private:
  struct Source {
    std::string uri;
    const json::Value* root = nullptr;
    std::map<std::string, const json::Value*, std::less<>> anchors;
    std::map<std::string, const json::Value*, std::less<>> dynamic;
  };

  // A document that was given or embedded.
  bool add_document(std::string uri, std::shared_ptr<const json::Value> schema);
  // Whether a schema is the first of its document, or of the place that something refers to, so
  // that it may name its dialect.
  enum class Entry { yes, no };
  bool scan(const json::Value& schema, Place place, Entry entry);
  bool scan_identity(const json::Value& schema, Place& place, Entry entry);
  bool scan_dialect(const json::Value& schema, Place& place, Entry entry);
  bool scan_id(const json::Value& schema, const json::Value& id, Place& place);
  bool scan_anchor(const json::Value& schema, std::string_view keyword, const Place& place);
  bool add_anchor(const json::Value& schema, std::string_view keyword, const std::string& name,
                  const Place& place);
  bool scan_children(const json::Value& schema, const Place& place);
  bool scan_list(const json::Value& list, const Place& place);
  bool scan_below(const json::Value& schema, const Place& place, std::string_view step);
  const json::Value* by_pointer(std::string_view fragment, Id resource, const std::string& from);
  std::optional<Id> find_resource(const std::string& uri);
  Id anchor_number(std::string_view name);

  const SchemaOptions& options_;
  Program& program_;
  std::deque<Source> sources_;  // by resource
  std::map<std::string, Id, std::less<>> by_uri_;
  std::map<std::string, Id, std::less<>> anchor_numbers_;
  std::unordered_map<const json::Value*, Place> places_;
  std::vector<const json::Value*> schemas_;
  bool whole_ = false;  // while a root is read: all of it is numbered
};

// Writes the operations of the nodes that have none yet. Defined in schema_compile.cc.
std::optional<SchemaProblem> compile_nodes(Index& index, Program& program);

// What is to be done when all nodes are there: finds circles and defaults that do not fit, closes
// nodes (refuse_unknown_members). Defined in schema_graph.cc.
struct NodeProblem {
  Id node;
  std::string pointer;
  std::string sentence;
};
std::optional<NodeProblem> finish(Program& program);

using json::pointer_step;

}  // namespace moat::validate::schema
