// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "moat/acme/order.h"
#include "moat/acme/renewal.h"
#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/certs/acme_files.h"
#include "moat/fetch/client.h"
#include "moat/gateway/config.h"
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

// AcmeClient keeps one certificate for all names of a configuration: it gets it from the CA, renews
// it, and puts it into the store that the handshakes read. It has a thread of its own, where it
// waits for the CA; whoever serves never does.
class AcmeClient final {
 public:
  struct Services {
    Clock& clock;
    const Log& log;
    Random& random;
    std::shared_ptr<https::CertificateStore> store;
    std::shared_ptr<AcmeTokens> tokens;
  };
  // Reads what is kept in `directory`. The error is a sentence: roots or a file of no use. The
  // services must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<AcmeClient>, std::string> make(
      const Config& config, std::filesystem::path directory, const Services& services);
  AcmeClient(const AcmeClient&) = delete;  // its thread points here
  AcmeClient& operator=(const AcmeClient&) = delete;
  ~AcmeClient();

  // The certificate that was kept for all the names; none: something else has to be shown.
  const std::optional<https::Certificate>& kept() const { return kept_; }
  // Begins to work, if it has not begun.
  void start();
  // Ends its work soon. The destructor waits for that. From any thread.
  void end();
  // Whether a certificate of the CA's is served.
  bool has_certificate() const { return has_certificate_; }
  // Orders another one now, whatever was planned. From any thread.
  void renew();
  // For people: what is served, until when, what is planned and what has failed; lines. From any
  // thread.
  std::string status() const;

 private:
  AcmeClient(const Config& config, std::filesystem::path directory, const Services& services,
             fetch::Client http, std::optional<acme::ExternalAccount> account);

  void run();
  void work(Time now);
  Time next_look(Time now) const;
  void tell(std::string failure);
  void order(Time now, bool asked);
  // What came of one order: a sentence where it failed.
  [[nodiscard]] Result<void, std::string> carry_out(const certs::AcmeFiles::Turn& turn, Time now);
  [[nodiscard]] Result<void, std::string> finish(const certs::AcmeFiles::Turn& turn,
                                                 const acme::Issued& issued);
  void failed(const acme::Failed& why);
  // A process that is started again and again must not ask each time: what has failed is kept.
  bool may_not_try_yet(const certs::AcmeFiles::Turn& turn, Time now);
  void keep_retry(const certs::AcmeFiles::Turn& turn) const;
  void send(acme::Order& order, const acme::HttpRequest& request);
  bool show(const acme::Challenge& challenge);
  void hide(const acme::Challenge& challenge);
  void ask_for_window(Time now);
  void adopt(https::Certificate certificate, Time now);
  bool is_ours(const https::Certificate& certificate) const;
  Result<jwt::Key, std::string> account_key(const certs::AcmeFiles::Turn& turn);
  acme::OrderOptions options() const;
  std::optional<acme::ExternalAccount> external_account() const;
  const std::string& directory_url() const;
  // Until that time, or (early) until renew() is called; false: the end has come.
  enum class Wakes { in_time, early };
  bool sleep_until(Time until, Wakes wakes);

  const AcmeSettings settings_;
  const std::vector<std::string> names_;
  const std::string email_;
  const certs::AcmeFiles files_;
  const Services services_;
  const fetch::Client http_;
  const std::optional<acme::ExternalAccount> account_;
  std::optional<https::Certificate> kept_;
  std::atomic<bool> has_certificate_{false};

  // Of the thread.
  std::optional<https::Certificate> certificate_;
  std::optional<acme::Schedule> schedule_;
  acme::Patience patience_;
  std::vector<acme::ChallengeType> challenges_;  // in the order in which they are tried
  std::optional<Time> not_before_;               // of the next order
  bool by_fallback_ = false;                     // the other CA is asked now
  bool retry_read_ = false;                      // what an earlier process has kept

  std::thread thread_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  bool asked_ = false;  // for another certificate, by renew()
  std::string status_;
};

}  // namespace moat::gateway
