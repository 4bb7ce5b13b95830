// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/ip.h"

namespace moat::shield {

// Request is what the shield needs of a request, as plain values, so that any framework can fill it
// in. The texts belong to the caller and must live while the request is handled. A header that came
// twice where one is allowed must have been refused before (the gateway's parser does; a
// framework's adapter checks it).
struct Request {
  std::string_view method;
  std::string_view path;   // raw, up to the '?'
  std::string_view query;  // behind the '?'
  std::string_view host;   // the Host header or authority, with its port
  std::string_view scheme = "https";
  IpAddress peer;                                   // the other end of the connection
  std::span<const std::string_view> forwarded_for;  // X-Forwarded-For lines in order
  std::string_view cookie;  // the Cookie header; several lines joined by "; "
  std::optional<std::string_view> origin;
  std::optional<std::string_view> referer;
  std::optional<std::string_view> sec_fetch_site;
  std::optional<std::string_view> sec_fetch_mode;
  std::string_view content_type;
  std::string_view accept;
  std::string_view user_agent;
  std::string_view authorization;
  std::string_view csrf_token;   // the first of csrf::header_names that came
  bool method_override = false;  // X-HTTP-Method-Override, X-HTTP-Method or X-Method-Override came
  bool websocket_upgrade = false;
  bool client_certificate =
      false;                // the client has proved to hold one that is trusted here, by TLS
  bool navigation = false;  // a person's browser wants a page: answers are pages and redirects
};

enum class Body { none, json, problem, page, text };

// Response is an answer of Moat's own.
struct Response {
  int status = 200;
  Body kind = Body::none;
  std::string body;
  std::string location;                  // of a redirect
  std::vector<std::string> set_cookies;  // whole header values
  std::vector<std::pair<std::string, std::string>>
      headers;            // others: Retry-After, RateLimit, Clear-Site-Data
  std::string nonce;      // of a page's scripts, for its Content-Security-Policy
  std::string_view code;  // the stable code of a problem, for log and metrics
};

}  // namespace moat::shield
