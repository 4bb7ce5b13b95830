// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/shield/auth_api.h"
#include "moat/shield/pages.h"
#include "moat/validate/shape.h"

namespace moat::shield {

// One request to /auth while it is answered.
struct Call {
  const Request& request;
  Admission& admission;
  std::string_view body;
  Time now;
  Tick tick;
  std::string client = {};  // the client's address as text
  bool form = false;        // sent as a form: answers are pages and redirects
};

// What a failed form or request is answered with.
struct Failure {
  int status;
  std::string_view code;
  std::string detail;
};
// A failure with the answer that says it, headers and all.
struct Refused {
  Failure failure;
  Response answer;
};
inline Failure invalid_scope() {
  return {400, "invalid_scope", "There is no such scope, or the list of them cannot be read."};
}
inline Failure stale_form() {
  return {403, "csrf", "This page was open for too long. Please try again."};
}

struct AuthApi::Impl {
  Impl(const Services& s, Options o) : services(s), options(std::move(o)) {}
  Services services;
  Options options;

  std::string_view methods_of(std::string_view path) const;
  Response route(Call& call) const;
  Response get(Call& call) const;
  Response change(Call& call) const;  // POST, PATCH and DELETE

  // auth_credentials.cc
  Response login(Call& call) const;
  Response signup(Call& call) const;
  Response setup(Call& call) const;
  Response password(Call& call) const;
  // Checks an address and its password under the guard of logins.
  Result<accounts::Account, Refused> check_password(Call& call, const std::string& email,
                                                    const Secret& password) const;
  // The same once more for whoever is logged in.
  Result<accounts::Account, Refused> confirm_password(Call& call, const Secret& password) const;
  Refused refused_login(accounts::LoginRefusal reason, const limit::LoginGuard::Permit& permit,
                        Tick tick) const;
  // auth_tokens.cc
  Response token(Call& call) const;
  Response refresh_token(Call& call) const;
  Response revoke_token(Call& call) const;
  // Nothing where one of them is none of Options::scopes.
  std::optional<session::Scopes> known_scopes(std::string_view text) const;
  // auth_keys.cc
  Response list_keys(const Call& call) const;
  Response make_key(Call& call) const;
  Response revoke_key(Call& call, std::string_view id) const;
  // auth_sessions.cc
  Response logout(Call& call) const;
  Response logout_all(Call& call) const;
  Response revoke(Call& call, std::string_view id) const;
  Response rename(Call& call, std::string_view id) const;
  Response dismiss(Call& call, std::string_view id) const;
  Response list_sessions(const Call& call) const;
  Response me(const Call& call) const;
  Response csrf_token(const Call& call) const;
  Response account_page(const Call& call, const AccountPage& filled, int status) const;

  // Whether somebody who logged in a while ago knows the password; else what to answer with, and
  // its Retry-After among the headers of `answer`. Guarded as a login is.
  std::optional<Failure> reauthenticate(const Call& call, const Secret& password,
                                        Response& answer) const;

  // Shared: bodies, tokens, answers.
  Result<validate::Fields, Failure> read_body(const Call& call, const validate::ObjectShape& json,
                                              const validate::ObjectShape& form) const;
  bool token_is_good(const Call& call, std::string_view token) const;
  // True for JSON: its requests have passed the CSRF verdict.
  bool comes_from_our_form(const Call& call, const validate::Fields& fields) const;
  // A token for the page's form; gives the browser a cookie to bind it to where it has no session.
  std::string form_token(const Call& call, Response& response) const;
  Result<session::Issued, session::StoreError> begin_session(const Call& call,
                                                             const accounts::Account& account,
                                                             Response& response) const;
  void remember_device(const Call& call, const accounts::Account& account,
                       Response& response) const;
  // Ends a session that a login began while the account was changed, and says so.
  std::optional<Response> changed_meanwhile(const Call& call, const accounts::Account& account,
                                            const session::Session& session) const;
  Response logged_in(const Call& call, const accounts::Account& account, std::string_view next,
                     int status) const;
  Response page(int status, std::string body, std::string nonce) const;
  // A page, its body still to be written, that says what `answer` says to JSON clients.
  Response form_again(const Failure& failure, Response answer, const std::string& nonce) const;
  // A user's id, what somebody wrote as an address, or somebody unknown.
  enum class Subject { user, typed, nobody };
  void audit(const Call& call, std::string_view event, Subject about, std::string_view subject,
             std::string_view reason = {}) const;
};

Response problem(const Failure& failure);
Response problem(int status, std::string_view code, std::string detail = {});
Response json_answer(int status, const json::Value& value);
Response redirect_to(std::string location);
Response retry_later(std::chrono::nanoseconds wait, Random& random);
// 204, or the way back to a page.
Response done(const Call& call, std::string_view where);
// What asks for something and says nothing: no fields, or the token of a form.
const validate::ObjectShape& empty_json();
const validate::ObjectShape& token_form();
json::Value account_json(const accounts::Account& account,
                         const std::vector<session::ReuseNotice>& notices);
// One account, one bucket of the login guard: the spelling that the store looks up.
std::string guard_key(std::string_view email);
// A path on this site to go on to: anything else becomes "/".
std::string safe_next(std::string_view next);
// Whether `content_type` is `wanted`, whatever its parameters.
bool is_type(std::string_view content_type, std::string_view wanted);

inline constexpr std::string_view busy_detail = "The server is busy. Please try again in a moment.";

}  // namespace moat::shield
