// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "moat/openapi/internal/learned_value.h"

namespace moat::openapi {

// The content of one media type.
struct LearnedMedia {
  Tally seen;
  Tally read;          // JSON or a form that could be
  LearnedValue value;  // of JSON
  LearnedMembers form;
  void trim(const Belief& belief);
  std::size_t bytes() const { return value.bytes() + form.bytes(); }
};
using LearnedContent = std::map<std::string, LearnedMedia, std::less<>>;

struct LearnedAnswer {
  Tally seen;
  Tally with_body;
  LearnedContent content;
};

struct LearnedOperation {
  Tally seen;
  LearnedMembers query;
  Tally with_body;
  LearnedContent content;
  std::map<int, LearnedAnswer> answers;  // by status
  void trim(const Belief& belief);
  std::size_t bytes() const;
};

// A segment of paths, with what stands behind it.
struct LearnedPath {
  Tally seen;
  std::map<std::string, std::unique_ptr<LearnedPath>, std::less<>> words;
  std::unique_ptr<LearnedPath> varying;  // instead of a word
  LearnedValue value;                    // of this one, where it varies
  bool varies = false;                   // there were too many words for each to be one
  std::map<std::string_view, LearnedOperation> operations;  // by their methods, which are literals

  // The node of a segment below this one; null: there is no room.
  LearnedPath* below(const std::string& segment, Lesson& lesson);
  void trim(const Belief& belief);
  std::size_t bytes() const;
  std::size_t count_operations() const;

 private:
  void give_up_words(Lesson& lesson);
};

// All operations that were seen often, as `paths` of an OpenAPI document.
struct ProposedPaths {
  json::Object paths;
  std::size_t operations = 0;
  std::size_t seldom = 0;
};
ProposedPaths propose_paths(const LearnedPath& root, const Belief& belief);

}  // namespace moat::openapi
