// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace moat::doctor::internal {

struct HstsValue {
  std::chrono::seconds max_age{};  // a number beyond 10^12 counts as that
  bool include_subdomains = false;
  bool preload = false;
};

// parse_hsts reads a Strict-Transport-Security header as browsers do (RFC 6797 section 6.1): none
// without a max-age, with a directive twice, or with what is no directive.
[[nodiscard]] std::optional<HstsValue> parse_hsts(std::string_view text);

}  // namespace moat::doctor::internal
