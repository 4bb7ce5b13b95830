// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/acme_client.h"

#include <algorithm>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/sources/files.h"

namespace moat::gateway {

namespace {

using std::chrono::seconds;

// The clock that people set may jump; it is looked at again at least so often.
constexpr seconds longest_sleep{60};
// Another process orders: whether it has ended is looked at so often.
constexpr seconds turn_pause{5};
// An order takes minutes; a hundred names by DNS, an hour.
constexpr std::chrono::hours longest_turn{2};
// What other nodes show and have got is looked at so often; so long it takes until all of them show
// what one of them has to.
constexpr seconds look_at_proofs{2};
constexpr seconds look_at_certificate{30};
constexpr seconds until_all_show{5};

Result<std::optional<acme::ExternalAccount>, std::string> read_account(
    const AcmeSettings& settings) {
  if (settings.account_id.empty()) return std::optional<acme::ExternalAccount>();
  auto text = sources::read_secret_file(settings.account_key_file);
  const std::string where = "tls.acme.account_key_file '" + settings.account_key_file + "' ";
  if (!text) return Error{where + "cannot be used: " + text.error().message};
  auto key = base64url_decode(text->reveal());
  if (!key) return Error{where + "holds no key in base64url"};
  return std::optional<acme::ExternalAccount>({settings.account_id, Secret::take(*key)});
}

acme::HttpResponse response_of(fetch::Reply reply) {
  acme::HttpResponse out;
  out.status = reply.status;
  out.content_type = reply.field("content-type");
  out.location = reply.field("location");
  out.replay_nonce = reply.field("replay-nonce");
  out.retry_after = reply.field("retry-after");
  out.body = std::move(reply.body);
  return out;
}

fetch::Request request_of(const acme::HttpRequest& request) {
  using Method = acme::HttpRequest::Method;
  fetch::Request out;
  out.url = request.url;
  out.body = request.body;
  if (request.method == Method::head) out.method = fetch::Request::Method::head;
  if (request.method == Method::post) {
    out.method = fetch::Request::Method::post;
    out.content_type = "application/jose+json";
  }
  return out;
}

}  // namespace

// ------------------------------------------------------------------------------------- AcmeClient

AcmeClient::AcmeClient(const Config& config, const Services& services, fetch::Client http,
                       std::optional<acme::ExternalAccount> account)
    : settings_(config.acme),
      names_(config.domains),
      email_(config.email),
      shared_(!config.storage.empty()),
      services_(services),
      archive_(services.storage),
      http_(std::move(http)),
      account_(std::move(account)),
      next_(!config.acme.fallback.empty(), services_.random),
      proofs_(services.proofs, config.acme.dns_timeout),
      challenges_(config.acme.challenges) {
  tell({});
}

Result<std::unique_ptr<AcmeClient>, std::string> AcmeClient::make(const Config& config,
                                                                  const Services& services) {
  MOAT_TRY(auto account, read_account(config.acme));
  fetch::ClientOptions options;
  options.roots = config.acme.ca;
  auto http = fetch::Client::create(std::move(options));
  if (!http) return Error{"tls.acme.ca_file: " + http.error()};
  std::unique_ptr<AcmeClient> made(
      new AcmeClient(config, services, std::move(*http), std::move(account)));
  // Said now, and not by a thread to a log.
  for (const std::string& ca : {config.acme.directory, config.acme.fallback}) {
    if (ca.empty()) continue;
    const acme::OrderOptions asked = made->options(ca);
    if (auto problem = acme::problem_with(asked)) return Error{"tls.acme: " + *problem};
  }
  auto kept = made->archive_.load(services.clock.now());
  if (!kept) {
    services.log.error("certificate_not_loaded", {{"reason", kept.error()}});
  } else if (*kept && made->is_ours((*kept)->certificate)) {
    made->kept_ = **kept;
    made->adopt(std::move(**kept), Age::kept, services.clock.now());
  } else if (*kept) {
    // Two sites that share a directory would order one after the other, with each start.
    const auto& names = (*kept)->certificate.names();
    services.log.warn("certificate_kept_is_of_other_names",
                      {{"domain", names.empty() ? std::string() : names.front()}});
  }
  return made;
}

void AcmeClient::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  stop_.request_stop();
  http_.cancel();
}

AcmeClient::~AcmeClient() {
  end();
  if (thread_.joinable()) thread_.join();
}

