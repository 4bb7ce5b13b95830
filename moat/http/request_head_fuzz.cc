// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "moat/http/request.h"
#include "moat/http/websocket.h"

namespace {

using namespace moat::http;

void require(bool condition) {
  if (!condition) std::abort();
}

void require_same(const RequestHead& a, const RequestHead& b) {
  require(a.method == b.method && a.method_text == b.method_text);
  require(a.target == b.target && a.path == b.path && a.query == b.query && a.host == b.host);
  require(a.body.kind == b.body.kind && a.body.length == b.body.length);
  require(a.keep_alive == b.keep_alive && a.expects_continue == b.expects_continue);
  require(a.headers.size() == b.headers.size());
  for (std::size_t i = 0; i < a.headers.size(); ++i) {
    require(a.headers[i].name == b.headers[i].name && a.headers[i].value == b.headers[i].value);
    require(a.headers[i].known == b.headers[i].known);
  }
}

void require_canonical(const RequestHead& head) {
  require(!head.host.empty() && is_valid_host(head.host));
  require(head.headers.count(Known::host) == 1);
  require(head.headers.count(Known::content_length) +
              head.headers.count(Known::transfer_encoding) <=
          1);
  require(head.asterisk || head.path[0] == '/');
  for (const Header& field : head.headers)
    require(is_token(field.name) && is_field_value(field.value));
  std::string decoded;
  decode_path(head.path, decoded);
  require(("/" + decoded + "/").find("/../") == std::string::npos);
  require(decoded.find('\0') == std::string::npos);
}

}  // namespace

// One byte chooses the loosenings. The verdict must not depend on how the bytes are split, and a
// head that is accepted, written again, must be accepted as the same head.
void fuzz(std::span<const std::uint8_t> data) {
  if (data.empty() || data.size() > 4096) return;
  const std::string text(reinterpret_cast<const char*>(data.data()) + 1, data.size() - 1);
  HeadLimits limits;
  limits.allow_encoded_slash = (data[0] & 1) != 0;
  limits.allow_empty_segments = (data[0] & 2) != 0;
  limits.allow_unknown_methods = (data[0] & 4) != 0;
  if ((data[0] & 8) != 0) {
    limits.target = 32;
    limits.section = 128;
    limits.fields = 4;
  }
  RequestHead whole;
  const ParseStatus verdict = parse_request_head(text, limits, whole);

  RequestHead pieced;
  ParseState state;
  ParseStatus last;
  for (std::size_t size = 0; size <= text.size() && !last.complete() && !last.refused(); ++size)
    last = parse_request_head(std::string_view(text).substr(0, size), limits, state, pieced);
  require(last.kind == verdict.kind && last.status == verdict.status && last.code == verdict.code);
  require(last.consumed == verdict.consumed);
  if (!verdict.complete()) {
    require(!verdict.refused() || (verdict.status >= 400 && !verdict.code.empty()));
    return;
  }
  require_same(whole, pieced);
  require_canonical(whole);
  (void)check_websocket(whole);

  std::string again;
  append_request_head(whole, again);
  limits.section += 4 * Headers::capacity;  // ": " may be longer than ":" was
  RequestHead second;
  const ParseStatus repeated = parse_request_head(again, limits, second);
  require(repeated.complete() && repeated.consumed == again.size());
  require_same(whole, second);
}
