// SPDX-License-Identifier: Apache-2.0
#include "moat/http/websocket.h"

#include "moat/http/internal/chars.h"

namespace moat::http {
namespace {

// 16 bytes in base64: 22 digits, the last with four zero bits, and "==".
bool is_key(std::string_view key) {
  if (key.size() != 24 || key.substr(22) != "==") return false;
  for (const char c : key.substr(0, 22))
    if (!internal::is_alnum(static_cast<unsigned char>(c)) && c != '+' && c != '/') return false;
  return std::string_view("AQgw").find(key[21]) != std::string_view::npos;
}

}  // namespace

std::string_view to_string(WebSocketCheck check) {
  switch (check) {
    case WebSocketCheck::valid:
      return "valid";
    case WebSocketCheck::not_a_handshake:
      return "not_a_handshake";
    case WebSocketCheck::bad_version:
      return "bad_version";
    case WebSocketCheck::bad_key:
      return "bad_key";
    case WebSocketCheck::no_origin:
      return "no_origin";
  }
  return "not_a_handshake";
}

WebSocketCheck check_websocket(const RequestHead& head, MissingOrigin missing) {
  if (!head.upgrade_websocket) return WebSocketCheck::not_a_handshake;
  if (head.headers.value(Known::sec_websocket_version) != "13") return WebSocketCheck::bad_version;
  if (!is_key(head.headers.value(Known::sec_websocket_key))) return WebSocketCheck::bad_key;
  if (missing == MissingOrigin::refuse && !head.headers.has(Known::origin))
    return WebSocketCheck::no_origin;
  return WebSocketCheck::valid;
}

}  // namespace moat::http
