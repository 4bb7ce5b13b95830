// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "moat/http/headers.h"

namespace moat::http {

// W3C Trace Context, level 1: what tells the programs that a request goes through that it is one.

// Trace is what a traceparent says that outlives its hop. Only a parser or new_trace makes one.
struct Trace {
  std::array<char, 32> id;  // lower-case hex, not all zero
  bool sampled = false;     // whoever was before may have recorded it
  std::string_view text() const { return {id.data(), id.size()}; }
};

// Section 3.2. Takes 00-TRACE-PARENT-FLAGS, and of a later version what it has in common with 00
// (section 3.2.4); refuses capital letters, ids of zeros only, version ff, and whatever is short or
// long.
[[nodiscard]] std::optional<Trace> parse_traceparent(std::string_view value);
// The trace of a request; none where the field is missing, malformed, or comes twice.
[[nodiscard]] std::optional<Trace> trace_of(const Headers& headers);
// A trace that begins here. The words are random.
Trace new_trace(std::uint64_t high, std::uint64_t low);

// Traceparent is a whole value, version 00. `parent` is random and names this hop; of the flags
// only `sampled` goes on (section 3.2.2.5: what is not known is sent as zero).
inline constexpr std::size_t traceparent_size = 55;
using Traceparent = std::array<char, traceparent_size>;
Traceparent make_traceparent(const Trace& trace, std::uint64_t parent);

// Section 3.3. How many members a tracestate line has, empty ones not counted; nullopt for what is
// no list of them.
[[nodiscard]] std::optional<std::size_t> tracestate_members(std::string_view line);
// Appends the request's tracestate lines, joined, as one line; nothing where one of them is
// malformed, or they have more than 32 members or 512 bytes together. Only beside a traceparent
// that was valid.
void append_tracestate(const Headers& headers, std::string& out);

// What is taken for a request id from a proxy that is trusted: 1 to 128 of letters, digits, '.',
// '_' and '-'.
[[nodiscard]] bool is_request_id(std::string_view value);

}  // namespace moat::http
