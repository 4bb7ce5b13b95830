// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/secret.h"
#include "moat/session/session.h"

namespace moat::shield {

// Memory is what one thread has found out under one configuration, so that a request with the same
// access token is not verified again, on whatever connection it comes: one that brings many
// people's requests (a load balancer's) gains as one browser's does. Times and revocation are to be
// looked up on every request all the same. Holds at most 4,096 tokens, which are some 600 bytes
// each with what they say.
class Memory final {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;  // large
  Memory& operator=(const Memory&) = delete;

  // Whose token this is, if it was verified before; else null.
  std::shared_ptr<const session::Identity> find(std::string_view token) const;
  // `token` was verified, which is what keeps strangers from choosing whom it displaces: its place
  // follows from its MAC.
  void keep(std::string_view token, std::shared_ptr<const session::Identity> identity);

  std::string host;  // the last one that was found to be ours

 private:
  static constexpr std::size_t ways = 4;
  static constexpr std::size_t sets = 1024;
  struct Verdict {
    std::string claims;  // with the header: what the MAC is over
    Secret mac;
    std::shared_ptr<const session::Identity> identity;
  };
  // The newest first; the last one goes. Made when the first is kept.
  using Set = std::array<Verdict, ways>;
  std::vector<Set> sets_;
};

}  // namespace moat::shield
