// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "moat/base/clock.h"
#include "moat/doctor/finding.h"
#include "moat/doctor/tls_facts.h"

namespace moat::doctor::internal {

using Findings = std::vector<Finding>;

void judge_dns(const TlsFacts& facts, Findings& out);
void judge_ports(const TlsFacts& facts, Findings& out);
void judge_certificate(const TlsFacts& facts, Time now, Findings& out);
void judge_protocol(const TlsFacts& facts, Findings& out);
void judge_plain_http(const TlsFacts& facts, Findings& out);
void judge_https(const TlsFacts& facts, Findings& out);
void judge_hsts(const TlsFacts& facts, Findings& out);

// Where an answer of the plain port sends a client to.
enum class Redirection { none, good, insecure, other_host, other_port };
Redirection redirection_of(const TlsFacts& facts);
inline bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// "a, b, c"; from the sixth on only how many there are more.
template <class Items, class Print>
std::string list(const Items& items, Print print) {
  constexpr std::size_t most = 6;
  std::string out;
  std::size_t count = 0;
  for (const auto& item : items) {
    if (++count > most) continue;
    if (!out.empty()) out += ", ";
    out += print(item);
  }
  if (count > most) out += " and " + std::to_string(count - most) + " more";
  return out;
}

}  // namespace moat::doctor::internal
