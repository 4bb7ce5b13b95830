// SPDX-License-Identifier: Apache-2.0
// Accounts by hand. Each works on the files, whether Moat runs beside or not.
#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <memory>

#include "moat/accounts/service.h"
#include "moat/base/json.h"
#include "moat/cli/commands.h"
#include "moat/cli/privileges.h"
#include "moat/gateway/admin.h"
#include "moat/gateway/gateway.h"
#include "moat/gateway/key_files.h"
#include "moat/password/hasher.h"
#include "moat/store/sqlite_store.h"
#include "moat/validate/email.h"

namespace moat::cli {

Secret read_password() {
  std::string password;
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  termios before{};
  if (terminal) {
    std::cerr << "Password: " << std::flush;
    ::tcgetattr(STDIN_FILENO, &before);
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
  }
  std::getline(std::cin, password);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    std::cerr << "\n";
  }
  return Secret::take(password);
}

namespace {

// The store of the configured data directory, as the user whose files they are. Nothing: it was
// reported, and the program ends with `exit_code`.
std::unique_ptr<store::SqliteStore> open_store(const gateway::Config& config, int& exit_code) {
  const gateway::DataPaths paths(config.data);
  exit_code = 1;
  if (!config.user.empty()) {
    if (auto became = become(config.user, config.group); !became) {
      fail(became.error());
      return nullptr;
    }
  }
  if (auto made = gateway::make_private_directory(paths.root); !made) {
    fail(made.error());
    return nullptr;
  }
  auto store = store::SqliteStore::open(paths.store);
  if (!store) {
    fail(store.error().detail);
    return nullptr;
  }
  exit_code = 0;
  return std::move(*store);
}

std::optional<accounts::Account> find(store::SqliteStore& store, const std::string& text) {
  const auto email = validate::Email::parse(text);
  if (!email) {
    fail("'" + text + "' is no e-mail address");
    return std::nullopt;
  }
  auto account = store.accounts().find_by_email_key(email->lookup_key());
  if (account) return std::move(*account);
  fail(account.error() == accounts::StoreError::not_found
           ? "there is no account for " + email->lookup_key()
           : std::string(accounts::to_string(account.error())));
  return std::nullopt;
}

// The account that the one argument names. None: it was reported.
struct Opened {
  std::unique_ptr<store::SqliteStore> store;
  std::optional<accounts::Account> account;
  int exit_code = 1;
};
Opened open_account(const Arguments& arguments, const std::string& usage) {
  Opened opened;
  if (arguments.positional().size() != 1) {
    fail(usage);
    return opened;
  }
  const auto config = load_config(arguments, opened.exit_code);
  if (!config) return opened;
  opened.store = open_store(*config, opened.exit_code);
  if (opened.store == nullptr) return opened;
  opened.exit_code = 1;
  opened.account = find(*opened.store, arguments.positional()[0]);
  return opened;
}

bool revoke_keys(store::SqliteStore& store, const std::string& id) {
  if (store.keys().revoke_all(id, system_clock().now())) return true;
  fail("the API keys of " + id + " could not be revoked: the store is unavailable");
  return false;
}

// How many sessions ended; nothing where the store could not.
std::optional<std::size_t> end_sessions(store::SqliteStore& store, const std::string& id) {
  auto ended = store.sessions().revoke_all(id, {}, system_clock().now());
  if (ended) return ended->size();
  fail("the sessions of " + id + " could not be ended: the store is unavailable");
  return std::nullopt;
}

int say_ended(std::size_t count, const std::string& whose) {
  std::cout << "Ended " << count << (count == 1 ? " session" : " sessions") << " of " << whose
            << ". A running Moat knows within a second.\n";
  return 0;
}

int log_everybody_out(store::SqliteStore& store) {
  constexpr std::size_t page = 500;
  std::size_t count = 0;
  std::string last;
  for (;;) {
    auto accounts = store.accounts().list(last, page);
    if (!accounts) return fail(std::string(accounts::to_string(accounts.error())));
    for (const accounts::Account& account : *accounts) {
      const auto ended = end_sessions(store, account.id);
      if (!ended) return 1;
      count += *ended;
    }
    if (accounts->size() < page) return say_ended(count, "everybody");
    last = accounts->back().id;
  }
}

}  // namespace

