// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "moat/base/ip.h"
#include "moat/base/result.h"
#include "moat/validate/web_url.h"

namespace moat::validate::internal {

struct WebHost {
  std::string text;
  std::optional<IpAddress> address;
};

// WHATWG URL section 3.5, "ends in a number checker": browsers and resolvers take such a host for
// an IPv4 address, or for an error. A dot at the end counts for nothing.
bool ends_in_number(std::string_view host);

// WHATWG URL section 3.5, "host parser", for special schemes. `text` is not empty.
Result<WebHost, UrlRefusal> parse_web_host(std::string_view text, const WebUrlOptions& options);

}  // namespace moat::validate::internal
