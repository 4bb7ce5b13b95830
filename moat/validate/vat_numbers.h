// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::validate {

// Numbers for value added tax, goods and services tax, and what stands for them elsewhere. A yes
// says that the number is written as that country writes them; of Australia, Portugal and
// Switzerland the check digit is looked at, too. Whether somebody has the number, VIES or the
// country's own service knows. Linear in the text; nothing is allocated.

struct VatOptions {
  // The country's letters in front ("DE123456789") may be left out.
  bool allow_missing_prefix = false;
  // What is written with spaces, dots or hyphens may be written without them, as registers and VIES
  // store it ("GB340814717", "BR19824579000135"). Of BR, CL, GB, GT, NI, PY and SV; other
  // countries' numbers have none, or may always be without them.
  bool allow_missing_separators = false;
};
// `country` is ISO 3166-1 alpha-2, but EL for Greece (as in VIES), upper-case; false for one that
// is not in the table.
[[nodiscard]] bool is_vat(std::string_view text, std::string_view country,
                          const VatOptions& options = {});
[[nodiscard]] bool knows_vat_of(std::string_view country);

}  // namespace moat::validate
