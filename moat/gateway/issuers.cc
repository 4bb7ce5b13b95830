// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/issuers.h"

#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/base/hash.h"
#include "moat/validate/email.h"

namespace moat::gateway {

namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;
using State = shield::TokenSource::State;

constexpr std::size_t most_token = 8192;
constexpr std::size_t most_waiters = 256;
constexpr std::size_t most_roles = 64;
constexpr std::size_t longest_role = 64;
constexpr std::size_t all_roles = 1024;  // as of Moat's own users

bool is_pkcs1(jwt::Algorithm algorithm) {
  return algorithm == jwt::Algorithm::rs256 || algorithm == jwt::Algorithm::rs384 ||
         algorithm == jwt::Algorithm::rs512;
}

jwt::RemoteKeySet::Options key_options(const TrustedIssuer& settings) {
  jwt::RemoteKeySet::Options options;
  if (!settings.algorithms.empty()) options.algorithms = settings.algorithms;
  options.max_age = duration_cast<seconds>(settings.max_age);
  options.max_stale = duration_cast<seconds>(settings.max_stale);
  options.cooldown = duration_cast<seconds>(settings.cooldown);
  options.retry = duration_cast<seconds>(settings.retry);
  return options;
}

// It stands in a header, between commas.
bool is_role(std::string_view text) {
  return !text.empty() && text.size() <= longest_role &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != ',' && c != '"'; });
}

void add_role(std::vector<std::string>& roles, std::string_view text) {
  std::size_t size = text.size();
  for (const std::string& role : roles) size += role.size();
  if (is_role(text) && roles.size() < most_roles && size <= all_roles) roles.emplace_back(text);
}

template <class F>
void for_each_word(std::string_view text, F f) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    f(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// An array of texts, or one text with spaces (RFC 8693 section 4.2). What is no role is left out:
// it gives nobody anything.
std::vector<std::string> roles_in(const json::Value* claim) {
  std::vector<std::string> roles;
  if (claim == nullptr) return roles;
  if (const json::Array* list = claim->as_array()) {
    for (const json::Value& element : *list) {
      if (element.as_string() != nullptr) add_role(roles, *element.as_string());
    }
  } else if (const std::string* text = claim->as_string()) {
    for_each_word(*text, [&](std::string_view word) { add_role(roles, word); });
  }
  return roles;
}

// RFC 9068 section 2.2.3. One that no route of ours could ask for is left out.
session::Scopes scopes_in(std::string_view claim) {
  session::Scopes scopes;
  for_each_word(claim, [&](std::string_view word) {
    if (session::is_valid_scope(word) && scopes.size() < session::most_scopes)
      scopes.emplace_back(word);
  });
  return scopes;
}

// RFC 8725 section 3.11. Tokens for other purposes (RFC 8417, RFC 9449, logout+jwt) name their
// type.
bool is_access_token_type(const json::Value& header) {
  const json::Value* type = header.find("typ");
  if (type == nullptr) return true;
  const std::string* text = type->as_string();
  return text != nullptr &&
         (ascii_iequals(*text, "JWT") || ascii_iequals(*text, "at+jwt") ||
          ascii_iequals(*text, "application/at+jwt") || ascii_iequals(*text, "application/jwt"));
}

// Three parts, the first a JSON object's beginning ('{') in base64.
bool is_jws_shaped(std::string_view token) {
  const auto dots = std::count(token.begin(), token.end(), '.');
  return dots == 2 && token.size() > 2 && token[0] == 'e' &&
         std::string_view("wxyz0123456789-_").find(token[1]) != std::string_view::npos;
}

shield::TokenSource::Answer answer_of(State state, std::string_view reason = {}) {
  shield::TokenSource::Answer answer;
  answer.state = state;
  answer.reason = reason;
  return answer;
}

}  // namespace

fetch::Options fetch_options(const TrustedIssuer& settings) {
  fetch::Options options;
  options.url = settings.jwks;
  options.roots = settings.ca;
  options.accept = "application/jwk-set+json, application/json";
  options.timeout = settings.timeout;
  options.insecure_http_to_loopback = settings.insecure_http;
  return options;
}

std::string external_user_id(std::string_view issuer, std::string_view subject) {
  std::string text(issuer);  // a URL: no line feed
  text.append("\n").append(subject);
  return "x-" + base64url_encode(as_bytes(sha256(text)));
}

