// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/ip.h"
#include "moat/base/result.h"
#include "moat/fetch/internal/url.h"

namespace moat::fetch::internal {

// Whether a name of the configuration may lead to `address`; see Document.
[[nodiscard]] bool may_connect(const Url& url, const IpAddress& address);

// How often a flag that ends a wait is looked at.
inline constexpr std::chrono::milliseconds cancel_looks{200};

// The addresses of the URL's host that may be connected to, at least one, until `deadline` or
// `cancelled` (which may be null). The error is a sentence.
[[nodiscard]] Result<std::vector<IpAddress>, std::string> resolve(
    const Url& url, Tick deadline, const std::atomic<bool>* cancelled = nullptr);

}  // namespace moat::fetch::internal
