// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace moat::http {

// What a backend is told about the client's side. All are checked values of Moat's own, never a
// client's words: whatever came under these names must have been dropped (is_intermediary_only).
struct ForwardedFor {
  std::string_view client = {};  // IpAddress::to_string() of the canonical client address
  std::string_view host = {};    // as validated, with its port
  std::string_view scheme = "https";
};

// append_forwarded writes Forwarded (RFC 7239), X-Forwarded-For, -Host, -Proto and X-Real-IP as
// whole lines. The backend sees exactly one address: who was before it is settled already.
void append_forwarded(const ForwardedFor& forwarded, std::string& out);

// append_via writes "Via: 1.1 pseudonym", behind `prior`, the Via the request came with (RFC 9110
// section 7.6.3). Requests only: answers say nothing of the gateway.
void append_via(std::string_view prior, int minor_version, std::string_view pseudonym,
                std::string& out);
// via_names_us: the request went through a gateway of that pseudonym already: a loop.
[[nodiscard]] bool via_names_us(std::string_view via, std::string_view pseudonym);

}  // namespace moat::http