void AcmeClient::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void AcmeClient::renew() {
  {
    const std::lock_guard lock(mutex_);
    wish_.renewal = true;
  }
  wake_.notify_all();
}

void AcmeClient::revoke(acme::RevocationReason reason) {
  {
    const std::lock_guard lock(mutex_);
    auto& all = wish_.revocations;
    const auto same = [&](const Revocation& one) {
      return one.which && shown_ &&
             one.which->certificate.fingerprint() == shown_->certificate.fingerprint();
    };
    all.erase(std::remove_if(all.begin(), all.end(), same), all.end());
    all.push_back({reason, shown_});
  }
  wake_.notify_all();
}

std::string AcmeClient::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void AcmeClient::tell(std::string failure) {
  std::string text;
  if (served_) {
    text += "  from       " + served_->ca + "\n  until      " +
            format_rfc3339(served_->certificate.not_after()) + "\n  renewal    " +
            (served_->revoked ? "now: it was revoked" : format_rfc3339(schedule_->renew_at())) +
            "\n  SHA-256    " + served_->certificate.fingerprint() + "\n";
  } else {
    text += "  from       " + settings_.directory +
            "\n  none yet: a self-signed one is shown, which no browser trusts\n";
  }
  if (!failure.empty()) text += "  failed     " + failure + "\n";
  if (const auto at = next_.not_before()) text += "  next try   " + format_rfc3339(*at) + "\n";
  const std::lock_guard lock(mutex_);
  status_ = std::move(text);
}

bool AcmeClient::is_ours(const https::Certificate& certificate) const {
  return std::all_of(names_.begin(), names_.end(), [&](const std::string& name) {
    return certificate.covers(name) ||
           std::find(certificate.names().begin(), certificate.names().end(), name) !=
               certificate.names().end();
  });
}

bool AcmeClient::sleep_until(Time until, Wakes wakes) {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (wish_.any() && wakes == Wakes::early) return true;
    const Time now = services_.clock.now();
    if (now >= until) return true;
    const auto span = std::min<std::chrono::microseconds>(until - now, longest_sleep);
    wake_.wait_for(lock, span);
  }
  return false;
}

void AcmeClient::run() {
  do {
    work(services_.clock.now());
  } while (sleep_until(next_look(services_.clock.now()), Wakes::early));
}

Time AcmeClient::next_look(Time now) const {
  const bool due = !schedule_ || served_->revoked || now >= schedule_->renew_at();
  Time next =
      due ? next_.not_before().value_or(now) : std::min(schedule_->renew_at(), schedule_->ask_at());
  if (shared_) next = std::min(next, now + look_at_proofs);
  return std::max(next, now + seconds{1});  // whatever goes wrong, this thread does not spin
}

void AcmeClient::work(Time now) {
  next_.look_at_clock(now);
  if (shared_) look_at_others(now);
  std::optional<Revocation> revocation;
  bool asked = false;
  {
    const std::lock_guard lock(mutex_);
    if (!wish_.revocations.empty()) {
      revocation = std::move(wish_.revocations.front());
      wish_.revocations.erase(wish_.revocations.begin());
    } else {
      asked = std::exchange(wish_.renewal, false);
    }
  }
  if (revocation) return take_back(std::move(*revocation));
  const bool due = !schedule_ || served_->revoked || now >= schedule_->renew_at();
  if (asked || (due && now >= next_.not_before().value_or(now))) {
    order(now, asked);
  } else if (!due && now >= schedule_->ask_at()) {
    ask_for_window(now);
  }
}

// The CA looks at any node; the one that orders shares what has to be shown, and what it got.
void AcmeClient::look_at_others(Time now) {
  auto challenges = archive_.challenges();
  // While nobody orders there is nothing to prove: whoever has put that there was killed.
  if (challenges && !challenges->empty()) {
    const auto turn = archive_.take_turn();
    if (turn && *turn && (*turn)->show({})) challenges->clear();
  }
  if (challenges) proofs_.mirror(*challenges, now);
  if (looked_ && now - *looked_ < look_at_certificate && now >= *looked_) return;
  looked_ = now;
  auto kept = archive_.load(now);
  if (!kept || !*kept || !is_ours((*kept)->certificate)) return;
  if (served_ && (*kept)->certificate.fingerprint() == served_->certificate.fingerprint()) {
    // What could not be noted is known here all the same.
    served_->revoked = served_->revoked || (*kept)->revoked;
    return;
  }
  services_.log.info("certificate_loaded", {{"fingerprint", (*kept)->certificate.fingerprint()}});
  adopt(std::move(**kept), Age::fresh, now);
}

