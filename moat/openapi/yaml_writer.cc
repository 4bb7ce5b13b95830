// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/yaml_writer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "moat/base/encoding.h"

namespace moat::openapi {
namespace {

constexpr std::size_t step = 2;
// YAML 1.2 section 7.4.2: an implicit key has at most 1024 characters.
constexpr std::size_t longest_key = 1000;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A text that no reader takes for anything else. Others stand in quotes.
bool is_plain(std::string_view text) {
  if (text.empty() || !(is_letter(text[0]) || text[0] == '_' || text[0] == '/')) return false;
  const bool safe = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '/' || c == '.' ||
           c == '{' || c == '}' || c == '+';
  });
  if (!safe) return false;
  for (const std::string_view word :
       {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}) {
    if (ascii_iequals(text, word)) return false;
  }
  return true;
}

void append_hex(std::string& out, std::uint32_t code, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    out += "0123456789ABCDEF"[(code >> shift) & 15];
}

// The code point that begins at `i`, of text that is UTF-8; `i` moves behind it.
std::uint32_t next_code_point(std::string_view text, std::size_t& i) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[at])) : 0u;
  };
  const std::uint32_t lead = byte(i);
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  std::uint32_t code = size == 1 ? lead : lead & (0xffu >> (size + 1));
  for (std::size_t k = 1; k < size; ++k) code = (code << 6) | (byte(i + k) & 0x3f);
  i += size;
  return code;
}

// YAML 1.2 section 5.7.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t code = next_code_point(text, i);
    if (code == '"' || code == '\\') {
      out += '\\';
      out += static_cast<char>(code);
    } else if (code >= 0x20 && code < 0x7f) {
      out += static_cast<char>(code);
    } else if (code == '\n') {
      out += "\\n";
    } else if (code < 0x10000) {
      out += "\\u";
      append_hex(out, code, 4);
    } else {
      out += "\\U";
      append_hex(out, code, 8);
    }
  }
  return out + '"';
}

std::string text_of(std::string_view text) {
  return is_plain(text) ? std::string(text) : in_quotes(text);
}

bool is_block(const json::Value& value) {
  return (value.as_array() != nullptr && !value.as_array()->empty()) ||
         (value.as_object() != nullptr && !value.as_object()->empty());
}

std::string scalar_of(const json::Value& value) {
  if (const std::string* text = value.as_string()) return text_of(*text);
  if (value.as_array() != nullptr) return "[]";
  if (value.as_object() != nullptr) return "{}";
  return json::serialize(value);
}

// Appends a block whose first line is indented already.
void append_block(std::string& out, const json::Value& value, std::size_t indent) {
  const auto start_line = [&](bool first) {
    if (!first) out.append(indent, ' ');
  };
  bool first = true;
  if (const json::Array* array = value.as_array()) {
    for (const json::Value& element : *array) {
      start_line(first);
      first = false;
      out += "- ";
      if (is_block(element)) {
        append_block(out, element, indent + step);
      } else {
        out += scalar_of(element) + "\n";
      }
    }
    return;
  }
  for (const auto& [name, member] : *value.as_object()) {
    start_line(first);
    first = false;
    const std::string key = text_of(name);
    if (key.size() > longest_key) {
      out += "? " + key + "\n";
      out.append(indent, ' ');
      out += ":";
    } else {
      out += key + ":";
    }
    if (is_block(member)) {
      out += "\n";
      out.append(indent + step, ' ');
      append_block(out, member, indent + step);
    } else {
      out += " " + scalar_of(member) + "\n";
    }
  }
}

}  // namespace

std::string write_yaml(const json::Value& value) {
  std::string out;
  if (is_block(value)) {
    append_block(out, value, 0);
  } else {
    out = scalar_of(value) + "\n";
  }
  return out;
}

}  // namespace moat::openapi
