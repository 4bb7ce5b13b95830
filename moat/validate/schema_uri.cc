// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/validate/internal/schema_program.h"

namespace moat::validate::schema {
namespace {

struct Parts {
  std::string_view scheme;     // with its colon
  std::string_view authority;  // with its slashes
  std::string_view path;
  std::string_view query;     // with its question mark
  std::string_view fragment;  // with its hash
};

// RFC 3986 appendix B.
Parts split(std::string_view uri) {
  Parts out;
  const auto cut = [&uri](std::size_t size) {
    const std::string_view part = uri.substr(0, size);
    uri.remove_prefix(part.size());
    return part;
  };
  const std::size_t hash = uri.find('#');
  if (hash != std::string_view::npos) {
    out.fragment = uri.substr(hash);
    uri = uri.substr(0, hash);
  }
  const std::size_t mark = uri.find('?');
  if (mark != std::string_view::npos) {
    out.query = uri.substr(mark);
    uri = uri.substr(0, mark);
  }
  const std::size_t colon = uri.find_first_of(":/");
  if (colon != std::string_view::npos && colon > 0 && uri[colon] == ':')
    out.scheme = cut(colon + 1);
  if (uri.substr(0, 2) == "//") out.authority = cut(std::min(uri.find('/', 2), uri.size()));
  out.path = uri;
  return out;
}

// RFC 3986 section 5.2.4.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> segments;
  const bool rooted = path.substr(0, 1) == "/";
  if (rooted) path.remove_prefix(1);
  bool folder = false;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view segment = path.substr(start, end - start);
    folder = segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!folder) segments.push_back(segment);
    start = end + 1;
  }
  std::string out = rooted ? "/" : "";
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i > 0) out += '/';
    out += segments[i];
  }
  if (folder && !segments.empty()) out += '/';
  return out;
}

std::string join(const Parts& parts, std::string_view path) {
  std::string out;
  for (const std::string_view part :
       {parts.scheme, parts.authority, path, parts.query, parts.fragment})
    out += part;
  return out;
}

}  // namespace

std::string resolve_uri(std::string_view base, std::string_view reference) {
  const Parts to = split(reference);
  Parts out = split(base);
  out.fragment = to.fragment;
  if (!to.scheme.empty()) {
    // "urn:a:b" has no segments; what begins with a slash has.
    return to.path.substr(0, 1) == "/" ? join(to, without_dots(to.path)) : std::string(reference);
  }
  if (!to.authority.empty()) {
    out.authority = to.authority;
    out.query = to.query;
    return join(out, without_dots(to.path));
  }
  if (to.path.empty()) {
    if (!to.query.empty()) out.query = to.query;
    return join(out, out.path);
  }
  out.query = to.query;
  if (to.path[0] == '/') return join(out, without_dots(to.path));
  std::string merged;
  if (!out.authority.empty() && out.path.empty()) {
    merged = "/";
  } else if (const auto slash = out.path.rfind('/'); slash != std::string_view::npos) {
    merged = out.path.substr(0, slash + 1);
  }
  merged += to.path;
  return join(out, without_dots(merged));
}

}  // namespace moat::validate::schema
