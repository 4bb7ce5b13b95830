// SPDX-License-Identifier: Apache-2.0
#include "moat/shield/shield.h"

#include <algorithm>
#include <stdexcept>

#include "moat/base/encoding.h"
#include "moat/http/cookie.h"
#include "moat/http/set_cookie.h"
#include "moat/session/cookies.h"

namespace moat::shield {

namespace {

// Bucket families in the table of requests.
constexpr std::uint64_t by_address = 1;
constexpr std::uint64_t by_user = 2;
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

Cookies Cookies::read(std::string_view header) {
  Cookies out;
  http::CookieReader reader(header);
  while (const auto cookie = reader.next()) {
    if (cookie->name.substr(0, 12) != "__Host-Http-") continue;
    std::string_view* target = cookie->name == session::access_cookie        ? &out.access
                               : cookie->name == session::refresh_cookie     ? &out.refresh
                               : cookie->name == session::pre_session_cookie ? &out.pre_login
                               : cookie->name == session::device_cookie      ? &out.device
                                                                             : nullptr;
    if (target == nullptr) continue;
    if (target->data() != nullptr) out.twice = true;
    *target = cookie->value;
  }
  return out;
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
      return finish(request, rules, tick, admission);
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
  return finish(request, rules, tick, admission);
}

bool Shield::count_client(const Request& request, Tick tick, Memory* memory,
                          Admission& admission) const {
  return check_host(request, memory, admission) && check_address_limit(request, tick, admission);
}

Outcome Shield::finish(const Request& request, const Rules& rules, Tick tick,
                       Admission& admission) const {
  if (!check_user_limit(rules, tick, admission)) return Outcome::refuse;
  if (!check_csrf(request, rules, admission)) return Outcome::refuse;
  if (!check_login(request, rules, admission)) return Outcome::refuse;
  return Outcome::pass;
}

bool Shield::admit(const Request& request, const Rules& rules, Time now, Tick tick,
                   Admission& admission) const {
  Outcome outcome = begin(request, rules, now, tick, nullptr, admission);
  if (outcome == Outcome::wait) outcome = go_on(request, rules, now, tick, nullptr, admission);
  if (outcome == Outcome::refresh) {
    refresh(request, now, admission);
    outcome = finish(request, rules, tick, admission);
  }
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

bool Shield::check_address_limit(const Request& request, Tick tick, Admission& admission) const {
  admission.client =
      limit::client_address(request.peer, request.forwarded_for, options_.trusted_proxies);
  limit::Charges charges;
  charges.add(services_.requests, by_address, options_.general, admission.client);
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

void Shield::refresh(const Request& request, Time now, Admission& admission) const {
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

bool Shield::check_login(const Request& request, const Rules& rules, Admission& admission) const {
  if (rules.login != Rules::Login::required) return true;
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
  return allowed ||
         refuse(admission, Step::login, 403, "role_required", "Your account may not do this.");
}

// ----------------------------------------------------------------------------------------- cookies

std::string moat_cookie(std::string_view name, std::string_view value,
                        std::chrono::seconds max_age) {
  http::SetCookie cookie;
  cookie.name = name;
  cookie.value = value;
  cookie.max_age = max_age;
  auto built = http::build_set_cookie(cookie);
  if (!built)
    throw std::logic_error(
        "a cookie of Moat's own cannot be written");  // all values are base64url or JWTs
  return std::move(*built);
}

std::vector<std::string> session_cookies(const session::Issued& issued) {
  return {
      moat_cookie(session::access_cookie, issued.access_token.reveal(), issued.access_max_age),
      moat_cookie(session::refresh_cookie, issued.refresh_token.reveal(), issued.refresh_max_age)};
}

std::vector<std::string> forget_session_cookies() {
  return {moat_cookie(session::access_cookie, "", std::chrono::seconds{0}),
          moat_cookie(session::refresh_cookie, "", std::chrono::seconds{0})};
}

}  // namespace moat::shield
