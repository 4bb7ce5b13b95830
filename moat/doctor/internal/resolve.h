// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/ip.h"
#include "moat/base/result.h"
#include "moat/doctor/tls_facts.h"

namespace moat::doctor::internal {

// The addresses of a name, at least one and at most eight, by the system's resolver, in its order.
// The error is a sentence.
[[nodiscard]] Result<std::vector<IpAddress>, std::string> resolve(const std::string& host,
                                                                  Tick deadline);

// The CAA records of a name or of the nearest name above that has some. Not asked for names that
// are no public ones.
[[nodiscard]] Caa look_up_caa(const std::string& host, Tick deadline);

}  // namespace moat::doctor::internal
