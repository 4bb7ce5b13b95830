// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/session/api_keys.h"
#include "moat/session/session.h"

namespace moat::shield {

// What the pages show. All texts are raw; whoever renders them escapes.
struct LoginPage {
  std::string csrf;
  std::string next;
  std::string email;
  std::string error;
  std::string notice;
  bool signup_open = false;
};
struct SignupPage {
  std::string csrf;
  std::string next;
  std::string email;
  std::string error;
  std::string email_error;
  std::string password_error;
};
struct SetupPage {
  std::string csrf;
  std::string token;
  std::string email;
  std::string error;
  std::string token_error;
  std::string email_error;
  std::string password_error;
};
struct AccountPage {
  std::string csrf;
  std::string email;
  std::string roles;
  std::string created_at;
  std::vector<session::Session> sessions;
  std::string current_session;
  std::string notice;
  std::string error;
  std::string current_error;
  std::string new_error;
  bool has_keys = false;  // there is such a thing
  std::vector<session::ApiKey> keys;
  std::string scopes;   // those that there are
  std::string new_key;  // one just made, which nobody sees again
  std::string key_name;
  std::string key_scope;
  std::string key_error;
  std::string key_password_error;
  std::vector<session::ReuseNotice> notices;
  std::string next;  // where somebody was going who is shown the notices first; or empty
  // The password is asked for before this session is ended; empty: none.
  std::string confirm_session;
  std::string confirm_error;
  std::string name_error;  // of the session named so
  std::string name_session;
};
struct Asset {
  std::string_view content_type;
  std::string_view bytes;
};

// Pages renders the accounts' pages as whole HTML documents whose scripts carry `nonce`. Safe for
// several threads.
class Pages {
 public:
  virtual ~Pages() = default;
  virtual std::string login(const LoginPage& page, std::string_view nonce) const = 0;
  virtual std::string signup(const SignupPage& page, std::string_view nonce) const = 0;
  virtual std::string setup(const SetupPage& page, std::string_view nonce) const = 0;
  virtual std::string account(const AccountPage& page, std::string_view nonce) const = 0;
  // A stylesheet, script or picture below /auth/; nothing for another path.
  virtual std::optional<Asset> asset(std::string_view path) const = 0;
};

}  // namespace moat::shield
