// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/heads.h"

#include <algorithm>
#include <array>

#include "moat/base/encoding.h"
#include "moat/http/answer.h"
#include "moat/http/chunked.h"
#include "moat/http/cookie.h"
#include "moat/http/forward.h"
#include "moat/http/set_cookie.h"
#include "moat/http/trace_context.h"
#include "moat/session/cookies.h"

namespace moat::gateway {

namespace {

using http::Known;

constexpr std::array<std::string_view, 4> reserved = {
    session::access_cookie, session::refresh_cookie, session::pre_session_cookie,
    session::device_cookie};

void append_line(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t start = out.size();
  out.resize(start + name.size() + value.size() + 4);
  char* to = std::copy(name.begin(), name.end(), out.data() + start);
  *to++ = ':';
  *to++ = ' ';
  to = std::copy(value.begin(), value.end(), to);
  *to++ = '\r';
  *to = '\n';
}

// CGI, WSGI and their kin write '_' for every punctuation mark, and give some names a meaning of
// their own (gunicorn: SCRIPT_NAME moves the path).
bool has_odd_punctuation(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](char c) {
    const char lower = static_cast<char>(c | 0x20);
    return c != '-' && !(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'z');
  });
}

// Fields of a request that are not passed on as they came.
bool withheld(const http::Header& field, const http::RequestHead& head,
              const Forwarding& forwarding) {
  switch (field.known) {
    case Known::authorization:
      return forwarding.without_authorization || http::is_hop_by_hop(field, head.connection);
    case Known::accept_encoding:
      return forwarding.unencoded || http::is_hop_by_hop(field, head.connection);
    case Known::if_none_match:
    case Known::if_modified_since:
      return forwarding.unconditional || http::is_hop_by_hop(field, head.connection);
    case Known::host:
    case Known::content_length:
    case Known::cookie:
    case Known::expect:
    case Known::via:
    case Known::x_request_id:
    case Known::traceparent:
    case Known::tracestate:
      return true;
    case Known::none:
      return http::is_hop_by_hop(field, head.connection) ||
             (!forwarding.allow_underscore_headers && has_odd_punctuation(field.name));
    default:
      return http::is_intermediary_only(field.known) || http::is_hop_by_hop(field, head.connection);
  }
}

// What a backend says of its body, or to caches, and is not so of the changed one.
bool is_of_the_original(const http::Header& field) {
  switch (field.known) {
    case Known::cache_control:
    case Known::etag:
    case Known::last_modified:
    case Known::age:
      return true;
    case Known::none:
      break;
    default:
      return false;
  }
  // RFC 9530 for the digests; RFC 9213 for caches that are told apart ("Vendor-CDN-Cache-Control").
  for (const std::string_view name :
       {"Accept-Ranges", "Content-Digest", "Repr-Digest", "Digest", "Content-MD5", "Expires",
        "Pragma", "Surrogate-Control", "Surrogate-Key", "Cache-Tag", "X-Accel-Expires"}) {
    if (ascii_iequals(field.name, name)) return true;
  }
  constexpr std::string_view targeted = "cdn-cache-control";
  return field.name.size() >= targeted.size() &&
         ascii_iequals(field.name.substr(field.name.size() - targeted.size()), targeted);
}

// A value that came from an account's data: nothing in it may end the line.
void append_checked(std::string& out, std::string_view name, std::string_view value) {
  if (http::is_field_value(value)) append_line(out, name, value);
}

void append_identity(const session::Identity& identity, std::string_view assertion,
                     std::string& out) {
  append_checked(out, "X-Moat-User", identity.user_id);
  append_checked(out, "X-Moat-Email", identity.email);
  std::string roles;
  for (const std::string& role : identity.roles)
    roles.append(roles.empty() ? "" : ",").append(role);
  append_checked(out, "X-Moat-Roles", roles);
  append_checked(out, "X-Moat-Session", identity.session_id);
  // Whoever is at a browser may do all that the user may: no such field then.
  if (identity.kind != session::Kind::browser)
    append_checked(out, "X-Moat-Scopes", session::to_text(identity.scopes));
  if (!assertion.empty()) append_line(out, "X-Moat-Assertion", assertion);
}

