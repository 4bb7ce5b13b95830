// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "moat/gateway/config.h"

namespace moat::gateway {

// The parts of check_config and weakenings that are about [[issuer]] tables.
void check_issuers(const Config& config, std::vector<ConfigProblem>& problems);
void add_weakenings(const TrustedIssuer& issuer, std::vector<Weakening>& out);

}  // namespace moat::gateway
