// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/template.h"

#include "moat/base/encoding.h"
#include "moat/validate/strings.h"

namespace moat::validate {

Values& Values::text(std::string_view name, std::string_view value) {
  entries_.emplace_back(name, Value(std::string(value)));
  return *this;
}
Values& Values::html(std::string_view name, Html value) {
  entries_.emplace_back(name, Value(std::move(value)));
  return *this;
}
Values& Values::flag(std::string_view name, bool value) {
  entries_.emplace_back(name, Value(value));
  return *this;
}
Values& Values::list(std::string_view name, std::vector<Values> items) {
  entries_.emplace_back(name, Value(std::move(items)));
  return *this;
}

const Values::Value* Values::find(std::string_view name) const {
  // The last one set counts.
  for (auto it = entries_.rbegin(); it != entries_.rend(); ++it)
    if (it->first == name) return &it->second;
  return nullptr;
}

const Values::Value* Template::look_up(const Node& node, const Scope& scope) {
  const Scope* at = &scope;
  for (std::size_t i = 0; i < node.outward; ++i) at = at->outer;
  return at->values.find(node.text);
}

Html Template::render(const Values& values) const {
  std::string out;
  render_nodes(nodes_, {values, nullptr}, out);
  return Html(std::move(out));
}

void Template::render_nodes(const std::vector<Node>& nodes, const Scope& scope, std::string& out) {
  for (const auto& node : nodes) {
    if (node.op == Op::literal)
      out += node.text;
    else
      render_node(node, scope, out);
  }
}

void Template::render_list(const Node& node, const Scope& scope, std::string& out) {
  const auto* value = look_up(node, scope);
  const auto* items = value != nullptr ? std::get_if<std::vector<Values>>(value) : nullptr;
  if (items == nullptr) return;
  for (const auto& item : *items) render_nodes(node.then, {item, &scope}, out);
}

// Whether {{#if}} takes a value for true.
static bool holds(const std::variant<std::string, Html, bool, std::vector<Values>>& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
  if (const auto* markup = std::get_if<Html>(&value)) return !markup->str().empty();
  return !std::get<std::vector<Values>>(value).empty();
}

void Template::render_node(const Node& node, const Scope& scope, std::string& out) {
  const auto* value = look_up(node, scope);
  const auto* text = value != nullptr ? std::get_if<std::string>(value) : nullptr;
  switch (node.op) {
    case Op::literal:
      break;
    case Op::text:
      if (text != nullptr) out += escape_html(*text);
      break;
    case Op::link:
      if (text != nullptr) out += Html::link(*text).str();
      break;
    case Op::parameter:
      if (text != nullptr) out += percent_encode(*text);
      break;
    case Op::html:
      if (value != nullptr && std::holds_alternative<Html>(*value))
        out += std::get<Html>(*value).str();
      break;
    case Op::condition:
      render_nodes(value != nullptr && holds(*value) ? node.then : node.otherwise, scope, out);
      break;
    case Op::list:
      render_list(node, scope, out);
      break;
  }
}

}  // namespace moat::validate
