// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/order.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "moat/acme/internal/answers.h"
#include "moat/acme/internal/signing.h"
#include "moat/base/encoding.h"
#include "moat/base/ip.h"
#include "moat/https/certificate.h"
#include "moat/https/certificate_request.h"

namespace moat::acme {

namespace {

using std::chrono::seconds;

constexpr unsigned most_nonces = 12;   // refused in a row
constexpr unsigned most_stumbles = 4;  // answers that did not come, in a row
constexpr seconds longest_pause{30};   // between two looks at an order or an authorization
constexpr std::size_t most_names = 100;

// The conversation, in its order.
enum class Stage {
  directory,      // which URLs
  account,        // found or made
  order,          // made
  keep,           // its URL and the new key, saved
  look,           // at the order: what it needs
  authorization,  // looked at
  show,           // the chosen challenge
  respond,        // to it: the CA may look
  check,          // whether it did
  hide,           // what was shown
  finalize,       // the request for the certificate
  wait,           // for the order to be valid
  certificate,    // fetched
  revoke,         // instead of all from `order` on
  forget,         // what was saved, since it leads nowhere
  revoked,
  failed,
  issued,
  over
};

}  // namespace

struct Order::Impl {
  Impl(OrderOptions o, std::optional<ExternalAccount> e, jwt::Key a, Random& r)
      : options(std::move(o)), external(std::move(e)), signer(std::move(a)), random(r) {}

  OrderOptions options;
  std::optional<ExternalAccount> external;
  Signer signer;
  Random& random;

  Stage stage = Stage::directory;
  Stage after_hiding = Stage::look;
  std::optional<HttpRequest> request;  // that is under way, or about to be
  bool asks_nonce = false;             // it is for a nonce, before the stage's own
  std::optional<Time> began;
  std::optional<Time> showing_since;
  std::optional<Time> pause;  // before the stage goes on
  unsigned pauses = 0, stumbles = 0, nonces_refused = 0;

  Directory directory;
  std::string nonce;
  std::string order_url;
  OrderAnswer order;
  Secret key;
  std::size_t at = 0;  // of order.authorizations
  std::string challenge_url;
  std::optional<Challenge> challenge;
  bool is_shown = false;
  bool resumed = false;  // with a saved order, which has not failed yet
  std::string certificate;
  Failed failure;
  std::string revoked_certificate;  // DER in base64url; empty: it is an order
  RevocationReason reason = RevocationReason::unspecified;

  // ------------------------------------------------------------------------------------- going on

  void go(Stage next) {
    stage = next;
    request.reset();
    pause.reset();
  }
  void go_afresh(Stage next) {
    pauses = stumbles = 0;
    go(next);
  }

  void fail(Failure why, Problem problem = {}) {
    failure.failure = why;
    failure.problem = std::move(problem);
    after_hiding = resumed && leads_nowhere(why) ? Stage::forget : Stage::failed;
    go(is_shown ? Stage::hide : after_hiding);
  }
  void fail(Failure why, std::string_view detail) { fail(why, Problem{{}, std::string(detail)}); }

  // An order that was begun again and fails in such a way would do so for as long as the CA keeps
  // it: one that stays "processing", or whose certificate has run out since then.
  static bool leads_nowhere(Failure why) {
    return why == Failure::bad_answer || why == Failure::refused || why == Failure::took_too_long ||
           why == Failure::bad_certificate;
  }

  // The next look comes later each time: 1, 2, 4 s and so on, or when the CA says.
  void look_again(Stage next, const HttpResponse& response, Time now) {
    const seconds own{
        std::min<std::int64_t>(std::int64_t{1} << std::min(pauses, 5U), longest_pause.count())};
    ++pauses;
    go(next);
    pause =
        parse_retry_after(response.retry_after, now, seconds{1}, longest_pause).value_or(now + own);
  }

  // ----------------------------------------------------------------------------------- what to do

