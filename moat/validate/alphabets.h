// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::validate {

// Letters of one language's alphabet. A word in one alphabet cannot hide look-alike letters of
// another, but within one some letters still look alike. Texts are taken as they are: letters with
// marks are expected precomposed (NFC). Linear in the text (times the alphabet and `ignore`);
// nothing is allocated.

// `locale` is a language, with a region or without, which does not matter ("pt", "pt-BR"), or
// "sr@latin" or "sr-RS@latin"; false for a language that is not in the table. `ignore` holds
// further characters that are right. False for the empty text and for nothing but what is ignored.
[[nodiscard]] bool is_alpha_in(std::string_view text, std::string_view locale,
                               std::string_view ignore = {});
// With the digits 0 to 9 and those of the language's own writing; in Bengali only those.
[[nodiscard]] bool is_alphanumeric_in(std::string_view text, std::string_view locale,
                                      std::string_view ignore = {});
[[nodiscard]] bool knows_alphabet_of(std::string_view locale);

}  // namespace moat::validate
