// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/result.h"
#include "moat/validate/keys.h"
#include "moat/validate/values.h"

namespace moat::validate {

// Bounds of a multipart/form-data body, inclusive.
struct MultipartLimits {
  std::size_t parts = 100;
  std::size_t header_bytes = 1024;  // all header fields of one part, the empty line behind them too
  std::size_t name_bytes = 256;
  std::size_t file_name_bytes = 255;
  std::size_t value_bytes = 65536;  // of a part that is no file
  std::size_t file_bytes = 8388608;
  std::size_t total_bytes = 16777216;
};

struct MultipartOptions {
  MultipartLimits limits;
  json::Limits json;  // of a part that is declared to be application/json
  KeyRules keys;
  NamePredicate repeat;  // as in ValuesOptions, for files too
};

// A file that was sent. Everything in it is a stranger's word: the name is never a path (it has no
// slash, backslash or control character, none that is percent-encoded, and is not "." or ".."), and
// the media type says nothing about the bytes.
struct FilePart {
  std::string name;        // of the form's field
  std::string file_name;   // empty where none was given
  std::string media_type;  // "image/png", in lower case, without parameters
  std::string_view bytes;  // within the body
};

struct Multipart {
  json::Value values;  // an object of strings, and of what application/json parts hold
  std::vector<std::string> json_names;  // of the latter
  std::vector<FilePart> files;
  std::vector<std::string> left_out;  // names of fields for a file that nobody chose
};

// multipart_values reads a whole body (RFC 7578) by the Content-Type field that came with it.
// Strict: lines end with CRLF; there is nothing in front of the first boundary and behind the last;
// the boundary stands nowhere else; folded header fields, backslashes, a `filename*` that is not
// the file name before it once more, encodings of parts, forms within the form and charsets other
// than UTF-8 are refused, and so are names in which others would find a parameter or a field of a
// header. A file field that was left empty (an empty file name and no bytes) is left out. Linear in
// the body; only names and values are copied.
[[nodiscard]] Result<Multipart, ValuesError> multipart_values(std::string_view body,
                                                              std::string_view content_type,
                                                              const MultipartOptions& options = {});

}  // namespace moat::validate
