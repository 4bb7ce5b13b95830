// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "moat/base/ip.h"

namespace moat::http {

// What a proxy says of a connection before its first byte, in the PROXY protocol of HAProxy,
// version 1 (a line of text) or 2 (binary).
struct ProxyHeader {
  // Who is behind the proxy. None where the proxy speaks for itself (LOCAL) or does not say
  // (UNKNOWN, UNSPEC).
  std::optional<IpAddress> client;
  std::uint16_t client_port = 0;
};

struct ProxyParse {
  enum Kind { incomplete, complete, refused } kind = incomplete;
  // Of an incomplete header: it goes on for at least so many bytes. Who reads no more than these
  // takes nothing of what comes behind it.
  std::size_t needed = 0;
  std::size_t consumed = 0;  // of a complete one
  std::string_view code;     // of a refusal, for the log
};

// Longest headers: of version 1 as its specification has it, of version 2 as anybody sends them.
inline constexpr std::size_t longest_proxy_header_v1 = 107;
inline constexpr std::size_t longest_proxy_header = 536;

// parse_proxy_header reads the header at the start of a connection. TCP over IPv4 and IPv6 only;
// fields behind the addresses (TLVs) must be whole and are passed over. One spelling: no leading
// zeros, one space, upper case.
[[nodiscard]] ProxyParse parse_proxy_header(std::string_view buffer, ProxyHeader& out);

}  // namespace moat::http
