// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/result.h"
#include "moat/base/secret.h"

namespace moat::env {

// Environment is a copy of the process's variables, taken by whoever may (see moat/sources).
using Environment = std::map<std::string, Secret, std::less<>>;

enum class Quote { none, single, twofold, backtick };  // ', " and `

// Entry is one assignment of a .env file. The value is what was written: nothing in it is expanded
// or run.
struct Entry {
  std::string key;
  Secret value;
  std::uint32_t line = 0;  // of the key, counted from 1
  Quote quote = Quote::none;
};

// Note is a line that the dialect reads in a way its writer may not expect.
enum class NoteKind {
  ignored_line,     // no assignment and no comment: it has no effect
  cut_short,        // '#' without a blank before it ends an unquoted value: pass#word is pass
  unclosed_quote,   // a quotation mark at the front that is never closed is part of the value
  text_after_quote  // something other than a comment follows the closing quotation mark
};
struct Note {
  NoteKind kind;
  std::uint32_t line;
  std::string key;  // empty for ignored_line
};

struct Dotenv {
  std::vector<Entry> entries;  // in the order of the file; a key may occur more than once
  std::vector<Note> notes;

  // The last entry of that key, which is the one that counts; null where there is none.
  const Entry* find(std::string_view key) const;
};

struct DotenvLimits {
  std::size_t file_bytes = 1048576;
  std::size_t line_bytes = 65536;  // of one line; a quoted value may have several
  std::size_t entries = 10000;
};

enum class DotenvRefusal { nul_byte, invalid_utf8, line_too_long, file_too_large, too_many };
std::string_view to_string(DotenvRefusal refusal);
struct DotenvError {
  DotenvRefusal refusal;
  std::uint32_t line;
};

// parse_dotenv reads the dialect of Node's dotenv: `KEY=value`, `KEY: value`, `export KEY=value`,
// comments from '#', values in ', " or ` over several lines, and \n and \r in " only. It reads
// data: no expansion, no commands. Time and memory are linear in the text.
[[nodiscard]] Result<Dotenv, DotenvError> parse_dotenv(std::string_view text,
                                                       const DotenvLimits& limits = {});

// print_assignment spells `key` and `value` as a line (with its line feed) that parse_dotenv reads
// back to the same; nullopt for a value that the dialect has no spelling for.
[[nodiscard]] std::optional<std::string> print_assignment(std::string_view key,
                                                          std::string_view value);

// Whether `key` may stand on the left of an assignment: letters, digits, '_', '.' and '-'.
[[nodiscard]] bool is_dotenv_key(std::string_view key);

}  // namespace moat::env
