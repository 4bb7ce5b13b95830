// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/doctor/finding.h"
#include "moat/doctor/tls_facts.h"

namespace moat::doctor {

// judge_tls says what the facts mean for practice 1 at `now`: at least one finding for each thing
// that was looked at, in the order DNS, ports, certificate, protocol, HTTP. Pure.
[[nodiscard]] std::vector<Finding> judge_tls(const TlsFacts& facts, Time now);

struct ProbeOptions {
  // Who may have issued the certificate, in PEM; empty: the authorities that this system trusts.
  std::string roots{};
  // For each connection, from the first packet to the last byte. All of it together takes at most
  // six times as long; what there was no time for stays untested.
  std::chrono::milliseconds timeout{10'000};
};

// probe_tls gathers the facts of `target`: some thirty short connections, one after another, to
// that host alone, and questions to the system's resolver. Blocks. The error is a sentence: `roots`
// of no use, or OpenSSL failed.
[[nodiscard]] Result<TlsFacts, std::string> probe_tls(const Target& target,
                                                      const ProbeOptions& options,
                                                      const Clock& clock, Random& random);

}  // namespace moat::doctor