  Action next(Time now) {
    // A clock that is set back makes nobody wait for the time that it was ahead.
    began = std::min(began.value_or(now), now);
    if (pause && *pause > now + longest_pause) pause = now + longest_pause;
    // A record in the DNS takes minutes to be seen, which is not the CA's doing.
    if (stage != Stage::show && showing_since) {
      *began += std::max(now - *showing_since, std::chrono::microseconds::zero());
      showing_since.reset();
    }
    const bool ended = stage == Stage::hide || stage >= Stage::forget;
    if (!ended && now - *began > options.patience) fail(Failure::took_too_long);
    if (pause && now < *pause) return Wait{*pause};
    pause.reset();
    switch (stage) {
      case Stage::keep:
        return Save{state()};
      case Stage::forget:
        return Save{};
      case Stage::show:
        if (!showing_since) showing_since = now;
        return Show{*challenge};
      case Stage::hide:
        return Hide{*challenge};
      case Stage::failed:
        stage = Stage::over;
        return std::move(failure);
      case Stage::issued:
        stage = Stage::over;
        return Issued{std::move(certificate), std::move(key)};
      case Stage::revoked:
        stage = Stage::over;
        return Revoked{};
      case Stage::over:
        throw std::logic_error("an ACME order was asked for more after its end");
      default:
        break;
    }
    if (!request) prepare();
    if (!request) return next(now);  // it could not be written, which is a failure
    return Send{*request};
  }

  void prepare() {
    if (stage == Stage::directory) {
      request = HttpRequest{HttpRequest::Method::get, options.directory, {}};
      return;
    }
    asks_nonce = nonce.empty();
    if (asks_nonce) {
      request = HttpRequest{HttpRequest::Method::head, directory.new_nonce, {}};
      return;
    }
    switch (stage) {
      case Stage::account:
        return post(directory.new_account, account_payload());
      case Stage::order:
        return post(directory.new_order, order_payload());
      case Stage::look:
      case Stage::wait:
        return post(order_url, "");
      case Stage::authorization:
      case Stage::check:
        return post(order.authorizations[at], "");
      case Stage::respond:
        return post(challenge_url, "{}");
      case Stage::finalize:
        return finalize();
      case Stage::certificate:
        return post(order.certificate, "");
      case Stage::revoke:
        return post(directory.revoke_certificate, revocation_payload());
      default:
        break;
    }
  }

  // An empty payload asks (RFC 8555 section 6.3).
  void post(const std::string& url, const std::string& payload) {
    auto body = signer.sign(url, std::exchange(nonce, {}), payload);
    if (!body) return fail(Failure::refused, "the account's key does not sign");
    request = HttpRequest{HttpRequest::Method::post, url, std::move(*body)};
  }

  std::string account_payload() const {
    json::Object payload;
    payload.emplace_back("termsOfServiceAgreed", true);
    json::Array contacts;
    for (const std::string& address : options.contacts) contacts.emplace_back("mailto:" + address);
    if (!contacts.empty()) payload.emplace_back("contact", std::move(contacts));
    if (external) {
      auto binding = signer.bind(directory.new_account, external->key_id, external->key);
      if (binding) payload.emplace_back("externalAccountBinding", std::move(*binding));
    }
    return json::serialize(std::move(payload));
  }

  std::string order_payload() const {
    json::Array identifiers;
    for (const std::string& name : options.names) {
      const bool address = IpAddress::parse(name).has_value();
      identifiers.emplace_back(
          json::Object{{"type", address ? "ip" : "dns"}, {"value", name}});  // RFC 8738
    }
    json::Object payload{{"identifiers", std::move(identifiers)}};
    if (!options.profile.empty()) payload.emplace_back("profile", options.profile);
    if (!options.replaces.empty() && !directory.renewal_info.empty())
      payload.emplace_back("replaces", options.replaces);
    return json::serialize(std::move(payload));
  }

  std::string revocation_payload() const {
    return json::serialize(json::Object{{"certificate", revoked_certificate},
                                        {"reason", static_cast<std::int64_t>(reason)}});
  }

