// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "moat/base/encoding.h"
#include "moat/env/internal/names.h"

namespace moat::env::internal {

namespace {

constexpr std::size_t longest_word = 64;  // longer names are not compared

// Levenshtein's distance, with a swap of neighbours as one step.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  if (word.size() > longest_word) return std::nullopt;
  const std::string wanted = ascii_lower(word);
  std::size_t best = word.size() / 3 + 1;
  std::optional<std::string_view> out;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > longest_word) continue;
    const std::size_t away = distance(wanted, ascii_lower(candidate));
    if (away >= best) continue;
    best = away;
    out = candidate;
  }
  return out;
}

bool is_dangerous_name(std::string_view key) {
  constexpr std::array<std::string_view, 2> prefixes = {"LD_", "DYLD_"};
  constexpr std::array<std::string_view, 17> names = {"BASH_ENV",
                                                      "GCONV_PATH",
                                                      "GLIBC_TUNABLES",
                                                      "OPENSSL_CONF",
                                                      "SSLKEYLOGFILE",
                                                      "NODE_OPTIONS",
                                                      "PYTHONSTARTUP",
                                                      "PYTHONHOME",
                                                      "PYTHONPATH",
                                                      "PERL5OPT",
                                                      "PERL5LIB",
                                                      "RUBYOPT",
                                                      "RUBYLIB",
                                                      "JAVA_TOOL_OPTIONS",
                                                      "PROMPT_COMMAND",
                                                      "GIT_SSH_COMMAND",
                                                      "IFS"};
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view p) { return key.substr(0, p.size()) == p; }) ||
         std::find(names.begin(), names.end(), key) != names.end();
}

}  // namespace moat::env::internal
