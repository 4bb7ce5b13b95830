// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "moat/base/result.h"

namespace moat::cli {

// Turns root into `user`, with `group` or the user's own, and no other; for good: that root cannot
// be had back is tried. For a process that is that user already it does nothing; any other
// who is not root is refused. Call it before any thread is started. The error is a sentence.
[[nodiscard]] Result<void, std::string> become(const std::string& user, const std::string& group);

// As root: makes a data directory that is not there yet, for the user whom become() will turn into.
[[nodiscard]] Result<void, std::string> make_directory_for(const std::string& path,
                                                           const std::string& user,
                                                           const std::string& group);

// No program that is executed from now on gains rights by its mode or its capabilities.
void forbid_new_privileges();

// Gives up the capabilities that a user other than root was started with, such as the one for ports
// below 1024.
[[nodiscard]] Result<void, std::string> drop_capabilities();

// Secrets must not end up in a core file, nor be read by a debugger of the same user.
void keep_memory_private();

}  // namespace moat::cli
