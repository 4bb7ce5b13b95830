// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "moat/validate/identifiers.h"

namespace moat::validate {

// Registration marks of vehicles. A yes says that such a mark may be issued there; whether a
// district or series exists is not looked at. One space or hyphen, or none, may stand where the
// plate has a gap. Linear in the text; nothing is allocated.

// `locale` is one of cs-CZ, de-DE, de-LI, en-IN, en-PK, en-SG, es-AR, fi-FI, hu-HU, pt-BR, pt-PT,
// sq-AL, sv-SE; false for another. Upper-case letters, unless Case::ignore (of ASCII).
[[nodiscard]] bool is_license_plate(std::string_view text, std::string_view locale,
                                    Case letters = Case::exact);
// Of any locale in the table.
[[nodiscard]] bool is_license_plate(std::string_view text, Case letters = Case::exact);
[[nodiscard]] bool knows_license_plates_of(std::string_view locale);

}  // namespace moat::validate
