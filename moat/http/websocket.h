// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "moat/http/request.h"

namespace moat::http {

// What is wrong with a WebSocket handshake (RFC 6455 section 4.2.1).
enum class WebSocketCheck {
  valid,
  not_a_handshake,  // no GET of HTTP/1.1 with Upgrade: websocket and Connection: Upgrade, no body
  bad_version,      // not 13: answer 426 with Sec-WebSocket-Version: 13
  bad_key,          // not one key of 16 bytes in base64
  no_origin         // browsers always send one; needed for the CSRF verdict
};
std::string_view to_string(WebSocketCheck check);

enum class MissingOrigin { refuse, allow };  // allow: clients that are no browsers

[[nodiscard]] WebSocketCheck check_websocket(const RequestHead& head,
                                             MissingOrigin missing = MissingOrigin::refuse);

}  // namespace moat::http
