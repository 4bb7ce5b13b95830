// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/openapi/internal/operation.h"

namespace moat::openapi {
namespace {

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

Format format_of(std::string_view type) {
  if (type == "application/json" || ends_with(type, "+json")) return Format::json;
  if (type == "application/x-www-form-urlencoded") return Format::form;
  if (type == "multipart/form-data") return Format::multipart;
  if (type == "text/plain") return Format::text;
  return Format::opaque;
}

// Takes one parameter off the front, with the semicolon before it. False: that is none.
bool take_parameter(std::string_view& rest, std::string& name, std::string& value) {
  rest = trim(rest.substr(1));
  if (rest.empty() || rest[0] == ';') {
    name.clear();
    return true;
  }
  const std::size_t equals = rest.find('=');
  if (equals == std::string_view::npos || !is_token(rest.substr(0, equals))) return false;
  name = ascii_lower(rest.substr(0, equals));
  rest.remove_prefix(equals + 1);
  value.clear();
  if (rest.empty() || rest[0] != '"') {
    const std::string_view token = trim(rest.substr(0, rest.find(';')));
    if (!is_token(token)) return false;
    value = token;
    rest.remove_prefix(std::min(rest.size(), rest.find(';')));
    return true;
  }
  for (rest.remove_prefix(1); !rest.empty() && rest[0] != '"'; rest.remove_prefix(1)) {
    if (rest[0] == '\\') rest.remove_prefix(1);
    if (rest.empty()) return false;
    value += rest[0];
  }
  if (rest.empty()) return false;
  rest = trim(rest.substr(1));
  return rest.empty() || rest[0] == ';';
}

// Whether all programs read a parameter alike. Some know RFC 2231 and take charset* or charset*0
// for the charset; some split at a semicolon or a comma inside the quotes. In SOAP's types, which
// nobody here reads, quotes hold another type.
bool is_plain(std::string_view name, std::string_view value, Format format) {
  return name.find('*') == std::string_view::npos &&
         (format == Format::opaque || value.find_first_of(";,\"\\") == std::string_view::npos);
}

}  // namespace

std::optional<MediaType> parse_media_type(std::string_view text) {
  text = trim(text);
  const std::string_view type = trim(text.substr(0, text.find(';')));
  const std::size_t slash = type.find('/');
  if (slash == std::string_view::npos || !is_token(type.substr(0, slash)) ||
      !is_token(type.substr(slash + 1)))
    return std::nullopt;
  MediaType out;
  out.type = ascii_lower(type);
  out.format = format_of(out.type);
  std::string_view rest = text.substr(std::min(text.size(), text.find(';')));
  if (out.format != Format::opaque && rest.find('\\') != std::string_view::npos)
    return std::nullopt;
  std::string name, value;
  bool charset = false;
  while (!rest.empty()) {
    if (!take_parameter(rest, name, value)) return std::nullopt;
    if (!is_plain(name, value, out.format)) return std::nullopt;
    if (name != "charset") {
      if (!name.empty()) out.parameters.emplace_back(std::move(name), std::move(value));
      continue;
    }
    if (std::exchange(charset, true)) return std::nullopt;  // two of them
    out.is_utf8 = ascii_iequals(value, "utf-8") || ascii_iequals(value, "us-ascii");
  }
  std::sort(out.parameters.begin(), out.parameters.end());
  // RFC 6838 section 4.3: none stands twice. Programs would take either.
  const auto again =
      std::adjacent_find(out.parameters.begin(), out.parameters.end(),
                         [](const auto& a, const auto& b) { return a.first == b.first; });
  if (again != out.parameters.end()) return std::nullopt;
  return out;
}

namespace {

// Whether a parameter is one that tells the entries of this type apart, with a value of none of
// them. Which entry a program would take then, nobody knows.
bool is_of_none(const Content& content, const MediaType& type) {
  return std::any_of(type.parameters.begin(), type.parameters.end(), [&](const auto& given) {
    bool named = false;
    for (const Media& media : content) {
      if (media.type != type.type) continue;
      for (const auto& parameter : media.parameters) {
        if (parameter == given) return false;
        named = named || parameter.first == given.first;
      }
    }
    return named;
  });
}

}  // namespace

const Media* find_media(const Content& content, const MediaType& type) {
  const Media* found = nullptr;
  std::size_t entries = 0;
  for (const Media& media : content) {
    if (media.type != type.type) continue;
    ++entries;
    const bool given = std::includes(type.parameters.begin(), type.parameters.end(),
                                     media.parameters.begin(), media.parameters.end());
    if (given && (found == nullptr || found->parameters.size() < media.parameters.size()))
      found = &media;
  }
  if (entries > 1 && is_of_none(content, type)) return nullptr;
  if (found != nullptr) return found;
  const std::string range = type.type.substr(0, type.type.find('/')) + "/*";
  for (const Media& media : content) {
    if (media.type == type.type && entries == 1) return &media;
    if (media.type == range || (media.type == "*/*" && found == nullptr)) found = &media;
  }
  // Which of several is meant nobody has said.
  return entries > 1 ? nullptr : found;
}

}  // namespace moat::openapi
