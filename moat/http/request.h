// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "moat/http/connection.h"
#include "moat/http/headers.h"

namespace moat::http {

// HeadLimits bounds what a stranger may send before he is known. All are inclusive, in bytes.
struct HeadLimits {
  std::size_t target = 8192;    // beyond: 414
  std::size_t section = 16384;  // all fields with their line ends: 431
  std::size_t fields = 100;     // 431; at most Headers::capacity
  // Loosenings. A route that wants one must have it here and check RequestHead's flag itself.
  bool allow_encoded_slash = false;    // %2F and %5C in the path
  bool allow_empty_segments = false;   // "//" inside the path (never at its start)
  bool allow_unknown_methods = false;  // methods beyond Method's; else 501

  // For answers of a backend: Set-Cookie and CSP need room.
  static constexpr HeadLimits for_backend() {
    HeadLimits limits;
    limits.section = 65536;
    return limits;
  }
};

// ParseStatus is the parser's verdict. `code` is a stable name, a literal.
struct ParseStatus {
  enum class Kind { incomplete, complete, refused };
  Kind kind = Kind::incomplete;
  std::size_t consumed = 0;  // complete: bytes of the head, its last CRLF included
  int status = 0;            // refused: the status to answer with; the connection must close
  std::string_view code;     // refused: why

  bool complete() const { return kind == Kind::complete; }
  bool refused() const { return kind == Kind::refused; }
};

// ParseState remembers, between calls for one message, where the search stopped and where lines
// end, so bytes that trickle in cost linear work. reset() it before the next message. It holds
// offsets only: the buffer may grow and move between calls.
class ParseState final {
 public:
  void reset() { begin_ = scanned_ = lines_ = 0; }

 private:
  friend class HeadScanner;
  std::size_t begin_ = 0;    // of the start line; 2 behind one empty line
  std::size_t scanned_ = 0;  // bytes that need no second look
  std::size_t lines_ = 0;    // lines found complete
  std::array<std::uint32_t, Headers::capacity + 1> ends_;  // offset of each line's CR
};

enum class Method : std::uint8_t { get, head, post, put, delete_, options, patch, other };
std::string_view to_string(Method method);  // "other" for other
// Whether a method is safe (RFC 9110 section 9.2.1): GET, HEAD, OPTIONS.
[[nodiscard]] constexpr bool is_safe(Method method) {
  return method == Method::get || method == Method::head || method == Method::options;
}

// How the body behind a head is delimited.
struct Framing {
  enum class Kind : std::uint8_t { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;  // of kind length; never 0 there
};

// RequestHead is a head that has been found canonical. All views point into the parsed buffer.
struct RequestHead {
  Method method = Method::get;
  std::string_view method_text;
  std::string_view target;  // as it came
  std::string_view path;    // raw, begins with '/'; "*" of OPTIONS *
  std::string_view query;   // raw, behind the '?'
  bool has_query = false;
  std::string_view host;  // of the Host field: host[:port], checked for its characters
  int minor_version = 1;
  Headers headers;
  ConnectionOptions connection;
  Framing body;
  bool keep_alive = false;         // the client would reuse the connection; never for HTTP/1.0
  bool expects_continue = false;   // waits for 100 before it sends the body
  bool upgrade_websocket = false;  // a GET that asks for it; check with check_websocket()
  bool asterisk = false;           // OPTIONS *: about the server; answer it, never forward it
  bool path_escaped = false;       // the path has a '%'; compare routes with decode_path()
  bool encoded_slash = false;      // %2F or %5C (allow_encoded_slash)
  bool empty_segment = false;      // "//" (allow_empty_segments)

  void clear();
};

// parse_request_head reads one HTTP/1.1 or 1.0 request head (RFC 9112) from the start of `buffer`.
// There is one spelling for each meaning; what two parsers could read in two ways is refused, never
// repaired. The verdict does not depend on how the bytes were split over calls. No allocation; each
// byte is scanned once over all calls. `out` is meaningful after `complete` only.
[[nodiscard]] ParseStatus parse_request_head(std::string_view buffer, const HeadLimits& limits,
                                             ParseState& state, RequestHead& out);
[[nodiscard]] ParseStatus parse_request_head(std::string_view buffer, const HeadLimits& limits,
                                             RequestHead& out);

// decode_path percent-decodes a path of RequestHead into `out` (replaced), for comparing routes.
// Encoded slashes stay encoded, so that they never become separators.
void decode_path(std::string_view path, std::string& out);

// append_request_head writes the head again, as it was understood: what it gives parses equal.
void append_request_head(const RequestHead& head, std::string& out);

// is_valid_host: host[:port] of a Host field: a name of LDH labels and '_', an IPv4 address or an
// IPv6 address in brackets; no user, no empty label or port, no port above 65535.
[[nodiscard]] bool is_valid_host(std::string_view host);

}  // namespace moat::http
