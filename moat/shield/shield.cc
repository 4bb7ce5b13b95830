// SPDX-License-Identifier: Apache-2.0
#include "moat/shield/shield.h"

#include <algorithm>
#include <stdexcept>

#include "moat/base/encoding.h"
#include "moat/csrf/form_tokens.h"
#include "moat/session/cookies.h"
#include "moat/session/credentials.h"

namespace moat::shield {

namespace {

// Bucket families in the table of requests.
constexpr std::uint64_t by_address = 1;
constexpr std::uint64_t by_user = 2;
constexpr std::uint64_t by_unknown_key = 3;
constexpr std::uint64_t by_reports = 4;
constexpr std::uint64_t by_route = 16;  // plus the route's number

bool refuse(Admission& admission, Step step, int status, std::string_view code,
            std::string_view title, std::string_view reason = {}) {
  admission.refusal.step = step;
  admission.refusal.status = status;
  admission.refusal.code = code;
  admission.refusal.title = title;
  admission.refusal.reason = reason;
  return false;
}

bool refuse_limit(Admission& admission, Step step, const limit::Decision& decision) {
  admission.refusal.retry_after = decision.retry_after;
  return refuse(admission, step, 429, "rate_limited", "Too many requests. Please slow down.",
                limit::to_string(decision.reason));
}

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos)
    return host;
  return host.substr(0, colon);
}

// RFC 6750 section 3.1.
bool refuse_bearer(Admission& admission, std::string_view reason) {
  admission.refusal.challenge = "Bearer error=\"invalid_token\"";
  return refuse(admission, Step::session, 401, "invalid_token",
                "This token is not valid, or not any more.", reason);
}

// It may well be valid: the client is to try again, not to ask for another one.
bool refuse_unavailable(Admission& admission, std::string_view reason) {
  return refuse(admission, Step::session, 503, "issuer_unavailable",
                "Your token cannot be checked right now. Please try again in a moment.", reason);
}

// What a Memory knows a key by: it is not to hold keys, and compares all of a digest alike.
std::string mark_of_key(std::string_view key) {
  return std::string(session::api_key_prefix) + base64url_encode(as_bytes(sha256(key)));
}

// What a form can send and is not safe. JSON is sent by scripts only, and by those of other origins
// after a preflight only. No form sends the bearer token of whoever is there by one; cookies do not
// count beside it.
bool is_form(const Request& request, const Rules& rules, const session::Identity* identity) {
  const bool safe = csrf::is_safe(request.method) && !request.method_override;
  const bool by_bearer = identity != nullptr && identity->kind != session::Kind::browser;
  return rules.needs_form_token && !safe && !by_bearer &&
         csrf::body_kind(request.content_type) != csrf::BodyKind::other;
}

// As if none had come; none is changed or taken away in the client either.
void forget_cookies(Admission& admission) {
  admission.without_cookies = true;
  admission.cookies = Cookies();
  admission.identity = nullptr;
  admission.holder.reset();
  admission.set_cookies.clear();
}

std::string next_target(const Request& request) {
  std::string target(request.path);
  if (!request.query.empty()) target.append("?").append(request.query);
  return target;
}

}  // namespace

std::optional<std::string_view> bearer_token(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer";
  const std::string_view rest = authorization.substr(std::min(scheme.size(), authorization.size()));
  if (!ascii_iequals(authorization.substr(0, scheme.size()), scheme) || rest.empty() ||
      (rest[0] != ' ' && rest[0] != '\t')) {
    return std::nullopt;
  }
  return trim(rest);
}

std::string_view to_string(Step step) {
  switch (step) {
    case Step::host:
      return "host";
    case Step::address_limit:
      return "address_limit";
    case Step::client_certificate:
      return "client_certificate";
    case Step::session:
      return "session";
    case Step::user_limit:
      return "user_limit";
    case Step::csrf:
      return "csrf";
    case Step::login:
      return "login";
  }
  return "unknown";
}

Shield::Shield(const Services& services, Options options)
    : services_(services), options_(std::move(options)) {
  auto policy = csrf::Policy::create(options_.trusted_origins);
  if (!policy) throw std::invalid_argument("not an origin: " + policy.error());
  csrf_ = std::move(*policy);
  for (std::string& host : options_.hosts) host = ascii_lower(host);
}

// --------------------------------------------------------------------------------------- the walk

