// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "moat/base/result.h"
#include "moat/validate/html.h"

namespace moat::validate {

// Names declares what a template may mention; anything else is an error when the template is
// loaded.
class Names final {
 public:
  Names& text(std::string_view name);
  Names& html(std::string_view name);
  Names& flag(std::string_view name);
  // A list whose items have names of their own; inside {{#each}} those and the outer ones are seen,
  // the inner first.
  Names& list(std::string_view name, Names item);

 private:
  friend class TemplateParser;
  enum class Kind : std::uint8_t { text, html, flag, list };
  struct Entry {
    std::string name;
    Kind kind;
    std::vector<Names> item;  // one, for a list
  };
  Names& add(std::string_view name, Kind kind, std::vector<Names> item);
  const Entry* find(std::string_view name) const;
  std::vector<Entry> entries_;
};

// Values are what one rendering fills in. A declared name that is not set renders as nothing, and
// as false.
class Values final {
 public:
  Values& text(std::string_view name, std::string_view value);
  Values& html(std::string_view name, Html value);
  Values& flag(std::string_view name, bool value);
  Values& list(std::string_view name, std::vector<Values> items);

 private:
  friend class Template;
  using Value = std::variant<std::string, Html, bool, std::vector<Values>>;
  const Value* find(std::string_view name) const;
  std::vector<std::pair<std::string, Value>> entries_;
};

struct TemplateError {
  std::size_t line;     // from 1
  std::string message;  // for the author of the page
};

// Template is a page with holes, parsed once and rendered often:
//   {{name}}                      text, escaped; an Html value as it is
//   {{url:name}}                  the whole value of href, src, action, …: http, https and relative
//   links only
//   {{param:name}}                percent-encoded, inside the value of such an attribute
//   {{#if name}}…{{else}}…{{/if}}    a flag, a text that is not empty, a list that is not empty
//   {{#each name}}…{{/each}}
// Where escaping would not be enough, a hole is an error at load time: in a script, a style or a
// comment, in a tag or attribute name, in an unquoted value, in an event handler, a style or srcdoc
// attribute, and {{name}} in a link.
class Template final {
 public:
  [[nodiscard]] static Result<Template, TemplateError> parse(std::string_view source,
                                                             const Names& names);
  // Values under another type than the declared one are left out.
  Html render(const Values& values) const;

 private:
  friend class TemplateParser;
  enum class Op : std::uint8_t { literal, text, link, parameter, html, condition, list };
  struct Node {
    Op op;
    std::string text;     // the literal, or the name
    std::size_t outward;  // how many lists outward the name was declared
    std::vector<Node> then;
    std::vector<Node> otherwise;
  };
  struct Scope {
    const Values& values;
    const Scope* outer;
  };
  static const Values::Value* look_up(const Node& node, const Scope& scope);
  static void render_nodes(const std::vector<Node>& nodes, const Scope& scope, std::string& out);
  static void render_node(const Node& node, const Scope& scope, std::string& out);
  static void render_list(const Node& node, const Scope& scope, std::string& out);
  std::vector<Node> nodes_;
};

}  // namespace moat::validate
