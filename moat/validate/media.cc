// SPDX-License-Identifier: Apache-2.0
// Media types and the URI schemes whose text is more than a link.
#include <algorithm>
#include <iterator>

#include "moat/base/encoding.h"
#include "moat/validate/encodings.h"
#include "moat/validate/internal/ascii.h"

namespace moat::validate {
namespace {

using internal::all;
using internal::contains;
using internal::is_alnum;
using internal::is_hex_digit;
using internal::starts_with_ignoring_case;
using internal::take_until;

// IANA, "Media Types", the top-level types but "example".
constexpr std::string_view top_level_types[] = {"application", "audio",   "font",  "haptics",
                                                "image",       "message", "model", "multipart",
                                                "text",        "video"};
// The hashes of a magnet link's urn:NAME:HASH.
constexpr std::string_view magnet_hashes[] = {"aich",   "bitprint", "btih", "ed2k",      "ed2khash",
                                              "kzhash", "md5",      "sha1", "tree:tiger"};

// RFC 9110 section 5.6.2.
bool is_token_character(char c) { return is_alnum(c) || contains("!#$%&'*+-.^_`|~", c); }

// RFC 6838 section 4.2: a restricted-name.
bool is_restricted_name(std::string_view name) {
  return name.size() <= 127 && !name.empty() && is_alnum(name.front()) &&
         all(name, [](char c) { return is_alnum(c) || contains("!#$&-^_.+", c); });
}

// Takes `"…"` off the front of `text` (RFC 9110 section 5.6.4, ASCII only).
bool take_quoted(std::string_view& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\') ++i;
    if (i >= text.size() || text[i] < 0x20 || text[i] > 0x7e) return false;
  }
  return false;
}

std::string_view take_token(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_token_character(text[size])) ++size;
  const auto token = text.substr(0, size);
  text.remove_prefix(size);
  return token;
}

void skip_spaces(std::string_view& text) {
  const auto first = text.find_first_not_of(" \t");
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

bool may_have_charset(std::string_view type) {
  return ascii_iequals(type, "text") || ascii_iequals(type, "application") ||
         ascii_iequals(type, "multipart");
}

// RFC 9110 section 5.6.6: *( OWS ";" OWS name "=" value ).
bool are_parameters(std::string_view text, bool charset) {
  while (!text.empty()) {
    skip_spaces(text);
    if (text.substr(0, 1) != ";") return false;
    text.remove_prefix(1);
    skip_spaces(text);
    const auto name = take_token(text);
    if (name.empty() || text.substr(0, 1) != "=") return false;
    if (!charset && ascii_iequals(name, "charset")) return false;
    text.remove_prefix(1);
    if (text.substr(0, 1) == "\"" ? !take_quoted(text) : take_token(text).empty()) return false;
  }
  return true;
}

// RFC 2397's urlchar: those of RFC 3986 but for brackets and '#', '%' before two hexadecimal digits
// only.
bool are_data_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!is_alnum(c) && !contains("-._~:/?@!$&'()*+,;=%", c)) return false;
    if (c == '%' &&
        (i + 2 >= text.size() || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2])))
      return false;
  }
  return true;
}

bool is_topic(std::string_view urn) {
  if (!starts_with_ignoring_case(urn, "urn:")) return false;
  urn.remove_prefix(4);
  // BitTorrent BEP 9 and 52: a multihash, 0x12 for SHA-256 and 0x20 for its bytes.
  if (starts_with_ignoring_case(urn, "btmh:1220"))
    return urn.size() == 9 + 64 && all(urn.substr(9), is_hex_digit);
  return std::any_of(std::begin(magnet_hashes), std::end(magnet_hashes), [&](auto name) {
    if (!starts_with_ignoring_case(urn, name) || urn.substr(name.size(), 1) != ":") return false;
    const auto hash = urn.substr(name.size() + 1);
    return (hash.size() == 32 || hash.size() == 40) && all(hash, is_alnum);
  });
}

}  // namespace

bool is_mime_type(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto type = text.substr(0, slash);
  if (std::none_of(std::begin(top_level_types), std::end(top_level_types),
                   [type](auto known) { return ascii_iequals(known, type); }))
    return false;
  text.remove_prefix(slash + 1);
  const auto end = std::min(text.find_first_of("; \t"), text.size());
  return is_restricted_name(text.substr(0, end)) &&
         are_parameters(text.substr(end), may_have_charset(type));
}

bool is_data_uri(std::string_view text) {
  if (!starts_with_ignoring_case(text, "data:")) return false;
  text.remove_prefix(5);
  const auto comma = text.find(',');
  if (comma == std::string_view::npos || !are_data_characters(text.substr(comma + 1))) return false;
  auto head = text.substr(0, comma);
  constexpr std::string_view base64 = ";base64";
  if (head.size() >= base64.size() &&
      starts_with_ignoring_case(head.substr(head.size() - base64.size()), base64))
    head.remove_suffix(base64.size());
  // RFC 2397 section 2: the type may be left out, its parameters not.
  if (head.empty()) return true;
  if (head.front() == ';') return are_parameters(head, true);
  return head.find_first_of(" \t") == std::string_view::npos && is_mime_type(head);
}

bool is_magnet_uri(std::string_view text) {
  if (!starts_with_ignoring_case(text, "magnet:?")) return false;
  if (!all(text, [](char c) { return c > 0x20 && c < 0x7f; })) return false;
  text.remove_prefix(8);
  bool found = false;
  for (bool more = true; more;) {
    auto parameter = take_until(text, '&', more);
    bool has_value = false;
    const auto name = take_until(parameter, '=', has_value);
    if (!has_value || (!ascii_iequals(name, "xt") && !ascii_iequals(name, "xt.1"))) continue;
    found = found || is_topic(parameter);
  }
  return found;
}

}  // namespace moat::validate
