// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace moat::password::internal {

// The length of `text` in characters that are not foreseeable: a run of three or more characters
// that go on in one way (1234, dcba, qwerty, 1qaz, aaaa) or a year counts as one. Bytes; ASCII case
// must have been folded by the caller.
std::size_t effective_length(std::string_view text);

// The part of an ASCII text that is repeated to make the whole: "abc" of "abcabcab". The text
// itself when nothing is repeated at least twice.
std::string_view repeated_unit(std::string_view text);

// How many different bytes there are in `text`.
std::size_t distinct_bytes(std::string_view text);

// `text` without digits and signs at both ends, as far as those are foreseeable: "password" of
// "password1234567!!". The text itself when its padding is worth more than four characters.
std::string_view without_padding(std::string_view text);

// `text` with usual replacements undone (p@ssw0rd) and separators left out.
std::string plain_spelling(std::string_view text);

}  // namespace moat::password::internal
