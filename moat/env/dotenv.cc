// SPDX-License-Identifier: Apache-2.0
#include "moat/env/dotenv.h"

#include <algorithm>
#include <utility>

#include "moat/base/encoding.h"

namespace moat::env {

namespace {

bool is_key_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

Quote quote_of(char c) {
  switch (c) {
    case '\'':
      return Quote::single;
    case '"':
      return Quote::twofold;
    case '`':
      return Quote::backtick;
    default:
      return Quote::none;
  }
}

// The length of the white space character at the front of `text`, a line feed excepted: what
// ECMAScript calls white space, since the dialect trims with it.
std::size_t blank_length(std::string_view text) {
  if (text.empty()) return 0;
  const char c = text[0];
  if (c == ' ' || c == '\t' || c == '\v' || c == '\f') return 1;
  if (text.substr(0, 2) == "\xc2\xa0") return 2;
  const std::string_view three = text.substr(0, 3);
  if (three == "\xef\xbb\xbf" || three == "\xe1\x9a\x80" || three == "\xe3\x80\x80" ||
      three == "\xe2\x80\xa8" || three == "\xe2\x80\xa9" || three == "\xe2\x80\xaf" ||
      three == "\xe2\x81\x9f") {
    return 3;
  }
  const bool space = three.size() == 3 && three.substr(0, 2) == "\xe2\x80" &&
                     static_cast<unsigned char>(three[2]) <= 0x8a;  // U+2000 to U+200A
  return space ? 3 : 0;
}

std::string_view skip_blanks(std::string_view text) {
  while (const std::size_t length = blank_length(text)) text.remove_prefix(length);
  return text;
}

// Without white space at either end.
std::string_view trim_blanks(std::string_view text) {
  text = skip_blanks(text);
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t blank = blank_length(text.substr(i));
    i += blank > 0 ? blank : 1;
    if (blank == 0) end = i;
  }
  return text.substr(0, end);
}

// Only in double quotes do \n and \r mean a line feed and a carriage return; no other escape means
// anything.
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == 'n' || next == 'r') {
      out.push_back(next == 'n' ? '\n' : '\r');
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

class Parser {
 public:
  explicit Parser(const DotenvLimits& limits) : limits_(limits) {}
  ~Parser() { wipe(text_); }
  Parser(const Parser&) = delete;  // holds the whole file, secrets and all
  Parser& operator=(const Parser&) = delete;

  Result<Dotenv, DotenvError> run(std::string_view text) {
    if (text.size() > limits_.file_bytes) return refuse(DotenvRefusal::file_too_large);
    normalise(text);
    if (const auto refusal = check_lines()) return Error{*refusal};
    while (at_ < text_.size()) {
      if (!take_line()) return refuse(DotenvRefusal::too_many);
    }
    return std::move(out_);
  }

 private:
  Error<DotenvError> refuse(DotenvRefusal refusal) const {
    return Error{DotenvError{refusal, line_}};
  }

  // CR LF and CR become LF.
  void normalise(std::string_view text) {
    text_.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\r') {
        text_.push_back(text[i]);
      } else if (i + 1 == text.size() || text[i + 1] != '\n') {
        text_.push_back('\n');
      }
    }
  }

  std::optional<DotenvError> check_lines() const {
    std::uint32_t number = 0;
    std::string_view rest = text_;
    while (!rest.empty()) {
      ++number;
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      if (line.size() > limits_.line_bytes)
        return DotenvError{DotenvRefusal::line_too_long, number};
      if (line.find('\0') != std::string_view::npos)
        return DotenvError{DotenvRefusal::nul_byte, number};
      if (!is_valid_utf8(line)) return DotenvError{DotenvRefusal::invalid_utf8, number};
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return std::nullopt;
  }

  std::string_view rest_of_line() const {
    const std::string_view rest = std::string_view(text_).substr(at_);
    return rest.substr(0, rest.find('\n'));
  }
  // Goes to the first byte of the line behind `end`.
  void advance_past(std::size_t end) {
    const auto first = text_.begin() + static_cast<std::ptrdiff_t>(at_);
    end = std::min(text_.find('\n', end), text_.size());
    line_ += static_cast<std::uint32_t>(
        std::count(first, text_.begin() + static_cast<std::ptrdiff_t>(end), '\n') + 1);
    at_ = end + 1;
  }
  void note(NoteKind kind, std::string_view key) {
    out_.notes.push_back({kind, line_, std::string(key)});
  }

  // One line, or several for a quoted value; false when there are too many entries.
  bool take_line() {
    const std::string_view whole = rest_of_line();
    const std::string_view line = skip_blanks(whole);
    const auto assignment = split(line);
    if (!assignment) {
      if (!line.empty() && line.front() != '#') {
        if (out_.notes.size() >= limits_.entries) return false;
        note(NoteKind::ignored_line, {});
      }
      advance_past(at_ + whole.size());
      return true;
    }
    if (out_.entries.size() >= limits_.entries) return false;
    const auto [key, value] = *assignment;
    Entry entry;
    entry.key = std::string(key);
    entry.line = line_;
    const auto start = static_cast<std::size_t>(value.data() - text_.data());
    std::size_t end = start + value.size();
    if (const auto closed = find_close(start)) {
      end = *closed;
      set_value(entry, quote_of(value.front()),
                std::string_view(text_).substr(start + 1, *closed - start - 1));
    } else {
      take_unquoted(entry, value);
    }
    out_.entries.push_back(std::move(entry));
    advance_past(end);
    return true;
  }

  // The key and what stands behind the separator and its blanks; nullopt for no assignment.
  static std::optional<std::pair<std::string_view, std::string_view>> split(std::string_view line) {
    std::string_view key = take_word(line);
    std::string_view rest = skip_blanks(line.substr(key.size()));
    if (key == "export" && rest.size() < line.size() - key.size() && !take_word(rest).empty()) {
      key = take_word(rest);
      line = rest;
      rest = skip_blanks(line.substr(key.size()));
    }
    if (key.empty() || rest.empty()) return std::nullopt;
    if (rest.front() == '=') return std::make_pair(key, skip_blanks(rest.substr(1)));
    // "KEY: value": the colon touches the key and a blank follows it.
    const std::string_view behind = line.substr(key.size());
    if (behind.front() == ':' && blank_length(behind.substr(1)) > 0)
      return std::make_pair(key, skip_blanks(behind.substr(1)));
    return std::nullopt;
  }

  static std::string_view take_word(std::string_view text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_key_byte);
    return text.substr(0, static_cast<std::size_t>(end - text.begin()));
  }

  // Where the quotation that opens at `start` closes: at the first mark without a backslash, if
  // nothing but a comment follows it on its line, or else at the last mark before that for which
  // this holds. nullopt where nothing opens or closes.
  std::optional<std::size_t> find_close(std::size_t start) const {
    if (start >= text_.size() || quote_of(text_[start]) == Quote::none) return std::nullopt;
    const char mark = text_[start];
    std::optional<std::size_t> escaped;
    for (std::size_t i = start + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\' && i + 1 < text_.size()) {
        ++i;
        if (text_[i] == mark && ends_value(i)) escaped = i;
      } else if (text_[i] == mark) {
        if (ends_value(i)) return i;
        break;
      }
    }
    return escaped;
  }

  bool ends_value(std::size_t mark) const {
    const std::string_view rest = skip_blanks(std::string_view(text_).substr(mark + 1));
    return rest.empty() || rest.front() == '\n' || rest.front() == '#';
  }

  void set_value(Entry& entry, Quote quote, std::string_view content) {
    entry.quote = quote;
    std::string value = quote == Quote::twofold ? unescape(content) : std::string(content);
    entry.value = Secret::take(value);
  }

  // Up to a '#' or the end of the line. Marks around the whole are dropped even when others stand
  // between them.
  void take_unquoted(Entry& entry, std::string_view line) {
    const std::size_t hash = line.find('#');
    const std::string_view value = trim_blanks(line.substr(0, hash));
    if (hash != std::string_view::npos && !blank_before(line.data() + hash))
      note(NoteKind::cut_short, entry.key);
    const Quote quote = value.empty() ? Quote::none : quote_of(value.front());
    if (quote == Quote::none) {
      set_value(entry, quote, value);
      return;
    }
    if (value.size() > 1 && value.back() == value.front()) {
      set_value(entry, quote, value.substr(1, value.size() - 2));
      return;
    }
    const bool closed = value.find(value.front(), 1) != std::string_view::npos;
    note(closed ? NoteKind::text_after_quote : NoteKind::unclosed_quote, entry.key);
    // The marks stay, and so does what they mean for \n.
    set_value(entry, quote, value);
    entry.quote = Quote::none;
  }

  // Whether white space stands in front of a byte of text_.
  bool blank_before(const char* byte) const {
    const auto at = static_cast<std::size_t>(byte - text_.data());
    for (const std::size_t length : {1U, 2U, 3U}) {
      if (at >= length &&
          blank_length(std::string_view(text_).substr(at - length, length)) == length)
        return true;
    }
    return false;
  }

  DotenvLimits limits_;
  std::string text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  Dotenv out_;
};

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

