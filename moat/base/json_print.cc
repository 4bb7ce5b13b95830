// SPDX-License-Identifier: Apache-2.0
// The printing half of json.h.
#include <array>
#include <charconv>
#include <cmath>

#include "moat/base/json.h"

namespace moat::json {

namespace {

void append_value(std::string& out, const Value& value);

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {  // JSON has no spelling for it
    out += "null";
    return;
  }
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  const std::string_view digits(text.data(), static_cast<std::size_t>(end.ptr - text.data()));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos)
    out += ".0";  // stays a double when it is read back
}

struct Append {
  std::string& out;
  void operator()(std::nullptr_t) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  void operator()(double value) const { append_double(out, value); }
  void operator()(const std::string& value) const { append_string(out, value); }
  void operator()(const Array& array) const {
    out.push_back('[');
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (i > 0) out.push_back(',');
      append_value(out, array[i]);
    }
    out.push_back(']');
  }
  void operator()(const Object& object) const {
    out.push_back('{');
    for (std::size_t i = 0; i < object.size(); ++i) {
      if (i > 0) out.push_back(',');
      append_string(out, object[i].first);
      out.push_back(':');
      append_value(out, object[i].second);
    }
    out.push_back('}');
  }
};

void append_value(std::string& out, const Value& value) { std::visit(Append{out}, value.data()); }

// Escapes one of U+0080 to U+009F (old terminals obey them), U+2028 and U+2029 (line ends in old
// scripts), U+202A to U+202E and U+2066 to U+2069 (they turn the writing direction) at the front of
// `text` and gives its length in bytes, or 0.
std::size_t append_format_control(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  unsigned low = 0;
  std::size_t length = 3;
  if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f) {
    out += "\\u00";
    low = byte(1);
    length = 2;
  } else if (byte(0) == 0xe2 && byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae) {
    out += "\\u20";
    low = byte(2) - 0x80;
  } else if (byte(0) == 0xe2 && byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9) {
    out += "\\u20";
    low = byte(2) - 0x40;
  } else {
    return 0;
  }
  out.push_back(digits[low >> 4]);
  out.push_back(digits[low & 15]);
  return length;
}

}  // namespace

std::string serialize(const Value& value) {
  std::string out;
  append_value(out, value);
  return out;
}

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out.push_back('"');
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f || c == '<' || c == '>' || c == '&') {
      out += "\\u00";
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    } else if (const std::size_t length = append_format_control(out, text.substr(i)); length > 0) {
      i += length - 1;
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace moat::json
