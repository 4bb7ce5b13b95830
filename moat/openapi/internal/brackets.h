// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/json.h"
#include "moat/validate/keys.h"

namespace moat::openapi {

// How deep and how long what is written with brackets may be. Inclusive. What is here by default is
// for bodies, `of_queries` for queries: beyond it the most common reader (qs, of Express) takes
// the rest of a name for one, and a list for an object.
struct BracketLimits {
  std::size_t brackets = 16;  // in one name
  std::size_t index = std::numeric_limits<std::size_t>::max();
  static BracketLimits of_queries() { return {5, 20}; }
};

// Why a name with brackets is refused.
struct BracketFault {
  std::string_view keyword;  // "syntax", "repeated", "limit" or "unsafe_name"; a literal
  std::string sentence;      // without a name that was sent
};

// Brackets puts one value together from fields such as a[b][c]=1, a[list][0]=2 and a[list][]=3
// (OpenAPI has the style deepObject for them, and leaves open what stands in each other: this is
// what PHP, Rack, qs and Stripe have in common). A list is counted from 0 without a gap, or each of
// its elements is []. What readers take differently is refused: a place that is a text and more, or
// a list and an object; a number as a name; [] before another bracket.
class Brackets final {
 public:
  // `keys` must outlive it.
  Brackets(const BracketLimits& limits, const validate::KeyRules& keys)
      : limits_(limits), keys_(keys) {}

  // `steps` is the decoded name behind its first part: "[b][c]", or nothing.
  [[nodiscard]] std::optional<BracketFault> add(std::string_view steps, std::string value);
  // Objects, lists and texts. Once.
  json::Value take() { return value_of(root_); }

 private:
  enum class Is { nothing, text, list, object };
  struct Node {
    Is is = Is::nothing;
    bool counted = false;  // a list of indices
    std::string text;
    std::vector<std::pair<std::string, std::unique_ptr<Node>>> inner;
    std::map<std::string, std::size_t, std::less<>> places;  // of `inner`, by the name
  };
  std::optional<BracketFault> enter(Node*& at, std::string_view step, bool last) const;
  static json::Value value_of(Node& node);

  BracketLimits limits_;
  const validate::KeyRules& keys_;
  Node root_;
};

// Whether a text in `before` has become a list in `after`, which is the same otherwise: where a
// list is wanted, a[b]=1 is none to most programs.
bool has_lone_text(const json::Value& before, const json::Value& after);

}  // namespace moat::openapi
