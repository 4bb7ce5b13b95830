// SPDX-License-Identifier: Apache-2.0
// Who is logged in, where, and how that ends.
#include <algorithm>

#include "moat/session/device_name.h"
#include "moat/shield/internal/auth_impl.h"
#include "moat/validate/strings.h"

namespace moat::shield {

namespace {

using validate::ObjectShape;

constexpr validate::StringRule name_rule{validate::Presence::required, 256, 0};

// With the password, where the login is a while ago.
const ObjectShape& confirming_json() {
  static const ObjectShape shape =
      ObjectShape().string("password", {validate::Presence::optional, 1024, 0});
  return shape;
}
const ObjectShape& confirming_form() {
  static const ObjectShape shape = ObjectShape()
                                       .string("password", {validate::Presence::optional, 1024, 0})
                                       .string("username", {validate::Presence::optional, 254, 0})
                                       .string("_csrf", {validate::Presence::optional, 512, 0});
  return shape;
}

// After a logout nothing of the session stays in the browser. The cookies are ours to delete one by
// one: the directive "cookies" would reach the whole registrable domain.
void forget_everything(Response& response) {
  for (std::string& cookie : forget_session_cookies())
    response.set_cookies.push_back(std::move(cookie));
  response.headers.emplace_back("Clear-Site-Data", "\"cache\", \"storage\"");
}

}  // namespace

const ObjectShape& empty_json() {
  static const ObjectShape shape;
  return shape;
}

const ObjectShape& token_form() {
  static const ObjectShape shape =
      ObjectShape().string("_csrf", {validate::Presence::optional, 512, 0});
  return shape;
}

Response done(const Call& call, std::string_view where) {
  if (call.form) return redirect_to(std::string(where));
  Response response;
  response.status = 204;
  return response;
}

Response AuthApi::Impl::logout(Call& call) const {
  auto fields = read_body(call, empty_json(), token_form());
  if (!fields) return problem(fields.error());
  if (!comes_from_our_form(call, *fields)) return problem(stale_form());
  if (const session::Identity* identity = call.admission.identity) {
    auto ended = services.sessions.revoke(identity->session_id, identity->user_id, call.now);
    if (!ended) return problem(503, "unavailable", std::string(busy_detail));
    audit(call, "logged_out", Subject::user, identity->user_id);
  } else if (!call.admission.cookies.refresh.empty()) {
    auto ended = services.sessions.revoke_by_token(call.admission.cookies.refresh, call.now);
    if (!ended) return problem(503, "unavailable", std::string(busy_detail));
  }
  call.admission.set_cookies.clear();
  Response response = done(call, "/auth/login");
  forget_everything(response);
  return response;
}

// Asks for no password: it is for who believes to be robbed, and whoever stole this session is out
// with it.
Response AuthApi::Impl::logout_all(Call& call) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  auto fields = read_body(call, empty_json(), token_form());
  if (!fields) return problem(fields.error());
  if (!comes_from_our_form(call, *fields)) return problem(stale_form());
  if (!services.sessions.revoke_all(identity->user_id, call.now)) {
    return problem(503, "unavailable", std::string(busy_detail));
  }
  audit(call, "logged_out_everywhere", Subject::user, identity->user_id);
  call.admission.set_cookies.clear();
  Response response = done(call, "/auth/login");
  forget_everything(response);
  return response;
}

// OWASP ASVS 7.5.2. A stolen session must neither end its owner's nor be a way to guess the
// password.
std::optional<Failure> AuthApi::Impl::reauthenticate(const Call& call, const Secret& password,
                                                     Response& answer) const {
  const session::Identity& identity = *call.admission.identity;
  if (call.now - identity.started_at < options.confirmed_for) return std::nullopt;
  if (password.empty()) {
    return Failure{403, "reauthentication_required",
                   "You logged in a while ago. Please confirm with your password."};
  }
  auto permit = services.guard.begin(guard_key(identity.email), call.admission.client,
                                     identity.session_id, call.tick);
  if (!permit) {
    answer = retry_later(permit.error().retry_after, services.random);
    return Failure{429, "rate_limited", "Too many attempts. Please wait a moment and try again."};
  }
  auto known = services.accounts.log_in(identity.email, password, call.now);
  if (known && known->id == identity.user_id) {
    services.guard.succeed(*permit, call.tick);
    return std::nullopt;
  }
  const bool down = !known && (known.error() == accounts::LoginRefusal::busy ||
                               known.error() == accounts::LoginRefusal::unavailable);
  if (down) {
    services.guard.abandon(*permit, call.tick);
    return Failure{503, "busy", std::string(busy_detail)};
  }
  audit(call, "reauthentication_failed", Subject::user, identity.user_id);
  return Failure{403, "wrong_credentials", "The password is wrong."};
}

Response AuthApi::Impl::revoke(Call& call, std::string_view id) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  auto fields = read_body(call, confirming_json(), confirming_form());
  if (!fields) return problem(fields.error());
  if (!comes_from_our_form(call, *fields)) return problem(stale_form());
  if (id != identity->session_id) {
    const Secret password = fields->take_secret("password");
    Response answer;
    if (const auto failure = reauthenticate(call, password, answer)) {
      if (!call.form || services.pages == nullptr)
        return failure->status == 429 ? std::move(answer) : problem(*failure);
      AccountPage values;
      values.confirm_session = id;
      if (failure->code != "reauthentication_required") values.confirm_error = failure->detail;
      Response shown = account_page(call, values, failure->status);
      shown.code = failure->code;
      for (auto& header : answer.headers) shown.headers.push_back(std::move(header));
      return shown;
    }
  }
  auto ended = services.sessions.revoke(id, identity->user_id, call.now);
  if (!ended) return problem(503, "unavailable", std::string(busy_detail));
  if (!*ended && !call.form) return problem(404, "not_found", "There is no such session.");
  audit(call, "session_ended", Subject::user, identity->user_id);
  Response response = done(call, "/auth/account");
  if (id == identity->session_id) {
    call.admission.set_cookies.clear();
    forget_everything(response);
  }
  return response;
}

