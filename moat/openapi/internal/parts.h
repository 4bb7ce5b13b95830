// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "moat/openapi/internal/files.h"
#include "moat/openapi/internal/operation.h"

namespace moat::openapi {

// The operations of one path.
struct PathOperations {
  std::string path;                     // the template
  std::vector<std::size_t> operations;  // their numbers
};

struct Document::Parts {
  bool checks_responses = false;
  ReadRules request_rules;
  ReadRules response_rules;
  std::vector<Operation> operations;
  std::vector<PathOperations> paths;
  PathTree tree;  // numbers of `paths`
};

// Builds the operations of a document that Files has read. Problems go to `files`.
class Builder final {
 public:
  Builder(Files& files, const DocumentOptions& options) : files_(files), options_(options) {}
  // False where there are problems.
  bool build(std::vector<Operation>& operations, std::vector<PathOperations>& paths,
             PathTree& tree);

 private:
  void read_schemes();
  Credential read_scheme(const Place& place);
  void read_security(const Place& place, Operation& out);
  std::vector<std::string> bases(const Place& operation, const Place& item);
  std::optional<std::string> base_of(const Place& server);
  void add_path(const std::string& path, const Place& item);
  void add_operation(const std::string& path, std::string_view method, const Place& item,
                     const Place& place);
  void place_operation(const Operation& operation, const std::vector<Segment>& segments,
                       const Place& place);
  void read_parameters(const Place& of, std::vector<std::pair<Parameter, Place>>& out);
  std::optional<Parameter> read_parameter(const Place& place);
  void read_style(const Place& place, Parameter& parameter);
  void read_schema(const Place& place, Parameter& parameter);
  Content read_content(const Place& map);
  bool says_something(const Place& schema);
  void check_reading(const Place& map, const Content& content);
  void read_encoding(const Place& media, Format format, Media& out);
  void read_part_style(const Place& encoding, const std::string& member, Media& out);
  std::optional<Answer> read_answer(const std::string& status, const Place& place);
  bool flag(const Place& place, std::string_view name, bool otherwise);
  std::string text(const Place& place, std::string_view name);
  // As the schema names it, for people; empty where it does not.
  std::string type_of(const Place& schema);
  Wants wants(const Place& schema);
  Wants wants(const Place& schema, SchemasSeen& seen);
  bool is_file(const Place& schema, SchemasSeen& seen);
  void collect_members(const Place& schema, Members& out);
  void collect_members(const Place& schema, Members& out, SchemasSeen& seen);
  bool compile(const View& view);
  bool compile_all(Direction direction);

  Files& files_;
  const DocumentOptions& options_;
  std::vector<Operation>* operations_ = nullptr;
  std::vector<PathOperations>* paths_ = nullptr;
  PathTree* tree_ = nullptr;
  std::map<std::string, std::size_t> path_numbers_;  // by the template
  std::map<std::string, int> ids_;
  std::map<std::string, Credential> schemes_;  // of the document
  Operation defaults_;                         // its `security`
};

}  // namespace moat::openapi