Outcome Shield::begin(const Request& request, const Rules& rules, Time now, Tick tick,
                      Memory* memory, Admission& admission) const {
  if (!count_client(request, tick, memory, admission)) return Outcome::refuse;
  if (!check_client_certificate(request, rules, admission)) return Outcome::refuse;
  return identify(request, rules, now, tick, memory, admission);
}

Outcome Shield::go_on(const Request& request, const Rules& rules, Time now, Tick tick,
                      Memory* memory, Admission& admission) const {
  const Outcome outcome = identify(request, rules, now, tick, memory, admission);
  if (outcome != Outcome::wait) return outcome;
  refuse_unavailable(admission, "waited_in_vain");
  return Outcome::refuse;
}

Outcome Shield::identify(const Request& request, const Rules& rules, Time now, Tick tick,
                         Memory* memory, Admission& admission) const {
  switch (check_bearer(request, rules, now, tick, memory, admission)) {
    case Bearer::foreign:
      break;
    case Bearer::known:
      return finish(request, rules, tick, memory, admission);
    case Bearer::to_look_up:
      return Outcome::refresh;
    case Bearer::refused:
      return Outcome::refuse;
    case Bearer::wait:
      return Outcome::wait;
  }
  Outcome session = check_session(request, now, memory, admission);
  if (session == Outcome::refuse) return session;
  // Before anything is done in the name of whose cookies came along.
  if (csrf::is_bearer(request.authorization) && judge(request, rules, admission).without_cookies) {
    forget_cookies(admission);
    session = Outcome::pass;
  }
  // A forged request gets no refresh out of us.
  if (session == Outcome::refresh)
    return check_csrf(request, rules, admission) ? session : Outcome::refuse;
  return finish(request, rules, tick, memory, admission);
}

bool Shield::count_client(const Request& request, Tick tick, Memory* memory,
                          Admission& admission) const {
  return check_host(request, memory, admission) && check_address_limit(request, tick, admission);
}

Outcome Shield::finish(const Request& request, const Rules& rules, Tick tick, Memory* memory,
                       Admission& admission) const {
  if (!admission.api_key.empty()) {
    if (admission.identity == nullptr) return Outcome::refuse;
    if (memory != nullptr) memory->keep(mark_of_key(admission.api_key), admission.holder);
  }
  if (!check_user_limit(rules, tick, admission)) return Outcome::refuse;
  if (!check_csrf(request, rules, admission)) return Outcome::refuse;
  if (!check_login(request, rules, admission)) return Outcome::refuse;
  return is_form(request, rules, admission.identity) ? Outcome::form : Outcome::pass;
}

bool Shield::admit(const Request& request, const Rules& rules, Time now, Tick tick,
                   Admission& admission) const {
  Outcome outcome = begin(request, rules, now, tick, nullptr, admission);
  if (outcome == Outcome::wait) outcome = go_on(request, rules, now, tick, nullptr, admission);
  if (outcome == Outcome::refresh) {
    refresh(request, now, tick, admission);
    outcome = finish(request, rules, tick, nullptr, admission);
  }
  constexpr std::string_view unread;
  if (outcome == Outcome::form) outcome = check_form(request, rules, unread, now, admission);
  return outcome == Outcome::pass;
}

// -------------------------------------------------------------------------------------- the steps

bool Shield::knows_host(std::string_view host) const {
  const std::string name = ascii_lower(without_port(host));
  return std::any_of(options_.hosts.begin(), options_.hosts.end(), [&](const std::string& known) {
    if (known.size() > 2 && known[0] == '*') {
      const std::size_t dot = name.find('.');
      return dot != std::string::npos && dot > 0 &&
             std::string_view(name).substr(dot) == std::string_view(known).substr(1);
    }
    return name == known;
  });
}

// RFC 9110 section 7.4: a request for a name that is not served here is misdirected.
bool Shield::check_host(const Request& request, Memory* memory, Admission& admission) const {
  if (memory != nullptr && !memory->host.empty() && memory->host == request.host) return true;
  if (!knows_host(request.host)) {
    return refuse(admission, Step::host, 421, "unknown_host",
                  "This server does not answer to that host name.");
  }
  if (memory != nullptr) memory->host.assign(request.host);
  return true;
}

bool Shield::count_report(const Request& request, Tick tick, Memory* memory,
                          Admission& admission) const {
  return check_host(request, memory, admission) &&
         charge_address(by_reports, options_.reports, request, tick, admission);
}

