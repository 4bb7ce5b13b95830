// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/clock.h"

namespace moat::https {

// HTTP Strict Transport Security (RFC 6797).
struct HstsOptions {
  std::chrono::seconds max_age{63'072'000};  // two years
  bool include_subdomains = true;
  // Asks browser vendors to build the name in; hard to take back. Sent only together with
  // include_subdomains and at least a year, which the preload list demands.
  bool preload = false;
};

// hsts_header gives the value of Strict-Transport-Security for an answer of `host` (with or without
// port), or none: for localhost and names below it, since the rule would follow the user to every
// other port of that machine, for IP addresses (RFC 6797 section 8.1.1), and for what is no host.
// It belongs on answers over TLS only (section 7.2).
[[nodiscard]] std::optional<std::string> hsts_header(std::string_view host,
                                                     const HstsOptions& options = {});

// hsts_ramp gives `options` with the max-age that a careful start affords at `now`: five minutes on
// the first day after `start`, a day in the first week, 30 days in the first month, then all of it.
// Subdomains and preload come with the last step.
[[nodiscard]] HstsOptions hsts_ramp(const HstsOptions& options, Time start, Time now);

}  // namespace moat::https
