// SPDX-License-Identifier: Apache-2.0
// The rows of file_type_table.cc. Lists are words with one space between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace moat::validate::internal {

// Bytes at their place.
struct Mark {
  std::size_t offset = 0;
  std::string_view bytes;
};
// All of these; a second one may be empty.
struct Signature {
  Mark first, second;
};

// How the content is recognized.
enum class FileShape : std::uint8_t {
  marks,      // one of the signatures
  iso_media,  // ISO 14496-12: a box ftyp with one of the words of `kinds` as a brand
  ebml,       // RFC 8794: a header whose DocType is a word of `kinds`
  zip_kind,   // a zip whose first entry is `mimetype`, stored, and says one of `kinds`
  text,       // UTF-8 without NUL
  xml,        // and begins with '<'
  svg,        // and its element is svg
  name_only   // nothing is known of the content
};

// What is particular of a type.
enum class FileExtra : std::uint8_t {
  none,
  may_be_html,    // what begins as a page is of it, too
  or_text,        // browsers declare it for texts, too
  run_by_servers  // its extensions count in the middle of a name, too
};

struct FileType {
  std::string_view name;        // for people: "PNG image"
  std::string_view types;       // media types, in lower case
  std::string_view extensions;  // in lower case
  FileShape shape = FileShape::marks;
  std::span<const Signature> signatures = {};  // of `marks`; of others, what is taken beside it
  std::string_view kinds = {};
  FileExtra extra = FileExtra::none;
};

std::span<const FileType> file_types();
// What text/x-…, …+json and …+xml are read as, which the table does not have.
const FileType& other_text();
const FileType& other_json();
const FileType& other_xml();

}  // namespace moat::validate::internal
