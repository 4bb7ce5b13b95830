// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "moat/base/clock.h"

namespace moat::validate {

// Texts as moments, to compare. The clock is the caller's.

struct MomentOptions {
  // Beside RFC 3339: "08/04/2011" (month first, as in the USA), what JavaScript's Date prints
  // ("Thu Aug 04 2011 00:00:00 GMT+0000 (…)"), and HTTP's dates ("Thu, 04 Aug 2011 00:00:00 GMT").
  // A month and a day can be mixed up, and the weekday is not looked at.
  bool allow_other_forms = false;
};
// A day that there is ("2011-08-04": its first moment in UTC), or a day and a time with its zone
// ("2011-08-04T12:00:00.5+02:00"; RFC 3339, no leap second). nullopt for anything else. Years 0000
// to 9999; what is shorter than a microsecond is cut off. Linear in the text, nothing is allocated.
[[nodiscard]] std::optional<Time> to_date(std::string_view text, const MomentOptions& options = {});
// False for what to_date does not read.
[[nodiscard]] bool is_before(std::string_view text, Time moment, const MomentOptions& options = {});
[[nodiscard]] bool is_after(std::string_view text, Time moment, const MomentOptions& options = {});

}  // namespace moat::validate