void AcmeClient::adopt(acme::Archive::Kept kept, Age age, Time now) {
  schedule_.emplace(kept.certificate.not_before(), kept.certificate.not_after(), now,
                    services_.random);
  if (age == Age::fresh) schedule_->rest(now);
  services_.proofs.store->replace({kept.certificate});
  served_ = std::move(kept);
  has_certificate_ = true;
  next_.succeeded();
  {
    const std::lock_guard lock(mutex_);
    shown_ = served_;
  }
  tell({});
}

// ----------------------------------------------------------------------------------------- orders

const std::string& AcmeClient::directory_url() const {
  return next_.ca() == NextOrder::Ca::fallback ? settings_.fallback : settings_.directory;
}

acme::OrderOptions AcmeClient::options(const std::string& ca) const {
  acme::OrderOptions out;
  out.directory = ca;
  if (!email_.empty()) out.contacts = {email_};
  out.agree_to_terms = settings_.agree_to_terms;
  out.names = names_;
  out.challenges = challenges_;
  if (ca == settings_.directory) out.profile = settings_.profile;
  if (served_ && served_->ca == ca) out.replaces = served_->certificate.renewal_id().value_or("");
  return out;
}

// It is known to the first CA alone.
std::optional<acme::ExternalAccount> AcmeClient::external_account(const std::string& ca) const {
  if (!account_ || ca != settings_.directory) return std::nullopt;
  return acme::ExternalAccount{account_->key_id, account_->key.clone()};
}

void AcmeClient::order(Time now, bool asked) {
  auto turn = archive_.take_turn();
  if (!turn) {
    services_.log.error("certificate_not_ordered", {{"reason", turn.error()}});
    next_.hindered(now);
    return;
  }
  if (!*turn) {
    next_.wait_until(now + turn_pause);
    // A process that was halted in its turn keeps it for ever.
    if (now - others_turn_.value_or(now) >= longest_turn) {
      services_.log.error("certificate_order_held_up",
                          {{"since", format_rfc3339(*others_turn_)},
                           {"advice", "end the Moat that shares this storage and does not go on"}});
      others_turn_.reset();
    }
    if (!others_turn_) others_turn_ = now;
    // The wish stands; what the other one shows has to be shown here meanwhile.
    if (asked && sleep_until(now + look_at_proofs, Wakes::in_time)) renew();
    return;
  }
  others_turn_.reset();
  // Whoever had the turn before may have got it.
  auto kept = archive_.load(now);
  if (kept && *kept && is_ours((*kept)->certificate) && !(*kept)->revoked &&
      (!served_ || (*kept)->certificate.fingerprint() != served_->certificate.fingerprint())) {
    services_.log.info("certificate_loaded", {{"fingerprint", (*kept)->certificate.fingerprint()}});
    return adopt(std::move(**kept), Age::fresh, now);
  }
  if (!asked && may_not_try_yet(**turn, now)) return;
  const std::string ca = directory_url();
  services_.log.info("certificate_ordered", {{"domain", names_.front()}, {"ca", ca}});
  if (auto done = carry_out(**turn, now); !done && !done.error().empty()) {
    services_.log.error("certificate_not_issued",
                        {{"domain", names_.front()},
                         {"ca", ca},
                         {"reason", done.error()},
                         {"next", format_rfc3339(next_.not_before().value_or(now))}});
    tell(done.error());
    keep_retry(**turn);
  }
}

bool AcmeClient::may_not_try_yet(const acme::Archive::Turn& turn, Time now) {
  const auto note = turn.retry(settings_.directory);
  if (!note || !next_.heed(note->reveal(), now)) return false;
  services_.log.info("certificate_not_ordered_yet",
                     {{"next", format_rfc3339(next_.not_before().value_or(now))}});
  tell("before this process was started, or at another node");
  return true;
}

void AcmeClient::keep_retry(const acme::Archive::Turn& turn) const {
  if (!turn.keep_retry(settings_.directory, next_.note(services_.clock.now())))
    services_.log.warn("certificate_retry_not_kept");
}

