// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "moat/acme/messages.h"
#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/gateway/dns_hook.h"
#include "moat/https/tls.h"

namespace moat::gateway {

// What is shown on port 80 while a CA looks (http-01): texts by their token. Thread-safe; costs
// nothing while there is none.
class AcmeTokens final {
 public:
  void put(const std::string& token, std::string text);
  void remove(const std::string& token);
  // Empty where there is none.
  std::string find(std::string_view token) const;

 private:
  std::atomic<unsigned> count_{0};
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> texts_;
};

// AcmeProofs shows a CA that a name is ours: by a certificate, by a file on port 80, or by a record
// in the DNS. Not thread-safe.
class AcmeProofs final {
 public:
  struct Places {
    std::shared_ptr<https::CertificateStore> store;
    std::shared_ptr<AcmeTokens> tokens;
    DnsHook* dns = nullptr;  // null: no records; else it outlives this
  };
  AcmeProofs(Places places, std::chrono::milliseconds dns_timeout)
      : places_(std::move(places)), dns_timeout_(dns_timeout) {}

  // The error is a sentence. `stop` ends what takes its time.
  [[nodiscard]] Result<void, std::string> show(const acme::Challenge& challenge, Time now,
                                               std::stop_token stop);
  // Behind a stop a record is taken out in a hurry. The error is a sentence.
  [[nodiscard]] Result<void, std::string> hide(const acme::Challenge& challenge,
                                               std::stop_token stop);

  // Shows those of another node's that are no records, and none of its earlier ones.
  void mirror(const std::vector<acme::Challenge>& challenges, Time now);

 private:
  Result<void, std::string> show_here(const acme::Challenge& challenge, Time now);
  void hide_here(const acme::Challenge& challenge);

  const Places places_;
  const std::chrono::milliseconds dns_timeout_;
  std::vector<acme::Challenge> mirrored_;
};

}  // namespace moat::gateway
