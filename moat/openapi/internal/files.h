// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "moat/openapi/internal/kinds.h"
#include "moat/openapi/internal/model.h"
#include "moat/openapi/openapi.h"
#include "moat/validate/schema.h"

namespace moat::openapi {

// In whose eyes a schema is read: what is readOnly must not be in a request, what is writeOnly not
// in a response.
enum class Direction { request, response };

// How schemas are read.
struct View {
  Direction direction = Direction::request;
  // Whether discriminators choose, or say nothing: of texts the validator finds out by the lists
  // themselves what they are to become.
  bool obeys_kinds = true;
  const json::Value* plain = nullptr;  // the one that is read without its own discriminator
};

// Files reads a document and all that it refers to, and checks that every object in it is what
// stands in the specification: unknown and missing fields, references that lead nowhere.
class Files final {
 public:
  explicit Files(const DocumentOptions& options) : options_(options) {}

  // False where there are problems.
  bool read(std::string_view text);
  const json::Value& root() const { return files_.front().value; }
  bool is_3_0() const { return is_3_0_; }

  // Where a reference leads to, followed to the end; `from` itself where there is none. It has been
  // checked by read().
  Place target(const Place& from) const;
  // The member of a place, or nothing.
  static std::optional<Place> member(const Place& of, std::string_view name);

  // The files as documents of JSON Schema 2020-12, for schemas that lead into them by uri_of().
  std::vector<validate::SchemaDocument> schema_documents(const View& view) const;
  std::string uri_of(const Place& place) const;

  bool has_kinds() const { return !kinds_.empty(); }
  // What is told of a value that chooses no kind, by where the violated schema begins.
  std::map<std::string, std::string> kind_sentences() const;

  void report(const Place& place, std::string sentence);
  // A problem of a schema, by the pointer that the compiler gave.
  void report_schema(const Place& root, const validate::SchemaProblem& problem);
  std::vector<DocumentProblem>& problems() { return problems_; }
  // The members that some schema lists, of those that KeyRules would refuse.
  const std::set<std::string>& unsafe_names() const { return unsafe_names_; }

 private:
  struct File {
    std::string name;
    json::Value value;
    std::unordered_map<std::string, int> lines;
    std::unordered_map<const json::Value*, Kind> seen;
  };
  std::optional<std::size_t> load(std::string_view name, const Place* from);
  std::optional<std::size_t> parse(std::string name, std::string_view text, const Place* from);
  std::optional<Place> resolve(const Place& from, std::string_view reference);
  std::optional<Place> find(std::size_t file, std::string_view fragment) const;
  // Where the $ref of a place leads to, one step; nullopt where there is none.
  std::optional<Place> step(const Place& from) const;
  bool check_version();
  // An object and what stands below it; what it refers to is left in `pending_`.
  void check(Kind kind, const Place& place);
  void check_shape(Kind kind, Shape shape, const Place& place);
  bool check_reference(Kind kind, const Place& place);
  void check_fields(Kind kind, const Place& place);
  void check_names(Kind kind, const Place& place);
  void check_schema(const Place& place);
  // schema_views.cc: as JSON Schema 2020-12 has it.
  json::Value converted(std::size_t file, const json::Value& value, const View& view) const;
  // `whole` is the schema in whose allOf this one stands.
  json::Value converted_schema(std::size_t file, const json::Value& schema, const View& view,
                               const json::Value* whole = nullptr) const;
  json::Value converted_object(std::size_t file, const json::Value& schema, const View& view,
                               const json::Value* whole) const;
  json::Value nullable(const json::Value& schema, json::Value converted) const;
  json::Value converted_member(std::size_t file, const std::string& name, const json::Value& value,
                               const View& view) const;
  bool is_hidden(std::size_t file, const json::Value& schema, Direction direction) const;
  bool hides(std::size_t file, const json::Value& schema, std::string_view name,
             Direction direction) const;
  using PartPredicate = std::function<bool(std::size_t file, const json::Value& schema)>;
  bool any_part(std::size_t file, const json::Value& schema, const PartPredicate& fits,
                SchemasSeen& seen) const;

  // kinds.cc: discriminators.
  void check_discriminator(const Place& schema);
  std::optional<Place> named_schema(const Place& from, const std::string& text);
  void find_kinds();
  void lift_discriminators(const Place& named, const Place& part);
  void add_kinds(const Discriminator& from);
  void add_listed(const Place& list, Kinds& out) const;
  void add_children(Kinds& out);
  void map_kinds(const Discriminator& from, Kinds& out);
  void name_kinds(const Discriminator& from, Kinds& out);
  std::string implied_name(const Kinds& of, const NamedKind& kind, std::size_t index) const;
  std::optional<std::string> pinned(const Place& schema, const std::string& property) const;
  bool is_object_only(const Place& schema) const;
  const Kinds* kinds_of(const json::Value& schema, const View& view) const;
  std::string kinds_uri(const Kinds& kinds, std::string_view part) const;
  json::Value choice(const Kinds& kinds, const View& view) const;
  json::Value choice_tree(const Kinds& kinds, std::size_t first, std::size_t last,
                          const View& view) const;
  json::Array names_below(const Kinds& kinds, const json::Value* top) const;
  const Kinds* base_kinds(std::size_t file, const json::Value& part, const json::Value& holder,
                          const View& view) const;
  json::Array kinds_of_file(std::size_t file, const View& view) const;
  json::Value converted_part(std::size_t file, const json::Value& part, const json::Value& holder,
                             const View& view) const;

  const DocumentOptions& options_;
  std::deque<Kinds> kinds_;
  std::unordered_map<const json::Value*, const Kinds*> kinds_by_schema_;
  std::vector<Discriminator> discriminators_;
  // Named schemas by what is in their allOf.
  std::unordered_map<const json::Value*, std::vector<std::pair<std::string, Place>>> children_;
  std::deque<File> files_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::vector<std::pair<Kind, Place>> pending_;
  std::vector<DocumentProblem> problems_;
  std::set<std::string> unsafe_names_;
  std::size_t bytes_ = 0;
  std::size_t nodes_ = 0;
  bool is_3_0_ = false;
};

}  // namespace moat::openapi
