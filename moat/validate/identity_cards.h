// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::validate {

// Numbers of identity cards and of national registers. A yes says that the number is written as
// that country writes it, its check digits right and its day of birth in the calendar where it has
// those; not that somebody has it. Linear in the text; nothing is allocated.

struct IdentityCardOptions {
  bool allow_lower_case = false;
  // The last year in which somebody may be born, for numbers that carry the whole year. The clock
  // is the caller's.
  unsigned max_birth_year = 2099;
};
// `country` is ISO 3166-1 alpha-2, upper-case: CN, ES, FI, HK, IL, IN, IR, IT, LK, LY, MZ, NO, PK,
// PL, TH, TN or TW; false for another.
[[nodiscard]] bool is_identity_card(std::string_view text, std::string_view country,
                                    const IdentityCardOptions& options = {});
// Of any country in the table.
[[nodiscard]] bool is_identity_card(std::string_view text, const IdentityCardOptions& options = {});
[[nodiscard]] bool knows_identity_cards_of(std::string_view country);

}  // namespace moat::validate
