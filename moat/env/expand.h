// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "moat/base/result.h"
#include "moat/env/dotenv.h"
#include "moat/env/problem.h"

namespace moat::env {

struct ExpandOptions {
  std::size_t depth = 16;             // of ${A:-${B:-…}} and of values that refer to values
  std::size_t value_bytes = 65536;    // of one expanded value
  std::size_t total_bytes = 1048576;  // of all of them
  // An undefined name without a default becomes "" (as dotenv-expand has it) instead of an error.
  bool allow_undefined = false;
};

// expand replaces $NAME, ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME:+other} and
// ${NAME+other} in the values that stand in no single quotes; `\$` is a dollar sign. It is never
// done unless it is called. A name is looked up in `process` first and then among the entries
// above it; a value of the process environment is data and is not expanded. `$(command)` is
// refused: a settings file never runs anything.
[[nodiscard]] Result<void, Problem> expand(Dotenv& file, const Environment& process,
                                           std::string_view file_name,
                                           const ExpandOptions& options = {});

}  // namespace moat::env
