// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace moat::validate {

// What a file is said to be, against its bytes and its name. Signatures are those of WHATWG MIME
// Sniffing (sections 6 and 7) and of the formats' own specifications; file_type_table.cc has them.
// Media types are taken in any case and with parameters, which count for nothing. Nothing
// allocates.

// `unknown`: the table does not have the type, such as application/octet-stream, which claims
// nothing; of a name: it has no extension.
enum class Agreement : std::uint8_t { yes, no, unknown };

// Whether there is all of a file, or its beginning: file_head_bytes or more.
enum class Extent : std::uint8_t { whole, beginning };

// As far as a signature is looked for: a browser's "resource header" (MIME Sniffing section 5.2).
inline constexpr std::size_t file_head_bytes = 1445;

// Whether the bytes begin as those of that type do. A type that is a text (text/*, JSON, XML, SVG
// and their kin): UTF-8 without NUL, linear in the content; XML begins with '<', SVG has the
// element svg. What begins like a page (is_html_like) is of no type but HTML and those that say
// nothing of what a text is about: text/plain, text/markdown and types of text that the table does
// not have. No bytes at all are a text, and nothing else. It says where a file begins to be what it
// claims, not that the rest of it is sound.
[[nodiscard]] Agreement content_agrees(std::string_view media_type, std::string_view content,
                                       Extent extent = Extent::whole);

// Whether a file's name ends with an extension that the type has. Any other one disagrees; of a
// text (but SVG) only one that another type of the table has, as there are texts of all kinds. The
// extension is what programs and systems may find: behind the last dot when dots and blanks at the
// end are gone, the same before a ':' or ';' (streams of NTFS, IIS), and none of those that a
// server runs (.php, .jsp, .aspx and others) in the middle, where Apache looks too. What has blanks
// or no letter in it (`Dr. Who`, `2026.11.28`) is no extension.
[[nodiscard]] Agreement name_agrees(std::string_view media_type, std::string_view file_name);

// Whether the table has the type; whether what it has is a text.
[[nodiscard]] bool is_known_file_type(std::string_view media_type);
[[nodiscard]] bool is_text_file_type(std::string_view media_type);
// For people, behind "is no": "PNG image". Empty where the table does not have the type.
[[nodiscard]] std::string_view file_type_name(std::string_view media_type);

// Whether a browser that goes by the content takes it for a page (MIME Sniffing section 7.1):
// behind a byte order mark and white space there is one of the tags that it looks for.
[[nodiscard]] bool is_html_like(std::string_view content);

}  // namespace moat::validate