Response AuthApi::Impl::rename(Call& call, std::string_view id) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  static const ObjectShape json = ObjectShape().string("name", name_rule);
  static const ObjectShape form = ObjectShape()
                                      .string("name", name_rule)
                                      .string("_csrf", {validate::Presence::optional, 512, 0});
  auto fields = read_body(call, json, form);
  if (!fields) return problem(fields.error());
  if (!comes_from_our_form(call, *fields)) return problem(stale_form());
  const std::string name(validate::trim(fields->string("name")));
  if (!name.empty() && !(validate::is_plain_line(name) && validate::is_length(name, 1, 64))) {
    const Failure failure{422, "invalid_name",
                          "A name has at most 64 characters, all of them visible."};
    if (!call.form || services.pages == nullptr) return problem(failure);
    AccountPage values;
    values.name_session = id;
    values.name_error = failure.detail;
    Response shown = account_page(call, values, failure.status);
    shown.code = failure.code;
    return shown;
  }
  auto renamed = services.sessions.rename(id, identity->user_id, name);
  if (!renamed) return problem(503, "unavailable", std::string(busy_detail));
  if (!*renamed && !call.form) return problem(404, "not_found", "There is no such session.");
  return done(call, "/auth/account");
}

Response AuthApi::Impl::dismiss(Call& call, std::string_view id) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  auto fields = read_body(call, empty_json(), token_form());
  if (!fields) return problem(fields.error());
  if (!comes_from_our_form(call, *fields)) return problem(stale_form());
  auto dismissed = services.sessions.dismiss_notice(id, identity->user_id);
  if (!dismissed) return problem(503, "unavailable", std::string(busy_detail));
  if (!*dismissed && !call.form) return problem(404, "not_found", "There is no such notice.");
  return done(call, "/auth/account");
}

Response AuthApi::Impl::list_sessions(const Call& call) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  auto sessions = services.sessions.list(identity->user_id, call.now);
  if (!sessions) return problem(503, "unavailable", std::string(busy_detail));
  json::Array out;
  for (const session::Session& session : *sessions) {
    const bool api = session.kind == session::Kind::api;
    out.push_back(json::Object{{"id", session.id},
                               {"kind", api ? "api" : "browser"},
                               {"device", session::device_name_of(session)},
                               {"name", session.name},
                               {"created_at", format_rfc3339(session.started_at)},
                               {"last_seen_at", format_rfc3339(session.last_seen_at)},
                               {"address", session.address},
                               {"user_agent", session.user_agent},
                               {"current", session.id == identity->session_id}});
  }
  return json_answer(200, std::move(out));
}

Response AuthApi::Impl::me(const Call& call) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  auto account = services.store.find_by_id(identity->user_id);
  if (account) {
    // They are for the person: a program's token says nothing of other devices.
    if (identity->kind != session::Kind::browser)
      return json_answer(200, account_json(*account, {}));
    auto notices = services.sessions.notices(identity->user_id);
    if (!notices) return problem(503, "unavailable", std::string(busy_detail));
    return json_answer(200, account_json(*account, *notices));
  }
  if (account.error() == accounts::StoreError::not_found)
    return problem(401, "login_required", "Please log in.");
  return problem(503, "unavailable", std::string(busy_detail));
}

Response AuthApi::Impl::csrf_token(const Call& call) const {
  Response response;
  std::string token = form_token(call, response);
  Response answer = json_answer(200, json::Object{{"token", std::move(token)}});
  answer.set_cookies = std::move(response.set_cookies);
  return answer;
}

Response AuthApi::Impl::account_page(const Call& call, const AccountPage& filled,
                                     int status) const {
  const session::Identity& identity = *call.admission.identity;
  auto account = services.store.find_by_id(identity.user_id);
  auto sessions = services.sessions.list(identity.user_id, call.now);
  auto notices = services.sessions.notices(identity.user_id);
  if (!account || !sessions || !notices)
    return problem(503, "unavailable", std::string(busy_detail));
  AccountPage values = filled;
  const std::string nonce = services.random.token(16);
  Response response = page(status, "", nonce);
  values.csrf = form_token(call, response);
  values.email = account->email;
  for (const std::string& role : account->roles)
    values.roles += (values.roles.empty() ? "" : ", ") + role;
  values.created_at = format_rfc3339(account->created_at).substr(0, 10);
  values.sessions = std::move(*sessions);
  values.notices = std::move(*notices);
  values.current_session = identity.session_id;
  if (services.keys != nullptr) {
    auto keys = services.keys->list(identity.user_id, call.now);
    if (!keys) return problem(503, "unavailable", std::string(busy_detail));
    values.has_keys = true;
    values.keys = std::move(*keys);
    values.scopes = session::to_text(options.scopes);
  }
  response.body = services.pages->account(values, nonce);
  return response;
}

}  // namespace moat::shield
