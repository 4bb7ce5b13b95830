// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "moat/base/result.h"
#include "moat/password/engine.h"

namespace moat::password::internal {

// The cost in a bcrypt hash ("$2b$12$…", 60 characters of the right alphabet), or nullopt when the
// text is none. "$2x$" marks hashes of a broken implementation and is none.
std::optional<unsigned> bcrypt_cost(std::string_view stored);

// Whether `password` gives `stored`, a text that bcrypt_cost accepts.
[[nodiscard]] Result<bool, Refusal> bcrypt_verify(std::string_view stored,
                                                  std::string_view password);

}  // namespace moat::password::internal
