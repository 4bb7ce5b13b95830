// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/acme_client.h"

#include <algorithm>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/https/certificate_request.h"
#include "moat/sources/files.h"

namespace moat::gateway {

namespace {

using std::chrono::seconds;

// The clock that people set may jump; it is looked at again at least so often.
constexpr seconds longest_sleep{60};
// Another process orders: whether it has ended is looked at so often.
constexpr seconds turn_pause{5};

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

// ------------------------------------------------------------------------------------- AcmeTokens

void AcmeTokens::put(const std::string& token, std::string text) {
  const std::lock_guard lock(mutex_);
  texts_[token] = std::move(text);
  count_ = static_cast<unsigned>(texts_.size());
}

void AcmeTokens::remove(const std::string& token) {
  const std::lock_guard lock(mutex_);
  texts_.erase(token);
  count_ = static_cast<unsigned>(texts_.size());
}

std::string AcmeTokens::find(std::string_view token) const {
  if (count_ == 0) return {};
  const std::lock_guard lock(mutex_);
  const auto found = texts_.find(token);
  return found == texts_.end() ? std::string() : found->second;
}

// ------------------------------------------------------------------------------------- AcmeClient

AcmeClient::AcmeClient(const Config& config, std::filesystem::path directory,
                       const Services& services, fetch::Client http,
                       std::optional<acme::ExternalAccount> account)
    : settings_(config.acme),
      names_(config.domains),
      email_(config.email),
      files_(std::move(directory)),
      services_(services),
      http_(std::move(http)),
      account_(std::move(account)),
      patience_(services_.random),
      challenges_(config.acme.challenges) {
  tell({});
}

Result<std::unique_ptr<AcmeClient>, std::string> AcmeClient::make(const Config& config,
                                                                  std::filesystem::path directory,
                                                                  const Services& services) {
  MOAT_TRY(auto account, read_account(config.acme));
  fetch::ClientOptions options;
  options.roots = config.acme.ca;
  auto http = fetch::Client::create(std::move(options));
  if (!http) return Error{"tls.acme.ca_file: " + http.error()};
  std::unique_ptr<AcmeClient> made(
      new AcmeClient(config, std::move(directory), services, std::move(*http), std::move(account)));
  // Said now, and not by a thread to a log.
  acme::OrderOptions asked = made->options();
  auto problem = acme::problem_with(asked);
  if (!problem && !config.acme.fallback.empty()) {
    asked.directory = config.acme.fallback;
    problem = acme::problem_with(asked);
  }
  if (problem) return Error{"tls.acme: " + *problem};
  auto kept = made->files_.load(services.clock.now());
  if (!kept) {
    services.log.error("certificate_not_loaded", {{"reason", kept.error().message}});
  } else if (*kept && made->is_ours(**kept)) {
    made->kept_ = **kept;
    made->adopt(std::move(**kept), services.clock.now());
  }
  return made;
}

void AcmeClient::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
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
    asked_ = true;
  }
  wake_.notify_all();
}

std::string AcmeClient::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void AcmeClient::tell(std::string failure) {
  std::string text = "  from       " + settings_.directory + "\n";
  if (certificate_) {
    text += "  until      " + format_rfc3339(certificate_->not_after()) + "\n  renewal    " +
            format_rfc3339(schedule_->renew_at()) + "\n  SHA-256    " +
            certificate_->fingerprint() + "\n";
  } else {
    text += "  none yet: a self-signed one is shown, which no browser trusts\n";
  }
  if (!failure.empty()) text += "  failed     " + failure + "\n";
  if (not_before_) text += "  next try   " + format_rfc3339(*not_before_) + "\n";
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
    if (asked_ && wakes == Wakes::early) return true;
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
  const bool due = !schedule_ || now >= schedule_->renew_at();
  const Time next =
      due ? not_before_.value_or(now) : std::min(schedule_->renew_at(), schedule_->ask_at());
  return std::max(next, now + seconds{1});  // whatever goes wrong, this thread does not spin
}

void AcmeClient::work(Time now) {
  bool asked = false;
  {
    const std::lock_guard lock(mutex_);
    asked = std::exchange(asked_, false);
  }
  const bool due = !schedule_ || now >= schedule_->renew_at();
  if (asked || (due && (!not_before_ || now >= *not_before_))) {
    order(now, asked);
  } else if (!due && now >= schedule_->ask_at()) {
    ask_for_window(now);
  }
}

void AcmeClient::adopt(https::Certificate certificate, Time now) {
  schedule_.emplace(certificate.not_before(), certificate.not_after(), now, services_.random);
  services_.store->replace({certificate});
  certificate_ = std::move(certificate);
  has_certificate_ = true;
  patience_.succeeded();
  not_before_.reset();
  by_fallback_ = false;
  tell({});
}

