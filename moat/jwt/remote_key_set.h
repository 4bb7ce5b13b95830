// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/jwt/key.h"

namespace moat::jwt {

// RemoteKeySet decides when the keys that another issuer publishes (its "jwks_uri") are to be
// fetched, and which of them count. It fetches nothing itself: it is asked for a token's key, and
// told how a fetch went. Not thread-safe.
//
// Whatever tokens strangers send, there is one fetch at a time, and between two of them `cooldown`
// passes, or `retry` behind one that failed.
class RemoteKeySet final {
 public:
  struct Options {
    // The public-key algorithms that count. Those of PKCS #1 v1.5 (rs256, rs384, rs512) only where
    // they are named here. An RSA key that names none is for the one RSA algorithm of this list,
    // and for none where there are several.
    std::vector<Algorithm> algorithms{Algorithm::es256,   Algorithm::es384, Algorithm::es512,
                                      Algorithm::ed25519, Algorithm::ps256, Algorithm::ps384,
                                      Algorithm::ps512};
    // So long keys are good without another look. From half of it on, whoever uses one is asked to
    // fetch meanwhile, so that nobody has to wait for it.
    std::chrono::seconds max_age{600};
    // So much longer they are good while every fetch fails. A key that was withdrawn can be used by
    // its thief for max_age, and this too where the thief keeps fetches from succeeding.
    std::chrono::seconds max_stale{3600};
    std::chrono::seconds cooldown{30};  // at most max_age / 2
    std::chrono::seconds retry{10};     // behind a failure
    std::size_t max_bytes = 65536;
    std::size_t max_keys = 64;  // at most 64
  };

  // Throws std::invalid_argument for a secret-key algorithm or times that contradict each other.
  explicit RemoteKeySet(Options options);
  RemoteKeySet();

  enum class State {
    ready,       // keys() has those that the token may be signed with
    unknown,     // the issuer has no such key: refuse the token
    wait,        // a fetch is under way, or asked for here: ask again when it is over
    unavailable  // the issuer's keys are not to be had at the moment, so nobody can say
  };
  struct Answer {
    State state;
    // The caller is to fetch now and to say `fetched` or `failed`; nobody else is asked meanwhile.
    bool fetch = false;
  };
  // Whether the key is here of a token whose header has this "kid" and "alg". An "alg" that does
  // not count makes it `unknown`, and never causes a fetch.
  [[nodiscard]] Answer look_up(std::optional<std::string_view> key_id, std::string_view algorithm,
                               Tick now);

  // Why a key of the set does not count. A key that is no use to us is nothing unusual; the issuer
  // of one that is secret, or too weak, should be told.
  struct Skipped {
    std::string key_id;  // as it stands there, cut at 64 bytes; not to be believed
    KeyError why;
  };
  struct Accepted {
    std::size_t keys = 0;
    std::vector<Skipped> skipped;
  };
  // A fetch brought `body`. What it holds is from now on all there is: a key that is not in it any
  // more is out, also where nothing is left. Refused whole, as a failed fetch: what is too large,
  // has too many keys, is no JWK Set (RFC 7517 section 5), or names one "kid" twice.
  Result<Accepted, KeyError> fetched(std::string_view body, Tick now);
  void failed(Tick now);

  // Public keys only.
  const KeySet& keys() const { return keys_; }
  // When keys came last; nullopt before the first time.
  std::optional<Tick> fetched_at() const { return fetched_at_; }

 private:
  bool counts(Algorithm algorithm) const;
  bool holds(std::optional<std::string_view> key_id, Algorithm algorithm) const;
  bool usable(Tick now) const;
  bool begin_fetch(Tick now);
  Result<Key, KeyError> accept(const json::Value& jwk) const;

  Options options_;
  std::optional<Algorithm> for_unnamed_rsa_;
  KeySet keys_;
  std::optional<Tick> fetched_at_;
  std::optional<Tick> not_before_;  // when the next fetch may begin
  bool fetching_ = false;
  bool failing_ = false;  // the last fetch did not succeed
};

}  // namespace moat::jwt
