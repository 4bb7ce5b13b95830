// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/csrf/token.h"
#include "moat/gateway/config.h"
#include "moat/jwt/key_ring.h"

namespace moat::gateway {

// The keys that the gateway signs with.
struct Keys {
  jwt::KeyRing session;    // access tokens, HS256
  jwt::KeyRing assertion;  // what backends verify, Ed25519
  csrf::Tokens tokens;
};

// Whether rings that are due get a new key now. While the process before still serves, one that it
// does not know would be refused there.
enum class Rotation { when_due, not_now };

// Reads each key from where the configuration says; those that it does not name are files of mode
// 0600 in `directory`, made on the first run. Rotates those of its own that are due, the key of
// form tokens after 90 days too: what the old key signed stays valid for the overlap. A secret that
// comes from the environment is removed there. The error is a sentence.
[[nodiscard]] Result<Keys, std::string> load_keys(const Config& config,
                                                  const std::string& directory, Time now,
                                                  Rotation rotation = Rotation::when_due);

}  // namespace moat::gateway