// ----------------------------------------------------------------------------------------------
// one

std::shared_ptr<IssuerKeys> IssuerKeys::make(const TrustedIssuer& settings, Fetch fetch,
                                             const Services& services) {
  return std::shared_ptr<IssuerKeys>(new IssuerKeys(settings, std::move(fetch), services));
}

IssuerKeys::IssuerKeys(const TrustedIssuer& settings, Fetch fetch, const Services& services)
    : settings_(settings),
      fetch_(std::move(fetch)),
      services_(services),
      keys_(key_options(settings)),
      verifier_(std::make_shared<const jwt::Verifier>(jwt::KeySet(), rules())) {}

jwt::Options IssuerKeys::rules() const {
  jwt::Options rules;
  rules.audiences = settings_.audiences;
  rules.issuers = {settings_.url};
  rules.algorithms = settings_.algorithms;
  rules.allow_rsa_pkcs1 =
      std::any_of(settings_.algorithms.begin(), settings_.algorithms.end(), is_pkcs1);
  rules.required_claims = {settings_.user_claim};
  rules.max_bytes = most_token;
  return rules;
}

shield::TokenSource::Answer IssuerKeys::judge(std::string_view token, const jwt::Decoded& decoded,
                                              Time now, Tick tick) {
  jwt::RemoteKeySet::Answer found{};
  std::shared_ptr<const jwt::Verifier> verifier;
  {
    const std::lock_guard lock(mutex_);
    found = keys_.look_up(decoded.unverified_key_id(), decoded.unverified_algorithm(), tick);
    verifier = verifier_;
    if (found.fetch) fetching_ = true;
  }
  if (found.fetch) start_fetch();
  switch (found.state) {
    case jwt::RemoteKeySet::State::ready:
      break;
    case jwt::RemoteKeySet::State::unknown:
      return answer_of(State::refused, "unknown_key");
    case jwt::RemoteKeySet::State::wait:
      return answer_of(State::wait);
    case jwt::RemoteKeySet::State::unavailable:
      return answer_of(State::unavailable, "issuer_unavailable");
  }
  const auto verified = verifier->verify(jwt::Unverified{token}, now);
  if (!verified) return answer_of(State::refused, jwt::to_string(verified.error()));
  // The same bytes, which are now known to be the issuer's.
  if (!is_access_token_type(decoded.unverified_header()))
    return answer_of(State::refused, "wrong_type");
  if (verified->text(settings_.user_claim).empty()) return answer_of(State::refused, "no_user");
  shield::TokenSource::Answer answer;
  answer.state = State::known;
  answer.identity = identity_of(*verified, token, now);
  answer.pass_token = settings_.pass_token;
  return answer;
}

std::shared_ptr<const session::Identity> IssuerKeys::identity_of(const jwt::Verified& verified,
                                                                 std::string_view token,
                                                                 Time now) const {
  auto identity = std::make_shared<session::Identity>();
  identity->user_id = external_user_id(settings_.url, verified.text(settings_.user_claim));
  identity->session_id = "x-" + base64url_encode(as_bytes(sha256(token)));
  identity->expires = verified.expires();
  identity->ends_at = verified.expires();
  identity->issued_at = verified.issued_at().value_or(now);
  identity->started_at = identity->issued_at;
  identity->kind = session::Kind::external;
  identity->scopes = scopes_in(verified.text("scope"));
  if (!settings_.roles_claim.empty())
    identity->roles = roles_in(verified.claim(settings_.roles_claim));
  if (!settings_.email_claim.empty()) {
    const json::Value* checked = verified.claim("email_verified");
    const bool unchecked = checked != nullptr && *checked != json::Value(true);
    const auto email = validate::Email::parse(verified.text(settings_.email_claim));
    if (email && !unchecked) identity->email = email->canonical();
  }
  return identity;
}

void IssuerKeys::start_fetch() {
  const auto work = [self = shared_from_this()] { self->take(self->fetch_()); };
  if (services_.fetches.submit(work)) return;
  take(Error{std::string("too many fetches are waiting")});
}

