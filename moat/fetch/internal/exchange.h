// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "moat/base/result.h"
#include "moat/fetch/internal/url.h"
#include "moat/http/request.h"
#include "moat/http/response.h"
#include "moat/https/client_tls.h"

namespace moat::fetch::internal {

struct Question {
  const Url& url;
  const https::ClientContext* tls = nullptr;  // null: in the clear
  http::Method method = http::Method::get;
  const std::string& request;  // whole, as it is sent
  std::chrono::milliseconds timeout;
  std::size_t max_bytes = 0;
  // Before the body is read: a sentence where it is not wanted.
  std::function<Result<void, std::string>(const http::ResponseHead&)> check;
  const std::atomic<bool>* cancelled = nullptr;  // true: give up
};

struct Answer {
  http::ResponseHead head;  // views into `bytes`
  std::string bytes;
  std::size_t begin = 0;  // of what came behind the head
  std::string body;
};

// exchange sends one request on a connection of its own and reads the answer to its end. The error
// is a sentence without a word of the server's.
[[nodiscard]] Result<std::unique_ptr<Answer>, std::string> exchange(const Question& question);

}  // namespace moat::fetch::internal
