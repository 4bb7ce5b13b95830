// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/clock.h"

namespace moat::session::internal {

// The last exchanges of a family, as the text in Record::exchanges: "generation:microseconds,…",
// newest first. At most sixteen, and none older than the grace: what is not there was exchanged
// before it.
std::string add_exchange(std::string_view exchanges, std::uint32_t generation, Time at,
                         std::chrono::seconds grace);
// When the token of that generation was exchanged, if it is still there.
std::optional<Time> exchanged_at(std::string_view exchanges, std::uint32_t generation);

}  // namespace moat::session::internal
