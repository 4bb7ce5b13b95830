// SPDX-License-Identifier: Apache-2.0
#include "moat/base/encoding.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "moat/base/replace.h"

namespace moat {

namespace {

constexpr std::string_view standard_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// The value of each character at its four places in a group, shifted to where it belongs; `bad` for
// what is no character of the alphabet. One look-up a character and no shift.
constexpr std::uint32_t bad = 1U << 24;
using Reverse = std::array<std::array<std::uint32_t, 256>, 4>;
constexpr Reverse reverse_of(std::string_view alphabet) {
  Reverse out{};
  for (std::size_t place = 0; place < out.size(); ++place) {
    for (auto& value : out[place]) value = bad;
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
      out[place][static_cast<unsigned char>(alphabet[i])] =
          static_cast<std::uint32_t>(i << (18 - 6 * place));
    }
  }
  return out;
}
constexpr Reverse standard_reverse = reverse_of(standard_alphabet);
constexpr Reverse url_reverse = reverse_of(url_alphabet);

std::string encode(std::string_view bytes, std::string_view alphabet, bool pad) {
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  char* to = out.data();
  std::size_t left = bytes.size();
  const auto put = [&](std::uint32_t word, int shift) {
    *to++ = alphabet.data()[(word >> shift) & 63];
  };
  for (; left >= 3; left -= 3, from += 3) {
    const std::uint32_t word = std::uint32_t{from[0]} << 16 | std::uint32_t{from[1]} << 8 | from[2];
    put(word, 18);
    put(word, 12);
    put(word, 6);
    put(word, 0);
  }
  if (left > 0) {
    const std::uint32_t second = left == 2 ? from[1] : 0;
    const std::uint32_t word = std::uint32_t{from[0]} << 16 | second << 8;
    put(word, 18);
    put(word, 12);
    if (left == 2) put(word, 6);
  }
  if (!pad) out.resize(static_cast<std::size_t>(to - out.data()));
  return out;
}

// How many bytes `text` means, written at `to`, which has room for decoded_size(text); nullopt for
// what is not the canonical spelling.
std::optional<std::size_t> decode(std::string_view text, const Reverse& reverse, char* to) {
  if (text.size() % 4 == 1) return std::nullopt;
  const char* const start = to;
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t left = text.size();
  for (; left >= 4; left -= 4, at += 4) {
    const std::uint32_t word =
        reverse[0][at[0]] | reverse[1][at[1]] | reverse[2][at[2]] | reverse[3][at[3]];
    if (word >= bad) return std::nullopt;
    *to++ = static_cast<char>(word >> 16);
    *to++ = static_cast<char>((word >> 8) & 0xff);
    *to++ = static_cast<char>(word & 0xff);
  }
  if (left > 0) {
    const std::uint32_t third = left == 3 ? reverse[2][at[2]] : 0;
    const std::uint32_t word = reverse[0][at[0]] | reverse[1][at[1]] | third;
    // Unused bits must be zero, or several spellings would mean the same bytes.
    if (word >= bad || (word & (left == 3 ? 0xffU : 0xffffU)) != 0) return std::nullopt;
    *to++ = static_cast<char>(word >> 16);
    if (left == 3) *to++ = static_cast<char>((word >> 8) & 0xff);
  }
  return static_cast<std::size_t>(to - start);
}

constexpr std::size_t decoded_size(std::string_view text) {
  return text.size() / 4 * 3 + (text.size() % 4 * 3 / 4);
}

std::optional<std::string> decode(std::string_view text, const Reverse& reverse) {
  std::string out(decoded_size(text), '\0');
  if (!decode(text, reverse, out.data())) return std::nullopt;
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// The length of the UTF-8 sequence at the front of `text`, or 0 where it is not valid.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned from = 0x80, unsigned to = 0xbf) {
    return i < text.size() && byte(i) >= from && byte(i) <= to;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first == 0xe0) return continues(1, 0xa0) && continues(2) ? 3 : 0;
  if (first == 0xed) return continues(1, 0x80, 0x9f) && continues(2) ? 3 : 0;
  if (first >= 0xe1 && first <= 0xef) return continues(1) && continues(2) ? 3 : 0;
  if (first == 0xf0) return continues(1, 0x90) && continues(2) && continues(3) ? 4 : 0;
  if (first == 0xf4) return continues(1, 0x80, 0x8f) && continues(2) && continues(3) ? 4 : 0;
  if (first >= 0xf1 && first <= 0xf3) return continues(1) && continues(2) && continues(3) ? 4 : 0;
  return 0;
}