  void finalize() {
    const auto csr = https::certificate_request(key, options.names);
    if (!csr) return fail(Failure::refused, "the certificate's key is of no use");
    post(order.finalize, json::serialize(json::Object{{"csr", base64url_encode(*csr)}}));
  }

  Secret state() const {
    return write_saved({order_url, key.clone(), options.names, options.directory});
  }

  // ------------------------------------------------------------------------------- what came of it

  void received(const HttpResponse& response, Time now) {
    if (!request) return;
    request.reset();
    if (is_base64url(response.replay_nonce)) nonce = response.replay_nonce;
    if (response.status >= 500) return stumble(response, "it has a failure of its own", now);
    stumbles = 0;
    if (std::exchange(asks_nonce, false)) {
      if (nonce.empty()) fail(Failure::bad_answer, "no nonce where one was asked for");
      return;
    }
    if (response.status >= 400) return refused(response, now);
    nonces_refused = 0;
    if (response.status < 200 || response.status >= 300)
      return fail(Failure::bad_answer, "status " + std::to_string(response.status));
    accept(response, now);
  }

  void accept(const HttpResponse& response, Time now) {
    switch (stage) {
      case Stage::directory:
        return take_directory(response);
      case Stage::account:
        return take_account(response);
      case Stage::order:
        return take_order(response);
      case Stage::look:
      case Stage::finalize:
      case Stage::wait:
        return take_look(response, now);
      case Stage::authorization:
      case Stage::check:
        return take_authorization(response, now);
      case Stage::respond:
        return look_again(Stage::check, response, now);
      case Stage::certificate:
        return take_certificate(response, now);
      case Stage::revoke:
        return go(Stage::revoked);
      default:
        break;
    }
  }

  void stumble(const HttpResponse& response, std::string_view why, Time now) {
    asks_nonce = false;
    const auto later =
        parse_retry_after(response.retry_after, now, seconds{1}, std::chrono::hours{24});
    if (++stumbles >= most_stumbles || (later && *later > now + longest_pause)) {
      failure.not_before = later;
      return fail(Failure::unreachable, why);
    }
    // Whether it has heard the request for the certificate is found out, not guessed.
    if (stage == Stage::finalize) stage = Stage::look;
    pause = later.value_or(now + seconds{std::int64_t{1} << stumbles});
  }

  void refused(const HttpResponse& response, Time now) {
    Problem problem = read_problem(response);
    // RFC 8555 section 6.5: a new nonce came with the refusal.
    if (problem.type == "badNonce" && ++nonces_refused <= most_nonces) return;
    const bool limited = response.status == 429 || problem.type == "rateLimited";
    // RFC 9773 section 5: replaced already, or another account's: no renewal may fail for that.
    if (stage == Stage::order && !limited && !options.replaces.empty()) {
      options.replaces.clear();
      return;
    }
    // Our request came before its own turn: what the order needs is looked at again.
    if (stage == Stage::finalize && problem.type == "orderNotReady")
      return look_again(Stage::look, response, now);
    if (stage == Stage::revoke && problem.type == "alreadyRevoked") return go(Stage::revoked);
    // An order that was saved and is no more.
    if (stage == Stage::look && resumed && problem.type != "rateLimited") return forget_saved();
    if (limited) {
      failure.not_before =
          parse_retry_after(response.retry_after, now, seconds{60}, std::chrono::hours{24 * 7})
              .value_or(now + std::chrono::hours{1});
    }
    if (stage == Stage::respond || stage == Stage::check || stage == Stage::authorization)
      name_failure();
    fail(limited ? Failure::rate_limited : Failure::refused, std::move(problem));
  }

  void name_failure() {
    if (!challenge) return;
    failure.name = challenge->name;
    failure.type = challenge->type;
  }

  void forget_saved() {
    resumed = false;
    order_url.clear();
    key = Secret();
    go_afresh(Stage::order);
  }

