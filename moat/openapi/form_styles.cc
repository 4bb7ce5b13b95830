// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/form_styles.h"

#include <algorithm>
#include <utility>

#include "moat/openapi/internal/brackets.h"
#include "moat/openapi/internal/pointer.h"

namespace moat::openapi {
namespace {

// The member that a field belongs to, with its style, or nothing.
const std::pair<const std::string, Style>* styled(const Media& media, std::string_view field) {
  auto found = media.part_styles.find(field.substr(0, field.find('[')));
  if (found == media.part_styles.end()) return nullptr;
  const bool plain = found->first.size() == field.size();
  return plain || found->second == Style::deep_object ? &*found : nullptr;
}

char delimiter_of(Style style) {
  return style == Style::space_delimited ? ' ' : style == Style::pipe_delimited ? '|' : ',';
}

// Programs have the fields of a form decoded before they part them (WHATWG URL section 5.1), so
// that a delimiter is one however it was written.
json::Value parted(std::string_view text, char delimiter) {
  json::Array out;
  for (;;) {
    const std::size_t end = text.find(delimiter);
    out.emplace_back(std::string(text.substr(0, end)));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

Violation violation(const std::string& member, std::string_view keyword, std::string sentence) {
  return {"body", "", pointer_step(member), std::string(keyword), std::move(sentence)};
}

// Takes the texts of one field to its member.
std::optional<BracketFault> collect(Brackets& member, std::string_view steps, json::Value& value) {
  if (auto* list = std::get_if<json::Array>(&value.data())) {
    for (json::Value& one : *list) {
      if (one.as_string() == nullptr) return BracketFault{"syntax", "is a text in each field"};
      if (auto fault = member.add(steps, *one.as_string())) return fault;
    }
    return std::nullopt;
  }
  if (value.as_string() == nullptr) return BracketFault{"syntax", "is a text in each field"};
  return member.add(steps, *value.as_string());
}

}  // namespace

std::optional<bool> style_repeats(const Media& media, std::string_view field) {
  const auto* member = styled(media, field);
  if (member == nullptr) return std::nullopt;
  return member->second == Style::deep_object && field.size() > 2 &&
         field.substr(field.size() - 2) == "[]";
}

std::optional<Violation> apply_styles(const Media& media, json::Object& fields,
                                      const std::vector<std::string>& typed,
                                      const ReadRules& rules) {
  if (media.part_styles.empty()) return std::nullopt;
  std::map<std::string_view, Brackets> members;
  std::vector<std::string_view> order;
  json::Object out;
  for (auto& [name, value] : fields) {
    const auto* member = styled(media, name);
    if (member == nullptr) {
      out.emplace_back(std::move(name), std::move(value));
      continue;
    }
    if (std::find(typed.begin(), typed.end(), name) != typed.end())
      return violation(member->first, "syntax", "is JSON, and not what its style says");
    if (member->second == Style::deep_object) {
      const auto [at, is_new] = members.try_emplace(member->first, BracketLimits{}, rules.keys);
      if (is_new) order.push_back(member->first);
      const std::string_view steps = std::string_view(name).substr(member->first.size());
      if (const auto fault = collect(at->second, steps, value))
        return violation(member->first, fault->keyword, fault->sentence);
    } else if (value.as_string() != nullptr) {
      out.emplace_back(std::move(name), parted(*value.as_string(), delimiter_of(member->second)));
    } else {
      return violation(member->first, "repeated", "is given more than once");
    }
  }
  for (const std::string_view name : order)
    out.emplace_back(std::string(name), members.at(name).take());
  fields = std::move(out);
  return std::nullopt;
}

bool has_lone_member(const Media& media, const json::Value& before, const json::Value& after) {
  const json::Object* fields = before.as_object();
  for (const auto& [name, value] : *fields) {
    const auto style = media.part_styles.find(name);
    if (style == media.part_styles.end() || style->second != Style::deep_object) continue;
    if (has_lone_text(value, *after.find(name))) return true;
  }
  return false;
}

}  // namespace moat::openapi
