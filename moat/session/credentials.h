// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::session {

// What Moat hands to programs begins like this, so that it is known for what it is wherever it
// turns up: in a request, or in a repository that is searched for secrets.
inline constexpr std::string_view own_prefix = "moat_";  // of all of them
inline constexpr std::string_view bearer_access_prefix = "moat_at_";
inline constexpr std::string_view bearer_refresh_prefix = "moat_rt_";
inline constexpr std::string_view api_key_prefix = "moat_key_";

}  // namespace moat::session
