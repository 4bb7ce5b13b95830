// SPDX-License-Identifier: Apache-2.0
#include "moat/accounts/service.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace moat::accounts {
namespace {

// A token is 43 characters; longer text is not worth a digest.
constexpr std::size_t longest_token = 64;

Digest digest_of(std::string_view token) { return sha256(token); }

// The order the roles came in, each once.
std::vector<std::string> without_duplicates(std::vector<std::string> roles) {
  std::vector<std::string> unique;
  for (auto& role : roles) {
    if (std::find(unique.begin(), unique.end(), role) == unique.end()) {
      unique.push_back(std::move(role));
    }
  }
  return unique;
}

SignupRefusal refuse(SignupRefusal::Reason reason) { return {reason, {}}; }

// What is left of a store's error where an account is created.
SignupRefusal signup_refusal(StoreError error) {
  using Reason = SignupRefusal::Reason;
  switch (error) {
    case StoreError::email_taken:
      return refuse(Reason::email_taken);
    case StoreError::not_found:
    case StoreError::admin_exists:
      return refuse(Reason::invalid_token);
    case StoreError::conflict:
    case StoreError::last_admin:
    case StoreError::unavailable:
      break;
  }
  return refuse(Reason::unavailable);
}

ChangeRefusal change_refusal(StoreError error) {
  using Reason = ChangeRefusal::Reason;
  // A conflict means that the password is not the one just verified any more.
  const bool gone = error == StoreError::not_found || error == StoreError::conflict;
  return {gone ? Reason::wrong_credentials : Reason::unavailable, {}};
}

bool is_busy(password::Refusal refusal) {
  return refusal == password::Refusal::busy || refusal == password::Refusal::out_of_memory;
}

}  // namespace

