// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "moat/validate/internal/schema_program.h"

namespace moat::validate::schema {

// Where a subschema stands.
struct Place {
  Id node = 0;
  Id resource = 0;
  std::string pointer;
  std::size_t depth = 0;
};

// Index finds the subschemas of documents, their identifiers and anchors, and what a reference
// leads to. It gives each subschema its node number.
class Index final {
 public:
  Index(const SchemaOptions& options, Program& program) : options_(options), program_(program) {}

  // Reads a document that was given or embedded; its subschemas are numbered on.
  bool add_document(std::string uri, json::Value schema, bool is_main);
  // The node that `reference` leads to from `resource`. `dynamic` gets the anchor's number where
  // the fragment is a $dynamicAnchor.
  std::optional<Id> resolve(std::string_view reference, Id resource, std::string pointer,
                            Id* dynamic = nullptr);

  // By node.
  const std::vector<const json::Value*>& schemas() const { return schemas_; }
  const Place& place(Id node) const { return places_.at(schemas_[node]); }
  Id node_of(const json::Value* schema) const { return places_.at(schema).node; }
  // For the program: the dynamic anchors of each resource.
  std::vector<Resource> resources() const;

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

  bool scan(const json::Value& schema, Id resource, const std::string& pointer, std::size_t depth);
  bool scan_identity(const json::Value& schema, Id& resource, const std::string& pointer);
  bool scan_anchor(const json::Value& schema, std::string_view keyword, Id resource,
                   const std::string& pointer);
  bool scan_children(const json::Value& schema, Id resource, const std::string& pointer,
                     std::size_t depth);
  bool check_dialect(const json::Value& schema, const std::string& pointer);
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
};

// Writes the operations of one node. Defined in schema_compile.cc.
std::optional<SchemaProblem> compile_nodes(Index& index, Program& program);

// "/" and the name, escaped for a JSON Pointer.
std::string pointer_step(std::string_view name);

}  // namespace moat::validate::schema
