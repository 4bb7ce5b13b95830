// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace moat::certs {

// Why a file or directory was not used. `message` is one sentence for the log or the terminal that
// names the path and what to do; it holds nothing of the content.
struct FileError {
  enum class Kind {
    missing,  // it is not there
    unsafe,   // its mode or owner lets others in, or it is no regular file
    invalid,  // its content is refused
    io        // the system refused to read or write
  };
  Kind kind;
  std::string path;
  std::string message;
};

}  // namespace moat::certs
