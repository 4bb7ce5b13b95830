// SPDX-License-Identifier: Apache-2.0
// What is to be known of the nodes of a schema together.
#include <utility>

#include "moat/validate/internal/schema_compiler.h"

namespace moat::validate::schema {
namespace {

// The nodes that a node applies to the same value; without `not` and `if` those that may describe
// it.
enum class Which { all, describing };
std::vector<Id> same_value(const Program& program, const Node& node, Which which = Which::all) {
  std::vector<Id> out;
  for (std::uint32_t i = 0; i < node.op_count; ++i) {
    const Op& op = program.ops[node.first_op + i];
    switch (op.keyword) {
      case Keyword::ref:
      case Keyword::dynamic_ref:
        out.push_back(static_cast<Id>(op.first));
        break;
      case Keyword::negation:
        if (which == Which::all) out.push_back(static_cast<Id>(op.first));
        break;
      case Keyword::all_of:
      case Keyword::any_of:
      case Keyword::one_of:
        for (std::uint32_t k = 0; k < op.count; ++k) out.push_back(program.lists[op.first + k]);
        break;
      case Keyword::condition:
        for (std::size_t k = which == Which::all ? 0 : 1; k < 3; ++k)
          out.push_back(program.lists[op.first + k]);
        break;
      case Keyword::dependent_schemas:
        for (const auto& [name, id] : program.tables[op.first]) out.push_back(id);
        break;
      default:
        break;
    }
  }
  return out;
}

// A circle of references that never steps into the value would run for ever. (A circle that only a
// $dynamicRef closes at run time ends at max_run_depth.)
std::optional<Id> find_circle(const Program& program) {
  enum class State : std::uint8_t { fresh, open, done };
  struct Visit {
    Id node;
    std::vector<Id> next;
  };
  std::vector<State> states(program.nodes.size(), State::fresh);
  std::vector<Visit> way;
  const auto enter = [&](Id id) {
    states[id] = State::open;
    way.push_back({id, same_value(program, program.nodes[id])});
  };
  for (Id root = 0; root < program.nodes.size(); ++root) {
    if (states[root] == State::fresh) enter(root);
    while (!way.empty()) {
      if (way.back().next.empty()) {
        states[way.back().node] = State::done;
        way.pop_back();
        continue;
      }
      const Id next = way.back().next.back();
      way.back().next.pop_back();
      if (next == none || states[next] == State::done) continue;
      if (states[next] == State::open) return next;
      enter(next);
    }
  }
  return std::nullopt;
}

// The nodes that a $dynamicRef may come to lead to are all those with its anchor.
void add_dynamic_targets(const Program& program, const Node& node, std::vector<Id>& out) {
  for (std::uint32_t i = 0; i < node.op_count; ++i) {
    const Op& op = program.ops[node.first_op + i];
    if (op.keyword != Keyword::dynamic_ref || op.count == none) continue;
    for (const Resource& resource : program.resources) {
      for (const auto& [name, target] : resource.dynamic_anchors) {
        if (name == op.count) out.push_back(target);
      }
    }
  }
}

bool has_choice(const Program& program, const Node& node) {
  for (std::uint32_t i = 0; i < node.op_count; ++i) {
    switch (program.ops[node.first_op + i].keyword) {
      case Keyword::dynamic_ref:
      case Keyword::any_of:
      case Keyword::one_of:
      case Keyword::condition:
      case Keyword::dependent_schemas:
        return true;
      default:
        break;
    }
  }
  return false;
}

// What holds of a node holds of those that apply it to the same value.
void spread(Program& program, const std::vector<std::vector<Id>>& users, bool Node::*what) {
  std::vector<Id> fresh;
  for (Id id = 0; id < program.nodes.size(); ++id)
    if (program.nodes[id].*what) fresh.push_back(id);
  while (!fresh.empty()) {
    const Id id = fresh.back();
    fresh.pop_back();
    for (const Id user : users[id]) {
      if (std::exchange(program.nodes[user].*what, true)) continue;
      fresh.push_back(user);
    }
  }
}

void close_nodes(Program& program) {
  std::vector<std::vector<Id>> users(program.nodes.size());
  for (Id id = 0; id < program.nodes.size(); ++id) {
    Node& node = program.nodes[id];
    node.chooses = has_choice(program, node);
    std::vector<Id> parts = same_value(program, node, Which::describing);
    add_dynamic_targets(program, node, parts);
    for (const Id part : parts) {
      if (part != none) users[part].push_back(id);
    }
  }
  spread(program, users, &Node::declares);
  spread(program, users, &Node::chooses);
  for (Node& node : program.nodes) node.closed = node.declares && !node.has_rest;
}

std::optional<NodeProblem> check_defaults(const Program& program) {
  for (Id id = 0; id < program.nodes.size(); ++id) {
    const Node& node = program.nodes[id];
    if (node.default_value == nullptr) continue;
    std::vector<Violation> found;
    if (run(program, id, *node.default_value, &found)) continue;
    const std::string why = found.empty() ? "it does not fit" : found[0].message;
    return NodeProblem{id, node.pointer + "/default", "the schema refuses its own default: " + why};
  }
  return std::nullopt;
}

}  // namespace

std::optional<NodeProblem> finish(Program& program) {
  if (const auto circle = find_circle(program))
    return NodeProblem{*circle, program.nodes[*circle].pointer,
                       "this schema refers to itself for the same value without an end"};
  if (program.options.refuse_unknown_members) close_nodes(program);
  if (program.options.allow_unfit_defaults) return std::nullopt;
  return check_defaults(program);
}

}  // namespace moat::validate::schema