  void take_directory(const HttpResponse& response) {
    auto read = read_directory(response.body);
    if (!read) return fail(Failure::bad_answer, "no ACME directory");
    directory = std::move(*read);
    if (!revoked_certificate.empty() && directory.revoke_certificate.empty())
      return fail(Failure::refused, "this CA takes nothing back");
    const auto& profiles = directory.profiles;
    if (!options.profile.empty() &&
        std::find(profiles.begin(), profiles.end(), options.profile) == profiles.end())
      return fail(Failure::no_such_profile, options.profile);
    if (!options.agree_to_terms) return fail(Failure::terms_not_agreed, directory.terms);
    if (directory.needs_external_account && !external)
      return fail(Failure::refused, "this CA takes only accounts that it knows (external account)");
    go_afresh(Stage::account);
  }

  void take_account(const HttpResponse& response) {
    if (!is_usable_url(response.location))
      return fail(Failure::bad_answer, "an account without its URL");
    if (!is_account_usable(response.body))
      return fail(Failure::refused, "the account was deactivated or revoked");
    signer.known_as(response.location);
    if (!revoked_certificate.empty()) return go_afresh(Stage::revoke);
    go_afresh(resumed ? Stage::look : Stage::order);
  }

  void take_order(const HttpResponse& response) {
    auto read = read_order(response.body);
    if (!read || !is_usable_url(response.location))
      return fail(Failure::bad_answer, "an order that cannot be read");
    order = std::move(*read);
    order_url = response.location;
    key = https::new_certificate_key();
    if (key.empty()) return fail(Failure::not_shown, "no key could be made");
    go_afresh(Stage::keep);
  }

  void take_look(const HttpResponse& response, Time now) {
    auto read = read_order(response.body);
    if (!read) return fail(Failure::bad_answer, "an order that cannot be read");
    order = std::move(*read);
    const bool asked = stage != Stage::look;  // for the certificate
    switch (order.status) {
      case Status::pending:
        if (asked) return look_again(Stage::look, response, now);
        if (at < order.authorizations.size()) return go_afresh(Stage::authorization);
        return look_again(Stage::look, response, now);
      case Status::ready:
        // Not twice for one look: a CA that is slow to say "processing" is given time.
        return asked ? look_again(Stage::look, response, now) : go(Stage::finalize);
      case Status::processing:
        return look_again(Stage::wait, response, now);
      case Status::valid:
        if (order.certificate.empty())
          return fail(Failure::bad_answer, "a valid order without its certificate");
        return go_afresh(Stage::certificate);
      case Status::invalid:
        if (resumed) return forget_saved();
        return fail(Failure::refused, order.problem);
    }
  }

  void take_authorization(const HttpResponse& response, Time now) {
    const auto read = read_authorization(response.body);
    if (!read) return fail(Failure::bad_answer, "an authorization that cannot be read");
    if (!is_asked_for(read->name))
      return fail(Failure::bad_answer, "an authorization of a name that was not asked for");
    switch (read->status) {
      case Status::valid:
        ++at;
        after_hiding = at < order.authorizations.size() ? Stage::authorization : Stage::look;
        return go_afresh(is_shown ? Stage::hide : after_hiding);
      case Status::pending:
      case Status::processing:
        return stage == Stage::check ? look_again(Stage::check, response, now) : choose(*read);
      case Status::ready:
      case Status::invalid:
        break;
    }
    failure.name = read->name;
    if (challenge) failure.type = challenge->type;
    fail(Failure::not_proved, challenge ? read->problem_of(challenge->type) : read->any_problem());
  }

  // Nothing is shown for any other name, whatever the CA would like to see. An authorization for a
  // wildcard has the name below it (RFC 8555 section 7.1.4).
  bool is_asked_for(const std::string& name) const {
    return std::any_of(options.names.begin(), options.names.end(),
                       [&](const std::string& own) { return own == name || own == "*." + name; });
  }

