// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "moat/cli/options.h"

namespace moat::cli {

const Command& doctor_tls_command();
// `words` are what stands behind `moat doctor`. Gives the program's exit code: 0 no failure was
// found, 1 at least one, 2 wrong usage, 3 the site cannot be reached.
int doctor(std::vector<std::string> words);

}  // namespace moat::cli
