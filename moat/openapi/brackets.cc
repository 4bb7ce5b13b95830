// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/brackets.h"

#include <algorithm>
#include <charconv>

namespace moat::openapi {
namespace {

BracketFault not_closed() { return {"syntax", "behind a name stand brackets with a name in each"}; }
BracketFault two_ways() { return {"repeated", "is given in two ways"}; }
BracketFault out_of_order() {
  return {"syntax",
          "the elements of a list are counted from 0 without a gap, or each of them is []"};
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<BracketFault> Brackets::add(std::string_view steps, std::string value) {
  Node* at = &root_;
  for (std::size_t depth = 1; !steps.empty(); ++depth) {
    const std::size_t end = steps.find(']');
    if (steps[0] != '[' || end == std::string_view::npos) return not_closed();
    const std::string_view step = steps.substr(1, end - 1);
    if (step.find('[') != std::string_view::npos) return not_closed();
    if (depth > limits_.brackets)
      return BracketFault{"limit", "there are more than " + std::to_string(limits_.brackets) +
                                       " brackets in a name"};
    steps.remove_prefix(end + 1);
    if (const auto fault = enter(at, step, steps.empty())) return fault;
  }
  if (at->is == Is::text) return BracketFault{"repeated", "is given more than once"};
  if (at->is != Is::nothing) return two_ways();
  at->is = Is::text;
  at->text = std::move(value);
  return std::nullopt;
}

std::optional<BracketFault> Brackets::enter(Node*& at, std::string_view step, bool last) const {
  const bool element = step.empty() || is_number(step);
  const Is wanted = element ? Is::list : Is::object;
  if (at->is != Is::nothing && at->is != wanted) return two_ways();
  if (element && at->is == Is::list && at->counted == step.empty()) return two_ways();
  at->is = wanted;
  at->counted = element && !step.empty();
  std::size_t place = at->inner.size();
  if (step.empty()) {
    if (!last) return BracketFault{"syntax", "[] stands at the end of a name only"};
  } else if (element) {
    std::size_t index = 0;
    const auto got = std::from_chars(step.data(), step.data() + step.size(), index);
    if (got.ec != std::errc() || (step.size() > 1 && step[0] == '0') || index > place)
      return out_of_order();
    if (index > limits_.index)
      return BracketFault{"limit", "a list is counted up to " + std::to_string(limits_.index) +
                                       " only: write [] for each element"};
    place = index;
  } else {
    if (const auto fault = validate::fault_of_key(step, keys_))
      return BracketFault{"unsafe_name",
                          "a member's name is not allowed: it " + std::string(describe(*fault))};
    place = at->places.try_emplace(std::string(step), place).first->second;
  }
  if (place == at->inner.size()) at->inner.emplace_back(step, std::make_unique<Node>());
  at = at->inner[place].second.get();
  return std::nullopt;
}

// As deep as there may be brackets in a name.
json::Value Brackets::value_of(Node& node) {
  if (node.is == Is::list) {
    json::Array out;
    for (auto& [name, inner] : node.inner) out.push_back(value_of(*inner));
    return out;
  }
  if (node.is == Is::object) {
    json::Object out;
    for (auto& [name, inner] : node.inner) out.emplace_back(std::move(name), value_of(*inner));
    return out;
  }
  return json::Value(std::move(node.text));
}

// Schema::read keeps elements and members in their places, and adds defaults behind them. Were it
// otherwise, what cannot be compared would be refused.
bool has_lone_text(const json::Value& before, const json::Value& after) {
  if (before.as_string() != nullptr) return after.as_array() != nullptr;
  if (const json::Array* list = before.as_array()) {
    const json::Array* other = after.as_array();
    if (other == nullptr || other->size() < list->size()) return true;
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (has_lone_text((*list)[i], (*other)[i])) return true;
    }
  } else if (const json::Object* object = before.as_object()) {
    const json::Object* other = after.as_object();
    if (other == nullptr || other->size() < object->size()) return true;
    for (std::size_t i = 0; i < object->size(); ++i) {
      if (has_lone_text((*object)[i].second, (*other)[i].second)) return true;
    }
  }
  return false;
}

}  // namespace moat::openapi
