// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "moat/https/internal/openssl.h"

namespace moat::https {

// The value of the name constraints that allow localhost, the loopback addresses, `dns` and
// `addresses`, in OpenSSL's notation.
std::string constraints_for(const std::vector<std::string>& dns,
                            const std::vector<std::string>& addresses);

// True where `ca` is a CA whose critical name constraints (RFC 5280 section 4.2.1.10) permit each
// of `names` (DNS names, "*." among them, and addresses as text) and are narrow: no name of one
// label but localhost, no empty mask, both types constrained.
bool permits(X509* ca, const std::vector<std::string>& names);

}  // namespace moat::https
