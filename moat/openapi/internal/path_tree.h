// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/result.h"

namespace moat::openapi {

// One segment of a path's template: literal texts and parameters, one behind the other. Between two
// parameters stands a literal.
struct SegmentPart {
  std::string text;  // decoded; of a parameter its name
  bool is_parameter = false;
};
using Segment = std::vector<SegmentPart>;

// "/orders/{id}.json" in segments, or what is wrong with it.
[[nodiscard]] Result<std::vector<Segment>, std::string> parse_template(std::string_view text);

// PathTree finds the template that a path matches. A literal segment goes before one with
// parameters (OpenAPI 3.1.1 section 4.8.8.2), and of those the one with more literal text. Each
// node is visited at most once.
class PathTree final {
 public:
  // False where a template that matches the same paths, `taken`, is there already.
  bool add(const std::vector<Segment>& segments, std::size_t index, std::size_t& taken);

  // The texts of a template's parameters, in their order, as they came.
  struct Values {
    std::vector<std::string_view> shortest;  // each as short as it may be, from the left
    std::vector<std::string_view> longest;   // or as long, which differs for "a-b-c" and {x}-{y}
  };
  // The number of the template, by a raw path that begins with '/'. Segments are compared decoded;
  // an encoded slash is part of a segment. Nothing is found where a backend could take the path for
  // that of another template: it may fold case ("/users/ME"), cut off what stands behind a ';' or a
  // last dot, or look at the decoded text only.
  std::optional<std::size_t> find(std::string_view path, Values& values) const;

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::map<std::string, const Node*, std::less<>> folded;  // the literals in lower case
    std::vector<std::pair<Segment, std::unique_ptr<Node>>> templates;
    std::optional<std::size_t> index;
  };
  enum class Found : std::uint8_t { nothing, one, several };
  struct Walk {
    Values& values;
    std::size_t index = 0;
  };
  static Found walk(const Node& node, std::string_view rest, Walk& out);
  static Found walk_templates(const Node& node, std::string_view raw, std::string_view rest,
                              Walk& out);
  static Found go_on(const Node& next, std::string_view raw, std::string_view rest, Walk& out);
  static bool looks_like_literal(const Node& node, const Node* exact, std::string_view raw,
                                 std::string_view rest, Walk& out);
  Node root_;
};

}  // namespace moat::openapi
