// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/file_types.h"

#include <algorithm>
#include <array>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/file_type_table.h"

namespace moat::validate {
namespace {

using internal::FileExtra;
using internal::FileShape;
using internal::FileType;
using internal::Mark;
using internal::Signature;

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
// MIME Sniffing section 3, "whitespace byte".
constexpr std::string_view white_space = "\t\n\f\r ";

template <class Predicate>
bool any_word(std::string_view words, Predicate predicate) {
  bool more = !words.empty();
  while (more) {
    if (predicate(internal::take_until(words, ' ', more))) return true;
  }
  return false;
}
bool has_word(std::string_view words, std::string_view word) {
  return any_word(words, [word](std::string_view one) { return ascii_iequals(one, word); });
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() > end.size() && ascii_iequals(text.substr(text.size() - end.size()), end);
}

// The row of a media type, or null.
const FileType* find_type(std::string_view media_type) {
  media_type = trim(media_type.substr(0, media_type.find(';')));
  if (media_type.empty()) return nullptr;
  for (const FileType& type : internal::file_types())
    if (has_word(type.types, media_type)) return &type;
  if (ends_with_ignoring_case(media_type, "+json")) return &internal::other_json();
  if (ends_with_ignoring_case(media_type, "+xml")) return &internal::other_xml();
  const bool is_text = internal::starts_with_ignoring_case(media_type, "text/");
  return is_text && media_type.substr(5) != "*" ? &internal::other_text() : nullptr;
}

bool is_text_shape(FileShape shape) {
  return shape == FileShape::text || shape == FileShape::xml || shape == FileShape::svg;
}

// ------------------------------------------------------------------------------------ the content

bool has_mark(const Mark& mark, std::string_view content) {
  return mark.offset <= content.size() &&
         content.substr(mark.offset, mark.bytes.size()) == mark.bytes;
}
bool has_signature(const FileType& type, std::string_view content) {
  return std::any_of(type.signatures.begin(), type.signatures.end(), [&](const Signature& one) {
    return has_mark(one.first, content) && has_mark(one.second, content);
  });
}

std::size_t byte_at(std::string_view content, std::size_t at) {
  return static_cast<unsigned char>(content[at]);
}

// ISO 14496-12 section 4.3: size, "ftyp", the major brand, its version, and the compatible brands.
// Those of one type that is not among them ("qt", a picture's) do not make it another.
bool has_brand(std::string_view head, std::string_view brands) {
  if (head.size() < 12 || head.substr(4, 4) != "ftyp") return false;
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size = size * 256 + byte_at(head, i);
  const std::size_t end = std::min(size, head.size());
  for (std::size_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) {
    // Brands of three letters or two have blanks behind them.
    std::string_view brand = head.substr(at, 4);
    while (!brand.empty() && brand.back() == ' ') brand.remove_suffix(1);
    if (any_word(brands, [brand](std::string_view one) { return one == brand; })) return true;
  }
  return false;
}

// RFC 8794 section 11.2: the element EBML is the first, and DocType one of its children.
bool has_doc_type(std::string_view head, std::string_view types) {
  if (head.substr(0, 4) != "\x1a\x45\xdf\xa3") return false;
  const std::size_t at = head.find("\x42\x82", 5);
  if (at == std::string_view::npos || at + 3 > head.size()) return false;
  const std::size_t first = byte_at(head, at + 2);
  if ((first & 0x80) == 0) return false;  // no name has 127 letters
  std::string_view type = head.substr(at + 3, first & 0x7f);
  if (type.size() < (first & 0x7f)) return false;
  while (!type.empty() && type.back() == '\0') type.remove_suffix(1);  // RFC 8794 section 7.4
  return any_word(types, [type](std::string_view one) { return one == type; });
}

// APPNOTE.TXT 4.3.7: the method at 8, the name's length at 26, that of the extra field at 28. What
// is stored goes up to the next record.
bool is_zip_of_kind(std::string_view head, std::string_view kinds) {
  constexpr std::string_view name = "mimetype";
  if (head.size() < 38 || head.substr(0, 4) != "PK\3\4" || byte_at(head, 8) != 0 ||
      byte_at(head, 9) != 0 || byte_at(head, 26) != name.size() || byte_at(head, 27) != 0 ||
      head.substr(30, name.size()) != name)
    return false;
  // OpenDocument and EPUB say that there is no extra field; some writers have one.
  const std::size_t begin = 38 + byte_at(head, 28) + 256 * byte_at(head, 29);
  if (begin > head.size()) return false;
  const std::string_view rest = head.substr(begin);
  return any_word(kinds, [rest](std::string_view one) {
    return rest.substr(0, one.size()) == one && rest.substr(one.size(), 2) == "PK";
  });
}

std::string_view without_beginning(std::string_view text) {
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark)
    text.remove_prefix(byte_order_mark.size());
  return text.substr(std::min(text.find_first_not_of(white_space), text.size()));
}

// Takes comments, instructions and a document type off the front (XML 1.0 section 2.8).
std::string_view without_prolog(std::string_view text) {
  for (;;) {
    text = text.substr(std::min(text.find_first_not_of(white_space), text.size()));
    std::string_view end;
    if (text.substr(0, 4) == "<!--") {
      end = "-->";
    } else if (text.substr(0, 2) == "<?") {
      end = "?>";
    } else if (text.substr(0, 9) == "<!DOCTYPE") {
      text.remove_prefix(std::min(text.find_first_of("[>"), text.size()));
      end = text.substr(0, 1) == "[" ? "]" : ">";
    } else if (text.substr(0, 1) == ">") {  // behind the brackets
      end = ">";
    } else {
      return text;
    }
    const std::size_t at = text.find(end, end == "-->" ? 4 : 0);
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at + end.size());
  }
}

