// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

namespace moat::validate {

// Forms of bytes and characters. All are linear in the text, allocate nothing, and are false for
// the empty text unless they say otherwise.

enum class Base64Alphabet { standard, url_safe };  // RFC 4648 sections 4 and 5
enum class Base64Padding { required, absent };
struct Base64Options {
  Base64Alphabet alphabet = Base64Alphabet::standard;
  Base64Padding padding = Base64Padding::required;
  bool allow_empty = false;
  // Bits that encode nothing need not be zero ("QR==" beside "QQ=="): then one value has several
  // spellings, which a list of used tokens does not see.
  bool allow_non_canonical = false;
};
[[nodiscard]] bool is_base64(std::string_view text, const Base64Options& options = {});

struct Base32Options {
  bool allow_non_canonical = false;  // as in Base64Options
};
// RFC 4648 section 6, upper-case, padded to eights.
[[nodiscard]] bool is_base32(std::string_view text, const Base32Options& options = {});
// Douglas Crockford's Base 32: digits and upper-case letters but I, L, O and U; no check symbol, no
// hyphens.
[[nodiscard]] bool is_base32_crockford(std::string_view text);
// Bitcoin's alphabet: digits and letters but 0, O, I and l.
[[nodiscard]] bool is_base58(std::string_view text);

struct HexadecimalOptions {
  bool allow_prefix = false;  // 0x or 0h
};
[[nodiscard]] bool is_hexadecimal(std::string_view text, const HexadecimalOptions& options = {});

struct HexColorOptions {
  bool allow_missing_hash = false;
};
// CSS Color 4 section 5.2: '#' and 3, 4, 6 or 8 hexadecimal digits.
[[nodiscard]] bool is_hex_color(std::string_view text, const HexColorOptions& options = {});

// 32 lower-case hexadecimal digits.
[[nodiscard]] bool is_md5(std::string_view text);
enum class HashName {
  crc32,
  crc32b,
  md4,
  md5,
  ripemd128,
  ripemd160,
  sha1,
  sha256,
  sha384,
  sha512,
  tiger128,
  tiger160,
  tiger192
};
// As many hexadecimal digits, of either case, as that hash has.
[[nodiscard]] bool is_hash(std::string_view text, HashName name);

// Three parts of canonical base64url, none empty. Says nothing about whether a token is good:
// that is moat::jwt's.
[[nodiscard]] bool is_jwt(std::string_view text);

// A media type of a registered top-level type, with parameters (RFC 9110 section 8.3.1). A charset
// only where it means something: text, application and multipart.
[[nodiscard]] bool is_mime_type(std::string_view text);
// RFC 2397: "data:", a media type or none, ";base64" or not, a comma, and URL characters.
[[nodiscard]] bool is_data_uri(std::string_view text);
// A magnet link with an exact topic (xt or xt.1) of a known hash. Visible ASCII only.
[[nodiscard]] bool is_magnet_uri(std::string_view text);

[[nodiscard]] bool is_ascii(std::string_view text);
// The next five are about valid UTF-8 and false for anything else.
// Some character beyond ASCII.
[[nodiscard]] bool is_multibyte(std::string_view text);
// Some character that is wide, or narrow, in East Asian typesetting (UAX #11); or both kinds.
[[nodiscard]] bool is_full_width(std::string_view text);
[[nodiscard]] bool is_half_width(std::string_view text);
[[nodiscard]] bool is_variable_width(std::string_view text);
// Some character beyond U+FFFF: two units in UTF-16.
[[nodiscard]] bool is_surrogate_pair(std::string_view text);

// Bytes, bounds inclusive; true for the empty text when min is 0.
[[nodiscard]] bool is_byte_length(std::string_view text, std::size_t min, std::size_t max);

struct LengthOptions {
  std::size_t min = 0;
  std::size_t max = std::numeric_limits<std::size_t>::max();
  // When not empty, the only lengths that are right within the bounds.
  std::span<const std::size_t> discrete = {};
  // Counts U+FE0E or U+FE0F together with the character before it.
  bool ignore_variation_selectors = false;
};
// Code points of valid UTF-8, bounds inclusive; true for the empty text when min is 0.
[[nodiscard]] bool is_length(std::string_view text, const LengthOptions& options);

}  // namespace moat::validate
