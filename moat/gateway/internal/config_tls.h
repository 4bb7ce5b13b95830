// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal: what belongs together in the settings of TLS.

#include <vector>

#include "moat/gateway/config.h"

namespace moat::gateway {

void check_tls(const Config& config, std::vector<ConfigProblem>& problems);

}  // namespace moat::gateway
