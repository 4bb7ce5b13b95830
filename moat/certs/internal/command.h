// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace moat::certs {

struct CommandResult {
  int status = -1;     // the exit status; -1 where it could not run or was killed
  std::string output;  // the first 4 KiB of both streams
  bool ok() const { return status == 0; }
};

// Runs `words[0]` (an absolute path) with the rest as arguments, nothing to read, a fixed PATH and
// no other environment, and waits.
CommandResult run_command(const std::vector<std::string>& words);

// `text` as one word of a POSIX shell, for commands that are shown.
std::string shell_word(const std::string& text);

}  // namespace moat::certs
