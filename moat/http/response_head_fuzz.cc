// SPDX-License-Identifier: Apache-2.0
#include "moat/http/response.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "moat/http/security_headers.h"
#include "moat/http/set_cookie.h"

namespace {

using namespace moat::http;

void require(bool condition) {
  if (!condition) std::abort();
}

// What goes out must hold no line end but those of the lines themselves.
void require_lines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    require(end != text.npos && end > 0);
    const std::size_t colon = text.substr(0, end).find(": ");
    require(colon != text.npos && is_token(text.substr(0, colon)));
    require(is_field_value(text.substr(colon + 2, end - colon - 2)));
    text.remove_prefix(end + 2);
  }
}

void treat_as_answer(const ResponseHead& head) {
  static const SecurityHeaders security;
  SecurityHeaders::Answer answer;
  answer.kind = head.html ? AnswerKind::proxied_html : AnswerKind::proxied_other;
  answer.backend = &head.headers;
  std::string out;
  security.append(answer, out);
  require_lines(out);
  for (const Header& field : head.headers) {
    require(is_token(field.name) && is_field_value(field.value));
    if (field.known != Known::set_cookie) continue;
    std::string cookie;
    const Hardened hardened = harden_set_cookie(field.value, {}, cookie);
    const bool dropped =
        hardened == Hardened::dropped_malformed || hardened == Hardened::dropped_reserved;
    require(dropped == cookie.empty() && is_field_value(cookie));
    if (dropped) continue;
    std::string again;  // what is hard needs no hardening
    require(harden_set_cookie(cookie, {}, again) == Hardened::unchanged && again == cookie);
  }
}

}  // namespace

// One byte chooses the request's method. The verdict must not depend on how the bytes are split.
void fuzz(std::span<const std::uint8_t> data) {
  if (data.empty() || data.size() > 4096) return;
  const std::string text(reinterpret_cast<const char*>(data.data()) + 1, data.size() - 1);
  const Method method = (data[0] & 1) != 0 ? Method::head : Method::get;
  const HeadLimits limits = HeadLimits::for_backend();
  ResponseHead whole;
  const ParseStatus verdict = parse_response_head(text, limits, method, whole);

  ResponseHead pieced;
  ParseState state;
  ParseStatus last;
  for (std::size_t size = 0; size <= text.size() && !last.complete() && !last.refused(); ++size)
    last =
        parse_response_head(std::string_view(text).substr(0, size), limits, method, state, pieced);
  require(last.kind == verdict.kind && last.status == verdict.status && last.code == verdict.code);
  require(last.consumed == verdict.consumed);
  if (verdict.refused()) require(verdict.status == 502 && !verdict.code.empty());
  if (!verdict.complete()) return;
  require(whole.status >= 100 && whole.status <= 599 && whole.status == pieced.status);
  require(whole.body.kind == pieced.body.kind && whole.body.length == pieced.body.length);
  require(method != Method::head || whole.body.kind == Framing::Kind::none);
  treat_as_answer(whole);
}