// Before anybody's cookies or tokens are looked at: without it those are worth nothing here.
bool Shield::check_client_certificate(const Request& request, const Rules& rules,
                                      Admission& admission) const {
  if (!rules.needs_client_certificate || request.client_certificate) return true;
  return refuse(admission, Step::client_certificate, 403, "client_certificate_required",
                "This needs a client certificate, and the connection has none.");
}

bool Shield::check_address_limit(const Request& request, Tick tick, Admission& admission) const {
  return charge_address(by_address, options_.general, request, tick, admission);
}

bool Shield::charge_address(std::uint64_t limit_id, const limit::Policy& policy,
                            const Request& request, Tick tick, Admission& admission) const {
  admission.client =
      limit::client_address(request.peer, request.forwarded_for, options_.trusted_proxies);
  limit::Charges charges;
  charges.add(services_.requests, limit_id, policy, admission.client);
  admission.rate = services_.requests.consume(charges, tick);
  if (admission.rate.allowed) return true;
  return refuse_limit(admission, Step::address_limit, admission.rate);
}

Shield::Who Shield::who(session::Kind kind, std::string_view access_token, Time now,
                        Memory* memory) const {
  if (access_token.empty()) return Error{session::AccessRefusal::malformed};
  const auto known = memory == nullptr ? nullptr : memory->find(access_token);
  // It remembers tokens of every kind.
  if (known != nullptr && known->kind == kind) {
    auto good = services_.sessions.still_good(*known, now);
    if (!good) return Error{good.error()};
    return known;
  }
  auto verified = kind == session::Kind::browser
                      ? services_.sessions.verify_access(access_token, now)
                      : services_.sessions.verify_bearer(access_token, now);
  if (!verified) return Error{verified.error()};
  auto identity = std::make_shared<const session::Identity>(std::move(*verified));
  if (memory != nullptr) memory->keep(access_token, identity);
  return identity;
}

Shield::Bearer Shield::check_bearer(const Request& request, const Rules& rules, Time now, Tick tick,
                                    Memory* memory, Admission& admission) const {
  const auto token = bearer_token(request.authorization);
  if (!token) return Bearer::foreign;
  if (!services_.sessions.is_own(*token)) {
    // /auth is for who has an account here.
    if (services_.tokens == nullptr || rules.scope != csrf::Scope::backend) return Bearer::foreign;
    return check_others_bearer(*token, now, tick, admission);
  }
  // It speaks for the whole request: what else came along is nobody's.
  forget_cookies(admission);
  admission.own_bearer = true;
  if (token->substr(0, session::api_key_prefix.size()) == session::api_key_prefix) {
    return check_api_key(*token, now, memory, admission);
  }
  auto found = who(session::Kind::api, *token, now, memory);
  if (!found) {
    refuse_bearer(admission, session::to_string(found.error()));
    return Bearer::refused;
  }
  admission.holder = std::move(*found);
  admission.identity = admission.holder.get();
  return Bearer::known;
}

Shield::Bearer Shield::check_others_bearer(std::string_view token, Time now, Tick tick,
                                           Admission& admission) const {
  TokenSource::Answer answer = services_.tokens->judge(token, now, tick);
  switch (answer.state) {
    case TokenSource::State::foreign:
      return Bearer::foreign;
    case TokenSource::State::wait:
      return Bearer::wait;
    case TokenSource::State::refused:
      refuse_bearer(admission, answer.reason);
      return Bearer::refused;
    case TokenSource::State::unavailable:
      refuse_unavailable(admission, answer.reason);
      return Bearer::refused;
    case TokenSource::State::known:
      break;
  }
  forget_cookies(admission);
  admission.own_bearer = !answer.pass_token;
  admission.holder = std::move(answer.identity);
  admission.identity = admission.holder.get();
  return Bearer::known;
}

Shield::Bearer Shield::check_api_key(std::string_view key, Time now, Memory* memory,
                                     Admission& admission) const {
  if (services_.keys == nullptr || !session::ApiKeys::is_genuine(key)) {
    refuse_bearer(admission, session::to_string(session::KeyRefusal::unknown));
    return Bearer::refused;
  }
  // What is remembered too long is asked for again, and so is what was revoked.
  auto known = memory == nullptr ? nullptr : memory->find(mark_of_key(key));
  if (known == nullptr || !services_.sessions.still_good(*known, now)) {
    admission.api_key = key;
    return Bearer::to_look_up;
  }
  admission.holder = std::move(known);
  admission.identity = admission.holder.get();
  return Bearer::known;
}

