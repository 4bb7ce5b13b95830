// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/options.h"

#include <algorithm>

#include "moat/gateway/nearest.h"

namespace moat::cli {

Result<Arguments, std::string> Arguments::parse(const Command& command,
                                                const std::vector<std::string>& words) {
  Arguments out;
  bool only_positional = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (only_positional || word.size() < 2 || word[0] != '-') {
      out.positional_.push_back(word);
      continue;
    }
    if (word == "--") {
      only_positional = true;
      continue;
    }
    std::string name = word.substr(word[1] == '-' ? 2 : 1);
    std::optional<std::string> value;
    if (const std::size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.erase(equals);
    }
    const auto option =
        std::find_if(command.options.begin(), command.options.end(),
                     [&](const Option& candidate) { return candidate.name == name; });
    if (option == command.options.end()) {
      std::vector<std::string> names;
      for (const Option& candidate : command.options) names.emplace_back(candidate.name);
      std::string message = "unknown option '" + word + "'";
      if (const auto near = gateway::nearest(name, names))
        message += "; did you mean '--" + *near + "'?";
      return Error{std::move(message)};
    }
    if (option->value.empty() && value) return Error{"'--" + name + "' takes no value"};
    if (!option->value.empty() && !value) {
      if (++i == words.size())
        return Error{"'--" + name + "' needs a value: " + std::string(option->value)};
      value = words[i];
    }
    if (!out.values_.emplace(name, value.value_or("")).second)
      return Error{"'--" + name + "' is given twice"};
  }
  return out;
}

std::optional<std::string> Arguments::value(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::string usage(const Command& command) {
  std::string out = "moat " + std::string(command.name);
  if (!command.arguments.empty()) out += " " + std::string(command.arguments);
  if (!command.options.empty()) out += " [options]";
  out += "\n  " + std::string(command.help) + "\n";
  for (const Option& option : command.options) {
    std::string left = "  --" + std::string(option.name);
    if (!option.value.empty()) left += " " + std::string(option.value);
    left.resize(std::max<std::size_t>(left.size() + 2, 22), ' ');
    out += left + std::string(option.help) + "\n";
  }
  return out;
}

}  // namespace moat::cli
