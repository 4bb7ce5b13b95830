// SPDX-License-Identifier: Apache-2.0
// From what was counted to an OpenAPI document.
#include <algorithm>
#include <utility>

#include "moat/openapi/internal/learned_paths.h"

namespace moat::openapi {
namespace {

std::string in_requests(std::uint64_t count) {
  return "Seen in " + std::to_string(count) + (count == 1 ? " request." : " requests.");
}

// The fields of a form.
json::Value form_schema(const LearnedMedia& media, const Belief& belief) {
  json::Object properties;
  json::Array required;
  for (const auto& [name, member] : media.form.by_name) {
    if (!belief.often(member.seen)) continue;
    properties.emplace_back(name, member.value.text_schema(belief));
    if (member.seen.requests() == media.read.requests()) required.emplace_back(name);
  }
  json::Object out{{"type", "object"}};
  if (properties.empty()) return out;
  out.emplace_back("properties", std::move(properties));
  if (!required.empty()) out.emplace_back("required", std::move(required));
  out.emplace_back("additionalProperties", false);
  return out;
}

json::Object content_of(const LearnedContent& content, const Belief& belief) {
  json::Object out;
  for (const auto& [type, media] : content) {
    if (!belief.often(media.seen)) continue;
    json::Object one;
    if (belief.often(media.read)) {
      const bool form = type == "application/x-www-form-urlencoded";
      one.emplace_back("schema", form ? form_schema(media, belief) : media.value.schema(belief));
    }
    out.emplace_back(type, std::move(one));
  }
  return out;
}

json::Object answers_of(const LearnedOperation& operation, const Belief& belief) {
  json::Object out;
  for (const auto& [status, answer] : operation.answers) {
    if (!belief.often(answer.seen)) continue;
    json::Object one{{"description", in_requests(answer.seen.requests())}};
    json::Object content = content_of(answer.content, belief);
    if (content.empty() && answer.with_body.requests() > 0)
      content.emplace_back("*/*", json::Object{});
    if (!content.empty()) one.emplace_back("content", std::move(content));
    out.emplace_back(std::to_string(status), std::move(one));
  }
  json::Object anything{{"*/*", json::Object{}}};
  out.emplace_back(
      "default", json::Object{{"description", "Every other answer: nothing was learned of these."},
                              {"content", std::move(anything)}});
  return out;
}

class Proposer final {
 public:
  explicit Proposer(const Belief& belief) : belief_(belief) {}

  void visit(const LearnedPath& path, const std::string& text, std::string_view before) {
    add_operations(path, text);
    for (const auto& [word, next] : path.words) visit(*next, text + "/" + word, word);
    if (path.varying == nullptr) return;
    const std::string name = unused(parameter_after(before));
    parameters_.emplace_back(name, path.varying.get());
    visit(*path.varying, text + "/{" + name + "}", "");
    parameters_.pop_back();
  }
  ProposedPaths take() { return std::move(out_); }

 private:
  std::string unused(const std::string& wish) const {
    std::string name = wish;
    const auto is_taken = [&] {
      return std::any_of(parameters_.begin(), parameters_.end(),
                         [&](const auto& one) { return one.first == name; });
    };
    for (int i = 2; is_taken(); ++i) name = wish + std::to_string(i);
    return name;
  }

  void add_operations(const LearnedPath& path, const std::string& text) {
    json::Object item;
    for (const auto& [method, operation] : path.operations) {
      if (!belief_.often(operation.seen)) {
        ++out_.seldom;
        continue;
      }
      ++out_.operations;
      std::string field(method);
      std::transform(field.begin(), field.end(), field.begin(),
                     [](char c) { return static_cast<char>(c - 'A' + 'a'); });
      item.emplace_back(std::move(field), operation_of(operation));
    }
    if (!item.empty()) out_.paths.emplace_back(text, std::move(item));
  }

  json::Object operation_of(const LearnedOperation& operation) const {
    json::Object out{{"description", in_requests(operation.seen.requests())}};
    json::Array parameters;
    for (const auto& [name, path] : parameters_)
      parameters.push_back(json::Object{{"name", name},
                                        {"in", "path"},
                                        {"required", true},
                                        {"schema", path->value.text_schema(belief_)}});
    for (const auto& [name, member] : operation.query.by_name) {
      if (!belief_.often(member.seen)) continue;
      json::Object one{{"name", name}, {"in", "query"}};
      if (member.seen.requests() == operation.seen.requests()) one.emplace_back("required", true);
      one.emplace_back("schema", member.value.text_schema(belief_));
      parameters.push_back(std::move(one));
    }
    if (!parameters.empty()) out.emplace_back("parameters", std::move(parameters));
    json::Object content = content_of(operation.content, belief_);
    if (!content.empty()) {
      json::Object body;
      if (operation.with_body.requests() == operation.seen.requests())
        body.emplace_back("required", true);
      body.emplace_back("content", std::move(content));
      out.emplace_back("requestBody", std::move(body));
    }
    out.emplace_back("responses", answers_of(operation, belief_));
    return out;
  }

  Belief belief_;
  std::vector<std::pair<std::string, const LearnedPath*>> parameters_;  // of the path at hand
  ProposedPaths out_;
};

}  // namespace

ProposedPaths propose_paths(const LearnedPath& root, const Belief& belief) {
  Proposer proposer(belief);
  proposer.visit(root, "", "");
  return proposer.take();
}

}  // namespace moat::openapi
