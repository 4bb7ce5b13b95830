// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a tiny reader of each place that an encoder writes for, made from the other language's
// standard and not from the encoder. Each reads from behind what opens the place, and answers with
// the text that it means and what is left; nullopt for anything it does not know.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/encoding.h"

namespace moat::validate::testing {

struct Read {
  std::string text;
  std::string_view rest;
};
using MaybeRead = std::optional<Read>;

// Appends a code point as UTF-8.
inline void append_utf8(std::uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 63));
  } else {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 63));
    out += static_cast<char>(0x80 | (c & 63));
  }
}

inline std::optional<std::uint32_t> take_hex(std::string_view& text, std::size_t least,
                                             std::size_t most) {
  std::uint32_t value = 0;
  std::size_t count = 0;
  for (; count < most && count < text.size(); ++count) {
    const auto digit = std::string_view("0123456789abcdef").find(text[count]);
    if (digit == std::string_view::npos) break;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  if (count < least) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

// HTML or XML text up to '<', or an attribute's value up to its quote.
inline MaybeRead read_html(std::string_view in, char end) {
  Read out;
  while (!in.empty() && in[0] != end) {
    if (in[0] != '&') {
      out.text += in[0];
      in.remove_prefix(1);
      continue;
    }
    const auto semicolon = in.find(';');
    const auto name = in.substr(1, semicolon - 1);
    const std::string_view names[] = {"amp", "lt", "gt",  "quot", "#39",
                                      "#96", "#9", "#10", "#13",  "#8232"};
    const std::string_view texts[] = {"&", "<", ">", "\"", "'", "`", "\t", "\n", "\r", "\u2028"};
    const auto* at = std::find(std::begin(names), std::end(names), name);
    if (semicolon == std::string_view::npos) return std::nullopt;
    if (at != std::end(names)) {
      out.text += texts[at - std::begin(names)];
    } else if (name.size() == 4 && name >= "#128" && name <= "#159") {  // U+0080 to U+009F
      const int code = (name[1] - '0') * 100 + (name[2] - '0') * 10 + (name[3] - '0');
      out.text += {'\xc2', static_cast<char>(code)};
    } else {
      return std::nullopt;
    }
    in.remove_prefix(semicolon + 1);
  }
  out.rest = in;
  return out;
}

// ECMA-262 section 12.9.4, of the escapes only \u.
inline MaybeRead read_js(std::string_view in, char quote) {
  Read out;
  while (!in.empty() && in[0] != quote) {
    if (in[0] == '\n' || in[0] == '\r' || in.substr(0, 2) == "${" || in.substr(0, 2) == "</")
      return std::nullopt;
    if (in.substr(0, 3) == "\xe2\x80\xa8" || in.substr(0, 3) == "\xe2\x80\xa9") return std::nullopt;
    if (in[0] != '\\') {
      out.text += in[0];
      in.remove_prefix(1);
      continue;
    }
    if (in.substr(0, 2) != "\\u") return std::nullopt;
    in.remove_prefix(2);
    const auto c = take_hex(in, 4, 4);
    if (!c) return std::nullopt;
    append_utf8(*c, out.text);
  }
  out.rest = in;
  return out;
}

// CSS Syntax 3 sections 4.3.5 and 4.3.7.
inline MaybeRead read_css(std::string_view in, char quote) {
  Read out;
  while (!in.empty() && in[0] != quote) {
    if (in[0] == '\n' || in[0] == '\r' || in[0] == '\f' || in[0] == '<') return std::nullopt;
    if (in[0] != '\\') {
      out.text += in[0];
      in.remove_prefix(1);
      continue;
    }
    in.remove_prefix(1);
    const auto c = take_hex(in, 1, 6);
    if (!c || *c == 0) return std::nullopt;
    if (!in.empty() && std::string_view(" \t\n").find(in[0]) != std::string_view::npos)
      in.remove_prefix(1);
    append_utf8(*c, out.text);
  }
  out.rest = in;
  return out;
}

// A POSIX shell's line as its words; nullopt where anything but quoting is special.
inline std::optional<std::vector<std::string>> read_shell(std::string_view in) {
  std::vector<std::string> words;
  bool in_word = false;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] == ' ') {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (in[i] == '\'') {
      const auto end = in.find('\'', i + 1);
      if (end == std::string_view::npos) return std::nullopt;
      words.back() += in.substr(i + 1, end - i - 1);
      i = end;
    } else if (in[i] == '\\') {
      if (++i == in.size()) return std::nullopt;
      words.back() += in[i];
    } else if (std::string_view("|&;<>()$`\"\t\n*?[#~=%!{}").find(in[i]) !=
               std::string_view::npos) {
      return std::nullopt;
    } else {
      words.back() += in[i];
    }
  }
  return words;
}

