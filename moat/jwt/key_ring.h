// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/jwt/key.h"

namespace moat::jwt {

// KeyRing is a key that is changed in time: the current one signs, the ones before it still verify.
// All keys of a ring have one algorithm. Not thread-safe; readers take copies (a Key is cheap to
// copy).
class KeyRing final {
 public:
  struct Options {
    std::chrono::seconds rotate_after = std::chrono::hours(24 * 90);
    // How long a key verifies after its successor took over: at least the longest life of what it
    // signed.
    std::chrono::seconds overlap = std::chrono::hours(24);
    // How long a new key is published before it signs, so that those who cache the JWKS know it in
    // time.
    std::chrono::seconds publish_ahead{0};
  };
  struct Entry {
    Key key;
    Time created_at;
  };

  // A ring of one new key. `unsupported` for RSA.
  static Result<KeyRing, KeyError> create(Algorithm algorithm, Random& random, Time now,
                                          const Options& options);
  // Reads what to_json wrote.
  static Result<KeyRing, KeyError> from_json(const Secret& text, const Options& options);
  // The whole ring, private halves too: for a file of mode 0600 or a secret store.
  Secret to_json() const;

  Algorithm algorithm() const { return entries_.front().key.algorithm(); }
  // The key that signs at `now`.
  const Key& current(Time now) const;
  // The key of that id, or null.
  const Key* find(std::string_view key_id) const;
  // Newest last; never empty.
  const std::vector<Entry>& entries() const { return entries_; }

  // Whether it is time for maintain() to do something.
  bool due(Time now) const;
  // Adds a key when the newest is `rotate_after` old and drops those whose overlap is over. True
  // when it changed, and then to_json() must be stored before the ring is used again.
  bool maintain(Random& random, Time now);
  // Adds a new key whatever the age of the newest (after a leak, drop_before() too).
  void rotate(Random& random, Time now);
  // Drops every key made before `time` except the newest: what they signed is void at once.
  void drop_before(Time time);

  // The keys that verify.
  KeySet verification_keys() const;
  // {"keys":[…]} of the public halves; {"keys":[]} for a ring of secrets.
  std::string public_jwks() const { return verification_keys().public_jwks(); }

 private:
  KeyRing(std::vector<Entry> entries, const Options& options)
      : entries_(std::move(entries)), options_(options) {}
  Time takes_over_at(std::size_t index) const;
  std::vector<Entry> entries_;
  Options options_;
};

}  // namespace moat::jwt
