// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "moat/accounts/service.h"
#include "moat/base/log.h"
#include "moat/limit/limit.h"
#include "moat/net/hash_pool.h"
#include "moat/password/hasher.h"
#include "moat/session/session.h"
#include "moat/shield/auth_api.h"
#include "moat/shield/shield.h"
#include "moat/shield/users.h"
#include "moat/store/sqlite_store.h"

// ShieldStack is the rooms put together for one process: accounts and sessions in SQLite below
// `directory`, keys in 0600 files beside them, everything else in memory. Members are made in this
// order and destroyed the other way round; each uses those above it.
class ShieldStack final {
 public:
  struct Options {
    std::string directory;
    moat::limit::Policy limit;  // 600 a minute by address, 100 at once
  };
  // The error is a sentence for the operator.
  static moat::Result<std::unique_ptr<ShieldStack>, std::string> open(const Options& options,
                                                                      const moat::Log& log);

  const moat::shield::Shield& shield() const { return *shield_; }
  const moat::shield::AuthApi& auth() const { return *auth_; }

 private:
  struct Opened {
    std::unique_ptr<moat::store::SqliteStore> store;
    moat::jwt::KeyRing session_keys;
    moat::Secret csrf_key;
  };
  ShieldStack(Opened opened, const Options& options, const moat::Log& log);

  Opened opened_;
  moat::password::Hasher hasher_;
  moat::net::WorkerPool hash_threads_;
  moat::net::HashPool hashes_;
  moat::password::Policy password_policy_;
  moat::accounts::Service accounts_;
  moat::session::RevocationList revocations_;
  moat::session::Manager sessions_;
  moat::shield::AccountUsers users_;
  moat::limit::Table requests_;
  moat::limit::Table signups_;
  moat::limit::LoginGuard guard_;
  moat::csrf::Tokens tokens_;
  std::unique_ptr<moat::shield::Shield> shield_;
  std::unique_ptr<moat::shield::AuthApi> auth_;
};