// Up to a closing quote that is not doubled.
inline MaybeRead read_doubled(std::string_view in, char close) {
  Read out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] == close) {
      if (i + 1 == in.size() || in[i + 1] != close) {
        out.rest = in.substr(i);
        return out;
      }
      ++i;
    }
    out.text += in[i];
  }
  return std::nullopt;
}

// RFC 4515 section 3, up to ')'.
inline MaybeRead read_ldap_filter(std::string_view in) {
  Read out;
  while (!in.empty() && in[0] != ')') {
    if (in[0] == '*' || in[0] == '(' || in[0] == '\0') return std::nullopt;
    if (in[0] != '\\') {
      out.text += in[0];
      in.remove_prefix(1);
      continue;
    }
    in.remove_prefix(1);
    const auto c = take_hex(in, 2, 2);
    if (!c) return std::nullopt;
    out.text += static_cast<char>(*c);
  }
  out.rest = in;
  return out;
}

// RFC 4514 section 3, up to ',' or '+'. Spaces that are not escaped do not count at the ends.
inline MaybeRead read_ldap_dn(std::string_view in) {
  Read out;
  std::size_t kept = 0;
  if (in.substr(0, 1) == "#") return std::nullopt;
  while (!in.empty() && in[0] != ',' && in[0] != '+') {
    const char c = in[0];
    in.remove_prefix(1);
    if (std::string_view("\";<>=\0", 6).find(c) != std::string_view::npos) return std::nullopt;
    if (c == ' ' && out.text.empty()) continue;
    if (c != '\\') {
      out.text += c;
      if (c != ' ') kept = out.text.size();
      continue;
    }
    const auto pair = take_hex(in, 2, 2);
    if (pair) {
      out.text += static_cast<char>(*pair);
    } else {
      if (in.empty() || std::string_view("\"+,;<=>\\ #").find(in[0]) == std::string_view::npos)
        return std::nullopt;
      out.text += in[0];
      in.remove_prefix(1);
    }
    kept = out.text.size();
  }
  out.text.resize(kept);
  out.rest = in;
  return out;
}

// RFC 4180 section 2: one record's fields; nullopt for a second record.
inline std::optional<std::vector<std::string>> read_csv(std::string_view in) {
  std::vector<std::string> fields;
  while (true) {
    if (in.substr(0, 1) == "\"") {
      const auto field = read_doubled(in.substr(1), '"');
      if (!field) return std::nullopt;
      fields.push_back(field->text);
      in = field->rest.substr(1);
    } else {
      const auto end = in.find_first_of(",\r\n\"");
      fields.emplace_back(in.substr(0, end));
      in.remove_prefix(std::min(end, in.size()));
    }
    if (in == "\r\n") return fields;
    if (in.substr(0, 1) != ",") return std::nullopt;
    in.remove_prefix(1);
  }
}

// RFC 5322 section 2.2.3 and RFC 2047 section 2: a field's value, unfolded and decoded. nullopt
// where a line is too long or begins another field.
inline std::optional<std::string> read_mail(std::string_view field) {
  std::string out;
  bool more = true;
  bool words = field.find("=?") != std::string_view::npos;
  for (bool first = true; more; first = false) {
    const auto end = field.find("\r\n");
    more = end != std::string_view::npos;
    auto line = field.substr(0, end);
    field.remove_prefix(more ? end + 2 : field.size());
    if (line.size() > (words ? 76U : 998U) || line.find_first_of("\r\n") != std::string_view::npos)
      return std::nullopt;
    if (!first && line.substr(0, 1) != " ") return std::nullopt;
    if (!words) {
      out += line;
      continue;
    }
    if (!first) line.remove_prefix(1);
    if (line.substr(0, 10) != "=?UTF-8?B?" || line.size() < 12 ||
        line.substr(line.size() - 2) != "?=")
      return std::nullopt;
    const auto bytes = base64_decode(line.substr(10, line.size() - 12));
    if (!bytes || !is_valid_utf8(*bytes)) return std::nullopt;
    out += *bytes;
  }
  return out;
}

}  // namespace moat::validate::testing