const Entry* Dotenv::find(std::string_view key) const {
  const auto found = std::find_if(entries.rbegin(), entries.rend(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.rend() ? nullptr : &*found;
}

std::string_view to_string(DotenvRefusal refusal) {
  switch (refusal) {
    case DotenvRefusal::nul_byte:
      return "nul_byte";
    case DotenvRefusal::invalid_utf8:
      return "invalid_utf8";
    case DotenvRefusal::line_too_long:
      return "line_too_long";
    case DotenvRefusal::file_too_large:
      return "file_too_large";
    case DotenvRefusal::too_many:
      return "too_many";
  }
  return "unknown";
}

Result<Dotenv, DotenvError> parse_dotenv(std::string_view text, const DotenvLimits& limits) {
  return Parser(limits).run(text);
}

std::optional<std::string> print_assignment(std::string_view key, std::string_view value) {
  if (!is_dotenv_key(key) || holds(value, std::string_view("\0", 1)) || !is_valid_utf8(value))
    return std::nullopt;
  // A backslash at the end would take the meaning of the closing mark.
  if (!value.empty() && value.back() == '\\') return std::nullopt;
  const bool has_return = holds(value, "\r");
  std::string out = std::string(key) + "=";
  for (const char mark : {'\'', '`'}) {
    if (has_return || holds(value, std::string_view(&mark, 1))) continue;
    return out.append(1, mark).append(value).append(1, mark).append("\n");
  }
  if (holds(value, "\"") || holds(value, "\\n") || holds(value, "\\r")) return std::nullopt;
  out.push_back('"');
  for (const char c : value) {
    if (c == '\r') {
      out += "\\r";
    } else {
      out.push_back(c);
    }
  }
  return out.append("\"\n");
}

bool is_dotenv_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), is_key_byte);
}

}  // namespace moat::env