// A prolog may be longer than what is there of the beginning.
bool is_svg(std::string_view text, Extent extent) {
  text = without_prolog(text);
  if (text.empty()) return extent == Extent::beginning;
  if (text[0] != '<') return false;
  std::string_view name = text.substr(1, text.find_first_of(" \t\r\n/>", 1) - 1);
  const std::size_t colon = name.find(':');
  if (colon != std::string_view::npos) name.remove_prefix(colon + 1);
  return name == "svg";
}

// Whether some end makes a character of it.
bool is_begun_character(std::string_view bytes, std::size_t size) {
  for (const char rest : {'\x80', '\xbf'}) {
    std::array<char, 4> character;
    character.fill(rest);
    std::copy(bytes.begin(), bytes.end(), character.begin());
    if (is_valid_utf8({character.data(), size})) return true;
  }
  return false;
}

// Without the bytes of a character at the end that has not come as a whole.
std::string_view without_cut(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const std::size_t byte = byte_at(text, text.size() - back);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (size > back && is_begun_character(text.substr(text.size() - back), size))
      text.remove_suffix(back);
    break;
  }
  return text;
}

bool is_text(const FileType& type, std::string_view content, Extent extent) {
  const std::string_view text = extent == Extent::beginning ? without_cut(content) : content;
  if (text.find('\0') != std::string_view::npos || !is_valid_utf8(text)) return false;
  if (type.shape != FileShape::xml && type.shape != FileShape::svg) return true;
  const std::string_view begin = without_beginning(text);
  return begin.substr(0, 1) == "<" && (type.shape != FileShape::svg || is_svg(begin, extent));
}

// What XML and HTML share is no sign of HTML: a comment.
bool begins_as_a_page(const FileType& type, std::string_view content) {
  if (type.extra == FileExtra::may_be_html) return false;
  const bool xml = type.shape == FileShape::xml || type.shape == FileShape::svg;
  if (!xml) return is_html_like(content);
  std::string_view text = without_beginning(content);
  while (text.substr(0, 4) == "<!--") {
    const std::size_t end = text.find("-->", 4);
    if (end == std::string_view::npos) return false;
    text = without_beginning(text.substr(end + 3));
  }
  return is_html_like(text);
}

bool has_shape(const FileType& type, std::string_view content, Extent extent) {
  const std::string_view head = content.substr(0, file_head_bytes);
  switch (type.shape) {
    case FileShape::marks:
      return has_signature(type, head) || (type.extra == FileExtra::or_text && !content.empty() &&
                                           is_text(type, content, extent));
    case FileShape::iso_media:
      return has_brand(head, type.kinds) || has_signature(type, head);
    case FileShape::ebml:
      return has_doc_type(head, type.kinds);
    case FileShape::zip_kind:
      return is_zip_of_kind(head, type.kinds);
    case FileShape::text:
    case FileShape::xml:
    case FileShape::svg:
      return is_text(type, content, extent);
    case FileShape::name_only:
      break;
  }
  return false;
}

// --------------------------------------------------------------------------------------- the name

std::string_view without_end(std::string_view name) {
  while (!name.empty() && (name.back() == '.' || name.back() == ' ' || name.back() == '\t'))
    name.remove_suffix(1);
  return name;
}

