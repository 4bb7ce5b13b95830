// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
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

  // The number of the template, by a raw path that begins with '/'; `values` gets the raw texts
  // of its parameters, in their order. Segments are compared decoded; an encoded slash is part of a
  // segment.
  std::optional<std::size_t> find(std::string_view path,
                                  std::vector<std::string_view>& values) const;

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::vector<std::pair<Segment, std::unique_ptr<Node>>> templates;
    std::optional<std::size_t> index;
  };
  static std::optional<std::size_t> walk(const Node& node, std::string_view rest,
                                         std::vector<std::string_view>& values);
  Node root_;
};

}  // namespace moat::openapi
