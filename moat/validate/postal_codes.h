// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "moat/validate/identifiers.h"

namespace moat::validate {

// Postal codes of some seventy countries. A yes says that the code is written as that country
// writes them, with its zones where they are few, not that there is such a place. Linear in the
// text; nothing is allocated.

// `country` is ISO 3166-1 alpha-2, upper-case; false for one that is not in the table.
// Case::ignore takes lower-case letters, too.
[[nodiscard]] bool is_postal_code(std::string_view text, std::string_view country,
                                  Case letters = Case::exact);
// Of any country in the table.
[[nodiscard]] bool is_postal_code(std::string_view text, Case letters = Case::exact);
[[nodiscard]] bool knows_postal_codes_of(std::string_view country);

}  // namespace moat::validate
