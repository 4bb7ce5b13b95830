// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/password/engine.h"
#include "moat/password/phc.h"

namespace moat::password {

// The cost of one Argon2id hash. The default and the floor are OWASP's: only m=47104 with t=1,
// m=19456 with t=2, m=12288 with t=3, or more of either, are taken.
struct Params {
  std::uint32_t memory_kib = 19456;
  std::uint32_t iterations = 2;
  std::uint32_t lanes = 1;  // computed one after the other, on the caller's thread
  bool operator==(const Params&) const = default;
};
// RFC 9106 section 4, second recommended option; about four times the default's cost.
inline constexpr Params rfc9106_params{65536, 3, 4};

// Why parameters were refused at start-up.
enum class ParamsRefusal {
  below_floor,   // weaker than every row of the floor
  above_limits,  // verify() would refuse its own hashes
  bad_pepper     // a pepper shorter than 32 bytes, or an id that is empty, too long, taken or not
                 // [A-Za-z0-9_-]
};
std::string_view to_string(ParamsRefusal refusal);

// What a stored hash may ask for. Stored text is data: a row changed by an attacker must not
// exhaust the host.
struct VerifyLimits {
  std::uint32_t memory_kib = 262144;  // 256 MiB
  std::uint32_t iterations = 64;
  std::uint32_t lanes = 16;
  std::uint64_t memory_passes_kib = 1048576;  // memory times iterations: about one second
  unsigned bcrypt_cost = 14;                  // likewise
  std::size_t password_bytes = 1024;          // longer passwords are refused before any work
};

// A pepper is a key kept apart from the hashes: the password is keyed with it (HMAC-SHA-256) before
// Argon2id, and the hash names its id, so that peppers can be rotated.
struct Pepper {
  std::string id;  // 1 to 16 of [A-Za-z0-9_-]
  Secret key;      // at least 32 random bytes
};

namespace internal {
class Workspaces;
}

// Hasher makes and verifies password hashes on the caller's thread. The memory of a hash is wiped
// after use; up to four such blocks are kept for the next hashes, as fresh ones from the system
// cost half as much as a hash, until release_memory() or the hasher's end. Thread-safe where its
// Random is (system_random() is).
class Hasher final : public Engine {
 public:
  // `random` must outlive the hasher. The first pepper is used for new hashes, all of them for
  // verifying.
  static Result<Hasher, ParamsRefusal> create(const Params& params, Random& random,
                                              std::vector<Pepper> peppers = {},
                                              const VerifyLimits& limits = {});
  // The default parameters, no pepper.
  static Hasher standard(Random& random);
  // Skips the floor: for tests, which would otherwise take long.
  static Hasher insecure_below_floor(const Params& params, Random& random);

  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher() override;

  using Engine::hash;
  using Engine::verify;
  using Engine::verify_unknown;
  [[nodiscard]] Result<std::string, Refusal> hash(std::string_view password) override;
  // Understands Argon2id, Argon2i and Argon2d (v=16 and v=19) and bcrypt ($2a$, $2b$, $2y$).
  // Whatever hash() would not write today is flagged for a rehash.
  [[nodiscard]] Result<Match, Refusal> verify(std::string_view stored,
                                              std::string_view password) override;
  [[nodiscard]] Result<void, Refusal> verify_unknown(std::string_view password) override;

  // A well-formed hash of no password, at today's cost.
  std::string dummy_hash();
  const Params& params() const { return params_; }
  // Gives kept memory back to the system, for quiet times.
  void release_memory();

 private:
  Hasher(const Params& params, Random& random, std::vector<Pepper> peppers,
         const VerifyLimits& limits);
  const Pepper* find_pepper(std::string_view id) const;
  [[nodiscard]] Result<std::string, Refusal> compute(const Argon2Hash& form, const Pepper* pepper,
                                                     std::string_view password);
  [[nodiscard]] Result<Match, Refusal> verify_argon2(std::string_view stored,
                                                     std::string_view password);

  Params params_;
  Random* random_;
  std::vector<Pepper> peppers_;
  VerifyLimits limits_;
  std::unique_ptr<internal::Workspaces> workspaces_;
};

// bcrypt_hash makes a "$2b$" hash for a system that can read nothing else. Cost 10 to 14 (12 is
// usual); at most 72 bytes and no NUL, since bcrypt would ignore what follows.
[[nodiscard]] Result<std::string, Refusal> bcrypt_hash(std::string_view password, unsigned cost,
                                                       Random& random);

}  // namespace moat::password
