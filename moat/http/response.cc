// SPDX-License-Identifier: Apache-2.0
#include "moat/http/response.h"

#include "moat/http/internal/chars.h"
#include "moat/http/internal/scan.h"
#include "moat/http/security_headers.h"

namespace moat::http {
namespace {

using internal::refuse;

constexpr std::size_t max_status_line = 1024;

// HTTP-version SP status-code SP [reason-phrase] (RFC 9112 section 4). Many servers leave out the
// second space where there is no reason; that can mean only one thing.
std::string_view read_status_line(std::string_view line, ResponseHead& out) {
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || line[8] != ' ')
    return "bad_status_line";
  if (line[7] != '0' && line[7] != '1') return "bad_status_line";
  out.minor_version = line[7] - '0';
  int status = 0;
  for (const char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return "bad_status_line";
    status = status * 10 + (c - '0');
  }
  if (status < 100 || status > 599) return "bad_status_line";
  if (line.size() > 12 && line[12] != ' ') return "bad_status_line";
  out.status = status;
  out.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  return {};
}

// RFC 9112 section 6.3, in its order.
std::string_view read_framing(Method method, ResponseHead& out) {
  internal::BodyFields body;
  const std::string_view code = internal::parse_body_fields(out.headers, out.minor_version, body);
  if (!code.empty()) return code;
  const bool never_body = out.status < 200 || out.status == 204 || out.status == 304;
  // RFC 9112 section 6.1: no Transfer-Encoding in 1xx and 204; who sends one may send a body too.
  if (body.chunked && never_body && out.status != 304) return "body_not_allowed";
  if (body.length > 0 && never_body && out.status != 304) return "body_not_allowed";
  if (method == Method::head || never_body) return {};
  if (body.chunked) {
    out.body.kind = Framing::Kind::chunked;
  } else if (!body.has_length) {
    out.body.kind = Framing::Kind::until_close;
  } else if (body.length > 0) {
    out.body.kind = Framing::Kind::length;
    out.body.length = body.length;
  }
  return {};
}

ParseStatus bad_gateway(std::string_view code) { return refuse(502, code); }

}  // namespace

void ResponseHead::clear() {
  headers.clear();
  connection.clear();
  status = 0;
  reason = {};
  minor_version = 1;
  body = {};
  keep_alive = interim = html = false;
}

ParseStatus parse_response_head(std::string_view buffer, const HeadLimits& limits, Method method,
                                ParseState& state, ResponseHead& out) {
  const HeadScanner::Rules rules{max_status_line, limits.section, limits.fields, false};
  const ParseStatus found = HeadScanner::scan(buffer, rules, state);
  if (found.refused()) {
    const bool line = found.code == "target_too_long";
    return bad_gateway(line ? "status_line_too_long" : found.code);
  }
  if (!found.complete()) return found;
  out.clear();
  std::string_view code = read_status_line(HeadScanner::start_line(buffer, state), out);
  if (code.empty()) code = internal::parse_fields(buffer, state, out.headers, out.connection);
  if (code.empty()) code = read_framing(method, out);
  if (!code.empty()) return bad_gateway(code);
  out.interim = out.status < 200 && out.status != 101;
  out.keep_alive = out.minor_version == 1 && !out.connection.close() && out.status != 101 &&
                   out.body.kind != Framing::Kind::until_close;
  out.html = is_html(out.headers.value(Known::content_type));
  return found;
}

ParseStatus parse_response_head(std::string_view buffer, const HeadLimits& limits, Method method,
                                ResponseHead& out) {
  ParseState state;
  return parse_response_head(buffer, limits, method, state, out);
}

}  // namespace moat::http
