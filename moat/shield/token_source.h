// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/session/session.h"

namespace moat::shield {

// TokenSource knows whose the bearer tokens of others than Moat are: an external issuer's.
class TokenSource {
 public:
  enum class State {
    foreign,     // none of its business: a backend's to judge
    known,       // `identity` says whose it is
    refused,     // a token that it should know is not valid: 401, whoever would let it pass
    wait,        // it must first fetch something: ask again when that is over
    unavailable  // nobody can say at the moment: 503
  };
  struct Answer {
    State state = State::foreign;
    std::shared_ptr<const session::Identity> identity;
    bool pass_token = false;       // a backend may see it
    std::string_view reason = {};  // why it is refused, for the log: a literal
  };

  virtual ~TokenSource() = default;
  // What `token` is worth at `now`. Does not block, unless the source belongs to a server with a
  // thread for each request. Called from several threads at once.
  [[nodiscard]] virtual Answer judge(std::string_view token, Time now, Tick tick) = 0;
};

}  // namespace moat::shield