// ----------------------------------------------------------------------------------------- orders

const std::string& AcmeClient::directory_url() const {
  return by_fallback_ ? settings_.fallback : settings_.directory;
}

acme::OrderOptions AcmeClient::options() const {
  acme::OrderOptions out;
  out.directory = directory_url();
  if (!email_.empty()) out.contacts = {email_};
  out.agree_to_terms = settings_.agree_to_terms;
  out.names = names_;
  out.challenges = challenges_;
  out.profile = by_fallback_ ? std::string() : settings_.profile;
  if (certificate_ && !by_fallback_) out.replaces = certificate_->renewal_id().value_or("");
  return out;
}

// It is known to the first CA alone.
std::optional<acme::ExternalAccount> AcmeClient::external_account() const {
  if (!account_ || by_fallback_) return std::nullopt;
  return acme::ExternalAccount{account_->key_id, account_->key.clone()};
}

void AcmeClient::order(Time now, bool asked) {
  auto turn = files_.take_turn();
  if (!turn) {
    services_.log.error("certificate_not_ordered", {{"reason", turn.error().message}});
    not_before_ = patience_.failed(now, std::nullopt);
    return;
  }
  if (!*turn) {
    not_before_ = now + turn_pause;
    return;
  }
  // Whoever had the turn before may have got it.
  const auto kept = files_.load(now);
  if (kept && *kept && is_ours(**kept) &&
      (!certificate_ || (*kept)->fingerprint() != certificate_->fingerprint())) {
    services_.log.info("certificate_loaded", {{"fingerprint", (*kept)->fingerprint()}});
    return adopt(**kept, now);
  }
  if (!std::exchange(retry_read_, true) && !asked && may_not_try_yet(**turn, now)) return;
  services_.log.info("certificate_ordered", {{"domain", names_.front()}, {"ca", directory_url()}});
  if (auto done = carry_out(**turn, now); !done && !done.error().empty()) {
    services_.log.error("certificate_not_issued",
                        {{"domain", names_.front()},
                         {"ca", directory_url()},
                         {"reason", done.error()},
                         {"next", not_before_ ? format_rfc3339(*not_before_) : std::string()}});
    tell(done.error());
    keep_retry(**turn);
    if (!settings_.fallback.empty()) by_fallback_ = !by_fallback_;
  }
}

bool AcmeClient::may_not_try_yet(const certs::AcmeFiles::Turn& turn, Time now) {
  constexpr std::int64_t most_failures = 1000;
  const auto note = turn.retry(settings_.directory);
  const auto read = json::parse(note ? note->reveal() : std::string_view());
  const json::Value* failures = read ? read->find("failures") : nullptr;
  const json::Value* next = read ? read->find("next") : nullptr;
  if (failures == nullptr || failures->as_integer() == nullptr || next == nullptr ||
      next->as_integer() == nullptr)
    return false;
  const Time until = from_unix_seconds(*next->as_integer());
  // A clock that was far ahead is not waited for.
  if (until <= now || until > now + std::chrono::hours{24 * 8}) return false;
  patience_.resume(
      static_cast<unsigned>(std::clamp<std::int64_t>(*failures->as_integer(), 0, most_failures)));
  not_before_ = until;
  services_.log.info("certificate_not_ordered_yet", {{"next", format_rfc3339(until)}});
  tell("before this process was started");
  return true;
}

void AcmeClient::keep_retry(const certs::AcmeFiles::Turn& turn) const {
  const std::string note = json::serialize(
      json::Object{{"failures", static_cast<std::int64_t>(patience_.failures())},
                   {"next", unix_seconds(not_before_.value_or(services_.clock.now()))}});
  if (!turn.keep_retry(settings_.directory, note)) services_.log.warn("certificate_retry_not_kept");
}

Result<jwt::Key, std::string> AcmeClient::account_key(const certs::AcmeFiles::Turn& turn) {
  auto kept = turn.account(directory_url());
  if (!kept) return Error{kept.error().message};
  if (!kept->empty()) {
    const auto jwk = json::parse(kept->reveal());
    auto key = jwk ? jwt::Key::from_jwk(*jwk)
                   : Result<jwt::Key, jwt::KeyError>(Error{jwt::KeyError::malformed});
    if (!key) return Error{"the account's key: " + std::string(jwt::to_string(key.error()))};
    return std::move(*key);
  }
  auto made = jwt::Key::generate(jwt::Algorithm::es256, services_.random);
  if (!made) return Error{std::string("no account key can be made")};
  if (auto done = turn.keep_account(directory_url(), made->private_jwk()); !done)
    return Error{done.error().message};
  return std::move(*made);
}

