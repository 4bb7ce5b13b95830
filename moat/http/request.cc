// SPDX-License-Identifier: Apache-2.0
#include "moat/http/request.h"

#include <cstring>

#include "moat/base/ip.h"
#include "moat/http/internal/chars.h"
#include "moat/http/internal/scan.h"

namespace moat::http {
namespace {

using internal::iequals;
using internal::refuse;

constexpr std::size_t max_method = 32;

Method method_of(std::string_view text) {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      if (text == "PUT") return Method::put;
      break;
    case 4:
      if (text == "POST") return Method::post;
      if (text == "HEAD") return Method::head;
      break;
    case 5:
      if (text == "PATCH") return Method::patch;
      break;
    case 6:
      if (text == "DELETE") return Method::delete_;
      break;
    case 7:
      if (text == "OPTIONS") return Method::options;
      break;
    default:
      break;
  }
  return Method::other;
}

ParseStatus accept() {
  ParseStatus verdict;
  verdict.kind = ParseStatus::Kind::complete;
  return verdict;
}

ParseStatus read_version(std::string_view text, RequestHead& out) {
  if (text == "HTTP/1.1") {
    out.minor_version = 1;
  } else if (text == "HTTP/1.0") {
    out.minor_version = 0;
  } else {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool other = text.size() == 8 && text.substr(0, 5) == "HTTP/" && digit(text[5]) &&
                       text[6] == '.' && digit(text[7]);
    return other ? refuse(505, "version_not_supported") : refuse(400, "bad_version");
  }
  return accept();
}

ParseStatus read_method(std::string_view text, const HeadLimits& limits, RequestHead& out) {
  out.method_text = text;
  out.method = method_of(text);
  if (out.method != Method::other) return accept();
  if (!is_token(text)) return refuse(400, "bad_method");
  // RFC 9110 section 9.3.8: a trace would send credentials back to script.
  if (iequals(text, "TRACE") || iequals(text, "TRACK")) return refuse(405, "method_not_allowed");
  if (text.size() > max_method || iequals(text, "CONNECT") || !limits.allow_unknown_methods)
    return refuse(501, "method_not_implemented");
  return accept();
}

ParseStatus read_origin_form(std::string_view text, const HeadLimits& limits, RequestHead& out) {
  const std::size_t mark = text.find('?');
  out.path = text.substr(0, mark);
  out.has_query = mark != text.npos;
  out.query = out.has_query ? text.substr(mark + 1) : std::string_view();
  const internal::PathFacts facts = internal::check_path(out.path, limits);
  if (!facts.code.empty()) return refuse(400, facts.code);
  out.path_escaped = facts.escaped;
  out.encoded_slash = facts.encoded_slash;
  out.empty_segment = facts.empty_segment;
  for (const char c : out.query)
    if (!(internal::class_of(c) & internal::query_char))
      return refuse(400, c == '#' ? "fragment_in_target" : "bad_target_byte");
  return accept();
}

// The authority of an absolute-form target and what follows it; false for another scheme.
bool split_absolute(std::string_view target, std::string_view& authority, std::string_view& rest) {
  if (internal::istarts_with(target, "http://"))
    rest = target.substr(7);
  else if (internal::istarts_with(target, "https://"))
    rest = target.substr(8);
  else
    return false;
  const std::size_t end = rest.find_first_of("/?#");
  authority = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view() : rest.substr(end);
  return true;
}

ParseStatus read_absolute_form(const HeadLimits& limits, RequestHead& out) {
  std::string_view authority;
  std::string_view rest;
  if (!split_absolute(out.target, authority, rest)) return refuse(400, "bad_target");
  if (authority.find('@') != authority.npos) return refuse(400, "userinfo_in_target");
  // RFC 9112 section 3.2.2 lets the target win over Host; two that differ are two readings.
  if (authority.empty() || !iequals(authority, out.host)) return refuse(400, "target_is_not_host");
  if (rest.empty() && out.method == Method::options) {
    out.path = "*";
    out.asterisk = true;
    return accept();
  }
  if (!rest.empty() && rest[0] == '/') return read_origin_form(rest, limits, out);
  // No path: the same as "/" (RFC 9110 section 4.2.3).
  if (!rest.empty() && rest[0] != '?') return refuse(400, "fragment_in_target");
  const ParseStatus query = read_origin_form(rest.empty() ? "/" : rest, limits, out);
  if (rest.empty() || query.code != "bad_target") return query;
  for (const char c : out.query)
    if (!(internal::class_of(c) & internal::query_char)) return refuse(400, "bad_target_byte");
  out.path = "/";
  return accept();
}

ParseStatus read_target(const HeadLimits& limits, RequestHead& out) {
  if (out.target.size() > limits.target) return refuse(414, "target_too_long");
  if (out.target[0] == '/') return read_origin_form(out.target, limits, out);
  if (out.target == "*") {
    if (out.method != Method::options) return refuse(400, "bad_target");
    out.path = out.target;
    out.asterisk = true;
    return accept();
  }
  return read_absolute_form(limits, out);
}

// method SP request-target SP HTTP-version (RFC 9112 section 3), single spaces.
ParseStatus read_request_line(std::string_view line, const HeadLimits& limits, RequestHead& out) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == line.npos ? line.npos : line.find(' ', first + 1);
  if (second == line.npos || first == 0 || second == first + 1)
    return refuse(400, "bad_request_line");
  out.target = line.substr(first + 1, second - first - 1);
  const ParseStatus version = read_version(line.substr(second + 1), out);
  if (version.refused()) return version;
  return read_method(line.substr(0, first), limits, out);
}