bool is_valid_role(std::string_view role) {
  return !role.empty() && role.size() <= 32 && std::all_of(role.begin(), role.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Service::Service(Store& store, password::Engine& engine, const password::Policy& policy,
                 Random& random, Options options)
    : store_(store),
      engine_(engine),
      policy_(policy),
      random_(random),
      options_(std::move(options)) {}

std::optional<std::string> Service::policy_objection(std::string_view email,
                                                     const Secret& password) const {
  const std::vector<std::string_view> words(options_.site_words.begin(), options_.site_words.end());
  const auto verdict = policy_.check(password.reveal(), {email, words});
  if (verdict) return std::nullopt;
  return policy_.sentence(verdict.error());
}

// Everything about a new account but the storing.
Result<Account, SignupRefusal> Service::prepare(const validate::Email& email,
                                                const Secret& password,
                                                std::vector<std::string> roles, Time now) {
  using Reason = SignupRefusal::Reason;
  if (!std::all_of(roles.begin(), roles.end(), is_valid_role)) {
    return Error{refuse(Reason::invalid_role)};
  }
  if (auto objection = policy_objection(email.canonical(), password)) {
    return Error{SignupRefusal{Reason::policy, std::move(*objection)}};
  }
  auto hash = engine_.hash(password);
  // Of what a hasher refuses, the policy has let only load and memory through.
  if (!hash) return Error{refuse(Reason::busy)};
  Account account;
  account.id = random_.token(16);
  account.email = email.canonical();
  account.email_key = email.lookup_key();
  account.roles = without_duplicates(std::move(roles));
  account.created_at = now;
  account.password_hash = std::move(*hash);
  account.password_changed_at = now;
  return account;
}

Result<Account, SignupRefusal> Service::sign_up(std::string_view email, const Secret& password,
                                                Time now) {
  if (options_.signup != Options::Signup::open) {
    return Error{refuse(SignupRefusal::Reason::closed)};
  }
  return add_user(email, password, {std::string(user_role)}, now);
}

Result<Account, SignupRefusal> Service::add_user(std::string_view email, const Secret& password,
                                                 std::vector<std::string> roles, Time now) {
  const auto address = validate::Email::parse(email, options_.email);
  if (!address) return Error{refuse(SignupRefusal::Reason::invalid_email)};
  // The store is asked only after the hash, so that a taken address takes as long as a free one.
  MOAT_TRY(Account account, prepare(*address, password, std::move(roles), now));
  const auto stored = store_.create(account);
  if (!stored) return Error{signup_refusal(stored.error())};
  return account;
}

Result<Account, LoginRefusal> Service::log_in(std::string_view email, const Secret& password,
                                              Time) {
  const auto address = validate::Email::parse(email, options_.email);
  auto found = address ? store_.find_by_email_key(address->lookup_key())
                       : Result<Account, StoreError>(Error{StoreError::not_found});
  if (!found) {
    if (found.error() != StoreError::not_found) return Error{LoginRefusal::unavailable};
    const auto spent = engine_.verify_unknown(password);
    const bool busy = !spent && is_busy(spent.error());
    return Error{busy ? LoginRefusal::busy : LoginRefusal::wrong_credentials};
  }
  Account account = std::move(*found);
  const auto match = engine_.verify(account.password_hash, password);
  if (!match) {
    if (is_busy(match.error())) return Error{LoginRefusal::busy};
    // Refused before any work: spend the time all the same, or it would tell that there is an
    // account.
    const auto spent = engine_.verify_unknown(password);
    if (!spent && is_busy(spent.error())) return Error{LoginRefusal::busy};
    const bool password_at_fault = match.error() == password::Refusal::too_long ||
                                   match.error() == password::Refusal::contains_nul;
    return Error{password_at_fault ? LoginRefusal::wrong_credentials
                                   : LoginRefusal::unreadable_hash};
  }
  if (!match->matches) return Error{LoginRefusal::wrong_credentials};
  if (account.disabled) return Error{LoginRefusal::disabled};
  if (match->needs_rehash) {
    if (auto next = engine_.hash(password)) {
      if (store_.upgrade_hash(account.id, account.password_hash, *next)) {
        account.password_hash = std::move(*next);
      }
    }
  }
  return account;
}

Result<std::string, ChangeRefusal> Service::hash_next(const Account& account, const Secret& next) {
  if (auto objection = policy_objection(account.email, next)) {
    return Error{ChangeRefusal{ChangeRefusal::Reason::policy, std::move(*objection)}};
  }
  auto hash = engine_.hash(next);
  if (!hash) return Error{ChangeRefusal{ChangeRefusal::Reason::busy, {}}};
  return std::move(*hash);
}

Result<void, ChangeRefusal> Service::change_password(std::string_view id, const Secret& current,
                                                     const Secret& next, Time now) {
  using Reason = ChangeRefusal::Reason;
  const auto account = store_.find_by_id(id);
  if (!account) return Error{change_refusal(account.error())};
  const auto match = engine_.verify(account->password_hash, current);
  if (!match && is_busy(match.error())) return Error{ChangeRefusal{Reason::busy, {}}};
  if (!match || !match->matches || account->disabled) {
    return Error{ChangeRefusal{Reason::wrong_credentials, {}}};
  }
  MOAT_TRY(const std::string hash, hash_next(*account, next));
  const auto stored = store_.change_password(id, account->password_hash, hash, now);
  if (!stored) return Error{change_refusal(stored.error())};
  return {};
}

Result<void, ChangeRefusal> Service::reset_password(std::string_view id, const Secret& next,
                                                    Time now) {
  const auto account = store_.find_by_id(id);
  if (!account) return Error{change_refusal(account.error())};
  MOAT_TRY(const std::string hash, hash_next(*account, next));
  const auto stored = store_.change_password(id, account->password_hash, hash, now);
  if (!stored) return Error{change_refusal(stored.error())};
  return {};
}

Result<void, RolesRefusal> Service::set_roles(std::string_view id, std::vector<std::string> roles) {
  if (!std::all_of(roles.begin(), roles.end(), is_valid_role)) {
    return Error{RolesRefusal::invalid_role};
  }
  const auto stored = store_.set_roles(id, without_duplicates(std::move(roles)));
  if (stored) return {};
  if (stored.error() == StoreError::not_found) return Error{RolesRefusal::not_found};
  if (stored.error() == StoreError::last_admin) return Error{RolesRefusal::last_admin};
  return Error{RolesRefusal::unavailable};
}

Result<Secret, StoreError> Service::issue_device(std::string_view account_id, Time now) {
  std::string text = random_.token();
  Secret token = Secret::take(text);
  const auto stored =
      store_.remember_device(account_id, digest_of(token.reveal()), now + options_.device_life,
                             std::max<std::size_t>(options_.most_devices, 1));
  if (!stored) return Error{stored.error()};
  return token;
}

bool Service::is_known_device(std::string_view account_id, std::string_view token, Time now) {
  if (token.empty() || token.size() > longest_token) return false;
  return store_.knows_device(account_id, digest_of(token), now).value_or(false);
}

bool Service::is_known_device_of(std::string_view email, std::string_view token, Time now) {
  const auto address = validate::Email::parse(email, options_.email);
  if (!address) return false;
  const auto account = store_.find_by_email_key(address->lookup_key());
  // An unknown address is looked up all the same; no account has the id "".
  return is_known_device(account ? std::string_view(account->id) : std::string_view(), token, now);
}

Result<Secret, StoreError> Service::create_setup_token(Time now) {
  std::string text = random_.token();
  Secret token = Secret::take(text);
  const auto stored =
      store_.put_setup_token(digest_of(token.reveal()), now + options_.setup_token_life);
  if (!stored) return Error{stored.error()};
  return token;
}

Result<Account, SignupRefusal> Service::set_up_admin(std::string_view token, std::string_view email,
                                                     const Secret& password, Time now) {
  using Reason = SignupRefusal::Reason;
  if (token.empty() || token.size() > longest_token) return Error{refuse(Reason::invalid_token)};
  const Digest digest = digest_of(token);
  // Before the hash: without a token nobody makes the server work.
  const auto live = store_.check_setup_token(digest, now);
  if (!live) return Error{signup_refusal(live.error())};
  const auto address = validate::Email::parse(email, options_.email);
  if (!address) return Error{refuse(Reason::invalid_email)};
  MOAT_TRY(Account account,
           prepare(*address, password, {std::string(user_role), std::string(admin_role)}, now));
  const auto stored = store_.create_first_admin(digest, now, account);
  if (!stored) return Error{signup_refusal(stored.error())};
  return account;
}

}  // namespace moat::accounts