// An empty field would be a claim too: that there is no such name.
void append_certificate(const https::ClientCertificate& shown, std::string& out) {
  const auto append = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) append_checked(out, name, value);
  };
  append("X-Moat-Client-Certificate-Sha256", shown.fingerprint());
  append("X-Moat-Client-Certificate-Serial", shown.serial());
  append("X-Moat-Client-Certificate-Subject", shown.subject());
  append("X-Moat-Client-Certificate-Dns", shown.dns_names());
  append("X-Moat-Client-Certificate-Email", shown.emails());
  append("X-Moat-Client-Certificate-Uri", shown.uris());
}

void append_cookies(std::string_view cookie, std::string& out) {
  if (cookie.empty()) return;
  const std::size_t start = out.size();
  out += "Cookie: ";
  const std::size_t value = out.size();
  http::strip_cookies(cookie, reserved_cookies(), out);
  if (out.size() == value) {
    out.resize(start);
  } else {
    out += "\r\n";
  }
}

}  // namespace

std::span<const std::string_view> reserved_cookies() { return reserved; }

http::CspMode http_csp(CspMode mode) {
  switch (mode) {
    case CspMode::enforce:
      return http::CspMode::enforce;
    case CspMode::off:
      return http::CspMode::allow_none;
    case CspMode::report_only:
      break;
  }
  return http::CspMode::report_only;
}

void append_backend_request(const http::RequestHead& head, const Forwarding& forwarding,
                            std::string& out) {
  out.append(head.method_text).append(" ");
  // An absolute-form target has been checked against Host; a backend gets the origin form (RFC 9112
  // section 3.2.1).
  out.append(head.path);
  if (head.has_query) out.append("?").append(head.query);
  out.append(" HTTP/1.1\r\n");
  append_line(out, "Host", forwarding.preserve_host ? head.host : forwarding.backend_authority);
  for (const http::Header& field : head.headers) {
    if (!withheld(field, head, forwarding)) append_line(out, field.name, field.value);
  }
  // RFC 9110 section 12.5.3: without the field any coding would do.
  if (forwarding.unencoded) append_line(out, "Accept-Encoding", "identity");
  append_cookies(forwarding.cookie, out);
  const std::string client = forwarding.client.to_string();
  http::ForwardedFor forwarded;
  forwarded.client = client;
  forwarded.host = head.host;
  forwarded.scheme = forwarding.scheme;
  http::append_forwarded(forwarded, out);
  http::append_via(head.headers.value(Known::via), head.minor_version, via_name, out);
  append_line(out, "X-Request-Id", forwarding.request_id);
  if (!forwarding.traceparent.empty()) append_line(out, "traceparent", forwarding.traceparent);
  if (forwarding.tracestate) http::append_tracestate(head.headers, out);
  if (forwarding.identity != nullptr)
    append_identity(*forwarding.identity, forwarding.assertion, out);
  if (forwarding.client_certificate != nullptr)
    append_certificate(*forwarding.client_certificate, out);
  if (head.upgrade_websocket) out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  if (forwarding.body_size) {
    append_line(out, "Content-Length", std::to_string(*forwarding.body_size));
  } else if (head.body.kind == http::Framing::Kind::length) {
    append_line(out, "Content-Length", std::to_string(head.body.length));
  } else if (head.body.kind == http::Framing::Kind::chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (head.headers.has(Known::content_length)) {
    out += "Content-Length: 0\r\n";
  }
  out += "\r\n";
}

void append_client_response(const http::ResponseHead& head, const Answering& answering,
                            std::string& out) {
  if (head.reason.empty() || !http::is_field_value(head.reason)) {
    http::append_status_line(head.status, out);
  } else {
    out.append("HTTP/1.1 ")
        .append(std::to_string(head.status))
        .append(" ")
        .append(head.reason)
        .append("\r\n");
  }
  http::HardenOptions harden;
  harden.allow_script = answering.script_cookies;
  harden.reserved = reserved;
  for (const http::Header& field : head.headers) {
    if (field.known == Known::set_cookie) {
      const std::size_t start = out.size();
      out += "Set-Cookie: ";
      const http::Hardened result = http::harden_set_cookie(field.value, harden, out);
      if (result == http::Hardened::dropped_reserved ||
          result == http::Hardened::dropped_malformed) {
        out.resize(start);
      } else {
        out += "\r\n";
      }
      continue;
    }
    if (http::must_remove(field.known) || field.known == Known::content_length) continue;
    if (field.known == Known::x_request_id) continue;  // a request has one id, ours
    if (http::is_hop_by_hop(field, head.connection)) continue;
    if (answering.personal && is_of_the_original(field)) continue;
    append_line(out, field.name, field.value);
  }
  if (answering.personal) append_line(out, "Cache-Control", "private, no-store");
  // RFC 9110 section 6.6.1: whoever has a clock and passes an answer without Date on adds it.
  if (!answering.date.empty() && !head.headers.has(Known::date))
    append_line(out, "Date", answering.date);
  answering.security->append(answering.kind, out);
  if (!answering.request_id.empty()) append_line(out, "X-Request-Id", answering.request_id);
  out.append(answering.rate_limit);
  for (const std::string& cookie : answering.set_cookies) append_line(out, "Set-Cookie", cookie);
  if (answering.websocket) {
    out += "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    return;
  }
  if (answering.framing == ClientFraming::as_length) {
    append_line(out, "Content-Length", std::to_string(head.body.length));
  } else if (answering.framing == ClientFraming::chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (head.status != 204 && answering.framing == ClientFraming::none &&
             head.headers.has(Known::content_length)) {
    // Of a HEAD or 304 it says what a GET would have got; of an empty body it is 0.
    append_line(out, "Content-Length", head.headers.value(Known::content_length));
  }
  if (answering.close) out += "Connection: close\r\n";
  out += "\r\n";
}

void append_early_hints(const http::ResponseHead& head, std::string& out) {
  out += "HTTP/1.1 103 Early Hints\r\n";
  for (const http::Header& field : head.headers) {
    if (field.known == Known::set_cookie || field.known == Known::content_length ||
        http::must_remove(field.known) || http::is_hop_by_hop(field, head.connection))
      continue;
    append_line(out, field.name, field.value);
  }
  out += "\r\n";
}

// A list of challenges is not taken apart: a scheme's name anywhere in it counts, which errs on the
// side of a connection that is not shared.
bool is_encoded(const http::Headers& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const http::Header& field) {
    return field.known == Known::content_encoding && !ascii_iequals(field.value, "identity");
  });
}