ParseStatus read_framing(RequestHead& out) {
  internal::BodyFields body;
  const std::string_view code = internal::parse_body_fields(out.headers, out.minor_version, body);
  if (!code.empty()) return refuse(code == "unsupported_transfer_coding" ? 501 : 400, code);
  if (body.chunked) {
    out.body.kind = Framing::Kind::chunked;
  } else if (body.length > 0) {
    out.body.kind = Framing::Kind::length;
    out.body.length = body.length;
  }
  return accept();
}

ParseStatus read_meaning(const HeadLimits& limits, RequestHead& out) {
  const Header* host = out.headers.find(Known::host);
  if (host == nullptr) return refuse(400, "missing_host");
  if (!is_valid_host(host->value)) return refuse(400, "bad_host");
  out.host = host->value;
  const ParseStatus framing = read_framing(out);
  if (framing.refused()) return framing;
  const ParseStatus target = read_target(limits, out);
  if (target.refused()) return target;
  out.keep_alive = out.minor_version == 1 && !out.connection.close();
  if (const Header* expect = out.headers.find(Known::expect)) {
    if (!iequals(expect->value, "100-continue")) return refuse(417, "unknown_expectation");
    // RFC 9110 section 10.1.1: ignored from HTTP/1.0; nothing to wait for without a body.
    out.expects_continue = out.minor_version == 1 && out.body.kind != Framing::Kind::none;
  }
  if (const Header* upgrade = out.headers.find(Known::upgrade))
    out.upgrade_websocket = out.method == Method::get && out.minor_version == 1 &&
                            out.body.kind == Framing::Kind::none && out.connection.upgrade() &&
                            list_contains(upgrade->value, "websocket");
  return accept();
}

// A name whose last label a URL parser takes for a number is an IPv4 address or nothing.
bool is_valid_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  std::size_t start = 0;  // of the label
  for (std::size_t i = 0; i <= name.size(); ++i) {
    if (i < name.size() && (internal::class_of(name[i]) & internal::host_char)) continue;
    if (i < name.size() && name[i] != '.') return false;
    if (i == start || i - start > 63 || name[start] == '-' || name[i - 1] == '-') return false;
    if (i < name.size()) start = i + 1;
  }
  const std::string_view last = name.substr(start);
  if (last[0] < '0' || last[0] > '9') return true;
  const bool number =
      last.find_first_not_of("0123456789") == last.npos || internal::istarts_with(last, "0x");
  return !number || IpAddress::parse(name).has_value();
}

bool is_valid_port(std::string_view port) {
  if (port.empty() || port.size() > 5 || port[0] == '0') return false;
  unsigned value = 0;
  for (const char c : port) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 65535;
}

}  // namespace

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::delete_:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::patch:
      return "PATCH";
    case Method::other:
      return "other";
  }
  return "other";
}

bool is_valid_host(std::string_view host) {
  std::string_view name = host;
  std::string_view port;
  bool has_port = false;
  if (!host.empty() && host[0] == '[') {
    const std::size_t end = host.find(']');
    if (end == host.npos) return false;
    name = host.substr(1, end - 1);
    if (name.find(':') == name.npos || !IpAddress::parse(name)) return false;
    const std::string_view rest = host.substr(end + 1);
    if (rest.empty()) return true;
    return rest[0] == ':' && is_valid_port(rest.substr(1));
  }
  const std::size_t colon = host.find(':');
  if (colon != host.npos) {
    has_port = true;
    name = host.substr(0, colon);
    port = host.substr(colon + 1);
  }
  return is_valid_name(name) && (!has_port || is_valid_port(port));
}

void RequestHead::clear() {
  headers.clear();
  connection.clear();
  method = Method::get;
  method_text = target = path = query = host = {};
  minor_version = 1;
  body = {};
  has_query = keep_alive = expects_continue = upgrade_websocket = false;
  asterisk = path_escaped = encoded_slash = empty_segment = false;
}

ParseStatus parse_request_head(std::string_view buffer, const HeadLimits& limits, ParseState& state,
                               RequestHead& out) {
  // The start line has room for a method of any length a client may reasonably try; what is too
  // long is told apart once the line is there.
  const HeadScanner::Rules rules{limits.target + 64, limits.section, limits.fields, true};
  const ParseStatus found = HeadScanner::scan(buffer, rules, state);
  if (!found.complete()) return found;
  out.clear();
  const ParseStatus line = read_request_line(HeadScanner::start_line(buffer, state), limits, out);
  if (line.refused()) return line;
  const std::string_view code = internal::parse_fields(buffer, state, out.headers, out.connection);
  if (!code.empty()) return refuse(code == "too_many_fields" ? 431 : 400, code);
  const ParseStatus meaning = read_meaning(limits, out);
  return meaning.refused() ? meaning : found;
}

ParseStatus parse_request_head(std::string_view buffer, const HeadLimits& limits,
                               RequestHead& out) {
  ParseState state;
  return parse_request_head(buffer, limits, state, out);
}

void append_request_head(const RequestHead& head, std::string& out) {
  out.append(head.method_text).append(" ").append(head.target);
  out.append(head.minor_version == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  for (const Header& field : head.headers)
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  out.append("\r\n");
}

}  // namespace moat::http