// Whoever tries keys at random meets the checksum first; who has read this, his address's limit.
void Shield::look_up_key(Time now, Tick tick, Admission& admission) const {
  limit::Charges charges;
  charges.add(services_.requests, by_unknown_key, options_.unknown_keys, admission.client);
  limit::Attempt attempt(services_.requests, charges, tick);
  if (!attempt.decision().allowed) {
    refuse_limit(admission, Step::address_limit, attempt.decision());
    return;
  }
  auto found = services_.keys->verify(admission.api_key, services_.users, now);
  // Another thread may have revoked it in between.
  if (found && services_.sessions.still_good(*found, now)) {
    attempt.give_back(tick);
    admission.holder = std::make_shared<const session::Identity>(std::move(*found));
    admission.identity = admission.holder.get();
  } else if (!found && found.error() == session::KeyRefusal::store_unavailable) {
    attempt.give_back(tick);
    refuse(admission, Step::session, 503, "store_unavailable",
           "Your key cannot be looked up right now. Please try again in a moment.");
  } else {
    refuse_bearer(admission,
                  session::to_string(found ? session::KeyRefusal::revoked : found.error()));
  }
}

Outcome Shield::check_session(const Request& request, Time now, Memory* memory,
                              Admission& admission) const {
  if (request.cookie.empty()) return Outcome::pass;
  const Cookies& cookies = admission.cookies = Cookies::read(request.cookie);
  if (cookies.twice) {
    refuse(admission, Step::session, 400, "duplicate_cookie", "A session cookie came twice.");
    return Outcome::refuse;
  }
  admission.holder = who(session::Kind::browser, cookies.access, now, memory).value_or(nullptr);
  admission.identity = admission.holder.get();
  if (admission.identity != nullptr) return Outcome::pass;
  if (!cookies.refresh.empty()) return Outcome::refresh;
  if (!cookies.access.empty()) admission.set_cookies = forget_session_cookies();
  return Outcome::pass;
}

void Shield::refresh(const Request& request, Time now, Tick tick, Admission& admission) const {
  if (!admission.api_key.empty()) return look_up_key(now, tick, admission);
  const std::string address = admission.client.to_string();
  session::Client client;
  client.address = address;
  client.user_agent = request.user_agent;
  auto issued = services_.sessions.refresh(admission.cookies.refresh, client, services_.users, now);
  if (issued) {
    admission.set_cookies = session_cookies(*issued);
    admission.holder =
        who(session::Kind::browser, issued->access_token.reveal(), now, nullptr).value_or(nullptr);
    admission.identity = admission.holder.get();
    return;
  }
  // Where the store could not answer the browser keeps its cookies and may try again.
  admission.refusal.reason = session::to_string(issued.error());
  admission.token_reused = issued.error() == session::RefreshRefusal::reused;
  admission.store_unavailable = issued.error() == session::RefreshRefusal::store_unavailable;
  if (!admission.store_unavailable) admission.set_cookies = forget_session_cookies();
}

bool Shield::check_user_limit(const Rules& rules, Tick tick, Admission& admission) const {
  limit::Charges charges;
  if (options_.user && admission.identity != nullptr) {
    charges.add(services_.requests, by_user, *options_.user, admission.identity->user_id);
  }
  if (rules.limit != nullptr) {
    const bool user = rules.limit->subject() != limit::Subject::ip && admission.identity != nullptr;
    if (user) {
      charges.add(services_.requests, by_route + rules.route, *rules.limit,
                  admission.identity->user_id);
    } else {
      charges.add(services_.requests, by_route + rules.route, *rules.limit, admission.client);
    }
  }
  if (charges.size() == 0) return true;
  const limit::Decision decision = services_.requests.consume(charges, tick);
  if (!decision.allowed) return refuse_limit(admission, Step::user_limit, decision);
  if (decision.remaining < admission.rate.remaining) admission.rate = decision;
  return true;
}

csrf::Verdict Shield::judge(const Request& request, const Rules& rules,
                            const Admission& admission) const {
  csrf::Request asked;
  asked.method = request.method;
  asked.scheme = request.scheme;
  asked.host = request.host;
  asked.sec_fetch_site = request.sec_fetch_site;
  asked.origin = request.origin;
  asked.referer = request.referer;
  asked.is_websocket_upgrade = request.websocket_upgrade;
  asked.overrides_method = request.method_override;
  asked.carries_moat_cookie =
      !admission.cookies.access.empty() || !admission.cookies.refresh.empty();
  // A route that lets forged requests pass leaves them their cookies.
  asked.carries_bearer = !rules.allow_forged_requests && !rules.allow_forged_requests_and_report &&
                         csrf::is_bearer(request.authorization);
  asked.scope = rules.scope;
  return csrf::verdict(asked, csrf_);
}