// Empty: there is none.
std::string_view extension_of(std::string_view name) {
  name = without_end(name);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view out = name.substr(dot + 1);
  const bool has_letter = std::any_of(
      out.begin(), out.end(), [](char c) { return internal::is_letter(c) || (c & 0x80) != 0; });
  return has_letter && out.find_first_of(" \t") == std::string_view::npos ? out
                                                                          : std::string_view();
}

// Whether any type has it.
bool is_known(std::string_view extension) {
  const auto types = internal::file_types();
  return std::any_of(types.begin(), types.end(), [extension](const FileType& type) {
    return has_word(type.extensions, extension);
  });
}

bool may_be_called(const FileType& type, std::string_view extension) {
  // Sources and the like have extensions of their own, and are texts all the same.
  const bool open = type.shape == FileShape::text || type.shape == FileShape::xml;
  return has_word(type.extensions, extension) || (open && !is_known(extension));
}

bool is_run_by_servers(std::string_view extension) {
  const auto types = internal::file_types();
  return std::any_of(types.begin(), types.end(), [extension](const FileType& type) {
    return type.extra == FileExtra::run_by_servers && has_word(type.extensions, extension);
  });
}

// Apache's mod_mime takes the handler of any extension, wherever it stands (AddHandler).
bool is_program_of_servers(std::string_view name) {
  bool more = true;
  internal::take_until(name, '.', more);
  while (more) {
    if (is_run_by_servers(trim(internal::take_until(name, '.', more)))) return true;
  }
  return false;
}

// What a folder's server is told by: IIS runs what web.config says, PHP what .user.ini does, behind
// each page of it. Theirs are extensions of harmless texts, too.
bool is_setting_of_servers(std::string_view name) {
  name.remove_prefix(name.find_last_of("/\\") + 1);  // none: 0
  return ascii_iequals(name, "web.config") || ascii_iequals(name, ".user.ini");
}

}  // namespace

Agreement content_agrees(std::string_view media_type, std::string_view content, Extent extent) {
  const FileType* type = find_type(media_type);
  if (type == nullptr) return Agreement::unknown;
  return has_shape(*type, content, extent) && !begins_as_a_page(*type, content) ? Agreement::yes
                                                                                : Agreement::no;
}

Agreement name_agrees(std::string_view media_type, std::string_view file_name) {
  const FileType* type = find_type(media_type);
  if (type == nullptr) return Agreement::unknown;
  // "a.php:b.png" is a stream of a.php to NTFS, "a.asp;b.png" a page to IIS 6.
  const std::string_view before = file_name.substr(0, file_name.find_first_of(":;"));
  const std::string_view inner = extension_of(before), extension = extension_of(file_name);
  if (is_program_of_servers(without_end(file_name)) || is_program_of_servers(without_end(before)))
    return Agreement::no;
  if (is_setting_of_servers(without_end(before))) return Agreement::no;
  if (before.size() < file_name.size() && !has_word(type->extensions, inner) && is_known(inner))
    return Agreement::no;
  if (extension.empty()) return Agreement::unknown;
  return may_be_called(*type, extension) ? Agreement::yes : Agreement::no;
}

bool is_known_file_type(std::string_view media_type) { return find_type(media_type) != nullptr; }

bool is_text_file_type(std::string_view media_type) {
  const FileType* type = find_type(media_type);
  return type != nullptr && is_text_shape(type->shape);
}

std::string_view file_type_name(std::string_view media_type) {
  const FileType* type = find_type(media_type);
  return type == nullptr ? std::string_view() : type->name;
}

bool is_html_like(std::string_view content) {
  // Beyond the standard: any white space and '/' end a name as '>' and a blank do, and a comment is
  // one without them.
  constexpr std::string_view tags[] = {
      "<!doctype html", "<html", "<head",  "<script", "<iframe", "<h1",   "<div", "<font",
      "<table",         "<a",    "<style", "<title",  "<b",      "<body", "<br",  "<p"};
  const std::string_view text = without_beginning(content);
  if (text.substr(0, 1) != "<") return false;
  if (text.substr(0, 4) == "<!--") return true;
  return std::any_of(std::begin(tags), std::end(tags), [text](std::string_view tag) {
    return internal::starts_with_ignoring_case(text, tag) && text.size() > tag.size() &&
           std::string_view("\t\n\f\r >/").find(text[tag.size()]) != std::string_view::npos;
  });
}

}  // namespace moat::validate
