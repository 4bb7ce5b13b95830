// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/learned_paths.h"

#include <utility>

namespace moat::openapi {
namespace {

void trim_content(LearnedContent& content, const Belief& belief) {
  std::erase_if(content, [&](const auto& one) { return !belief.often(one.second.seen); });
  for (auto& [type, media] : content) media.trim(belief);
}

std::size_t bytes_of(const LearnedContent& content) {
  std::size_t out = 0;
  for (const auto& [type, media] : content)
    out += size_with_overhead(sizeof(LearnedMedia) + type.size()) + media.bytes();
  return out;
}

}  // namespace

void LearnedMedia::trim(const Belief& belief) {
  value.trim(belief);
  form.trim(belief);
}

void LearnedOperation::trim(const Belief& belief) {
  query.trim(belief);
  trim_content(content, belief);
  for (auto& [status, answer] : answers) trim_content(answer.content, belief);
}

std::size_t LearnedOperation::bytes() const {
  std::size_t out = query.bytes() + bytes_of(content);
  for (const auto& [status, answer] : answers)
    out += size_with_overhead(sizeof(LearnedAnswer)) + bytes_of(answer.content);
  return out;
}

LearnedPath* LearnedPath::below(const std::string& segment, Lesson& lesson) {
  if (const auto at = words.find(segment); at != words.end()) return at->second.get();
  const bool word = is_path_word(segment);
  if (word && !varies && words.size() == LearnLimits::siblings) give_up_words(lesson);
  // The end of "/orders/" is none of many, however many there are.
  if (word && (!varies || segment.empty())) {
    if (!lesson.take(sizeof(LearnedPath) + segment.size())) return nullptr;
    return words.emplace(segment, std::make_unique<LearnedPath>()).first->second.get();
  }
  if (varying == nullptr) {
    if (!lesson.take(sizeof(LearnedPath))) return nullptr;
    varying = std::make_unique<LearnedPath>();
  }
  varying->value.add_text(segment, lesson);
  return varying.get();
}

// What so many words stand for are things with names: orders, people. But the few that most ask for
// are no such things.
void LearnedPath::give_up_words(Lesson& lesson) {
  const std::size_t before = bytes();
  std::erase_if(words, [&](const auto& one) {
    const Tally& tally = one.second->seen;
    return !lesson.belief().often(tally) || std::uint64_t{tally.requests()} * 8 < seen.requests();
  });
  lesson.forget(before - bytes());
  varies = true;
}

void LearnedPath::trim(const Belief& belief) {
  std::erase_if(words, [&](const auto& one) { return !belief.often(one.second->seen); });
  std::erase_if(operations, [&](const auto& one) { return !belief.often(one.second.seen); });
  if (varying != nullptr && !belief.often(varying->seen)) varying.reset();
  for (auto& [method, operation] : operations) operation.trim(belief);
  for (auto& [word, path] : words) path->trim(belief);
  if (varying != nullptr) varying->trim(belief);
}

std::size_t LearnedPath::bytes() const {
  std::size_t out = value.bytes();
  for (const auto& [method, operation] : operations)
    out += size_with_overhead(sizeof(LearnedOperation)) + operation.bytes();
  for (const auto& [word, path] : words)
    out += size_with_overhead(sizeof(LearnedPath) + word.size()) + path->bytes();
  if (varying != nullptr) out += size_with_overhead(sizeof(LearnedPath)) + varying->bytes();
  return out;
}

std::size_t LearnedPath::count_operations() const {
  std::size_t out = operations.size();
  for (const auto& [word, path] : words) out += path->count_operations();
  return out + (varying == nullptr ? 0 : varying->count_operations());
}

}  // namespace moat::openapi
