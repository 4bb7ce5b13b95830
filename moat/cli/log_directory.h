// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "moat/gateway/config.h"

namespace moat::cli {

// The directory of the access log, in which the sandbox lets Moat write, so that the log is made
// anew behind a rotation; empty where there is no such log.
std::string log_directory(const gateway::Config& config);

// What that directory holds beside logs ("moat.toml, keys, …": three at most), and whoever breaks
// into Moat may thus change as far as its user may; empty where there is nothing, and where the
// directory cannot be looked into. A log is a file whose name begins as the access log's does or
// has ".log" in it.
std::string beside_the_log(const gateway::Config& config);

}  // namespace moat::cli
