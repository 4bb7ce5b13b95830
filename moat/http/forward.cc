// SPDX-License-Identifier: Apache-2.0
#include "moat/http/forward.h"

#include "moat/http/internal/chars.h"

namespace moat::http {

void append_forwarded(const ForwardedFor& forwarded, std::string& out) {
  // RFC 7239 section 6: an IPv6 address stands in brackets and quotes, a host with port in quotes.
  const bool v6 = forwarded.client.find(':') != forwarded.client.npos;
  out.append("Forwarded: for=").append(v6 ? "\"[" : "").append(forwarded.client);
  out.append(v6 ? "]\"" : "").append(";host=\"").append(forwarded.host);
  out.append("\";proto=").append(forwarded.scheme);
  out.append("\r\nX-Forwarded-For: ").append(forwarded.client);
  out.append("\r\nX-Forwarded-Host: ").append(forwarded.host);
  out.append("\r\nX-Forwarded-Proto: ").append(forwarded.scheme);
  out.append("\r\nX-Real-IP: ").append(forwarded.client).append("\r\n");
}

void append_via(std::string_view prior, int minor_version, std::string_view pseudonym,
                std::string& out) {
  out.append("Via: ").append(prior).append(prior.empty() ? "" : ", ");
  out.append(minor_version == 0 ? "1.0 " : "1.1 ").append(pseudonym).append("\r\n");
}

bool via_names_us(std::string_view via, std::string_view pseudonym) {
  while (!via.empty()) {
    const std::size_t comma = via.find(',');
    std::string_view entry = internal::trim_blanks(via.substr(0, comma));
    via = comma == via.npos ? std::string_view() : via.substr(comma + 1);
    const std::size_t blank = entry.find_first_of(" \t");
    if (blank == entry.npos) continue;
    entry = internal::trim_blanks(entry.substr(blank));
    if (internal::iequals(entry.substr(0, entry.find_first_of(" \t")), pseudonym)) return true;
  }
  return false;
}

}  // namespace moat::http