bool binds_connection(const http::Headers& headers, Known name) {
  return std::any_of(headers.begin(), headers.end(), [&](const http::Header& field) {
    if (field.known != name) return false;
    const std::string value = ascii_lower(field.value);
    return value.find("ntlm") != value.npos || value.find("negotiate") != value.npos;
  });
}

void append_own_response(const shield::Response& response, const OwnAnswer& answer,
                         std::string& out) {
  http::append_status_line(response.status, out);
  if (!answer.date.empty()) append_line(out, "Date", answer.date);
  http::SecurityHeaders::Answer kind;
  kind.kind = response.kind == shield::Body::page ? http::AnswerKind::moat_page
                                                  : http::AnswerKind::moat_api;
  kind.nonce = response.nonce;
  kind.hsts = answer.hsts;
  answer.security->append(kind, out);
  switch (response.kind) {
    case shield::Body::json:
      append_line(out, "Content-Type", "application/json");
      break;
    case shield::Body::problem:
      append_line(out, "Content-Type", http::problem_content_type);
      break;
    case shield::Body::page:
      append_line(out, "Content-Type", http::html_content_type);
      break;
    case shield::Body::text:
      append_line(out, "Content-Type", "text/plain; charset=utf-8");
      break;
    case shield::Body::none:
      break;
  }
  if (!response.location.empty()) append_checked(out, "Location", response.location);
  for (const auto& [name, value] : response.headers) append_checked(out, name, value);
  for (const std::string& cookie : answer.set_cookies) append_line(out, "Set-Cookie", cookie);
  for (const std::string& cookie : response.set_cookies) append_line(out, "Set-Cookie", cookie);
  if (!answer.request_id.empty()) append_line(out, "X-Request-Id", answer.request_id);
  const bool no_body = response.status == 204 || response.status == 304;
  if (!no_body) append_line(out, "Content-Length", std::to_string(response.body.size()));
  if (answer.close) out += "Connection: close\r\n";
  out += "\r\n";
  if (!no_body && !answer.head_only) out += response.body;
}

}  // namespace moat::gateway
