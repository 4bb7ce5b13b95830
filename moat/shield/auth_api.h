// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "moat/accounts/service.h"
#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/base/random.h"
#include "moat/csrf/token.h"
#include "moat/limit/limit.h"
#include "moat/session/session.h"
#include "moat/shield/request.h"
#include "moat/shield/shield.h"

namespace moat::shield {

// Pages renders the pages of the accounts; the gateway has its own, a framework may bring others or
// none.
class Pages;

// AuthApi answers what is under /auth and /.well-known/moat: the accounts' JSON contract and their
// pages. Every answer is whole; nothing here reads a socket. handle() blocks for a password hash
// and for the store, so call it on a thread that may wait. Thread-safe as its services are; they
// must outlive it.
class AuthApi final {
 public:
  struct Services {
    const Shield& shield;
    session::Manager& sessions;
    accounts::Service& accounts;
    accounts::Store& store;
    limit::LoginGuard& guard;
    limit::Table& signups;  // slow buckets: accounts made by address
    const csrf::Tokens& tokens;
    Random& random;
    const Log& log;
    const Pages* pages = nullptr;      // null: JSON only
    session::ApiKeys* keys = nullptr;  // null: nobody has any
  };
  struct Options {
    limit::Policy signup_limit;  // accounts made, by address
    limit::Policy signup_tries;  // that made none, by address: each may have cost a hash
    bool signup_open = true;
    bool tokens = true;                   // programs may log in: POST /auth/token
    std::vector<std::string> scopes;      // those that a token or key may be made for
    std::string site_name = "localhost";  // shown on the pages
    std::function<std::string()> jwks;    // the public keys of the assertions
    std::size_t max_body = 16384;
    std::chrono::seconds device_life = std::chrono::hours{24 * 180};
    // A login older than this is confirmed by the password before other sessions are ended.
    std::chrono::seconds confirmed_for = std::chrono::minutes{10};
  };
  AuthApi(const Services& services, Options options);
  ~AuthApi();

  // Whether a path is answered here: /auth, /auth/… and /.well-known/moat/…
  static bool handles(std::string_view path);
  // The rules of the walk for such a path: csrf::Scope::auth_endpoint, no login required by the
  // walk itself.
  static Rules rules(std::string_view method, std::string_view path);
  std::size_t max_body() const;

  // Answers a request that the shield has let pass. `admission` brings the identity and the
  // cookies; the answer's cookies replace those of a refresh where they contradict (a logout after
  // a refresh).
  [[nodiscard]] Response handle(const Request& request, Admission& admission, std::string_view body,
                                Time now, Tick tick) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moat::shield