Result<void, std::string> AcmeClient::carry_out(const certs::AcmeFiles::Turn& turn, Time now) {
  not_before_ = patience_.failed(now, std::nullopt);  // until it has succeeded
  MOAT_TRY(jwt::Key key, account_key(turn));
  auto saved = turn.order(directory_url());
  if (!saved) return Error{saved.error().message};
  MOAT_TRY(acme::Order order, acme::Order::create(options(), external_account(), std::move(key),
                                                  *saved, services_.random));
  std::vector<acme::Challenge> standing;
  const auto hide_all = [&] {
    for (const acme::Challenge& challenge : standing) hide(challenge);
  };
  for (;;) {
    acme::Action action = order.next(services_.clock.now());
    if (const auto* wanted = std::get_if<acme::Send>(&action)) {
      send(order, wanted->request);
    } else if (const auto* state = std::get_if<acme::Save>(&action)) {
      order.saved(turn.keep_order(directory_url(), state->state).has_value());
    } else if (const auto* challenge = std::get_if<acme::Show>(&action)) {
      const bool shown = show(challenge->challenge);
      if (shown) standing.push_back(challenge->challenge);
      order.shown(shown);
    } else if (std::holds_alternative<acme::Hide>(action)) {
      hide_all();
      standing.clear();
      order.hidden();
    } else if (const auto* wait = std::get_if<acme::Wait>(&action)) {
      if (sleep_until(wait->until, Wakes::in_time)) continue;
      hide_all();
      return Error{std::string()};  // the end; the order goes on with the next start
    } else if (const auto* issued = std::get_if<acme::Issued>(&action)) {
      return finish(turn, *issued);
    } else if (const auto* why = std::get_if<acme::Failed>(&action)) {
      failed(*why);
      return Error{why->explain()};
    }
  }
}

void AcmeClient::send(acme::Order& order, const acme::HttpRequest& request) {
  auto reply = http_.send(request_of(request));
  const Time now = services_.clock.now();
  if (!reply) return order.unreachable(reply.error(), now);
  order.received(response_of(std::move(*reply)), now);
}

void AcmeClient::failed(const acme::Failed& why) {
  // One failure was counted before; the CA's own word may be later.
  if (why.not_before && (!not_before_ || *why.not_before > *not_before_))
    not_before_ = why.not_before;
  // The next order tries another way.
  if (why.failure == acme::Failure::not_proved && why.type) {
    const auto at = std::find(challenges_.begin(), challenges_.end(), *why.type);
    if (at != challenges_.end()) std::rotate(at, at + 1, challenges_.end());
  }
}

Result<void, std::string> AcmeClient::finish(const certs::AcmeFiles::Turn& turn,
                                             const acme::Issued& issued) {
  const Time now = services_.clock.now();
  auto read = https::Certificate::from_pem(issued.chain, issued.key, now);
  if (!read) return Error{std::string(https::to_string(read.error()))};
  // Served only when it is kept: a certificate that is lost with the process would be ordered again
  // and again.
  if (auto done = turn.keep(issued.chain, issued.key, directory_url()); !done)
    return Error{done.error().message};
  if (!turn.keep_retry(settings_.directory, "")) services_.log.warn("certificate_retry_not_kept");
  services_.log.info("certificate_issued", {{"domain", names_.front()},
                                            {"ca", directory_url()},
                                            {"fingerprint", read->fingerprint()},
                                            {"not_after", format_rfc3339(read->not_after())}});
  adopt(std::move(*read), now);
  return {};
}

bool AcmeClient::show(const acme::Challenge& challenge) {
  switch (challenge.type) {
    case acme::ChallengeType::tls_alpn_01: {
      const auto made =
          https::tls_alpn_certificate(challenge.name, challenge.digest(), services_.clock.now());
      if (!made) return false;
      services_.store->put_challenge(https::tls_alpn_server_name(challenge.name), *made);
      return true;
    }
    case acme::ChallengeType::http_01:
      services_.tokens->put(challenge.token, challenge.key_authorization);
      return true;
    case acme::ChallengeType::dns_01:
      break;
  }
  return false;
}

void AcmeClient::hide(const acme::Challenge& challenge) {
  if (challenge.type == acme::ChallengeType::tls_alpn_01)
    services_.store->remove_challenge(https::tls_alpn_server_name(challenge.name));
  if (challenge.type == acme::ChallengeType::http_01) services_.tokens->remove(challenge.token);
}

// ---------------------------------------------------------------------------------------- renewals

void AcmeClient::ask_for_window(Time now) {
  const std::string id = certificate_->renewal_id().value_or("");
  const auto directory =
      http_.send(fetch::Request{fetch::Request::Method::get, settings_.directory});
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
