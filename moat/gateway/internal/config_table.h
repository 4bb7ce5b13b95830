// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal: how the parts of a configuration are read. toml++ stays inside this room's sources.

#include <toml++/toml.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/gateway/config.h"

namespace moat::gateway {

// Reads the keys of one table. Each getter leaves its target alone when the key is absent; finish()
// reports the keys that nobody asked for.
class ConfigTable final {
 public:
  // One place a value may come from, with its text form and where it was written.
  struct Found {
    const toml::node* node = nullptr;  // null: from the environment
    std::string text;
    Origin origin;
  };

  ConfigTable(const toml::table* table, std::string section, std::string_view file,
              const Environment& environment, std::vector<std::string>& variables,
              std::vector<ConfigProblem>& problems)
      : table_(table),
        section_(std::move(section)),
        file_(file),
        environment_(environment),
        variables_(variables),
        problems_(problems) {}

  void text(std::string_view key, std::string& out);
  void boolean(std::string_view key, bool& out);
  template <class N>
  void integer(std::string_view key, N& out, std::int64_t least, std::int64_t most) {
    const auto found = find(key);
    if (!found) return;
    std::int64_t value = 0;
    const char* end = found->text.data() + found->text.size();
    const auto parsed = std::from_chars(found->text.data(), end, value);
    const bool is_number = found->node == nullptr || found->node->is_integer();
    if (!is_number || parsed.ec != std::errc() || parsed.ptr != end || value < least ||
        value > most) {
      return wrong(*found, key,
                   "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    out = static_cast<N>(value);
  }

  void duration(std::string_view key, std::chrono::milliseconds& out,
                std::chrono::milliseconds least, std::chrono::milliseconds most);
  void size(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most);

  template <class E>
  void choice(std::string_view key, E& out,
              std::initializer_list<std::pair<std::string_view, E>> choices) {
    const auto found = find(key);
    if (!found) return;
    std::string names;
    for (const auto& [name, value] : choices) {
      if (found->text == name) {
        out = value;
        return;
      }
      names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    wrong(*found, key, "one of " + names);
  }

  // A text or an array of texts; in the environment separated by commas. True: it is there.
  bool list(std::string_view key, std::vector<std::string>& out, Origin* where = nullptr);

  // A table within this one, empty where it is not there.
  std::optional<ConfigTable> table(std::string_view key);
  // One [[key]] table. The environment has no say in it.
  ConfigTable element(std::string_view key, const toml::node& node) const;
  // All of them; null where there are none.
  const toml::array* tables(std::string_view key);

  std::optional<Found> find(std::string_view key);
  bool in_file(std::string_view key) const { return table_ != nullptr && table_->contains(key); }
  // Whether it is written as [[key]] tables, where a text might stand too.
  bool is_tables(std::string_view key) const {
    return in_file(key) && table_->get(key)->is_array();
  }
  Origin origin_of(const toml::node& node) const;

  void wrong(const Found& found, std::string_view key, const std::string& expected);
  void report(Origin origin, std::string message);
  void finish();

 private:
  std::optional<Found> from_environment(std::string_view key);
  std::string path(std::string_view key) const;
  static std::string show(std::chrono::milliseconds value);

  const toml::table* table_;
  std::string section_;
  std::string_view file_;
  const Environment& environment_;
  std::vector<std::string>& variables_;  // names that mean something
  std::vector<ConfigProblem>& problems_;
  std::vector<std::string> known_;
  bool in_array_ = false;
};

// A limit such as "600/min/ip".
void read_limit(ConfigTable& table, std::string_view key, std::string& out);

// The sections, each to its end.
void read_routes(ConfigTable& top, Config& config);
void read_issuers(ConfigTable& top, Config& config);
void read_server(ConfigTable table, Config& config);
void read_tls(ConfigTable table, Config& config);
void read_accounts(ConfigTable table, Config& config);
void read_password(ConfigTable table, Config& config);
void read_session(ConfigTable table, Config& config);
void read_token(ConfigTable table, Config& config);
void read_limits(ConfigTable table, Config& config);
void read_secrets(ConfigTable table, Config& config);

}  // namespace moat::gateway
