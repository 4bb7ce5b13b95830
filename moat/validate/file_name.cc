// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/file_name.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/unicode.h"

namespace moat::validate {
namespace {

using Refused = std::optional<FileNameRefusal>;

// Persian words and emoji are made with these.
bool joins_letters(char32_t c) { return c == 0x200c || c == 0x200d || c == 0xfe0f; }

// Slashes and backslashes of other kinds. Unicode's compatibility forms (NFKC) and the best-fit
// tables of Windows make the plain ones of them: of the sign "a/c", and in Japan and Korea of those
// of Yen and Won.
constexpr char32_t folded_separators[] = {0x00a5, 0x20a9, 0x2044, 0x2100, 0x2101,
                                          0x2105, 0x2106, 0x2215, 0x2216, 0x29f5,
                                          0x29f8, 0x29f9, 0xfe68, 0xff0f, 0xff3c};
// The same of dots, one and two; of three, which make nothing hidden; and of hyphens.
constexpr char32_t folded_dots[] = {'.', 0x2024, 0x2025, 0xfe30, 0xfe52, 0xff0e};
constexpr char32_t folded_ellipses[] = {0x2026, 0xfe19};
constexpr char32_t folded_hyphens[] = {'-', 0xfe63, 0xff0d};

template <std::size_t n>
bool is_one_of(char32_t c, const char32_t (&list)[n]) {
  return std::find(std::begin(list), std::end(list), c) != std::end(list);
}

// HFS+ passes over these two when it compares names, so that one which joins nothing makes a second
// name of it: of .htaccess, or con.txt. In Persian a letter comes behind it.
bool is_lone_joiner(char32_t c, std::string_view before, std::string_view behind) {
  return (c == 0x200c || c == 0x200d) &&
         (before.empty() || behind.empty() || (behind[0] & 0x80) == 0);
}

Refused judge_characters(std::string_view text) {
  for (auto rest = text; !rest.empty();) {
    const auto before = text.substr(0, text.size() - rest.size());
    const char32_t c = internal::next_code_point(rest);
    if ((internal::is_invisible(c) && !joins_letters(c)) || is_lone_joiner(c, before, rest))
      return FileNameRefusal::unseen;
    if (c == '/' || c == '\\' || is_one_of(c, folded_separators)) return FileNameRefusal::separator;
    if (c < 0x80 && internal::contains("<>:\"|?*", static_cast<char>(c)))
      return FileNameRefusal::reserved;
  }
  return std::nullopt;
}

// With letters, digits and marks of full width as those of ASCII.
std::string narrowed(std::string_view text) {
  std::string out;
  for (auto rest = text; !rest.empty();) {
    const auto here = rest;
    const char32_t c = internal::next_code_point(rest);
    if (c > 0xff00 && c < 0xff5f) {
      out += static_cast<char>(c - 0xfee0);
    } else {
      out += here.substr(0, here.size() - rest.size());
    }
  }
  return out;
}

// A program that decodes what was decoded already must not find a separator, a dot, a control or
// another percent sign then.
bool is_encoded(std::string_view text) {
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    auto rest = text.substr(at);
    const char byte = internal::take_percent(rest);
    if (text.size() - at - rest.size() != 3) continue;
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f ||
        internal::contains("/\\.%", byte))
      return true;
  }
  return false;
}

// Names of devices, of any case and before any extension ("Naming Files, Paths, and Namespaces",
// Microsoft). The superscript digits count, too.
bool is_device(std::string_view text) {
  std::string stem = ascii_lower(text.substr(0, text.find('.')));
  while (!stem.empty() && stem.back() == ' ') stem.pop_back();
  for (const std::string_view name : {"con", "prn", "aux", "nul", "conin$", "conout$"})
    if (stem == name) return true;
  if (!internal::starts_with_ignoring_case(stem, "com") &&
      !internal::starts_with_ignoring_case(stem, "lpt"))
    return false;
  const std::string_view number = std::string_view(stem).substr(3);
  return (number.size() == 1 && internal::is_digit(number[0])) || number == "\u00b9" ||
         number == "\u00b2" || number == "\u00b3";
}

// The second name that FAT and NTFS give to what has a long one: GIT~1 is .git.
bool is_short_name(std::string_view text) {
  const auto dot = text.find('.');
  const auto stem = text.substr(0, dot);
  const auto tilde = stem.rfind('~');
  if (stem.size() > 8 || tilde == 0 || tilde == std::string_view::npos) return false;
  const bool short_end = dot == std::string_view::npos || text.size() - dot <= 4;
  return short_end && tilde + 1 < stem.size() &&
         internal::all(stem.substr(tilde + 1), internal::is_digit);
}

bool is_space(char32_t c) { return c == ' ' || internal::is_wide_space(c); }

