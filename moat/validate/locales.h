// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::validate {

struct LocaleOptions {
  // "es_ES" and "en_US_POSIX" beside "es-ES", as POSIX systems name locales.
  bool allow_underscores = false;
};
// A well-formed language tag of BCP 47 (RFC 5646 section 2.1), of any case: "de", "sr-Latn-RS",
// "en-US-u-hc-h12", "x-ours", or one of the grandfathered tags. Whether its parts are registered is
// not looked at. No variant and no extension twice. Linear in the text, at most 100 bytes.
[[nodiscard]] bool is_locale(std::string_view text, const LocaleOptions& options = {});

}  // namespace moat::validate
