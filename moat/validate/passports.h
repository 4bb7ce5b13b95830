// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::validate {

// Numbers of passports. A yes says that the number is written as that country's passports have it,
// not that there is such a passport: the check digit stands in the machine readable zone only.
// Linear in the text; nothing is allocated.

struct PassportOptions {
  bool allow_lower_case = false;
  bool allow_spaces = false;  // single ones, between two characters
};
// `country` is ISO 3166-1 alpha-2, upper-case; false for one that is not in the table.
[[nodiscard]] bool is_passport_number(std::string_view text, std::string_view country,
                                      const PassportOptions& options = {});
[[nodiscard]] bool knows_passports_of(std::string_view country);

}  // namespace moat::validate
