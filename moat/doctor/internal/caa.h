// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "moat/doctor/tls_facts.h"

namespace moat::doctor::internal {

// parse_caa reads the data of one record (RFC 8659 section 4.1).
[[nodiscard]] std::optional<CaaRecord> parse_caa(std::string_view data);

inline constexpr int caa_type = 257;  // RFC 8659 section 4; not in all systems' headers
// read_caa_answer reads the records out of an answer to a DNS query (RFC 1035 section 4.1): at most
// 20, none from one that is not well-formed.
[[nodiscard]] std::vector<CaaRecord> read_caa_answer(std::string_view message);

enum class CaaVerdict { unrestricted, permits, forbids, unclear };
// Whether the records let the CA of `certificate` issue for `host`.
[[nodiscard]] CaaVerdict judge_caa(const Caa& caa, const CertificateFacts& certificate,
                                   std::string_view host);

}  // namespace moat::doctor::internal
