// SPDX-License-Identifier: Apache-2.0
// How settings come together: files, the weakest first, and the process environment above them.
#include <algorithm>
#include <utility>

#include "moat/env/dotenv.h"
#include "moat/env/expand.h"
#include "moat/env/internal/names.h"
#include "moat/env/settings.h"

namespace moat::env {

namespace {

Problem unreadable_line(const std::string& path, const DotenvError& error) {
  std::string message;
  switch (error.refusal) {
    case DotenvRefusal::nul_byte:
      message = "a NUL byte";
      break;
    case DotenvRefusal::invalid_utf8:
      message = "bytes that are no UTF-8";
      break;
    case DotenvRefusal::line_too_long:
      message = "the line is too long";
      break;
    case DotenvRefusal::file_too_large:
      message = "the file is too large";
      break;
    case DotenvRefusal::too_many:
      message = "too many settings";
      break;
  }
  return {Refusal::not_dotenv, {path, error.line}, {}, std::move(message)};
}

Problem doubtful_line(const std::string& path, const Note& note) {
  const Place place{path, note.line};
  switch (note.kind) {
    case NoteKind::ignored_line:
      return {Refusal::not_dotenv, place, {}, "expected KEY=value or a comment"};
    case NoteKind::cut_short:
      return {Refusal::cut_short, place, note.key,
              "the value would end at the '#'; put it in quotes, or a blank before the comment"};
    case NoteKind::unclosed_quote:
      return {Refusal::not_dotenv, place, note.key, "the quotation mark is not closed"};
    case NoteKind::text_after_quote:
      return {Refusal::not_dotenv, place, note.key, "text follows the closing quotation mark"};
  }
  return {Refusal::not_dotenv, place, {}, "expected KEY=value or a comment"};
}

}  // namespace

std::string_view to_string(ReadRefusal refusal) {
  switch (refusal) {
    case ReadRefusal::absent:
      return "absent";
    case ReadRefusal::unreadable:
      return "unreadable";
    case ReadRefusal::too_large:
      return "too large";
    case ReadRefusal::not_a_file:
      return "no regular file";
  }
  return "unreadable";
}

std::vector<std::string> layers(std::string_view path, std::string_view profile) {
  const std::string base(path);
  std::vector<std::string> out = {base, base + ".local"};
  if (profile.empty()) return out;
  const std::string named = base + "." + std::string(profile);
  out.push_back(named);
  out.push_back(named + ".local");
  return out;
}

Result<void, Problem> Settings::add(const std::string& path, const Environment& process) {
  auto file = reader_ ? reader_(path) : Result<File, ReadRefusal>(Error{ReadRefusal::absent});
  if (!file) {
    if (file.error() == ReadRefusal::absent) {
      absent_.push_back(path);
      return {};
    }
    return Error{Problem{
        Refusal::unreadable, {path, 0}, {}, "the file is " + std::string(to_string(file.error()))}};
  }
  auto parsed = parse_dotenv(file->text.reveal());
  if (!parsed) return Error{unreadable_line(path, parsed.error())};
  if (!parsed->notes.empty()) return Error{doubtful_line(path, parsed->notes.front())};
  for (const Entry& entry : parsed->entries) {
    if (internal::is_dangerous_name(entry.key))
      return Error{Problem{Refusal::dangerous_name,
                           {path, entry.line},
                           entry.key,
                           "the loader or an interpreter acts on this name; it is no setting"}};
  }
  if (options_.expand_references) {
    const auto expanded = expand(*parsed, process, path);
    if (!expanded) return Error{expanded.error()};
  }
  for (Entry& entry : parsed->entries) {
    auto& found = values_[entry.key];
    if (found.empty()) file_keys_.push_back(entry.key);
    found.insert(found.begin(),
                 Found{{path, entry.line}, std::move(entry.value), file->mode, file->own});
  }
  return {};
}

Result<Settings, Problem> load(const LoadOptions& options, Environment process, Reader reader) {
  Settings out;
  out.options_ = options;
  out.reader_ = std::move(reader);
  for (const std::string& path : options.files) {
    const auto added = out.add(path, process);
    if (!added) return Error{added.error()};
  }
  for (auto& [key, value] : process) {
    auto& found = out.values_[key];
    found.insert(found.begin(), Settings::Found{{}, std::move(value), 0, true});
  }
  return out;
}

}  // namespace moat::env
