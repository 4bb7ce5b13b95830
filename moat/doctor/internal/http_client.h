// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "moat/base/clock.h"
#include "moat/doctor/tls_facts.h"
#include "moat/fetch/socket.h"

namespace moat::doctor::internal {

using fetch::Socket;

// GET or POST of "/", as a browser's navigation asks.
[[nodiscard]] std::string http_request(std::string_view method, const std::string& authority);

using Reader = std::function<Socket::Received(char* buffer, std::size_t size)>;

// read_answer reads the head of an answer to a request that was sent at `asked`; the body is left
// alone, and redirects are not followed. At most 64 KiB of fields.
[[nodiscard]] HttpFacts read_answer(const Reader& read, Time asked, const Clock& clock);

}  // namespace moat::doctor::internal