bool Shield::check_csrf(const Request& request, const Rules& rules, Admission& admission) const {
  if (rules.allow_forged_requests) return true;
  const csrf::Verdict verdict = judge(request, rules, admission);
  if (verdict.pass()) return true;
  if (rules.allow_forged_requests_and_report) {
    admission.would_refuse = verdict.reason;
    return true;
  }
  return refuse(admission, Step::csrf, 403, "csrf", "This request did not come from our own pages.",
                csrf::explain(verdict.reason));
}

Outcome Shield::check_form(const Request& request, const Rules& rules,
                           std::optional<std::string_view> beginning, Time now,
                           Admission& admission) const {
  const auto good = [&](std::string_view token) {
    return services_.form_tokens != nullptr &&
           form_token_is_good(*services_.form_tokens, admission, token, now);
  };
  if (good(request.csrf_token)) return Outcome::pass;
  // Who has nothing that a token could be bound to is spared the reading.
  const bool bound = admission.identity != nullptr || !admission.cookies.pre_login.empty();
  if (!beginning && bound) {
    const csrf::BodyKind kind = csrf::body_kind(request.content_type);
    if (kind == csrf::BodyKind::urlencoded || kind == csrf::BodyKind::multipart)
      return Outcome::form;
  }
  const auto tokens = csrf::form_tokens(request.content_type, beginning.value_or(""));
  if (std::any_of(tokens.begin(), tokens.end(), good)) return Outcome::pass;
  if (csrf::is_bearer(request.authorization)) {
    forget_cookies(admission);
    return check_login(request, rules, admission) ? Outcome::pass : Outcome::refuse;
  }
  refuse(admission, Step::csrf, 403, "csrf",
         "This form was open for too long, or is none of this site's. Please go back, reload the "
         "page and try again.",
         tokens.empty() && request.csrf_token.empty()
             ? "the form brings no token (csrf = \"token\")"
             : "the form's token is another session's, altered or too old (csrf = \"token\")");
  return Outcome::refuse;
}

std::string Shield::form_token(Admission& admission, Random& random, Time now) const {
  if (services_.form_tokens == nullptr) return {};
  return issue_form_token(*services_.form_tokens, admission, random, now, admission.set_cookies);
}

bool Shield::check_login(const Request& request, const Rules& rules, Admission& admission) const {
  if (rules.login != Rules::Login::required && rules.scopes.empty()) return true;
  if (admission.identity == nullptr && admission.store_unavailable) {
    return refuse(admission, Step::login, 503, "store_unavailable",
                  "Your session cannot be looked up right now. Please try again in a moment.");
  }
  if (admission.identity == nullptr) {
    const bool redirect =
        rules.on_anonymous == Rules::OnAnonymous::redirect ||
        (rules.on_anonymous == Rules::OnAnonymous::automatic && request.navigation);
    if (!redirect || request.websocket_upgrade) {
      return refuse(admission, Step::login, 401, "login_required", "Please log in.");
    }
    admission.refusal.location =
        options_.login_path + "?next=" + percent_encode(next_target(request));
    return refuse(admission, Step::login, 303, "login_required", "Please log in.");
  }
  const auto& own = admission.identity->roles;
  const bool allowed = rules.roles.empty() ||
                       std::any_of(rules.roles.begin(), rules.roles.end(), [&](const auto& role) {
                         return std::find(own.begin(), own.end(), role) != own.end();
                       });
  if (!allowed) {
    return refuse(admission, Step::login, 403, "role_required", "Your account may not do this.");
  }
  return check_scopes(rules, admission);
}

// RFC 6750 section 3.1.
bool Shield::check_scopes(const Rules& rules, Admission& admission) const {
  const session::Identity& identity = *admission.identity;
  const bool enough = std::all_of(rules.scopes.begin(), rules.scopes.end(),
                                  [&](const auto& scope) { return identity.has_scope(scope); });
  if (enough) return true;
  const session::Scopes wanted(rules.scopes.begin(), rules.scopes.end());
  admission.refusal.challenge =
      "Bearer error=\"insufficient_scope\", scope=\"" + session::to_text(wanted) + "\"";
  return refuse(admission, Step::login, 403, "insufficient_scope",
                "This token may not be used for that.");
}

}  // namespace moat::shield
