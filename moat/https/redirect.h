// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/result.h"

namespace moat::https {

// What came in over plain HTTP; header values as received, empty where absent.
struct PlainRequest {
  std::string_view method;
  std::string_view host;    // the Host header
  std::string_view target;  // the request target
  std::string_view accept;
  bool has_cookie = false;
  bool has_authorization = false;
  bool is_upgrade = false;  // an Upgrade header, such as a WebSocket's
};

struct RedirectPolicy {
  std::uint16_t https_port = 443;
  // The names served here, lower-case: "example.com", "*.example.com" (one label), "127.0.0.1",
  // "::1".
  std::vector<std::string> known_hosts;
};

// 308 (RFC 9110 section 15.4.9), to https on the same host.
struct Redirect {
  std::string location;
};

// Answer with `status` and `code` as a problem, and close the connection: what the client has sent
// was readable on the way, and a redirect would hide that from its author.
struct RedirectRefusal {
  int status = 403;
  std::string_view
      code;  // https_required, unknown_host, malformed_target or websocket_requires_tls
};

// redirect sends on only what a person does with a browser: a GET or HEAD that wants HTML, for a
// known host, without credentials. (On localhost cookies are let pass: they belong to all ports of
// it, so some other program's are usually there.) The location's host is always one of the known
// ones.
[[nodiscard]] Result<Redirect, RedirectRefusal> redirect(const PlainRequest& request,
                                                         const RedirectPolicy& policy);

}  // namespace moat::https
