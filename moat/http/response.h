// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "moat/http/request.h"

namespace moat::http {

// ResponseHead is a backend's head that has been found canonical; views into the parsed buffer.
struct ResponseHead {
  int status = 0;           // 100 to 599
  std::string_view reason;  // may be empty
  int minor_version = 1;
  Headers headers;
  ConnectionOptions connection;
  Framing body;
  bool keep_alive = false;  // the backend's connection may be reused; never for until_close
  bool interim = false;     // 1xx but 101: another head follows
  bool html = false;        // Content-Type is text/html or application/xhtml+xml

  void clear();
};

// parse_response_head reads the head of an answer to a request of method `method` (RFC 9112
// sections 4 and 6.3), as strictly as a request: an answer with two framings, a bad length, a
// folded line or a bare LF could be read in two ways and is refused with status 502.
[[nodiscard]] ParseStatus parse_response_head(std::string_view buffer, const HeadLimits& limits,
                                              Method method, ParseState& state, ResponseHead& out);
[[nodiscard]] ParseStatus parse_response_head(std::string_view buffer, const HeadLimits& limits,
                                              Method method, ResponseHead& out);

}  // namespace moat::http
