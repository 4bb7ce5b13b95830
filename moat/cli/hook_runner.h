// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "moat/base/result.h"
#include "moat/gateway/config.h"
#include "moat/gateway/dns_hook.h"

namespace moat::cli {

// HookRunner runs tls.acme.dns_hook for a process that may execute nothing. It is a small process,
// forked while programs may still be executed. Program, words, environment and names were fixed
// then: whoever breaks into what serves can ask for TXT records of "_acme-challenge" below the
// configured names, and for nothing else. It ends with the process that made it, and so does what
// it runs.
class HookRunner final : public gateway::DnsHook {
 public:
  // Call it before any thread is started and before the sandbox. The error is a sentence: a program
  // that is not there, or that others than its user and root may change, or a variable that is not
  // set.
  [[nodiscard]] static Result<std::shared_ptr<HookRunner>, std::string> fork_off(
      const gateway::AcmeSettings& settings, const std::vector<std::string>& names);
  // Why this user could not start with that program, as a sentence; for `moat check`.
  [[nodiscard]] static Result<void, std::string> check_program(const std::string& path);
  ~HookRunner() override;

  // One at a time; others wait.
  Result<void, std::string> run(const gateway::DnsRequest& request,
                                std::chrono::milliseconds timeout, std::stop_token stop) override;

 private:
  explicit HookRunner(int socket) : socket_(socket) {}
  const int socket_;
  std::mutex mutex_;
};

}  // namespace moat::cli
