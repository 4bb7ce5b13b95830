// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "moat/base/result.h"

namespace moat::gateway {

// What is to be done with a TXT record that proves a name to a CA (RFC 8555 section 8.4).
struct DnsRequest {
  enum class Action { present, cleanup } action = Action::present;
  std::string record;  // "_acme-challenge.example.com"
  std::string text;    // 43 characters of base64url
};

// DnsHook changes the DNS by a program of the operator's. What serves strangers may run none, so
// whoever starts the gateway brings it along.
class DnsHook {
 public:
  DnsHook() = default;
  DnsHook(const DnsHook&) = delete;  // stands for a process
  DnsHook& operator=(const DnsHook&) = delete;
  virtual ~DnsHook() = default;

  // Returns when the program has ended, was ended because of `timeout`, or of `stop`. The error is
  // a sentence, with the last of what the program has said. From any thread.
  [[nodiscard]] virtual Result<void, std::string> run(const DnsRequest& request,
                                                      std::chrono::milliseconds timeout,
                                                      std::stop_token stop) = 0;
};

}  // namespace moat::gateway
