// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "moat/base/secret.h"
#include "moat/cli/options.h"
#include "moat/gateway/config.h"

namespace moat::cli {

// Says what went wrong on standard error and gives the exit code 1.
int fail(const std::string& message);
int report(const std::vector<gateway::ConfigProblem>& problems);
// Defaults, file, environment, command line: each overrides the one before.
Result<gateway::Config, std::vector<gateway::ConfigProblem>> read_config(
    const Arguments& arguments);
// The files that it reads, there or not.
std::vector<std::string> config_files(const Arguments& arguments);
// read_config with its notes and problems on standard error. Nothing: it was
// reported, and the program ends with `exit_code`.
std::optional<gateway::Config> load_config(const Arguments& arguments, int& exit_code);

// From the terminal, unseen, or standard input: the first line.
Secret read_password();

// The commands; each gives the program's exit code.
int run(const Arguments& arguments);
int check(const Arguments& arguments);
int explain(const Arguments& arguments);
int hash(const Arguments& arguments);
int user_add(const Arguments& arguments);
int user_unlock(const Arguments& arguments);
int user_disable(const Arguments& arguments);
int user_enable(const Arguments& arguments);
int user_logout(const Arguments& arguments);
int user_keys(const Arguments& arguments);
int reload(const Arguments& arguments);
int trust(const Arguments& arguments);
int cert_list(const Arguments& arguments);
int cert_renew(const Arguments& arguments);
int cert_revoke(const Arguments& arguments);
int reports(const Arguments& arguments);
int schema_learn(const Arguments& arguments);
int schema_check(const Arguments& arguments);

}  // namespace moat::cli