Result<jwt::Key, std::string> AcmeClient::account_key(const acme::Archive::Turn& turn,
                                                      const std::string& ca) const {
  MOAT_TRY(const Secret kept, turn.account(ca));
  if (!kept.empty()) {
    const auto jwk = json::parse(kept.reveal());
    auto key = jwk ? jwt::Key::from_jwk(*jwk)
                   : Result<jwt::Key, jwt::KeyError>(Error{jwt::KeyError::malformed});
    if (!key) return Error{"the account's key: " + std::string(jwt::to_string(key.error()))};
    return std::move(*key);
  }
  auto made = jwt::Key::generate(jwt::Algorithm::es256, services_.random);
  if (!made) return Error{std::string("no account key can be made")};
  if (auto done = turn.keep_account(ca, made->private_jwk()); !done) return Error{done.error()};
  return std::move(*made);
}

Result<void, std::string> AcmeClient::carry_out(const acme::Archive::Turn& turn, Time now) {
  const std::string ca = directory_url();
  next_.begins(now);
  MOAT_TRY(jwt::Key key, account_key(turn, ca));
  MOAT_TRY(const Secret saved, turn.order(ca));
  MOAT_TRY(acme::Order order, acme::Order::create(options(ca), external_account(ca), std::move(key),
                                                  saved, services_.random));
  for (;;) {
    acme::Action action = order.next(services_.clock.now());
    if (const auto* wanted = std::get_if<acme::Send>(&action)) {
      send(order, wanted->request);
    } else if (const auto* state = std::get_if<acme::Save>(&action)) {
      order.saved(turn.keep_order(ca, state->state).has_value());
    } else if (const auto* wanted_proof = std::get_if<acme::Show>(&action)) {
      const auto shown = prove(turn, wanted_proof->challenge);
      shown ? order.shown() : order.not_shown(shown.error());
    } else if (std::holds_alternative<acme::Hide>(action)) {
      hide_all(turn);
      order.hidden();
    } else if (const auto* wait = std::get_if<acme::Wait>(&action)) {
      if (sleep_until(wait->until, Wakes::in_time)) continue;
      hide_all(turn);
      return Error{std::string()};  // the end; the order goes on with the next start
    } else if (const auto* issued = std::get_if<acme::Issued>(&action)) {
      return finish(turn, *issued, ca);
    } else if (const auto* why = std::get_if<acme::Failed>(&action)) {
      failed(*why);
      if (stop_.stop_requested()) return Error{std::string()};
      return Error{why->explain()};
    }
  }
}

Result<void, std::string> AcmeClient::prove(const acme::Archive::Turn& turn,
                                            const acme::Challenge& challenge) {
  // Also what fails half-way may have to be taken away.
  standing_.push_back(challenge);
  Time until = services_.clock.now();
  auto done = proofs_.show(challenge, until, stop_.get_token());
  if (done && challenge.type == acme::ChallengeType::dns_01) {
    until = services_.clock.now() + settings_.dns_wait;
  } else if (done && shared_) {
    done = turn.show(standing_);
    until += until_all_show;
  }
  if (done && until > services_.clock.now() && !sleep_until(until, Wakes::in_time))
    done = Error{std::string("Moat stops")};
  if (!done) hide_all(turn);
  return done;
}

void AcmeClient::hide_all(const acme::Archive::Turn& turn) {
  for (const acme::Challenge& challenge : standing_) {
    if (auto done = proofs_.hide(challenge, stop_.get_token()); !done)
      services_.log.warn("certificate_proof_not_removed",
                         {{"record", challenge.record()}, {"reason", done.error()}});
  }
  standing_.clear();
  if (!shared_) return;
  if (auto done = turn.show({}); !done)
    services_.log.warn("certificate_proof_not_removed", {{"reason", done.error()}});
}

void AcmeClient::send(acme::Order& order, const acme::HttpRequest& request) {
  auto reply = http_.send(request_of(request));
  const Time now = services_.clock.now();
  if (!reply) return order.unreachable(reply.error(), now);
  order.received(response_of(std::move(*reply)), now);
}

void AcmeClient::failed(const acme::Failed& why) {
  next_.failed(why.not_before);
  // The next order tries another way.
  if (why.failure == acme::Failure::not_proved && why.type) {
    const auto at = std::find(challenges_.begin(), challenges_.end(), *why.type);
    if (at != challenges_.end()) std::rotate(at, at + 1, challenges_.end());
  }
}

