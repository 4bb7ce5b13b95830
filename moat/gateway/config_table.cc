// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/base/clock.h"
#include "moat/base/encoding.h"
#include "moat/gateway/internal/config_table.h"
#include "moat/gateway/nearest.h"

namespace moat::gateway {

using std::chrono::milliseconds;

void ConfigTable::text(std::string_view key, std::string& out) {
  const auto found = find(key);
  if (!found) return;
  if (found->node != nullptr && !found->node->is_string())
    return wrong(*found, key, "a text in quotes");
  out = found->text;
}

void ConfigTable::boolean(std::string_view key, bool& out) {
  const auto found = find(key);
  if (!found) return;
  if (found->text == "true") {
    out = true;
  } else if (found->text == "false") {
    out = false;
  } else {
    wrong(*found, key, "true or false");
  }
}

void ConfigTable::duration(std::string_view key, milliseconds& out, milliseconds least,
                           milliseconds most) {
  const auto found = find(key);
  if (!found) return;
  const auto value = parse_duration(found->text);
  if (!value || *value < least || *value > most) {
    return wrong(*found, key,
                 "a duration such as \"30s\", from " + show(least) + " to " + show(most));
  }
  out = *value;
}

void ConfigTable::size(std::string_view key, std::uint64_t& out, std::uint64_t least,
                       std::uint64_t most) {
  const auto found = find(key);
  if (!found) return;
  const auto value = parse_size(found->text);
  if (!value || *value < least || *value > most) {
    return wrong(*found, key,
                 "a size such as \"1MiB\", from " + std::to_string(least) + " to " +
                     std::to_string(most) + " bytes");
  }
  out = *value;
}

bool ConfigTable::list(std::string_view key, std::vector<std::string>& out, Origin* where) {
  const auto found = find(key);
  if (!found) return false;
  if (where != nullptr) *where = found->origin;
  std::vector<std::string> values;
  if (found->node == nullptr) {
    std::string_view rest = found->text;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      values.emplace_back(trim(rest.substr(0, comma)));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  } else if (found->node->is_string()) {
    values.push_back(found->text);
  } else if (const toml::array* array = found->node->as_array()) {
    for (const toml::node& item : *array) {
      const auto text = item.value<std::string>();
      if (!text || !item.is_string()) {
        wrong(*found, key, "a list of texts in quotes");
        return false;
      }
      values.push_back(*text);
    }
  } else {
    wrong(*found, key, "a text in quotes or a list of them");
    return false;
  }
  out = std::move(values);
  return true;
}

std::optional<ConfigTable> ConfigTable::table(std::string_view key) {
  known_.emplace_back(key);
  const toml::table* inner = nullptr;
  if (table_ != nullptr && table_->contains(key)) {
    inner = table_->get(key)->as_table();
    if (inner == nullptr) {
      report(origin_of(*table_->get(key)),
             "'" + path(key) + "' must be a table: [" + path(key) + "]");
    }
  }
  return ConfigTable(inner, path(key), file_, environment_, variables_, problems_);
}

ConfigTable ConfigTable::element(std::string_view key, const toml::node& node) const {
  ConfigTable made(node.as_table(), path(key), file_, environment_, variables_, problems_);
  made.in_array_ = true;
  return made;
}

const toml::array* ConfigTable::tables(std::string_view key) {
  known_.emplace_back(key);
  if (table_ == nullptr || !table_->contains(key)) return nullptr;
  const toml::array* array = table_->get(key)->as_array();
  if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
    report(origin_of(*table_->get(key)),
           "'" + path(key) + "' must be written as [[" + path(key) + "]] tables");
    return nullptr;
  }
  return array;
}

std::optional<ConfigTable::Found> ConfigTable::find(std::string_view key) {
  known_.emplace_back(key);
  if (auto variable = from_environment(key)) return variable;
  if (table_ == nullptr) return std::nullopt;
  const toml::node* node = table_->get(key);
  if (node == nullptr) return std::nullopt;
  Found found{node, {}, origin_of(*node)};
  if (const auto* text = node->as_string()) found.text = text->get();
  if (const auto* number = node->as_integer()) found.text = std::to_string(number->get());
  if (const auto* truth = node->as_boolean()) found.text = truth->get() ? "true" : "false";
  return found;
}

std::optional<ConfigTable::Found> ConfigTable::from_environment(std::string_view key) {
  if (in_array_) return std::nullopt;
  std::string name = "MOAT_";
  for (const char c : path(key))
    name.push_back(c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c);
  variables_.push_back(name);
  for (const auto& [variable, value] : environment_) {
    if (variable == name) return Found{nullptr, value, Origin{name, 0}};
  }
  return std::nullopt;
}

void ConfigTable::wrong(const Found& found, std::string_view key, const std::string& expected) {
  report(found.origin, "'" + path(key) + "' must be " + expected);
}

void ConfigTable::report(Origin origin, std::string message) {
  problems_.push_back({std::move(origin), std::move(message)});
}

Origin ConfigTable::origin_of(const toml::node& node) const {
  return Origin{std::string(file_), static_cast<int>(node.source().begin.line)};
}

void ConfigTable::finish() {
  if (table_ == nullptr) return;
  for (const auto& [key, node] : *table_) {
    const std::string name(key.str());
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    std::string message = "unknown key '" + path(name) + "'";
    if (const auto near = nearest(name, known_)) message += "; did you mean '" + path(*near) + "'?";
    report(Origin{std::string(file_), static_cast<int>(key.source().begin.line)},
           std::move(message));
  }
}

std::string ConfigTable::path(std::string_view key) const {
  return section_.empty() ? std::string(key) : section_ + "." + std::string(key);
}

std::string ConfigTable::show(milliseconds value) {
  const auto ms = value.count();
  if (ms % 3'600'000 == 0 && ms > 0) return std::to_string(ms / 3'600'000) + "h";
  if (ms % 60'000 == 0 && ms > 0) return std::to_string(ms / 60'000) + "m";
  if (ms % 1000 == 0) return std::to_string(ms / 1000) + "s";
  return std::to_string(ms) + "ms";
}

}  // namespace moat::gateway
