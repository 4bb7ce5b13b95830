// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/result.h"

namespace moat::cli {

// One option of a command. Those with a value take it as `--name VALUE` or `--name=VALUE`.
struct Option {
  std::string_view name;   // without the dashes
  std::string_view value;  // "URL", "NAME"; empty: a switch
  std::string_view help;
};

struct Command {
  std::string_view name;       // "run", "user add"
  std::string_view arguments;  // "METHOD PATH"
  std::string_view help;
  std::vector<Option> options;
};

class Arguments final {
 public:
  // The error is a sentence that names the nearest option.
  static Result<Arguments, std::string> parse(const Command& command,
                                              const std::vector<std::string>& words);
  const std::vector<std::string>& positional() const { return positional_; }
  std::optional<std::string> value(std::string_view name) const;
  bool has(std::string_view name) const { return values_.find(std::string(name)) != values_.end(); }

 private:
  std::vector<std::string> positional_;
  std::map<std::string, std::string> values_;
};

std::string usage(const Command& command);

}  // namespace moat::cli
