// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "moat/base/result.h"

namespace moat::validate {

enum class FileNameRefusal {
  empty,
  too_long,
  not_utf8,
  unseen,       // a control, what changes the direction of reading, what nobody sees
  separator,    // a slash or backslash, or what looks like one and is folded into one
  reserved,     // one of < > : " | ? * (Windows; "a.txt:b" is another stream of the file), or the
                // second name that Windows gives to a long one: GIT~1
  encoded,      // %2f and the like: a separator for whoever decodes once more
  dots,         // "." or "..", or a dot at the end, which Windows cuts off: shell.php.
  outer_space,  // the same with a space
  hidden,       // a dot at the front: .htaccess
  option,       // a hyphen at the front, which a program takes for an option: -rf
  device        // of Windows, whatever follows: con, NUL.txt
};
std::string_view to_string(FileNameRefusal refusal);

struct FileNameOptions {
  std::size_t max_bytes = 255;  // what most file systems hold
  bool allow_hidden = false;
};

// FileName is a stranger's name of a file that is one name on every system: no way to another
// directory, none that a system changes. It may still be that of a file there already, and says
// nothing about what is in the file: store what strangers send under a name of your own, and keep
// theirs for showing.
class FileName final {
 public:
  [[nodiscard]] static Result<FileName, FileNameRefusal> parse(std::string_view text,
                                                               const FileNameOptions& options = {});
  // As it was given.
  const std::string& text() const { return text_; }
  // Behind the last dot, in lower case of ASCII: "gz" of "a.tar.GZ"; empty without one.
  std::string extension() const;

  bool operator==(const FileName&) const = default;

 private:
  explicit FileName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

enum class Disposition { attachment, inline_content };

// The value of a Content-Disposition header field (RFC 6266): the name as it is where it is plain
// ASCII, as UTF-8 in `filename*` (RFC 8187) otherwise, and nothing else beside it: a second name
// would be another one. `inline_content` shows a stranger's file on your site: its type must be one
// that runs nothing.
[[nodiscard]] std::string content_disposition(const FileName& name,
                                              Disposition disposition = Disposition::attachment);

struct FilePathOptions {
  std::size_t max_names = 16;
  FileNameOptions names;
};

// FilePath is a stranger's path below a directory of yours: file names with a slash between, none
// of them "..", none empty, so that it neither begins nor ends with a slash.
class FilePath final {
 public:
  [[nodiscard]] static Result<FilePath, FileNameRefusal> parse(std::string_view text,
                                                               const FilePathOptions& options = {});
  const std::vector<FileName>& names() const { return names_; }
  std::string text() const;

  bool operator==(const FilePath&) const = default;

 private:
  FilePath() = default;
  std::vector<FileName> names_;
};

// Opens the regular file at `path` below an open directory for reading, without following a
// symbolic link anywhere on the way; the descriptor (O_CLOEXEC) is the caller's to close. Refused
// by the system's error otherwise, as ELOOP or ENOTDIR at a link; EACCES for what is no regular
// file. A hard link is a file like any other. Never waits, not for a pipe either. POSIX systems.
[[nodiscard]] Result<int, std::error_code> open_below(int directory, const FilePath& path);

}  // namespace moat::validate
