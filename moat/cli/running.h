// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "moat/cli/commands.h"
#include "moat/gateway/admin.h"

namespace moat::cli {

// Asks the running Moat. The configuration here only says where that is; it reads its own. Nothing:
// it was reported, and the program ends with `exit_code`.
std::optional<gateway::AdminReply> ask_running(const Arguments& arguments, std::string_view method,
                                               std::string_view path, int& exit_code,
                                               const std::string& body = {});

}  // namespace moat::cli