Refused judge_ends(std::string_view text, bool allow_hidden) {
  auto rest = text;
  const char32_t first = internal::next_code_point(rest);
  auto at = text.size() - 1;
  while (at > 0 && (text[at] & 0xc0) == 0x80) --at;
  auto end = text.substr(at);
  const char32_t last = internal::next_code_point(end);
  if (is_one_of(last, folded_dots) || is_one_of(last, folded_ellipses))
    return FileNameRefusal::dots;
  if (is_space(first) || is_space(last)) return FileNameRefusal::outer_space;
  if (is_one_of(first, folded_dots) && !allow_hidden) return FileNameRefusal::hidden;
  if (is_one_of(first, folded_hyphens)) return FileNameRefusal::option;
  return std::nullopt;
}

Refused judge(std::string_view text, const FileNameOptions& options) {
  if (text.empty()) return FileNameRefusal::empty;
  if (text.size() > options.max_bytes) return FileNameRefusal::too_long;
  if (!is_valid_utf8(text)) return FileNameRefusal::not_utf8;
  if (const auto refused = judge_characters(text)) return refused;
  const std::string narrow = narrowed(text);
  if (is_encoded(narrow)) return FileNameRefusal::encoded;
  if (const auto refused = judge_ends(text, options.allow_hidden)) return refused;
  if (is_device(narrow)) return FileNameRefusal::device;
  if (is_short_name(narrow)) return FileNameRefusal::reserved;
  return std::nullopt;
}

}  // namespace

std::string_view to_string(FileNameRefusal refusal) {
  switch (refusal) {
    case FileNameRefusal::empty:
      return "empty";
    case FileNameRefusal::too_long:
      return "too_long";
    case FileNameRefusal::not_utf8:
      return "not_utf8";
    case FileNameRefusal::unseen:
      return "unseen";
    case FileNameRefusal::separator:
      return "separator";
    case FileNameRefusal::reserved:
      return "reserved";
    case FileNameRefusal::encoded:
      return "encoded";
    case FileNameRefusal::dots:
      return "dots";
    case FileNameRefusal::outer_space:
      return "outer_space";
    case FileNameRefusal::hidden:
      return "hidden";
    case FileNameRefusal::option:
      return "option";
    case FileNameRefusal::device:
      return "device";
  }
  return "unknown";
}

Result<FileName, FileNameRefusal> FileName::parse(std::string_view text,
                                                  const FileNameOptions& options) {
  if (const auto refused = judge(text, options)) return Error{*refused};
  return FileName(std::string(text));
}

std::string FileName::extension() const {
  const auto dot = text_.rfind('.');
  if (dot == std::string::npos || dot == 0) return {};
  return ascii_lower(std::string_view(text_).substr(dot + 1));
}

std::string content_disposition(const FileName& name, Disposition disposition) {
  std::string out = disposition == Disposition::attachment ? "attachment" : "inline";
  // RFC 6266 appendix D: some decode a percent sign in a plain name.
  const std::string& text = name.text();
  const bool plain =
      std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0 || c == '%'; });
  if (plain) return out + "; filename=\"" + text + '"';
  return out + "; filename*=UTF-8''" + percent_encode(text);
}

Result<FilePath, FileNameRefusal> FilePath::parse(std::string_view text,
                                                  const FilePathOptions& options) {
  FilePath path;
  for (bool more = true; more;) {
    if (path.names_.size() == options.max_names) return Error{FileNameRefusal::too_long};
    const auto part = internal::take_until(text, '/', more);
    auto name = FileName::parse(part, options.names);
    if (!name) return Error{name.error()};
    path.names_.push_back(*std::move(name));
  }
  return path;
}

std::string FilePath::text() const {
  std::string out;
  for (const FileName& name : names_) {
    if (!out.empty()) out += '/';
    out += name.text();
  }
  return out;
}

Result<int, std::error_code> open_below(int directory, const FilePath& path) {
  int at = directory;
  int error = 0;
  // Goes into `name`. O_NONBLOCK: a pipe with nobody at its other end would be waited for.
  const auto step = [&](const FileName& name, int flags) {
    const int next = ::openat(at, name.text().c_str(),
                              O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
    error = next < 0 ? errno : 0;
    if (at != directory) ::close(at);
    at = next;
  };
  for (std::size_t i = 0; i + 1 < path.names().size() && error == 0; ++i)
    step(path.names()[i], O_DIRECTORY);
  if (error == 0) step(path.names().back(), 0);
  struct stat status {};
  if (error == 0 && (::fstat(at, &status) != 0 || !S_ISREG(status.st_mode))) {
    ::close(at);
    error = EACCES;
  }
  if (error != 0) return Error{std::error_code(error, std::generic_category())};
  return at;
}

}  // namespace moat::validate
