// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "moat/acme/archive.h"
#include "moat/acme/order.h"
#include "moat/acme/renewal.h"
#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/fetch/client.h"
#include "moat/gateway/acme_proofs.h"
#include "moat/gateway/config.h"
#include "moat/gateway/next_order.h"
#include "moat/https/tls.h"

namespace moat::gateway {

// AcmeClient keeps one certificate for all names of a configuration: it gets it from the CA, renews
// it, and puts it into the store that the handshakes read. It has a thread of its own, where it
// waits for the CA; whoever serves never does.
class AcmeClient final {
 public:
  struct Services {
    Clock& clock;
    const Log& log;
    Random& random;
    std::shared_ptr<acme::Storage> storage;
    AcmeProofs::Places proofs;
  };
  // Reads what is kept in the storage. The error is a sentence: roots or a file of no use. The
  // services must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<AcmeClient>, std::string> make(
      const Config& config, const Services& services);
  AcmeClient(const AcmeClient&) = delete;  // its thread points here
  AcmeClient& operator=(const AcmeClient&) = delete;
  ~AcmeClient();

  // The certificate that was kept for all the names; none: something else has to be shown.
  const std::optional<acme::Archive::Kept>& kept() const { return kept_; }
  // Begins to work, if it has not begun.
  void start();
  // Ends its work soon. The destructor waits for that. From any thread.
  void end();
  // Whether a certificate of the CA's is served.
  bool has_certificate() const { return has_certificate_; }
  // Orders another one now, whatever was planned. From any thread.
  void renew();
  // Takes the certificate back that is served now, also where another one comes before that is
  // done, and orders another one. From any thread.
  void revoke(acme::RevocationReason reason);
  // For people: what is served, until when, what is planned and what has failed; lines. From any
  // thread.
  std::string status() const;

 private:
  // What to do next, of what people have asked for.
  struct Revocation {
    acme::RevocationReason reason = acme::RevocationReason::unspecified;
    std::optional<acme::Archive::Kept> which;  // that was served when people asked
  };
  struct Wish {
    bool renewal = false;
    std::vector<Revocation> revocations;
    bool any() const { return renewal || !revocations.empty(); }
  };

  AcmeClient(const Config& config, const Services& services, fetch::Client http,
             std::optional<acme::ExternalAccount> account);

  void run();
  void work(Time now);
  Time next_look(Time now) const;
  void tell(std::string failure);
  void look_at_others(Time now);
  void order(Time now, bool asked);
  // What came of one order: a sentence where it failed; empty: the end of this process came first.
  [[nodiscard]] Result<void, std::string> carry_out(const acme::Archive::Turn& turn, Time now);
  [[nodiscard]] Result<void, std::string> finish(const acme::Archive::Turn& turn,
                                                 const acme::Issued& issued, const std::string& ca);
  [[nodiscard]] Result<void, std::string> prove(const acme::Archive::Turn& turn,
                                                const acme::Challenge& challenge);
  void hide_all(const acme::Archive::Turn& turn);
  void take_back(Revocation wanted);
  [[nodiscard]] Result<void, std::string> ask_to_revoke(const acme::Archive::Turn& turn,
                                                        const Revocation& what);
  void failed(const acme::Failed& why);
  // A process that is started again and again, or another node, must not ask each time: what has
  // failed is kept.
  bool may_not_try_yet(const acme::Archive::Turn& turn, Time now);
  void keep_retry(const acme::Archive::Turn& turn) const;
  void send(acme::Order& order, const acme::HttpRequest& request);
  void ask_for_window(Time now);
  // Serves it; `fresh`: it was issued just now, or another node has just got it.
  enum class Age { fresh, kept };
  void adopt(acme::Archive::Kept kept, Age age, Time now);
  bool is_ours(const https::Certificate& certificate) const;
  Result<jwt::Key, std::string> account_key(const acme::Archive::Turn& turn,
                                            const std::string& ca) const;
  acme::OrderOptions options(const std::string& ca) const;
  std::optional<acme::ExternalAccount> external_account(const std::string& ca) const;
  const std::string& directory_url() const;
  // Until that time, or (early) until people ask for something; false: the end has come.
  enum class Wakes { in_time, early };
  bool sleep_until(Time until, Wakes wakes);

  const AcmeSettings settings_;
  const std::vector<std::string> names_;
  const std::string email_;
  const bool shared_;  // the storage is other nodes' too
  const Services services_;
  const acme::Archive archive_;
  const fetch::Client http_;
  const std::optional<acme::ExternalAccount> account_;
  std::optional<acme::Archive::Kept> kept_;
  std::atomic<bool> has_certificate_{false};

  // Of the thread.
  std::optional<acme::Archive::Kept> served_;
  std::optional<acme::Schedule> schedule_;
  NextOrder next_;
  AcmeProofs proofs_;
  std::vector<acme::Challenge> standing_;        // that are shown by this node's order
  std::vector<acme::ChallengeType> challenges_;  // in the order in which they are tried
  std::optional<Time> others_turn_;              // since when another one orders
  std::optional<Time> looked_;                   // whether another node has renewed it

  std::stop_source stop_;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  Wish wish_;
  std::optional<acme::Archive::Kept> shown_;  // served_, for any thread
  std::string status_;
};

}  // namespace moat::gateway