// How many bytes at the front are ASCII, 32 and then 8 at once; fewer than eight are not counted.
std::size_t skip_ascii(std::string_view text) {
  constexpr std::uint64_t tops = 0x8080808080808080U;
  const auto word = [&text](std::size_t at) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, sizeof eight);
    return eight;
  };
  std::size_t at = 0;
  while (text.size() - at >= 32 &&
         ((word(at) | word(at + 8) | word(at + 16) | word(at + 24)) & tops) == 0)
    at += 32;
  while (text.size() - at >= 8 && (word(at) & tops) == 0) at += 8;
  return at;
}

}  // namespace

std::string base64url_encode(std::string_view bytes) { return encode(bytes, url_alphabet, false); }
std::optional<std::string> base64url_decode(std::string_view text) {
  return decode(text, url_reverse);
}
std::optional<std::string_view> base64url_decode(std::string_view text, std::span<char> room) {
  if (decoded_size(text) > room.size()) return std::nullopt;
  const std::optional<std::size_t> size = decode(text, url_reverse, room.data());
  if (!size) return std::nullopt;
  return std::string_view(room.data(), *size);
}
std::string base64_encode(std::string_view bytes) { return encode(bytes, standard_alphabet, true); }
std::string base64_unpadded_encode(std::string_view bytes) {
  return encode(bytes, standard_alphabet, false);
}
std::optional<std::string> base64_unpadded_decode(std::string_view text) {
  return decode(text, standard_reverse);
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  return decode(text, standard_reverse);
}

std::string hex_encode(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(digits[static_cast<unsigned char>(c) & 15]);
    }
  }
  return out;
}

std::optional<std::size_t> count_code_points(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    if (const std::size_t ascii = skip_ascii(text); ascii > 0) {
      text.remove_prefix(ascii);
      count += ascii;
      continue;
    }
    const std::size_t length = sequence_length(text);
    if (length == 0) return std::nullopt;
    text.remove_prefix(length);
    ++count;
  }
  return count;
}

bool is_valid_utf8(std::string_view text) { return count_code_points(text).has_value(); }

namespace {

constexpr Replacements html_replacements() {
  Replacements out;
  // Controls are not allowed in HTML (WHATWG HTML section 13.1.4).
  for (char c = 0; c < 0x20; ++c)
    if (c != '\n' && c != '\t' && c != '\r') out.set(c, "\xef\xbf\xbd");
  out.set(0x7f, "\xef\xbf\xbd");
  out.set('&', "&amp;");
  out.set('<', "&lt;");
  out.set('>', "&gt;");
  out.set('"', "&quot;");
  out.set('\'', "&#39;");
  out.set('`', "&#96;");  // old browsers take it for a quote
  return out;
}
constexpr Replacements html = html_replacements();

}  // namespace

void append_html_escaped(std::string_view text, std::string& out) {
  html.append(text, out, [](unsigned char c) {
    return (c < 0x20) | (c == 0x7f) | (c == '&') | (c == '<') | (c == '>') | (c == '"') |
           (c == '\'') | (c == '`');
  });
}

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

namespace {

// Eight letters at once; every other byte stays as it is.
std::uint64_t lower_8(const char* text) {
  constexpr std::uint64_t each = 0x0101010101010101;
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  const std::uint64_t low = word & (each * 0x7f);
  const std::uint64_t from_a = low + each * (0x80 - 'A');       // the top bit: 'A' or above
  const std::uint64_t above_z = low + each * (0x80 - 'Z' - 1);  // the top bit: above 'Z'
  const std::uint64_t upper = from_a & ~above_z & ~word & (each * 0x80);
  return word | (upper >> 2);
}

}  // namespace

bool ascii_iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  std::size_t i = 0;
  for (; i + 8 <= a.size(); i += 8) {
    if (lower_8(a.data() + i) != lower_8(b.data() + i)) return false;
  }
  for (; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

}  // namespace moat
