// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "moat/gateway/config.h"
#include "moat/http/request.h"
#include "moat/http/response.h"
#include "moat/http/security_headers.h"
#include "moat/https/client_certificate.h"
#include "moat/session/session.h"
#include "moat/shield/request.h"

namespace moat::gateway {

inline constexpr std::string_view via_name = "moat";
// Moat's cookies: never passed to a backend, never taken from one.
std::span<const std::string_view> reserved_cookies();

// A route's `csp` setting in the words of the HTTP room.
http::CspMode http_csp(CspMode mode);

// What a backend is told beside the request itself. All are Moat's own, checked values.
struct Forwarding {
  IpAddress client;
  std::string_view scheme = "https";
  std::string_view backend_authority;  // for a route that does not keep the client's Host
  std::string_view cookie;             // the whole Cookie header as it came
  bool without_authorization = false;  // that field was for Moat
  const session::Identity* identity = nullptr;
  std::string_view assertion;
  const https::ClientCertificate* client_certificate = nullptr;  // verified; null: none
  std::string_view request_id;
  std::string_view traceparent;  // empty: none
  bool tracestate = false;       // the request's goes on too: it came beside a valid traceparent
  bool preserve_host = true;
  bool allow_underscore_headers = false;  // X_Thing and what else is no letter, digit or '-'
  bool unencoded = false;  // asks for an answer that is not compressed, whatever the client takes
  // The size of a body that was read whole before it is passed on; else as it is framed.
  std::optional<std::uint64_t> body_size;
  bool unconditional = false;  // asks for the page, whatever the client has of it
};

// Appends the head of the request for the backend: hop-by-hop fields, foreign forwarding and
// identity fields and Moat's cookies are left out, Moat's own added; the framing is written anew.
void append_backend_request(const http::RequestHead& head, const Forwarding& forwarding,
                            std::string& out);

// Whether a body is compressed, or otherwise not what its type says as it stands.
bool is_encoded(const http::Headers& headers);

// How the client's side of an answer is framed.
enum class ClientFraming { none, as_length, chunked, until_close };

struct Answering {
  const http::SecurityHeaders* security = nullptr;
  http::SecurityHeaders::Answer kind;
  std::span<const std::string_view> script_cookies;
  std::span<const std::string> set_cookies;  // Moat's own
  std::string_view date;                     // where the backend sends none
  std::string_view rate_limit;               // whole RateLimit lines, or empty
  std::string_view request_id;
  ClientFraming framing = ClientFraming::none;
  bool close = false;
  bool websocket = false;  // a 101
  // The body is changed on its way, for this client alone: no validator and no digest of the
  // backend's holds for it, and no cache may keep it.
  bool personal = false;
};

// Appends the head of a backend's answer for the client: what says too much or belongs to Moat is
// left out, cookies are hardened, security fields added.
void append_client_response(const http::ResponseHead& head, const Answering& answering,
                            std::string& out);

// Appends a 103 (RFC 8297) of a backend for the client, by the same rules; it sets no cookies.
void append_early_hints(const http::ResponseHead& head, std::string& out);

// Whether a field of that name, Authorization or WWW-Authenticate, speaks of a scheme that
// authenticates the connection and not the request: NTLM and Negotiate (RFC 4559).
bool binds_connection(const http::Headers& headers, http::Known field);

// Appends the head of an answer of Moat's own, all but its body.
struct OwnAnswer {
  const http::SecurityHeaders* security = nullptr;
  std::string_view hsts;
  std::string_view date;
  std::span<const std::string> set_cookies;  // beside the response's
  std::string_view request_id;
  bool close = false;
  bool head_only = false;  // the request was HEAD
};
void append_own_response(const shield::Response& response, const OwnAnswer& answer,
                         std::string& out);

}  // namespace moat::gateway
