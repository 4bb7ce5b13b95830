// SPDX-License-Identifier: Apache-2.0
#include "moat/csrf/form_tokens.h"

#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/csrf/token.h"

namespace moat::csrf {

namespace {

constexpr std::size_t most_tokens = 4;
constexpr std::size_t longest = 256;          // raw; a token has 70 characters
constexpr std::size_t longest_boundary = 70;  // RFC 2046 section 5.1.1

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    const char lower = static_cast<char>(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// application/x-www-form-urlencoded (URL Standard section 5.1); nothing for a bad escape.
std::string decoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced).value_or("");
}

void keep(std::string_view value, std::vector<std::string>& out) {
  if (!value.empty() && value.size() <= longest && out.size() < most_tokens)
    out.emplace_back(value);
}

std::vector<std::string> of_urlencoded(std::string_view body) {
  std::vector<std::string> out;
  while (!body.empty() && out.size() < most_tokens) {
    const std::string_view pair = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(pair.size() + 1, body.size()));
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos || equals > longest || pair.size() - equals > longest) continue;
    if (decoded(pair.substr(0, equals)) == field_name) keep(decoded(pair.substr(equals + 1)), out);
  }
  return out;
}

// The value of a parameter as browsers write it, quoted or a token: `; name="_csrf"`.
std::string_view parameter(std::string_view value, std::string_view name) {
  for (std::size_t at = value.find(';'); at != value.npos; at = value.find(';')) {
    value.remove_prefix(at + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    const std::size_t equals = value.find('=');
    if (equals == value.npos) return {};
    const bool wanted = ascii_iequals(value.substr(0, equals), name);
    value.remove_prefix(equals + 1);
    const bool quoted = !value.empty() && value.front() == '"';
    if (quoted) value.remove_prefix(1);
    const std::size_t end = value.find(quoted ? '"' : ';');
    if (quoted && end == value.npos) return {};
    if (wanted) return quoted ? value.substr(0, end) : trim(value.substr(0, end));
    value.remove_prefix(std::min(end, value.size()));
  }
  return {};
}

// Whether a part's head says that it is the field.
bool is_field(std::string_view head) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !ascii_iequals(line.substr(0, colon), "content-disposition"))
      continue;
    const std::string_view value = trim(line.substr(colon + 1));
    return ascii_iequals(trim(value.substr(0, value.find(';'))), "form-data") &&
           parameter(value, "name") == field_name;
  }
  return false;
}

std::vector<std::string> of_multipart(std::string_view boundary, std::string_view body) {
  std::vector<std::string> out;
  if (boundary.empty() || boundary.size() > longest_boundary) return out;
  const std::string delimiter = "\r\n--" + std::string(boundary);
  const std::string_view first = std::string_view(delimiter).substr(2);
  if (body.substr(0, first.size()) != first) return out;
  body.remove_prefix(first.size());
  while (body.substr(0, 2) == "\r\n" && out.size() < most_tokens) {
    body.remove_prefix(2);
    const std::size_t end = body.find(delimiter);
    if (end == body.npos) break;  // cut off
    const std::string_view part = body.substr(0, end);
    body.remove_prefix(end + delimiter.size());
    const std::size_t blank = part.find("\r\n\r\n");
    if (blank != part.npos && is_field(part.substr(0, blank))) keep(part.substr(blank + 4), out);
  }
  return out;
}

}  // namespace

BodyKind body_kind(std::string_view content_type) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  if (ascii_iequals(type, "application/x-www-form-urlencoded")) return BodyKind::urlencoded;
  if (ascii_iequals(type, "multipart/form-data")) return BodyKind::multipart;
  if (ascii_iequals(type, "text/plain")) return BodyKind::opaque;
  const std::size_t slash = type.find('/');
  const bool readable =
      slash != type.npos && is_token(type.substr(0, slash)) && is_token(type.substr(slash + 1));
  return readable ? BodyKind::other : BodyKind::opaque;
}

std::vector<std::string> form_tokens(std::string_view content_type, std::string_view beginning) {
  switch (body_kind(content_type)) {
    case BodyKind::urlencoded:
      return of_urlencoded(beginning);
    case BodyKind::multipart:
      return of_multipart(parameter(content_type, "boundary"), beginning);
    case BodyKind::opaque:
    case BodyKind::other:
      break;
  }
  return {};
}

}  // namespace moat::csrf