int user_add(const Arguments& arguments) {
  if (arguments.positional().size() != 1) return fail("user add EMAIL");
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  const auto store = open_store(*config, exit_code);
  if (store == nullptr) return exit_code;
  password::Hasher hasher = password::Hasher::standard(system_random());
  const password::Policy policy;
  accounts::Options options;
  options.site_words = config->domains;
  accounts::Service accounts(store->accounts(), hasher, policy, system_random(), options);
  std::vector<std::string> roles{std::string(accounts::user_role)};
  if (const auto role = arguments.value("role")) roles.push_back(*role);
  const Secret password = read_password();
  auto account =
      accounts.add_user(arguments.positional()[0], password, roles, system_clock().now());
  if (!account) {
    const std::string& detail = account.error().detail;
    return fail(std::string(accounts::to_string(account.error().reason)) +
                (detail.empty() ? "" : ": " + detail));
  }
  std::cout << "Made the account " << account->id << " for " << account->email << ".\n";
  return 0;
}

int user_unlock(const Arguments& arguments) {
  if (arguments.positional().size() != 1) return fail("user unlock EMAIL");
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  const auto email = validate::Email::parse(arguments.positional()[0]);
  if (!email) return fail("'" + arguments.positional()[0] + "' is no e-mail address");
  auto reply = gateway::ask_admin(gateway::DataPaths(config->data).admin_socket, "POST", "/unlock",
                                  email->lookup_key());
  if (!reply) return fail(reply.error());
  if (reply->status != 200)
    return fail("the running Moat answered " + std::to_string(reply->status));
  std::cout << "Unlocked " << email->lookup_key() << ".\n";
  return 0;
}

int user_disable(const Arguments& arguments) {
  const auto opened = open_account(arguments, "user disable EMAIL");
  if (!opened.account) return opened.exit_code;
  const accounts::Account& account = *opened.account;
  // First that nobody logs in again, and then those who are.
  if (auto disabled = opened.store->accounts().disable(account.id); !disabled)
    return fail(std::string(accounts::to_string(disabled.error())));
  const bool revoked = revoke_keys(*opened.store, account.id);
  const auto ended = end_sessions(*opened.store, account.id);
  if (!ended || !revoked) return 1;
  std::cout << "Disabled " << account.email << ".\n";
  return say_ended(*ended, account.email);
}

int user_enable(const Arguments& arguments) {
  const auto opened = open_account(arguments, "user enable EMAIL");
  if (!opened.account) return opened.exit_code;
  if (auto enabled = opened.store->accounts().enable(opened.account->id); !enabled)
    return fail(std::string(accounts::to_string(enabled.error())));
  std::cout << "Enabled " << opened.account->email << ".\n";
  return 0;
}

int user_logout(const Arguments& arguments) {
  const std::string usage = "user logout EMAIL, or --all";
  if (!arguments.has("all")) {
    const auto opened = open_account(arguments, usage);
    if (!opened.account) return opened.exit_code;
    const auto ended = end_sessions(*opened.store, opened.account->id);
    return ended ? say_ended(*ended, opened.account->email) : 1;
  }
  if (!arguments.positional().empty()) return fail(usage);
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  const auto store = open_store(*config, exit_code);
  return store == nullptr ? exit_code : log_everybody_out(*store);
}

int user_keys(const Arguments& arguments) {
  const auto one = arguments.value("revoke");
  const bool all = arguments.has("revoke-all");
  if (one && all) return fail("--revoke and --revoke-all: choose one");
  const auto opened = open_account(arguments, "user keys EMAIL");
  if (!opened.account) return opened.exit_code;
  session::KeyStore& keys = opened.store->keys();
  const std::string& user = opened.account->id;
  const Time now = system_clock().now();
  if (one) {
    const auto revoked = keys.revoke(*one, user, now);
    if (!revoked) return fail("the store is unavailable");
    if (!*revoked) return fail("there is no such key of " + opened.account->email);
    std::cout << "Revoked " << *one << ". A running Moat knows within a second.\n";
    return 0;
  }
  if (all) {
    if (!revoke_keys(*opened.store, user)) return 1;
    std::cout << "Revoked all API keys of " << opened.account->email
              << ". A running Moat knows within a second.\n";
    return 0;
  }
  const auto list = keys.list(user, now);
  if (!list) return fail("the store is unavailable");
  for (const session::KeyRecord& key : *list) {
    std::cout << key.id << "  expires " << format_rfc3339(key.expires_at).substr(0, 10)
              << ", last used "
              << (key.last_used_at ? format_rfc3339(*key.last_used_at) : std::string("never"))
              << ", scopes: " << (key.scopes.empty() ? "none" : key.scopes)
              << ", name: " << json::serialize(json::Value(key.name)) << "\n";
  }
  if (list->empty()) std::cout << opened.account->email << " has no API keys.\n";
  return 0;
}

}  // namespace moat::cli
