// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moat/gateway/config.h"

namespace moat::gateway {

// Whether a path that is spelled plainly falls under a pattern: exact, or a prefix up to a final
// '*'.
bool pattern_matches(std::string_view pattern, std::string_view path);

// Whether `route` refuses whatever `other` refuses: login, roles, CSRF, limits, sizes and the rest.
bool is_at_least_as_strict(const Route& route, const Route& other);

// Routes finds the route that serves a path. Backends differ in how they read one (letter case,
// ";parameters", format suffixes, script names, a second percent-decoding, repeated slashes and
// more), so every reading is looked up, and no spelling of a path gets past the rules that one of
// its readings falls under.
class Routes final {
 public:
  // `routes` must outlive it.
  explicit Routes(const std::vector<Route>& routes);

  struct Match {
    const Route* route = nullptr;  // null: at least one reading is served by no route
    bool ambiguous = false;        // readings fall under routes of which none is the strictest
  };
  // `path` is raw, as http::parse_request_head took it. "/account/*" also means "/account", and
  // "/exact" also "/exact/". Allocates only for paths with '%', ';', '\', "//" or capitals.
  [[nodiscard]] Match find(std::string_view path) const;

 private:
  const Route* first(std::string_view reading, bool fold) const;
  bool consider(std::string_view reading, bool fold, Match& match) const;

  const std::vector<Route>& routes_;
  std::vector<std::string> folded_;  // the patterns in lower case
  bool capitals_ = false;            // in any pattern
  std::size_t longest_ = 0;          // part of a path that is looked at
};

}  // namespace moat::gateway
