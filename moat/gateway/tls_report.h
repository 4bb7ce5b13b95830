// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "moat/base/clock.h"
#include "moat/gateway/config.h"

namespace moat::gateway {

// What `moat check` says of practice 1, as whole lines, of a configuration whose files have been
// read (resolve_backends), at `now`.
[[nodiscard]] std::vector<std::string> tls_report(const Config& config, Time now);

}  // namespace moat::gateway
