// SPDX-License-Identifier: Apache-2.0
#include "moat/shield/auth_api.h"

#include <algorithm>
#include <array>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/http/answer.h"
#include "moat/limit/fields.h"
#include "moat/session/cookies.h"
#include "moat/session/device_name.h"
#include "moat/shield/internal/auth_impl.h"
#include "moat/shield/users.h"

namespace moat::shield {

// --------------------------------------------------------------------------------- small answers

Response problem(const Failure& failure) {
  return problem(failure.status, failure.code, failure.detail);
}

Response problem(int status, std::string_view code, std::string detail) {
  Response response;
  response.status = status;
  response.kind = Body::problem;
  response.code = code;
  http::append_problem_json(status, code, http::reason_phrase(status), detail, response.body);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Session");
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response json_answer(int status, const json::Value& value) {
  Response response;
  response.status = status;
  response.kind = Body::json;
  response.body = json::serialize(value) + "\n";
  return response;
}

Response redirect_to(std::string location) {
  Response response;
  response.status = 303;
  response.location = std::move(location);
  return response;
}

Response retry_later(std::chrono::nanoseconds wait, Random& random) {
  Response response = problem(429, "rate_limited", "Too many attempts. Please wait a moment.");
  response.headers.emplace_back("Retry-After",
                                std::to_string(limit::retry_after_seconds(wait, random)));
  return response;
}

json::Value account_json(const accounts::Account& account,
                         const std::vector<session::ReuseNotice>& notices) {
  json::Array roles(account.roles.begin(), account.roles.end());
  json::Array told;
  for (const session::ReuseNotice& notice : notices) {
    told.push_back(json::Object{{"id", notice.session_id},
                                {"code", "session_reused"},
                                {"at", format_rfc3339(notice.at)},
                                {"device", session::device_name_of(notice)},
                                {"address", notice.address}});
  }
  return json::Object{{"id", account.id},
                      {"email", account.email},
                      {"roles", std::move(roles)},
                      {"created_at", format_rfc3339(account.created_at)},
                      {"notices", std::move(told)}};
}

std::string safe_next(std::string_view next) {
  const bool printable = std::all_of(next.begin(), next.end(),
                                     [](char c) { return c > 0x20 && c < 0x7f && c != '\\'; });
  if (next.empty() || next.size() > 2048 || next[0] != '/' || !printable) return "/";
  if (next.size() > 1 && next[1] == '/') return "/";
  return std::string(next);
}

bool is_type(std::string_view content_type, std::string_view wanted) {
  return ascii_iequals(trim(content_type.substr(0, content_type.find(';'))), wanted);
}

// ------------------------------------------------------------------------------------------ bodies

Result<validate::Fields, Failure> AuthApi::Impl::read_body(
    const Call& call, const validate::ObjectShape& json, const validate::ObjectShape& form) const {
  auto fields = call.form ? form.parse_form(call.body)
                          : json.parse_json(call.body.empty() ? "{}" : call.body);
  if (fields) return std::move(*fields);
  const validate::Problem& first = fields.error().front();
  std::string detail = first.pointer.empty() ? first.message : first.pointer + " " + first.message;
  return Error{Failure{400, "invalid_body", std::move(detail)}};
}

namespace {
constexpr std::array<std::string_view, 3> forms_before_login = {"/auth/login", "/auth/signup",
                                                                "/auth/setup"};

bool is_before_login(std::string_view path) {
  return std::find(forms_before_login.begin(), forms_before_login.end(), path) !=
         forms_before_login.end();
}
}  // namespace

bool AuthApi::Impl::token_is_good(const Call& call, std::string_view token) const {
  const Admission& admission = call.admission;
  if (token.empty()) token = call.request.csrf_token;
  if (form_token_is_good(services.tokens, admission, token, call.now)) return true;
  // A login form may have been opened before another tab logged in.
  if (admission.identity == nullptr || !is_before_login(call.request.path)) return false;
  const std::string_view pre = admission.cookies.pre_login;
  return csrf::is_pre_login_value(pre) &&
         services.tokens.verify(csrf::Binding::pre_login(pre), token, call.now);
}

bool AuthApi::Impl::comes_from_our_form(const Call& call, const validate::Fields& fields) const {
  return !call.form || token_is_good(call, fields.optional_string("_csrf").value_or(""));
}

std::string AuthApi::Impl::form_token(const Call& call, Response& response) const {
  return issue_form_token(services.tokens, call.admission, services.random, call.now,
                          response.set_cookies);
}

// ---------------------------------------------------------------------------------------- sessions

Result<session::Issued, session::StoreError> AuthApi::Impl::begin_session(
    const Call& call, const accounts::Account& account, Response& response) const {
  session::Client client;
  client.address = call.client;
  client.user_agent = call.request.user_agent;
  auto issued = services.sessions.start(session_user(account), client, call.now);
  if (!issued) return issued;
  // Whoever was logged in on this browser before is not any more: a session never changes its
  // owner.
  if (const session::Identity* before = call.admission.identity) {
    auto ended = services.sessions.revoke(before->session_id, before->user_id, call.now);
    if (!ended) services.log.warn("old_session_not_ended", {{"user", before->user_id}});
  }
  call.admission.set_cookies.clear();
  for (std::string& cookie : session_cookies(*issued))
    response.set_cookies.push_back(std::move(cookie));
  return issued;
}

void AuthApi::Impl::remember_device(const Call& call, const accounts::Account& account,
                                    Response& response) const {
  const std::string_view device = call.admission.cookies.device;
  if (services.accounts.is_known_device(account.id, device, call.now)) return;
  auto token = services.accounts.issue_device(account.id, call.now);
  if (!token) return;  // next time
  response.set_cookies.push_back(
      moat_cookie(session::device_cookie, token->reveal(), options.device_life));
}

Response AuthApi::Impl::logged_in(const Call& call, const accounts::Account& account,
                                  std::string_view next, int status) const {
  // That a session of the account was ended for a stolen token is nothing to be told of some day;
  // but where the store cannot say so, it is no reason to refuse the login either.
  const auto told = services.sessions.notices(account.id);
  const auto notices = told ? *told : std::vector<session::ReuseNotice>();
  std::string target = safe_next(next);
  if (!notices.empty() && services.pages != nullptr)
    target = "/auth/account?next=" + percent_encode(target);
  Response response =
      call.form ? redirect_to(target) : json_answer(status, account_json(account, notices));
  auto issued = begin_session(call, account, response);
  if (!issued) return problem(503, "unavailable", std::string(busy_detail));
  if (auto changed = changed_meanwhile(call, account, issued->session)) return *changed;
  remember_device(call, account, response);
  return response;
}

// Checking a password takes long enough for another request to change it. That one has ended the
// sessions it saw; a session that it did not see ends here.
std::optional<Response> AuthApi::Impl::changed_meanwhile(const Call& call,
                                                         const accounts::Account& account,
                                                         const session::Session& session) const {
  const auto fresh = services.store.find_by_id(account.id);
  if (fresh && !fresh->disabled && fresh->password_changed_at == account.password_changed_at) {
    return std::nullopt;
  }
  auto ended = services.sessions.revoke(session.id, account.id, call.now);
  if (!ended) services.log.error("session_not_ended", {{"user", account.id}});
  return fresh ? problem(401, "wrong_credentials", "The password has just been changed.")
               : problem(503, "unavailable", std::string(busy_detail));
}

Response AuthApi::Impl::page(int status, std::string body, std::string nonce) const {
  Response response;
  response.status = status;
  response.kind = Body::page;
  response.body = std::move(body);
  response.nonce = std::move(nonce);
  return response;
}

Response AuthApi::Impl::form_again(const Failure& failure, Response answer,
                                   const std::string& nonce) const {
  Response shown = page(failure.status, "", nonce);
  shown.code = failure.code;
  shown.headers = std::move(answer.headers);
  return shown;
}

void AuthApi::Impl::audit(const Call& call, std::string_view event, Subject about,
                          std::string_view subject, std::string_view reason) const {
  // What a stranger typed is masked, an address or not: it may be a password in the wrong field.
  services.log.info(event, {{about == Subject::typed ? "email" : "user", subject},
                            {"client", call.client},
                            {"reason", reason},
                            {"user_agent", call.request.user_agent.substr(0, 200)}});
}

// ----------------------------------------------------------------------------------------- routing

namespace {
constexpr std::string_view sessions_path = "/auth/sessions/";
constexpr std::string_view keys_path = "/auth/keys/";
constexpr std::string_view notices_path = "/auth/notices/";

bool is_below(std::string_view path, std::string_view folder) {
  return path.substr(0, folder.size()) == folder && path.size() > folder.size();
}

// What stands behind a folder: an id, and what is to be done with it ("/revoke") or nothing.
std::pair<std::string_view, std::string_view> id_and_act(std::string_view path,
                                                         std::string_view folder) {
  path.remove_prefix(folder.size());
  const std::size_t slash = std::min(path.find('/'), path.size());
  return {path.substr(0, slash), path.substr(slash)};
}

// What a program may ask with its token or key; the rest is a person's, at a browser.
bool is_open_to_programs(std::string_view path) {
  return path == "/auth/me" || path == "/auth/token" || is_below(path, "/auth/token/") ||
         path.substr(0, 18) == "/.well-known/moat/";
}

// Methods are case-sensitive (RFC 9110 section 9.1).
bool lists(std::string_view methods, std::string_view method) {
  for (const std::string_view known : {"GET", "HEAD", "POST", "PATCH", "DELETE"}) {
    if (method == known) return methods.find(known) != std::string_view::npos;
  }
  return false;
}
}  // namespace

AuthApi::AuthApi(const Services& services, Options options)
    : impl_(std::make_unique<Impl>(services, std::move(options))) {}
AuthApi::~AuthApi() = default;

bool AuthApi::handles(std::string_view path) {
  return path == "/auth" || path.substr(0, 6) == "/auth/" ||
         path.substr(0, 18) == "/.well-known/moat/";
}

Rules AuthApi::rules(std::string_view, std::string_view) {
  Rules rules;
  rules.login = Rules::Login::optional;
  rules.scope = csrf::Scope::auth_endpoint;
  return rules;
}

std::size_t AuthApi::max_body() const { return impl_->options.max_body; }

Response AuthApi::handle(const Request& request, Admission& admission, std::string_view body,
                         Time now, Tick tick) const {
  Call call{request, admission, body, now, tick};
  call.client = admission.client.to_string();
  call.form = is_type(request.content_type, "application/x-www-form-urlencoded");
  return impl_->route(call);
}

// The methods of a path, as the Allow field lists them (RFC 9110 section 10.2.1); empty: there is
// no such path.
std::string_view AuthApi::Impl::methods_of(std::string_view path) const {
  if (is_before_login(path)) return "GET, HEAD, POST";
  for (const std::string_view act : {"/auth/logout", "/auth/logout-all", "/auth/password"}) {
    if (path == act) return "POST";
  }
  for (const std::string_view shown :
       {"/auth", "/auth/", "/auth/account", "/auth/me", "/auth/sessions", "/auth/csrf",
        "/.well-known/moat/jwks.json"}) {
    if (path == shown) return "GET, HEAD";
  }
  if (path == "/auth/token" || path == "/auth/token/refresh") return options.tokens ? "POST" : "";
  if (path == "/auth/token/revoke") return options.tokens || services.keys != nullptr ? "POST" : "";
  if (is_below(path, sessions_path)) {
    const auto [id, act] = id_and_act(path, sessions_path);
    if (id.empty()) return "";
    if (act.empty()) return "PATCH, DELETE";
    return act == "/revoke" || act == "/name" ? "POST" : "";
  }
  if (is_below(path, notices_path)) {
    const auto [id, act] = id_and_act(path, notices_path);
    if (id.empty()) return "";
    return act.empty() ? "DELETE" : act == "/dismiss" ? "POST" : "";
  }
  if (services.keys != nullptr) {
    if (path == "/auth/keys") return "GET, HEAD, POST";
    if (is_below(path, keys_path)) {
      const auto [id, act] = id_and_act(path, keys_path);
      if (id.empty()) return "";
      return act.empty() ? "DELETE" : act == "/revoke" ? "POST" : "";
    }
  }
  return services.pages != nullptr && services.pages->asset(path) ? "GET, HEAD" : "";
}

Response AuthApi::Impl::route(Call& call) const {
  const std::string_view method = call.request.method;
  const std::string_view methods = methods_of(call.request.path);
  if (methods.empty()) return problem(404, "not_found");
  if (!lists(methods, method)) {
    Response response = problem(405, "method_not_allowed");
    response.headers.emplace_back("Allow", methods);
    return response;
  }
  const std::string_view path = call.request.path;
  const session::Identity* identity = call.admission.identity;
  if (identity != nullptr && identity->kind != session::Kind::browser &&
      !is_open_to_programs(path)) {
    return problem(403, "browser_required", "This needs a person who is logged in at a browser.");
  }
  if (method == "GET" || method == "HEAD") return get(call);
  const bool json = is_type(call.request.content_type, "application/json");
  const bool nothing = call.request.content_type.empty() && call.body.empty();
  if (!call.form && !json && !nothing) {
    return problem(415, "unsupported_media_type", "Send application/json or a form.");
  }
  // RFC 7009 section 2.1. The others take JSON, which no page of another site can send in a form.
  const bool revocation = path == "/auth/token/revoke";
  const bool json_only = path == "/auth/token" || path == "/auth/token/refresh";
  // Programs' tokens have nothing to do with a browser's session; its refresh comes again.
  if (path == "/auth/token" || is_below(path, "/auth/token/")) call.admission.set_cookies.clear();
  if (revocation && !call.form) {
    return problem(415, "unsupported_media_type", "Send application/x-www-form-urlencoded.");
  }
  if (json_only && !json) return problem(415, "unsupported_media_type", "Send application/json.");
  return change(call);
}

Response AuthApi::Impl::get(Call& call) const {
  const std::string_view path = call.request.path;
  if (path == "/.well-known/moat/jwks.json") {
    Response response;
    response.kind = Body::json;
    response.body = options.jwks ? options.jwks() : "{\"keys\":[]}";
    return response;
  }
  if (path == "/auth/me") return me(call);
  if (path == "/auth/sessions") return list_sessions(call);
  if (path == "/auth/keys") return list_keys(call);
  if (path == "/auth/csrf") return csrf_token(call);
  if (services.pages == nullptr) return problem(404, "not_found");
  if (const auto asset = services.pages->asset(path)) {
    Response response;
    response.body.assign(asset->bytes);
    response.headers.emplace_back("Content-Type", asset->content_type);
    return response;
  }
  const bool known = call.admission.identity != nullptr;
  if (path == "/auth" || path == "/auth/") return redirect_to("/auth/account");
  if (path == "/auth/account") {
    if (!known) return redirect_to("/auth/login?next=%2Fauth%2Faccount");
  }
  std::string next = "/";
  const auto query = validate::parse_form(call.request.query);
  const bool on_the_way = query && query->find("next");
  if (on_the_way) next = safe_next(*query->find("next"));
  if (path == "/auth/account") {
    AccountPage shown;
    if (on_the_way && next != "/auth/account") shown.next = next;
    return account_page(call, shown, 200);
  }
  const std::string nonce = services.random.token(16);
  if (path == "/auth/login" || path == "/auth/signup") {
    if (known) return redirect_to(next);
    Response response = page(200, "", nonce);
    if (path == "/auth/login") {
      LoginPage shown;
      shown.csrf = form_token(call, response);
      shown.next = next;
      shown.signup_open = options.signup_open;
      response.body = services.pages->login(shown, nonce);
    } else {
      if (!options.signup_open) return redirect_to("/auth/login");
      SignupPage shown;
      shown.csrf = form_token(call, response);
      shown.next = next;
      response.body = services.pages->signup(shown, nonce);
    }
    return response;
  }
  if (path == "/auth/setup") {
    Response response = page(200, "", nonce);
    SetupPage shown;
    shown.csrf = form_token(call, response);
    response.body = services.pages->setup(shown, nonce);
    return response;
  }
  return problem(404, "not_found");
}

Response AuthApi::Impl::change(Call& call) const {
  const std::string_view path = call.request.path;
  if (path == "/auth/login") return login(call);
  if (path == "/auth/signup") return signup(call);
  if (path == "/auth/setup") return setup(call);
  if (path == "/auth/password") return password(call);
  if (path == "/auth/logout") return logout(call);
  if (path == "/auth/logout-all") return logout_all(call);
  if (path == "/auth/token") return token(call);
  if (path == "/auth/token/refresh") return refresh_token(call);
  if (path == "/auth/token/revoke") return revoke_token(call);
  if (path == "/auth/keys") return make_key(call);
  if (is_below(path, keys_path)) return revoke_key(call, id_and_act(path, keys_path).first);
  if (is_below(path, notices_path)) return dismiss(call, id_and_act(path, notices_path).first);
  const auto [id, act] = id_and_act(path, sessions_path);
  const bool names = act == "/name" || call.request.method == "PATCH";
  return names ? rename(call, id) : revoke(call, id);
}

}  // namespace moat::shield
