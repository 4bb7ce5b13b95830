// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/fetch/document.h"
#include "moat/gateway/config.h"
#include "moat/jwt/decode.h"
#include "moat/jwt/jwt.h"
#include "moat/jwt/remote_key_set.h"
#include "moat/net/worker_pool.h"
#include "moat/shield/token_source.h"

namespace moat::gateway {

// What an issuer's keys are fetched with.
fetch::Options fetch_options(const TrustedIssuer& settings);

// How a user of another issuer is called: never as an account of Moat's, nor as a user of a third
// issuer (RFC 7519 section 4.1.2: "sub" is unique within its issuer). 45 characters: "x-" and
// SHA-256, in base64url, of the issuer, a line feed and the subject.
std::string external_user_id(std::string_view issuer, std::string_view subject);

// IssuerKeys is one [[issuer]] at work: it verifies tokens with the keys that the issuer publishes,
// and has them fetched on a pool. Safe for concurrent use.
class IssuerKeys final : public std::enable_shared_from_this<IssuerKeys> {
 public:
  // What outlives every configuration.
  struct Services {
    const Clock& clock;
    const Log& log;
    net::WorkerPool& fetches;
    const std::atomic<bool>* over = nullptr;  // true: fetches end soon; may be null
  };
  // Gets the key set's text, or a sentence why not; may block, on the pool.
  using Fetch = std::function<Result<std::string, std::string>()>;
  [[nodiscard]] static std::shared_ptr<IssuerKeys> make(const TrustedIssuer& settings, Fetch fetch,
                                                        const Services& services);
  IssuerKeys(const IssuerKeys&) = delete;  // its waiters point here
  IssuerKeys& operator=(const IssuerKeys&) = delete;

  const TrustedIssuer& settings() const { return settings_; }
  // `decoded` is `token`, read.
  [[nodiscard]] shield::TokenSource::Answer judge(std::string_view token,
                                                  const jwt::Decoded& decoded, Time now, Tick tick);

  enum class Wait { over, too_many };
  // Resumes `handle` on its loop when the fetch under way is over. False: there is none, or too
  // many wait already; `out` says which.
  [[nodiscard]] bool wait(net::Loop& loop, std::coroutine_handle<> handle, Wait& out);

 private:
  IssuerKeys(const TrustedIssuer& settings, Fetch fetch, const Services& services);
  jwt::Options rules() const;
  void start_fetch();
  void take(const Result<std::string, std::string>& body);
  void report(const jwt::RemoteKeySet::Accepted& accepted);
  std::shared_ptr<const session::Identity> identity_of(const jwt::Verified& verified,
                                                       std::string_view token, Time now) const;

  struct Waiter {
    net::Loop* loop;
    std::coroutine_handle<> handle;
  };

  const TrustedIssuer settings_;
  const Fetch fetch_;
  const Services services_;
  std::mutex mutex_;  // of what follows
  jwt::RemoteKeySet keys_;
  std::shared_ptr<const jwt::Verifier> verifier_;  // with keys_'s
  bool fetching_ = false;
  std::vector<Waiter> waiters_;
  std::string told_;  // of the keys that do not count, in the log
  bool failing_ = true;
};

// Issuers are all of a configuration's.
class Issuers final : public shield::TokenSource {
 public:
  // Takes over from `before`, which may be null, those whose settings are the same, with their
  // keys. The error is a sentence.
  [[nodiscard]] static Result<std::unique_ptr<Issuers>, std::string> create(
      const Config& config, const IssuerKeys::Services& services, const Issuers* before);

  Answer judge(std::string_view token, Time now, Tick tick) override;

  // co_await issuers.loaded(loop, token), where judge() said `wait`: until it can say more.
  // Wait::too_many: the client is to come again.
  class Loaded final {
   public:
    Loaded(std::shared_ptr<IssuerKeys> issuer, net::Loop& loop)
        : issuer_(std::move(issuer)), loop_(loop) {}
    bool await_ready() const noexcept { return issuer_ == nullptr; }
    bool await_suspend(std::coroutine_handle<> handle) {
      return issuer_->wait(loop_, handle, outcome_);
    }
    IssuerKeys::Wait await_resume() const { return outcome_; }

   private:
    std::shared_ptr<IssuerKeys> issuer_;
    net::Loop& loop_;
    IssuerKeys::Wait outcome_ = IssuerKeys::Wait::over;
  };
  [[nodiscard]] Loaded loaded(net::Loop& loop, std::string_view token) const;

 private:
  explicit Issuers(std::vector<std::shared_ptr<IssuerKeys>> issuers)
      : issuers_(std::move(issuers)) {}
  std::shared_ptr<IssuerKeys> find(std::string_view url) const;
  std::vector<std::shared_ptr<IssuerKeys>> issuers_;
};

}  // namespace moat::gateway
