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

// HstsRamp is such a start that goes on over restarts, step by step: five minutes, a day, 30 days,
// all of it. Each step lasts as long as hsts_ramp says, and no clock that jumps skips one: a jump
// ahead ends the present step at most, a jump back begins it anew.
class HstsRamp final {
 public:
  static constexpr std::size_t steps = 4;

  explicit HstsRamp(Time now) : since_(now) {}  // at the first step
  // What to_text gives; none for anything else.
  static std::optional<HstsRamp> parse(std::string_view text);
  std::string to_text() const;

  // Goes on to the next step where it is time. True: it is another now, and to be kept.
  [[nodiscard]] bool advance(Time now);
  std::size_t step() const { return step_; }  // from 0
  Time since() const { return since_; }
  bool finished() const { return step_ + 1 == steps; }
  std::optional<Time> next() const;  // when the next step begins; none at the last
  // What `full` is at a step.
  static HstsOptions options(const HstsOptions& full, std::size_t step);

 private:
  std::size_t step_ = 0;
  Time since_;
};

}  // namespace moat::https
