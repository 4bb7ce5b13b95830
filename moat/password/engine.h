// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "moat/base/result.h"
#include "moat/base/secret.h"

namespace moat::password {

// Why a password was not hashed or verified. For the log and the operator; a client is told no more
// than "wrong name or password", or "busy".
enum class Refusal {
  malformed,       // the stored text is no hash of a known form
  unsupported,     // a known form with an algorithm or version that is not verified here
  too_costly,      // the stored text asks for more memory or time than VerifyLimits grants
  too_long,        // the password is longer than the algorithm or the limit takes
  contains_nul,    // bcrypt would cut the password there
  unknown_pepper,  // the stored text names a pepper that is not loaded
  out_of_memory,   // the memory of one hash could not be had
  busy             // a bounded queue in front of the hasher is full: try again later
};
std::string_view to_string(Refusal refusal);

// The outcome of comparing a password with a stored hash.
struct Match {
  bool matches = false;
  // The password is right, and hash() would store it differently today: store the new hash now,
  // while the password is at hand. Always false when it does not match.
  bool needs_rehash = false;
};

// Engine is what accounts ask for password work. Hasher does it at once, on the caller's thread; a
// pool with a bounded queue does it elsewhere and answers Refusal::busy when full. Every call costs
// about the same time by design (tens of milliseconds), so never call one on a thread that serves
// connections.
class Engine {
 public:
  virtual ~Engine() = default;

  // A new salted hash to store: a PHC string such as "$argon2id$v=19$m=19456,t=2,p=1$…$…".
  [[nodiscard]] virtual Result<std::string, Refusal> hash(std::string_view password) = 0;
  // Compares `password` with a stored hash.
  [[nodiscard]] virtual Result<Match, Refusal> verify(std::string_view stored,
                                                      std::string_view password) = 0;
  // Takes as long as verify() against a fresh hash and never succeeds: call it when there is no
  // such user.
  [[nodiscard]] virtual Result<void, Refusal> verify_unknown(std::string_view password) = 0;

  [[nodiscard]] Result<std::string, Refusal> hash(const Secret& password) {
    return hash(password.reveal());
  }
  [[nodiscard]] Result<Match, Refusal> verify(std::string_view stored, const Secret& password) {
    return verify(stored, password.reveal());
  }
  [[nodiscard]] Result<void, Refusal> verify_unknown(const Secret& password) {
    return verify_unknown(password.reveal());
  }

 protected:
  Engine() = default;
  Engine(const Engine&) = default;
  Engine& operator=(const Engine&) = default;
};

}  // namespace moat::password
