// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "moat/http/request.h"

namespace moat::http {

// HeadScanner finds the lines of a head, in pieces if need be: every byte is looked at once, and a
// byte that may not stand in any head ends it at once.
class HeadScanner final {
 public:
  struct Rules {
    std::size_t start_line = 0;  // bytes without its CRLF
    std::size_t section = 0;
    std::size_t fields = 0;
    bool skip_empty_line = false;  // one CRLF before the start line (RFC 9112 section 2.2)
  };
  static ParseStatus scan(std::string_view buffer, const Rules& rules, ParseState& state);

  static std::size_t lines(const ParseState& state) { return state.lines_; }
  // Lines without their CRLF.
  static std::string_view start_line(std::string_view buffer, const ParseState& state) {
    return {buffer.data() + state.begin_, state.ends_[0] - state.begin_};
  }
  static std::string_view field_line(std::string_view buffer, const ParseState& state,
                                     std::size_t number) {
    const std::size_t from = state.ends_[number - 1] + 2u;
    return {buffer.data() + from, state.ends_[number] - from};
  }
};

namespace internal {

inline ParseStatus refuse(int status, std::string_view code) {
  ParseStatus verdict;
  verdict.kind = ParseStatus::Kind::refused;
  verdict.status = status;
  verdict.code = code;
  return verdict;
}

// recognise in two steps: names that are listed, for which any bytes but controls may be asked
// (what it finds is a token), then families and shadows, for which `name` must be a token.
Known look_up(std::string_view name);
Known recognise_unlisted(std::string_view name);

// Which known name a shadow reads as, e.g. content_length for "Content_Length".
Known recognise_shadowed(std::string_view name);

// Reads all field lines found by the scanner. Gives the code of a refusal, or empty.
std::string_view parse_fields(std::string_view buffer, const ParseState& state, Headers& headers,
                              ConnectionOptions& connection);

// What Transfer-Encoding and Content-Length say together. Gives the code of a refusal, or empty.
struct BodyFields {
  bool has_length = false;
  bool chunked = false;
  std::uint64_t length = 0;
};
std::string_view parse_body_fields(const Headers& headers, int minor_version, BodyFields& out);

// 1*DIGIT without leading zeros, at most 2^63 - 1.
std::optional<std::uint64_t> parse_length(std::string_view text);

// What a path turned out to hold. `code` is set for a refusal.
struct PathFacts {
  std::string_view code;
  bool escaped = false;
  bool encoded_slash = false;
  bool empty_segment = false;
};
PathFacts check_path(std::string_view path, const HeadLimits& limits);

}  // namespace internal
}  // namespace moat::http