  void choose(const AuthorizationAnswer& authorization) {
    for (const ChallengeType wanted : options.challenges) {
      for (const OfferedChallenge& offered : authorization.challenges) {
        if (offered.type != wanted) continue;
        challenge = Challenge{wanted, authorization.name, offered.token,
                              offered.token + "." + signer.thumbprint()};
        challenge_url = offered.url;
        return go_afresh(Stage::show);
      }
    }
    failure.name = authorization.name;
    fail(Failure::no_challenge);
  }

  void take_certificate(const HttpResponse& response, Time now) {
    const auto read = https::Certificate::from_pem(response.body, key, now);
    if (!read) return fail(Failure::bad_certificate, https::to_string(read.error()));
    for (const std::string& name : options.names) {
      const auto& names = read->names();
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        failure.name = name;
        return fail(Failure::bad_certificate, "it does not have the name");
      }
    }
    certificate = response.body;
    go(Stage::issued);
  }
};

// ------------------------------------------------------------------------------------------- Order

std::optional<std::string> problem_with(const OrderOptions& options) {
  if (!is_usable_url(options.directory)) return "'" + options.directory + "' is no https:// URL";
  if (options.names.empty() || options.names.size() > most_names)
    return "a certificate of a CA has 1 to 100 names, not " + std::to_string(options.names.size());
  for (const std::string& name : options.names) {
    if (!https::certificate_name(name)) return "'" + name + "' can stand in no certificate";
  }
  return std::nullopt;
}

Order::Order(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<Order, std::string> Order::create(OrderOptions options,
                                         std::optional<ExternalAccount> external, jwt::Key account,
                                         const Secret& saved, Random& random) {
  if (account.algorithm() != jwt::Algorithm::es256 || !account.can_sign())
    return Error{std::string("the account's key is no ES256 key")};
  if (auto problem = problem_with(options)) return Error{std::move(*problem)};
  for (std::string& name : options.names) name = *https::certificate_name(name);
  auto impl =
      std::make_unique<Impl>(std::move(options), std::move(external), std::move(account), random);
  auto begun = read_saved(saved.reveal());
  const OrderOptions& own = impl->options;
  if (begun && begun->names == own.names && begun->directory == own.directory) {
    impl->order_url = std::move(begun->order_url);
    impl->key = std::move(begun->key);
    impl->resumed = true;
  }
  return Order(std::move(impl));
}

Result<Order, std::string> Order::to_revoke(OrderOptions options,
                                            std::optional<ExternalAccount> external,
                                            jwt::Key account, std::string_view certificate,
                                            RevocationReason reason, Random& random) {
  if (certificate.empty()) return Error{std::string("there is no certificate to take back")};
  options.profile.clear();
  auto made = create(std::move(options), std::move(external), std::move(account), Secret(), random);
  if (!made) return made;
  made->impl_->revoked_certificate = base64url_encode(certificate);
  made->impl_->reason = reason;
  return made;
}

Order::~Order() = default;
Order::Order(Order&&) noexcept = default;
Order& Order::operator=(Order&&) noexcept = default;

Action Order::next(Time now) { return impl_->next(now); }
void Order::received(const HttpResponse& response, Time now) { impl_->received(response, now); }

void Order::unreachable(std::string_view why, Time now) {
  if (!impl_->request) return;
  impl_->request.reset();
  impl_->stumble(HttpResponse{}, why, now);
}

void Order::saved(bool done) {
  if (impl_->stage == Stage::forget) return impl_->go(Stage::failed);
  if (impl_->stage != Stage::keep) return;
  if (!done) return impl_->fail(Failure::not_shown, "the order could not be saved");
  impl_->go_afresh(Stage::look);
}

void Order::shown() {
  if (impl_->stage != Stage::show) return;
  impl_->is_shown = true;
  impl_->go_afresh(Stage::respond);
}

void Order::not_shown(std::string_view why) {
  if (impl_->stage != Stage::show) return;
  impl_->name_failure();
  impl_->fail(Failure::not_shown, why);
}

void Order::hidden() {
  if (impl_->stage != Stage::hide) return;
  impl_->is_shown = false;
  impl_->challenge.reset();
  impl_->go(impl_->after_hiding);
}

}  // namespace moat::acme
