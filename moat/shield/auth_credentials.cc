// SPDX-License-Identifier: Apache-2.0
// Sign-up, login, the first admin and the change of a password.
#include "moat/base/encoding.h"
#include "moat/session/cookies.h"
#include "moat/shield/internal/auth_impl.h"
#include "moat/validate/email.h"

namespace moat::shield {

namespace {

using validate::ObjectShape;
using validate::Presence;

constexpr validate::StringRule email_rule{Presence::required, 254, 0};
constexpr validate::StringRule password_rule{Presence::required, 1024, 0};
constexpr validate::StringRule token_rule{Presence::optional, 512, 0};
constexpr validate::StringRule next_rule{Presence::optional, 2048, 0};

ObjectShape credentials() {
  return ObjectShape().string("email", email_rule).string("password", password_rule);
}
ObjectShape credentials_form() {
  return credentials().string("_csrf", token_rule).string("next", next_rule);
}

Refused refused(Failure failure) {
  Response answer = problem(failure);
  return {std::move(failure), std::move(answer)};
}

Refused too_many_attempts(std::chrono::nanoseconds wait, Random& random) {
  return {{429, "rate_limited", "Too many attempts. Please wait a moment and try again."},
          retry_later(wait, random)};
}

Failure failure_of(const accounts::SignupRefusal& refusal) {
  using Reason = accounts::SignupRefusal::Reason;
  switch (refusal.reason) {
    case Reason::closed:
      return {403, "signup_closed", "Sign-up is closed. Ask the administrator for an account."};
    case Reason::invalid_email:
      return {422, "invalid_email", "This is not an e-mail address we can use."};
    case Reason::policy:
      return {422, "password_policy", refusal.detail};
    case Reason::email_taken:
      return {409, "email_taken", "There is an account with this e-mail address already."};
    case Reason::invalid_role:
      return {422, "invalid_role", "There is no such role."};
    case Reason::invalid_token:
      return {403, "invalid_token", "This link has been used or has expired."};
    case Reason::busy:
      return {503, "busy", std::string(busy_detail)};
    case Reason::unavailable:
      break;
  }
  return {503, "unavailable", std::string(busy_detail)};
}

}  // namespace

std::string guard_key(std::string_view email) {
  const auto parsed = validate::Email::parse(email);
  return parsed ? parsed->lookup_key() : ascii_lower(email.substr(0, 254));
}

Response AuthApi::Impl::login(Call& call) const {
  static const ObjectShape json = credentials();
  static const ObjectShape form = credentials_form();
  auto fields = read_body(call, json, form);
  if (!fields) return problem(fields.error());
  const std::string email(fields->string("email"));
  const std::string next(call.form ? fields->optional_string("next").value_or("/") : "/");
  const auto failed = [&](const Failure& failure, Response answer) {
    if (!call.form || services.pages == nullptr) return answer;
    const std::string nonce = services.random.token(16);
    Response shown = form_again(failure, std::move(answer), nonce);
    LoginPage values;
    values.csrf = form_token(call, shown);
    values.next = safe_next(next);
    values.email = email;
    values.error = failure.detail;
    values.signup_open = options.signup_open;
    shown.body = services.pages->login(values, nonce);
    return shown;
  };
  const auto refuse = [&](const Failure& failure) { return failed(failure, problem(failure)); };
  if (!comes_from_our_form(call, *fields)) return refuse(stale_form());
  auto checked = check_password(call, email, fields->take_secret("password"));
  if (!checked) return failed(checked.error().failure, std::move(checked.error().answer));
  audit(call, "login_succeeded", Subject::user, checked->id);
  return logged_in(call, *checked, next, 200);
}

Result<accounts::Account, Refused> AuthApi::Impl::check_password(Call& call,
                                                                 const std::string& email,
                                                                 const Secret& password) const {
  const std::string_view device = call.admission.cookies.device;
  const bool known =
      !device.empty() && services.accounts.is_known_device_of(email, device, call.now);
  auto permit = services.guard.begin(guard_key(email), call.admission.client,
                                     known ? device : std::string_view(), call.tick);
  if (!permit) {
    audit(call, "login_delayed", Subject::typed, email, limit::to_string(permit.error().reason));
    return Error{too_many_attempts(permit.error().retry_after, services.random)};
  }
  auto logged = services.accounts.log_in(email, password, call.now);
  if (logged) {
    services.guard.succeed(*permit, call.tick);
    return std::move(*logged);
  }
  audit(call, "login_failed", Subject::typed, email, accounts::to_string(logged.error()));
  return Error{refused_login(logged.error(), *permit, call.tick)};
}

Result<accounts::Account, Refused> AuthApi::Impl::confirm_password(Call& call,
                                                                   const Secret& password) const {
  const session::Identity& identity = *call.admission.identity;
  const auto account = services.store.find_by_id(identity.user_id);
  if (!account) {
    return Error{refused({503, "busy", std::string(busy_detail)})};
  }
  // By the session's own bucket: strangers' failures do not keep the owner out.
  auto permit = services.guard.begin(guard_key(account->email), call.admission.client,
                                     identity.session_id, call.tick);
  if (!permit) return Error{too_many_attempts(permit.error().retry_after, services.random)};
  auto logged = services.accounts.log_in(account->email, password, call.now);
  if (logged && logged->id == identity.user_id) {
    services.guard.succeed(*permit, call.tick);
    return std::move(*logged);
  }
  const auto reason = logged ? accounts::LoginRefusal::wrong_credentials : logged.error();
  audit(call, "password_not_confirmed", Subject::user, identity.user_id,
        accounts::to_string(reason));
  return Error{refused_login(reason, *permit, call.tick)};
}

Refused AuthApi::Impl::refused_login(accounts::LoginRefusal reason,
                                     const limit::LoginGuard::Permit& permit, Tick tick) const {
  switch (reason) {
    case accounts::LoginRefusal::wrong_credentials:
    case accounts::LoginRefusal::disabled:
    case accounts::LoginRefusal::unreadable_hash:
      return refused({401, "wrong_credentials", "The e-mail address or the password is wrong."});
    case accounts::LoginRefusal::busy:
    case accounts::LoginRefusal::unavailable:
      break;
  }
  services.guard.abandon(permit, tick);
  return refused({503, "busy", std::string(busy_detail)});
}

Response AuthApi::Impl::signup(Call& call) const {
  static const ObjectShape json = credentials();
  static const ObjectShape form = credentials_form();
  auto fields = read_body(call, json, form);
  if (!fields) return problem(fields.error());
  const std::string email(fields->string("email"));
  const std::string next(call.form ? fields->optional_string("next").value_or("/") : "/");
  const auto failed = [&](const Failure& failure, Response answer) {
    if (!call.form || services.pages == nullptr) return answer;
    const std::string nonce = services.random.token(16);
    Response shown = form_again(failure, std::move(answer), nonce);
    SignupPage values;
    values.csrf = form_token(call, shown);
    values.next = safe_next(next);
    values.email = email;
    const bool about_email = failure.code == "invalid_email" || failure.code == "email_taken";
    const bool about_password = failure.code == "password_policy";
    (about_email      ? values.email_error
     : about_password ? values.password_error
                      : values.error) = failure.detail;
    shown.body = services.pages->signup(values, nonce);
    return shown;
  };
  const auto refuse = [&](const Failure& failure) { return failed(failure, problem(failure)); };
  if (!comes_from_our_form(call, *fields)) return refuse(stale_form());
  limit::Charges tries;
  tries.add(services.signups, 2, options.signup_tries, call.admission.client);
  limit::Charges charges;
  charges.add(services.signups, 1, options.signup_limit, call.admission.client);
  limit::Attempt tried(services.signups, tries, call.tick);
  if (!tried.decision().allowed) {
    return failed({429, "rate_limited", "Too many attempts. Please wait a moment and try again."},
                  retry_later(tried.decision().retry_after, services.random));
  }
  limit::Attempt attempt(services.signups, charges, call.tick);
  if (!attempt.decision().allowed) {
    const Failure failure{429, "rate_limited",
                          "Too many accounts were made from here. Please try again later."};
    return failed(failure, retry_later(attempt.decision().retry_after, services.random));
  }
  const Secret password = fields->take_secret("password");
  auto made = services.accounts.sign_up(email, password, call.now);
  if (!made) {
    attempt.give_back(call.tick);
    audit(call, "signup_refused", Subject::typed, email, accounts::to_string(made.error().reason));
    return refuse(failure_of(made.error()));
  }
  tried.give_back(call.tick);
  audit(call, "signed_up", Subject::user, made->id);
  return logged_in(call, *made, next, 201);
}

Response AuthApi::Impl::setup(Call& call) const {
  static const ObjectShape json = credentials().string("token", {Presence::required, 512, 0});
  static const ObjectShape form =
      credentials().string("token", {Presence::required, 512, 0}).string("_csrf", token_rule);
  auto fields = read_body(call, json, form);
  if (!fields) return problem(fields.error());
  const std::string email(fields->string("email"));
  const Secret token = fields->take_secret("token");
  const auto refuse = [&](const Failure& failure) {
    if (!call.form || services.pages == nullptr) return problem(failure);
    const std::string nonce = services.random.token(16);
    Response shown = form_again(failure, {}, nonce);
    SetupPage values;
    values.csrf = form_token(call, shown);
    values.token.assign(token.reveal());
    values.email = email;
    std::string& place = failure.code == "invalid_token" ? values.token_error
                         : failure.code == "invalid_email" || failure.code == "email_taken"
                             ? values.email_error
                         : failure.code == "password_policy" ? values.password_error
                                                             : values.error;
    place = failure.detail;
    shown.body = services.pages->setup(values, nonce);
    return shown;
  };
  if (!comes_from_our_form(call, *fields)) return refuse(stale_form());
  const Secret password = fields->take_secret("password");
  auto made = services.accounts.set_up_admin(token.reveal(), email, password, call.now);
  if (!made) {
    audit(call, "setup_refused", Subject::typed, email, accounts::to_string(made.error().reason));
    return refuse(failure_of(made.error()));
  }
  audit(call, "admin_set_up", Subject::user, made->id);
  return logged_in(call, *made, "/auth/account", 201);
}

Response AuthApi::Impl::password(Call& call) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  static const ObjectShape json =
      ObjectShape().string("current", password_rule).string("new", password_rule);
  static const ObjectShape form = ObjectShape()
                                      .string("current", password_rule)
                                      .string("new", password_rule)
                                      .string("username", {Presence::optional, 254, 0})
                                      .string("_csrf", token_rule);
  auto fields = read_body(call, json, form);
  if (!fields) return problem(fields.error());
  const auto failed = [&](const Failure& failure, Response answer) {
    if (!call.form || services.pages == nullptr) return answer;
    AccountPage values;
    (failure.code == "wrong_credentials" ? values.current_error
     : failure.code == "password_policy" ? values.new_error
                                         : values.error) = failure.detail;
    Response shown = account_page(call, values, failure.status);
    shown.headers = std::move(answer.headers);
    return shown;
  };
  const auto refuse = [&](const Failure& failure) { return failed(failure, problem(failure)); };
  if (!comes_from_our_form(call, *fields)) return refuse(stale_form());
  // A stolen session must not be a way to guess the password.
  const std::string account = guard_key(identity->email);
  auto permit =
      services.guard.begin(account, call.admission.client, identity->session_id, call.tick);
  if (!permit) {
    const Failure failure{429, "rate_limited",
                          "Too many attempts. Please wait a moment and try again."};
    return failed(failure, retry_later(permit.error().retry_after, services.random));
  }
  const Secret current = fields->take_secret("current");
  const Secret next = fields->take_secret("new");
  auto changed = services.accounts.change_password(identity->user_id, current, next, call.now);
  if (!changed) {
    using Reason = accounts::ChangeRefusal::Reason;
    switch (changed.error().reason) {
      case Reason::wrong_credentials:
        return refuse({401, "wrong_credentials", "The current password is wrong."});
      case Reason::policy:
        services.guard.succeed(*permit, call.tick);
        return refuse({422, "password_policy", changed.error().detail});
      case Reason::busy:
      case Reason::unavailable:
        break;
    }
    services.guard.abandon(*permit, call.tick);
    return refuse({503, "busy", std::string(busy_detail)});
  }
  services.guard.succeed(*permit, call.tick);
  audit(call, "password_changed", Subject::user, identity->user_id);

  // The end of all other sessions first, whatever fails after it; then a new one here.
  const bool ended =
      services.sessions.revoke_others(identity->user_id, identity->session_id, call.now)
          .has_value();
  if (!ended) services.log.error("sessions_not_ended", {{"user", identity->user_id}});
  auto fresh = services.store.find_by_id(identity->user_id);
  if (!fresh) return problem(503, "unavailable", std::string(busy_detail));
  Response response = call.form ? redirect_to("/auth/account") : Response();
  if (!call.form) response.status = 204;
  auto issued = begin_session(call, *fresh, response);
  if (!issued) return problem(503, "unavailable", std::string(busy_detail));
  if (!ended && !services.sessions.revoke_others(fresh->id, issued->session.id, call.now)) {
    return problem(503, "unavailable",
                   "The password was changed, but other sessions may still be open.");
  }
  remember_device(call, *fresh, response);
  return response;
}

}  // namespace moat::shield
