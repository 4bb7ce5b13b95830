// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "moat/base/result.h"

namespace moat::fetch::internal {

struct Url {
  bool secure = true;
  std::string host;  // lower case, without brackets
  std::uint16_t port = 443;
  std::string authority;  // as a Host field has it
  std::string target;     // path and query; begins with '/'
  bool is_loopback() const;
};

// parse_url takes https:// and http:// URLs in plain ASCII (RFC 3986): no user, no fragment. The
// error is a sentence.
[[nodiscard]] Result<Url, std::string> parse_url(std::string_view text);

}  // namespace moat::fetch::internal
