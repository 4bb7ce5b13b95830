// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/accounts/account.h"
#include "moat/accounts/store.h"
#include "moat/base/clock.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/password/engine.h"
#include "moat/password/policy.h"
#include "moat/validate/email.h"

namespace moat::accounts {

// Why no account was made. `detail` is meant for the person and only set for `policy`.
struct SignupRefusal {
  enum class Reason {
    closed,         // sign-up by strangers is off
    invalid_email,  // not an address Moat accepts
    invalid_role,   // the operator named a role that is not spelled like one
    policy,         // the password is too weak; `detail` says why
    email_taken,    // found out only after the hash was computed
    invalid_token,  // set-up only: wrong, used, expired, or there is an admin already
    busy,           // too many hashes at once; try again
    unavailable     // the store cannot answer
  };
  Reason reason;
  std::string detail;
};

// Why a login failed. For the log; a client is told the same for the first three.
enum class LoginRefusal {
  wrong_credentials,  // no such address, or another password
  disabled,           // the password was right, the account is switched off
  unreadable_hash,    // the stored hash cannot be verified here: tell the operator
  busy,               // too many hashes at once; try again
  unavailable         // the store cannot answer
};

struct ChangeRefusal {
  enum class Reason { wrong_credentials, policy, busy, unavailable };
  Reason reason;
  std::string detail;
};

std::string_view to_string(SignupRefusal::Reason reason);
std::string_view to_string(LoginRefusal reason);
std::string_view to_string(ChangeRefusal::Reason reason);

enum class RolesRefusal { invalid_role, not_found, last_admin, unavailable };
std::string_view to_string(RolesRefusal refusal);

struct Options {
  enum class Signup { closed, open };
  Signup signup = Signup::closed;
  // Words nobody should build a password from: the site's name, its host. The e-mail address is
  // added each time.
  std::vector<std::string> site_words;
  validate::EmailOptions email;
  std::chrono::seconds setup_token_life = std::chrono::minutes{30};
  std::chrono::seconds device_life = std::chrono::hours{24 * 180};
  std::size_t most_devices = 10;  // of one account
};

// Service makes accounts and checks passwords. It blocks for the length of a hash and of a store's
// write, and is as thread-safe as what it was given; all of it must outlive the service. Limits on
// attempts (limit::LoginGuard) and sessions are the caller's: ask the guard before log_in, start a
// session after it.
class Service final {
 public:
  Service(Store& store, password::Engine& engine, const password::Policy& policy, Random& random,
          Options options);

  // A stranger makes an account with the role "user". A taken address costs the same hash as a free
  // one.
  [[nodiscard]] Result<Account, SignupRefusal> sign_up(std::string_view email,
                                                       const Secret& password, Time now);
  // An unknown address costs the same as a known one. After success an outdated hash is replaced;
  // that this failed is no reason to refuse the login.
  [[nodiscard]] Result<Account, LoginRefusal> log_in(std::string_view email, const Secret& password,
                                                     Time now);
  // Needs the current password, forgets the account's devices. The caller ends the other sessions.
  [[nodiscard]] Result<void, ChangeRefusal> change_password(std::string_view id,
                                                            const Secret& current,
                                                            const Secret& next, Time now);

  // A device the owner has logged in from, so that a stranger's failures cannot lock the owner out.
  // The token goes into a cookie; only its digest is stored.
  [[nodiscard]] Result<Secret, StoreError> issue_device(std::string_view account_id, Time now);
  // False too where the store cannot answer: an unknown device is the stricter case.
  [[nodiscard]] bool is_known_device(std::string_view account_id, std::string_view token, Time now);
  // The same before login, when only the address is known.
  [[nodiscard]] bool is_known_device_of(std::string_view email, std::string_view token, Time now);

  // The first admin: a token of 256 bits, for one use, that replaces the one before. Refused
  // (admin_exists) once there is an admin.
  [[nodiscard]] Result<Secret, StoreError> create_setup_token(Time now);
  // Roles "user" and "admin". A refusal other than invalid_token leaves the token usable.
  [[nodiscard]] Result<Account, SignupRefusal> set_up_admin(std::string_view token,
                                                            std::string_view email,
                                                            const Secret& password, Time now);

  // For the operator (command line): no login needed, policy applies, sign-up may be closed.
  [[nodiscard]] Result<Account, SignupRefusal> add_user(std::string_view email,
                                                        const Secret& password,
                                                        std::vector<std::string> roles, Time now);
  [[nodiscard]] Result<void, ChangeRefusal> reset_password(std::string_view id, const Secret& next,
                                                           Time now);
  [[nodiscard]] Result<void, RolesRefusal> set_roles(std::string_view id,
                                                     std::vector<std::string> roles);

 private:
  Result<Account, SignupRefusal> prepare(const validate::Email& email, const Secret& password,
                                         std::vector<std::string> roles, Time now);
  Result<std::string, ChangeRefusal> hash_next(const Account& account, const Secret& next);
  std::optional<std::string> policy_objection(std::string_view email, const Secret& password) const;

  Store& store_;
  password::Engine& engine_;
  const password::Policy& policy_;
  Random& random_;
  Options options_;
};

}  // namespace moat::accounts