Result<void, std::string> AcmeClient::finish(const acme::Archive::Turn& turn,
                                             const acme::Issued& issued, const std::string& ca) {
  const Time now = services_.clock.now();
  auto read = https::Certificate::from_pem(issued.chain, issued.key, now);
  if (!read) return Error{std::string(https::to_string(read.error()))};
  if (served_ && read->fingerprint() == served_->certificate.fingerprint()) {
    // The order whose certificate is served, which a process that was killed has left.
    if (auto done = turn.keep_order(ca, Secret()); !done) return done;
    return Error{std::string("that order was over: its certificate is served already")};
  }
  // Served only when it is kept: a certificate that is lost with the process would be ordered again
  // and again.
  if (auto done = turn.keep(issued.chain, issued.key, ca); !done) return done;
  if (!turn.keep_retry(settings_.directory, "")) services_.log.warn("certificate_retry_not_kept");
  services_.log.info("certificate_issued", {{"domain", names_.front()},
                                            {"ca", ca},
                                            {"fingerprint", read->fingerprint()},
                                            {"not_after", format_rfc3339(read->not_after())}});
  adopt(acme::Archive::Kept{std::move(*read), ca, false}, Age::fresh, now);
  return {};
}

// -------------------------------------------------------------------------------------- revocation

void AcmeClient::take_back(Revocation wanted) {
  auto turn = archive_.take_turn();
  if (turn && !*turn) {
    // Another process orders; the wish stands.
    if (!sleep_until(services_.clock.now() + look_at_proofs, Wakes::in_time)) return;
    const std::lock_guard lock(mutex_);
    wish_.revocations.insert(wish_.revocations.begin(), std::move(wanted));
    return;
  }
  const std::string fingerprint =
      wanted.which ? wanted.which->certificate.fingerprint() : std::string();
  auto done = turn ? ask_to_revoke(**turn, wanted) : Result<void, std::string>(Error{turn.error()});
  if (!done) {
    services_.log.error("certificate_not_revoked",
                        {{"fingerprint", fingerprint}, {"reason", done.error()}});
    return tell("to revoke it: " + done.error());
  }
  services_.log.info("certificate_revoked",
                     {{"fingerprint", fingerprint}, {"reason", acme::to_string(wanted.reason)}});
  // One that has been renewed since then needs no other.
  if (served_->certificate.fingerprint() != fingerprint) return tell({});
  served_->revoked = true;
  if (auto noted = archive_.note_revoked(fingerprint); !noted)
    services_.log.error("certificate_revocation_not_kept", {{"reason", noted.error()}});
  tell({});
  renew();  // with another key
}

Result<void, std::string> AcmeClient::ask_to_revoke(const acme::Archive::Turn& turn,
                                                    const Revocation& what) {
  if (!what.which) return Error{std::string("there is no certificate of a CA's")};
  const std::string& ca = what.which->ca;
  MOAT_TRY(jwt::Key key, account_key(turn, ca));
  MOAT_TRY(acme::Order order,
           acme::Order::to_revoke(options(ca), external_account(ca), std::move(key),
                                  what.which->certificate.der(), what.reason, services_.random));
  for (;;) {
    acme::Action action = order.next(services_.clock.now());
    if (const auto* wanted = std::get_if<acme::Send>(&action)) {
      send(order, wanted->request);
    } else if (const auto* wait = std::get_if<acme::Wait>(&action)) {
      if (!sleep_until(wait->until, Wakes::in_time)) return Error{std::string("Moat stops")};
    } else if (const auto* why = std::get_if<acme::Failed>(&action)) {
      return Error{why->explain()};
    } else {
      return {};
    }
  }
}

// ---------------------------------------------------------------------------------------- renewals

void AcmeClient::ask_for_window(Time now) {
  const std::string id = served_->certificate.renewal_id().value_or("");
  const auto directory = http_.send(fetch::Request{fetch::Request::Method::get, served_->ca});
  if (!directory || directory->status != 200) return schedule_->no_answer(now);
  const auto url = acme::renewal_info_url(directory->body, id);
  if (!url) return schedule_->not_offered(now);
  const auto answer = http_.send(fetch::Request{fetch::Request::Method::get, *url});
  const auto info = answer && answer->status == 200 ? acme::parse_renewal_info(answer->body)
                                                    : std::optional<acme::RenewalInfo>();
  if (!info) return schedule_->no_answer(now);
  const Time before = schedule_->renew_at();
  schedule_->learned(*info, answer->field("retry-after"), now);
  if (schedule_->renew_at() != before)
    services_.log.info("certificate_renewal_planned",
                       {{"at", format_rfc3339(schedule_->renew_at())}, {"why", info->explanation}});
}

}  // namespace moat::gateway
