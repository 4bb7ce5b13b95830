// SPDX-License-Identifier: Apache-2.0
#include "moat/session/scopes.h"

#include <algorithm>

namespace moat::session {

bool is_valid_scope(std::string_view scope) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':' || c == '.' || c == '_' ||
           c == '-';
  };
  return !scope.empty() && scope.size() <= 64 && std::all_of(scope.begin(), scope.end(), allowed);
}

std::optional<Scopes> parse_scopes(std::string_view text) {
  Scopes out;
  if (text.empty()) return out;
  if (text.size() > 512) return std::nullopt;
  for (;;) {
    const std::size_t space = text.find(' ');
    const std::string_view scope = text.substr(0, space);
    const bool twice = std::find(out.begin(), out.end(), scope) != out.end();
    if (!is_valid_scope(scope) || twice || out.size() == most_scopes) return std::nullopt;
    out.emplace_back(scope);
    if (space == std::string_view::npos) return out;
    text.remove_prefix(space + 1);
  }
}

std::string to_text(const Scopes& scopes) {
  std::string out;
  for (const std::string& scope : scopes) out.append(out.empty() ? "" : " ").append(scope);
  return out;
}

}  // namespace moat::session
