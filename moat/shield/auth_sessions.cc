// SPDX-License-Identifier: Apache-2.0
// Who is logged in, where, and how that ends.
#include <algorithm>

#include "moat/shield/internal/auth_impl.h"

namespace moat::shield {

namespace {

using validate::ObjectShape;

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

Response AuthApi::Impl::revoke(Call& call, std::string_view id) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  auto fields = read_body(call, empty_json(), token_form());
  if (!fields) return problem(fields.error());
  if (!comes_from_our_form(call, *fields)) return problem(stale_form());
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
  if (account) return json_answer(200, account_json(*account));
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
  if (!account || !sessions) return problem(503, "unavailable", std::string(busy_detail));
  AccountPage values = filled;
  const std::string nonce = services.random.token(16);
  Response response = page(status, "", nonce);
  values.csrf = form_token(call, response);
  values.email = account->email;
  for (const std::string& role : account->roles)
    values.roles += (values.roles.empty() ? "" : ", ") + role;
  values.created_at = format_rfc3339(account->created_at).substr(0, 10);
  values.sessions = std::move(*sessions);
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
