// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <optional>

#include "moat/base/encoding.h"
#include "moat/validate/internal/html_context.h"
#include "moat/validate/strings.h"
#include "moat/validate/template.h"

namespace moat::validate {
namespace {

using internal::Hole;
using internal::HtmlContext;

constexpr std::size_t max_depth = 16;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && (text[0] < '0' || text[0] > '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

}  // namespace

Names& Names::add(std::string_view name, Kind kind, std::vector<Names> item) {
  if (!is_name(name) || find(name) != nullptr) std::abort();  // a bug of the program
  entries_.push_back({std::string(name), kind, std::move(item)});
  return *this;
}

Names& Names::text(std::string_view name) { return add(name, Kind::text, {}); }
Names& Names::html(std::string_view name) { return add(name, Kind::html, {}); }
Names& Names::flag(std::string_view name) { return add(name, Kind::flag, {}); }
Names& Names::list(std::string_view name, Names item) {
  std::vector<Names> one;
  one.push_back(std::move(item));
  return add(name, Kind::list, std::move(one));
}

const Names::Entry* Names::find(std::string_view name) const {
  for (const auto& entry : entries_)
    if (entry.name == name) return &entry;
  return nullptr;
}

class TemplateParser final {
 public:
  TemplateParser(std::string_view source, const Names& names) : source_(source) {
    scopes_.push_back(&names);
  }

  Result<std::vector<Template::Node>, TemplateError> parse() {
    MOAT_TRY(auto nodes, parse_nodes(0));
    if (!stop_.empty()) return fail("{{" + stop_ + "}} closes nothing");
    if (const auto* complaint = context_.finish()) return fail(complaint);
    return nodes;
  }

 private:
  using Nodes = std::vector<Template::Node>;
  using Kind = Names::Kind;
  using Op = Template::Op;
  struct Found {
    const Names::Entry* entry;
    std::size_t outward;
  };

  Error<TemplateError> fail(std::string message) const {
    const auto at = std::min(pos_, source_.size());
    const auto newlines =
        std::count(source_.begin(), source_.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return Error<TemplateError>{{static_cast<std::size_t>(newlines) + 1, std::move(message)}};
  }

  std::optional<Found> find(std::string_view name) const {
    for (std::size_t outward = 0; outward < scopes_.size(); ++outward)
      if (const auto* entry = scopes_[scopes_.size() - 1 - outward]->find(name))
        return Found{entry, outward};
    return std::nullopt;
  }

  // Reads nodes up to the end or to a directive that closes a block, which is left in stop_.
  Result<Nodes, TemplateError> parse_nodes(std::size_t depth) {
    if (depth > max_depth) return fail("blocks are nested too deeply");
    Nodes nodes;
    stop_.clear();
    while (pos_ < source_.size()) {
      const auto hole = std::min(source_.find("{{", pos_), source_.size());
      const auto begin = pos_;
      while (pos_ < hole)
        if (const auto* complaint = context_.advance(source_, pos_, hole)) return fail(complaint);
      if (pos_ > begin)
        nodes.push_back({Op::literal, std::string(source_.substr(begin, pos_ - begin)), 0, {}, {}});
      if (pos_ == source_.size()) break;
      const auto end = source_.find("}}", pos_);
      if (end == std::string_view::npos) return fail("{{ without }}");
      const auto directive = moat::trim(source_.substr(pos_ + 2, end - pos_ - 2));
      if (directive == "else" || directive.substr(0, 1) == "/") {
        stop_ = directive;
        pos_ = end + 2;
        return nodes;
      }
      if (directive.substr(0, 1) == "!") {  // a remark
        pos_ = end + 2;
        continue;
      }
      MOAT_TRY(auto node, parse_directive(directive, end + 2, depth));
      nodes.push_back(std::move(node));
    }
    return nodes;
  }

  Result<Template::Node, TemplateError> parse_directive(std::string_view directive,
                                                        std::size_t behind, std::size_t depth) {
    if (directive.substr(0, 4) == "#if ")
      return parse_condition(moat::trim(directive.substr(4)), behind, depth);
    if (directive.substr(0, 6) == "#each ")
      return parse_list(moat::trim(directive.substr(6)), behind, depth);
    auto op = Op::text;
    auto hole = Hole::text;
    if (directive.substr(0, 4) == "url:") {
      op = Op::link;
      hole = Hole::link;
    } else if (directive.substr(0, 6) == "param:") {
      op = Op::parameter;
      hole = Hole::parameter;
    }
    const auto name = op == Op::text ? directive : directive.substr(directive.find(':') + 1);
    const auto found = find(name);
    if (!found) return fail("unknown name in {{" + std::string(directive) + "}}");
    const auto kind = found->entry->kind;
    if (kind == Kind::html && op == Op::text) {
      op = Op::html;
      hole = Hole::html;
    } else if (kind != Kind::text) {
      return fail("{{" + std::string(directive) + "}} is not a text");
    }
    if (const auto* complaint = context_.place(hole)) return fail(complaint);
    pos_ = behind;
    return Template::Node{op, std::string(name), found->outward, {}, {}};
  }

  Result<Template::Node, TemplateError> parse_condition(std::string_view name, std::size_t behind,
                                                        std::size_t depth) {
    const auto found = find(name);
    if (!found) return fail("unknown name in {{#if " + std::string(name) + "}}");
    Template::Node node{Op::condition, std::string(name), found->outward, {}, {}};
    if (const auto* complaint = context_.enter_block()) return fail(complaint);
    const HtmlContext before = context_;
    pos_ = behind;
    MOAT_TRY(node.then, parse_nodes(depth + 1));
    const HtmlContext after = context_;
    context_ = before;
    if (stop_ == "else") {
      MOAT_TRY(node.otherwise, parse_nodes(depth + 1));
    }
    if (stop_ != "/if") return fail("{{#if " + std::string(name) + "}} without {{/if}}");
    const auto joined = HtmlContext::join(after, context_);
    if (!joined) return fail("the branches of {{#if " + std::string(name) + "}} end differently");
    context_ = *joined;
    stop_.clear();
    return node;
  }

  Result<Template::Node, TemplateError> parse_list(std::string_view name, std::size_t behind,
                                                   std::size_t depth) {
    const auto found = find(name);
    if (!found || found->entry->kind != Kind::list)
      return fail("{{#each " + std::string(name) + "}} is not a list");
    Template::Node node{Op::list, std::string(name), found->outward, {}, {}};
    if (const auto* complaint = context_.enter_block()) return fail(complaint);
    if (!context_.is_text()) return fail("{{#each}} inside a tag");
    pos_ = behind;
    scopes_.push_back(&found->entry->item.front());
    MOAT_TRY(node.then, parse_nodes(depth + 1));
    scopes_.pop_back();
    if (stop_ != "/each") return fail("{{#each " + std::string(name) + "}} without {{/each}}");
    if (context_.finish() != nullptr) return fail("{{#each}} ends inside a tag");
    stop_.clear();
    return node;
  }

  std::string_view source_;
  std::size_t pos_ = 0;
  std::vector<const Names*> scopes_;
  HtmlContext context_;
  std::string stop_;
};

Result<Template, TemplateError> Template::parse(std::string_view source, const Names& names) {
  if (!is_valid_utf8(source)) return Error{TemplateError{1, "the template is not UTF-8"}};
  MOAT_TRY(auto nodes, TemplateParser(source, names).parse());
  Template page;
  page.nodes_ = std::move(nodes);
  return page;
}

}  // namespace moat::validate
