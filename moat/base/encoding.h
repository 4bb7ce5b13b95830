// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace moat {

// Base64url without padding (RFC 4648 section 5; RFC 7515 section 2).
std::string base64url_encode(std::string_view bytes);
// Accepts the one canonical spelling only: no padding, no white space, unused trailing bits zero.
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);
// The same into `room`, whose front is returned; nullopt too where it does not fit.
[[nodiscard]] std::optional<std::string_view> base64url_decode(std::string_view text,
                                                               std::span<char> room);

// Base64 with padding (RFC 4648 section 4). The decoder accepts the canonical spelling only.
std::string base64_encode(std::string_view bytes);
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

// Base64 without padding, the standard alphabet (the PHC string format's B64).
std::string base64_unpadded_encode(std::string_view bytes);
[[nodiscard]] std::optional<std::string> base64_unpadded_decode(std::string_view text);

// Lower-case hexadecimal; the decoder takes either case.
std::string hex_encode(std::string_view bytes);
[[nodiscard]] std::optional<std::string> hex_decode(std::string_view text);

// Percent-decoding (RFC 3986 section 2.1): nullopt for a '%' not followed by two hex digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);
// Percent-encodes all but RFC 3986's unreserved characters.
std::string percent_encode(std::string_view text);

// is_valid_utf8 refuses overlong forms, surrogates and code points above U+10FFFF (RFC 3629 section
// 3).
[[nodiscard]] bool is_valid_utf8(std::string_view text);
// Counts code points of valid UTF-8; nullopt where the text is not valid.
[[nodiscard]] std::optional<std::size_t> count_code_points(std::string_view text);

// HTML text and quoted attribute values: & < > " ' and the backtick become references,
// controls U+FFFD.
void append_html_escaped(std::string_view text, std::string& out);

// ASCII case folding and comparison, independent of any locale.
std::string ascii_lower(std::string_view text);
[[nodiscard]] bool ascii_iequals(std::string_view a, std::string_view b);
// Removes spaces and tabs at both ends.
std::string_view trim(std::string_view text);

}  // namespace moat