void IssuerKeys::take(const Result<std::string, std::string>& body) {
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    const Tick tick = services_.clock.tick();
    std::string why;
    if (body) {
      auto accepted = keys_.fetched(*body, tick);
      if (accepted) {
        verifier_ = std::make_shared<const jwt::Verifier>(keys_.keys(), rules());
        report(*accepted);
      } else {
        why = "no JWK Set that can be used: " + std::string(jwt::to_string(accepted.error()));
      }
    } else {
      keys_.failed(tick);
      why = body.error();
    }
    if (!why.empty()) {
      failing_ = true;
      services_.log.warn("issuer_keys_not_fetched", {{"issuer", settings_.url}, {"reason", why}});
    }
    fetching_ = false;
    waiters.swap(waiters_);
  }
  for (const Waiter& waiter : waiters)
    waiter.loop->post([handle = waiter.handle] { handle.resume(); });
}

// Says what has changed, not the same every few minutes.
void IssuerKeys::report(const jwt::RemoteKeySet::Accepted& accepted) {
  std::string skipped;
  bool alarming = accepted.keys == 0;
  for (const jwt::RemoteKeySet::Skipped& one : accepted.skipped) {
    skipped += (skipped.empty() ? "" : ", ") + std::string(jwt::to_string(one.why)) +
               (one.key_id.empty() ? "" : " '" + one.key_id + "'");
    alarming =
        alarming || one.why == jwt::KeyError::not_public || one.why == jwt::KeyError::too_weak;
  }
  const std::string told = std::to_string(accepted.keys) + ": " + skipped;
  if (!failing_ && told == told_) return;
  failing_ = false;
  told_ = told;
  const std::initializer_list<Field> fields = {
      {"issuer", settings_.url}, {"keys", accepted.keys}, {"skipped", skipped}};
  if (alarming) {
    services_.log.warn("issuer_keys_fetched", fields);
  } else {
    services_.log.info("issuer_keys_fetched", fields);
  }
}

bool IssuerKeys::wait(net::Loop& loop, std::coroutine_handle<> handle, Wait& out) {
  const std::lock_guard lock(mutex_);
  out = Wait::over;
  if (!fetching_) return false;
  if (waiters_.size() >= most_waiters) {
    out = Wait::too_many;
    return false;
  }
  waiters_.push_back({&loop, handle});
  return true;
}

// ----------------------------------------------------------------------------------------------
// all

Result<std::unique_ptr<Issuers>, std::string> Issuers::create(const Config& config,
                                                              const IssuerKeys::Services& services,
                                                              const Issuers* before) {
  std::vector<std::shared_ptr<IssuerKeys>> made;
  for (const TrustedIssuer& settings : config.issuers) {
    auto known = before == nullptr ? nullptr : before->find(settings.url);
    if (known != nullptr && known->settings() == settings) {
      made.push_back(std::move(known));
      continue;
    }
    fetch::Options options = fetch_options(settings);
    options.cancelled = services.over;
    auto document = fetch::Document::create(options);
    if (!document) return Error{"issuer '" + settings.url + "': " + document.error()};
    const auto shared = std::make_shared<const fetch::Document>(std::move(*document));
    made.push_back(IssuerKeys::make(
        settings, [shared] { return shared->get(); }, services));
  }
  return std::unique_ptr<Issuers>(new Issuers(std::move(made)));
}

std::shared_ptr<IssuerKeys> Issuers::find(std::string_view url) const {
  const auto found = std::find_if(issuers_.begin(), issuers_.end(),
                                  [&](const auto& one) { return one->settings().url == url; });
  return found == issuers_.end() ? nullptr : *found;
}

shield::TokenSource::Answer Issuers::judge(std::string_view token, Time now, Tick tick) {
  if (issuers_.empty() || !is_jws_shaped(token)) return {};
  const auto decoded = jwt::decode(jwt::Unverified{token}, most_token);
  // Whose it is cannot be said; a backend with a more lenient reader must not be told that by it.
  if (!decoded) return answer_of(State::refused, jwt::to_string(decoded.error()));
  const auto issuer = find(decoded->unverified_text("iss"));
  if (issuer == nullptr) return {};
  return issuer->judge(token, *decoded, now, tick);
}

Issuers::Loaded Issuers::loaded(net::Loop& loop, std::string_view token) const {
  const auto decoded = jwt::decode(jwt::Unverified{token}, most_token);
  return Loaded(decoded ? find(decoded->unverified_text("iss")) : nullptr, loop);
}

}  // namespace moat::gateway
