// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "moat/validate/identifiers.h"

namespace moat::validate {

// Latitude and longitude in degrees, minutes and seconds, as ISO 6709 annex D shows them to people:
// 40° 26′ 46″ N, 79° 58′ 56″ W. The spaces may be left out, the seconds may have a fraction, and '
// and " may stand for ′ and ″. At most 90 and 180 degrees. Case::ignore takes n, s, e and w. At
// most 64 bytes; nothing is allocated.
[[nodiscard]] bool is_lat_long_dms(std::string_view text, Case letters = Case::exact);

}  // namespace moat::validate
