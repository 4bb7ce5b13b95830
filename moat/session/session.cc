// SPDX-License-Identifier: Apache-2.0
#include "moat/session/session.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "moat/base/encoding.h"
#include "moat/session/credentials.h"
#include "moat/session/internal/access_token.h"
#include "moat/session/internal/exchanges.h"
#include "moat/session/internal/refresh_token.h"

namespace moat::session {

using internal::RefreshToken;
using std::chrono::seconds;

namespace {

// How often an exchange is tried again when another node was faster. Each failure means that
// somebody succeeded, so more than a few are no accident.
constexpr int max_attempts = 8;

// RFC 6265bis section 5.6.2: what lives longer is cut to this.
constexpr seconds longest_cookie = std::chrono::hours(24 * 400);

// What a client says of itself, cut to what is stored: printable ASCII.
std::string printable(std::string_view text, std::size_t most) {
  std::string out(text.substr(0, most));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

void check(const Options& options, const RevocationList& revocations, const jwt::KeyRing& keys) {
  const Lifetimes& life = options.lifetimes;
  if (life.access <= seconds(0) || life.access >= life.idle || life.idle > life.absolute) {
    throw std::invalid_argument("session: lifetimes must be access < idle <= absolute");
  }
  const Lifetimes& api = options.api_lifetimes;
  if (api.idle <= life.access || api.idle > api.absolute) {
    throw std::invalid_argument("session: programs' lifetimes must be access < idle <= absolute");
  }
  if (options.skew < seconds(0) || options.skew > seconds(60)) {
    throw std::invalid_argument("session: skew must be 0 to 60 seconds");
  }
  if (options.grace < seconds(0) || options.grace > std::chrono::minutes(10)) {
    throw std::invalid_argument("session: grace must be 0 to 10 minutes");
  }
  if (options.max_sessions_per_user == 0) {
    throw std::invalid_argument("session: a user needs one session at least");
  }
  if (revocations.keep() < life.access + options.skew) {
    throw std::invalid_argument("session: revocations must be kept as long as access tokens live");
  }
  if (keys.algorithm() != jwt::Algorithm::hs256) {
    throw std::invalid_argument("session: the keys must be hs256");
  }
}

void check(const User& user) {
  std::size_t roles = 0;
  for (const std::string& role : user.roles) roles += role.size() + 3;
  if (user.id.empty() || user.id.size() > 128 || user.email.size() > 320 || roles > 1024) {
    throw std::invalid_argument("session: a user too large for a cookie");
  }
}

Scopes scopes_of(const Record& record) { return parse_scopes(record.scopes).value_or(Scopes()); }

Session view_of(const Record& record) {
  return {record.kind,       record.id,      record.user_id, record.started_at, record.rotated_at,
          record.expires_at, record.ends_at, record.address, record.user_agent, scopes_of(record)};
}

Secret prefixed(std::string_view prefix, const Secret& secret) {
  std::string text(prefix);
  text.reserve(prefix.size() + secret.size());
  text += secret.reveal();
  return Secret::take(text);
}

// What stands behind the prefix; nullopt where it does not.
std::optional<std::string_view> without(std::string_view prefix, std::string_view token) {
  if (token.substr(0, prefix.size()) != prefix) return std::nullopt;
  return token.substr(prefix.size());
}

}  // namespace

std::string_view to_string(AccessRefusal refusal) {
  switch (refusal) {
    case AccessRefusal::malformed:
      return "malformed";
    case AccessRefusal::expired:
      return "expired";
    case AccessRefusal::revoked:
      return "revoked";
  }
  return {};
}

std::string_view to_string(RefreshRefusal refusal) {
  switch (refusal) {
    case RefreshRefusal::unknown:
      return "unknown";
    case RefreshRefusal::expired:
      return "expired";
    case RefreshRefusal::reused:
      return "reused";
    case RefreshRefusal::revoked:
      return "revoked";
    case RefreshRefusal::user_refused:
      return "user_refused";
    case RefreshRefusal::store_unavailable:
      return "store_unavailable";
  }
  return {};
}

bool Identity::has_scope(std::string_view scope) const {
  return kind == Kind::browser || std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

struct Manager::Impl {
  Impl(Store& store_in, RevocationList& revocations_in, const jwt::KeyRing& ring_in,
       const Options& options_in, Random& random_in)
      : store(store_in),
        revocations(revocations_in),
        options(options_in),
        random(random_in),
        ring(ring_in),
        access(ring_in, Kind::browser),
        bearer(ring_in, Kind::api),
        refresh(ring_in) {}

  // How long an access token lives in a session that idles out after `idle`.
  seconds access_life(seconds idle) const {
    const seconds life = options.lifetimes.access;
    return life < idle ? life : std::max(seconds(1), idle / 5);
  }

  Result<Issued, StoreError> start(Record record, const User& user, const Client& client,
                                   const Lifetimes& lifetimes, Time now);
  Issued issue(const Record& record, const User& user, Secret refresh_token, Time now) const;
  // Ends the session with everything that hangs on it.
  Result<void, StoreError> end(const Record& record, Time now);
  Result<Issued, RefreshRefusal> issue_to(const Record& record, Secret refresh_token,
                                          UserSource& users, Time now);
  Result<User, RefreshRefusal> user_of(const Record& record, UserSource& users, Time now);

  Result<Issued, RefreshRefusal> refreshed(Kind kind, std::string_view refresh_token,
                                           const Client& client, UserSource& users, Time now);
  // The three things that can come of a token whose session lives.
  std::optional<Result<Issued, RefreshRefusal>> exchange(const Record& record,
                                                         const RefreshToken& token,
                                                         const Client& client, UserSource& users,
                                                         Time now);
  Result<Issued, RefreshRefusal> replay(const Record& record, const RefreshToken& token,
                                        UserSource& users, Time now);
  bool is_reuse(const Record& record, std::uint32_t generation, Time now) const;

  Store& store;
  RevocationList& revocations;
  const Options options;
  Random& random;
  const jwt::KeyRing ring;
  const internal::AccessTokens access;
  const internal::AccessTokens bearer;
  const internal::RefreshKeys refresh;
  std::atomic<Time::rep> synced_to{Time::min().time_since_epoch().count()};
};

Manager::Manager(Store& store, RevocationList& revocations, const jwt::KeyRing& keys,
                 const Options& options, Random& random) {
  check(options, revocations, keys);
  impl_ = std::make_unique<Impl>(store, revocations, keys, options, random);
}

Manager::~Manager() = default;

Issued Manager::Impl::issue(const Record& record, const User& user, Secret refresh_token,
                            Time now) const {
  check(user);
  Identity identity;
  identity.user_id = record.user_id;
  identity.session_id = record.id;
  identity.email = user.email;
  identity.roles = user.roles;
  identity.started_at = record.started_at;
  identity.issued_at = now;
  identity.expires = std::min(now + access_life(record.idle), record.ends_at);
  identity.kind = record.kind;
  Issued out;
  if (record.kind == Kind::api) {
    identity.scopes = scopes_of(record);
    out.access_token = prefixed(bearer_access_prefix, bearer.make(identity, now));
    out.refresh_token = prefixed(bearer_refresh_prefix, refresh_token);
  } else {
    out.access_token = access.make(identity, now);
    out.refresh_token = std::move(refresh_token);
  }
  out.session = view_of(record);
  out.access_max_age = std::chrono::floor<seconds>(identity.expires - now);
  out.refresh_max_age =
      std::min(std::chrono::floor<seconds>(record.expires_at - now), longest_cookie);
  return out;
}

Result<void, StoreError> Manager::Impl::end(const Record& record, Time now) {
  // First here, where it takes effect at once, and then where it lasts.
  revocations.revoke_session(record.id, now);
  auto revoked = store.revoke(record.id, record.user_id, now);
  if (!revoked) return Error{revoked.error()};
  return {};
}

Result<Issued, StoreError> Manager::start(const User& user, const Client& client, Time now) {
  return start(user, client, impl_->options.lifetimes, now);
}

Result<Issued, StoreError> Manager::start(const User& user, const Client& client,
                                          const Lifetimes& lifetimes, Time now) {
  return impl_->start({}, user, client, lifetimes, now);
}

Result<Issued, StoreError> Manager::start_api(const User& user, const Client& client,
                                              const Scopes& scopes, Time now) {
  Record record;
  record.kind = Kind::api;
  record.scopes = to_text(scopes);
  if (!parse_scopes(record.scopes)) throw std::invalid_argument("session: these are no scopes");
  return impl_->start(std::move(record), user, client, impl_->options.api_lifetimes, now);
}

Result<Issued, StoreError> Manager::Impl::start(Record record, const User& user,
                                                const Client& client, const Lifetimes& lifetimes,
                                                Time now) {
  check(user);
  if (lifetimes.idle <= seconds(0) || lifetimes.idle > lifetimes.absolute) {
    throw std::invalid_argument("session: lifetimes must be idle <= absolute");
  }
  MOAT_TRY(const std::vector<Record> others, store.list(user.id, now));
  std::size_t of_this_kind = 0;
  for (const Record& other : others) {
    if (other.kind != record.kind || ++of_this_kind < options.max_sessions_per_user) continue;
    if (auto ended = end(other, now); !ended) return Error{ended.error()};
  }
  const std::string_view key_id = ring.current(now).id();
  const RefreshToken token = refresh.begin(key_id, random);
  record.id = token.family();
  record.user_id = user.id;
  record.token_hash = token.hash();
  record.generation = token.generation();
  record.started_at = now;
  record.rotated_at = now;
  record.ends_at = now + lifetimes.absolute;
  record.expires_at = now + lifetimes.idle;
  record.idle = lifetimes.idle;
  record.address = printable(client.address, 64);
  record.user_agent = printable(client.user_agent, 256);
  if (auto created = store.create(record); !created) return Error{created.error()};
  return issue(record, user, token.text(), now);
}

Result<Identity, AccessRefusal> Manager::verify_access(std::string_view access_token,
                                                       Time now) const {
  std::optional<Identity> identity = impl_->access.parse(access_token);
  if (!identity) return Error{AccessRefusal::malformed};
  if (auto good = still_good(*identity, now); !good) return Error{good.error()};
  return *std::move(identity);
}

Result<Identity, AccessRefusal> Manager::verify_bearer(std::string_view access_token,
                                                       Time now) const {
  const auto token = without(bearer_access_prefix, access_token);
  std::optional<Identity> identity;
  if (token) identity = impl_->bearer.parse(*token);
  if (!identity) return Error{AccessRefusal::malformed};
  if (auto good = still_good(*identity, now); !good) return Error{good.error()};
  return *std::move(identity);
}

bool Manager::is_own(std::string_view token) const {
  return without(own_prefix, token) || impl_->access.looks_like_one(token) ||
         impl_->refresh.parse(token);
}

Result<void, AccessRefusal> Manager::still_good(const Identity& identity, Time now) const {
  // RFC 7519 section 4.1.4: "on or after". No skew here: whoever is a little late refreshes.
  if (now >= identity.expires) return Error{AccessRefusal::expired};
  if (identity.issued_at > now + impl_->options.skew) return Error{AccessRefusal::malformed};
  if (is_revoked(identity)) return Error{AccessRefusal::revoked};
  return {};
}

bool Manager::is_revoked(const Identity& identity) const {
  // A user's logout everywhere ends sessions; a key is none, and goes by its id alone.
  const Time since = identity.kind == Kind::key ? Time::max() : identity.started_at;
  return impl_->revocations.is_revoked(identity.session_id, identity.user_id, since);
}

Result<User, RefreshRefusal> Manager::Impl::user_of(const Record& record, UserSource& users,
                                                    Time now) {
  auto user = users.find_active(record.user_id);
  if (!user) return Error{RefreshRefusal::store_unavailable};
  if (*user) return **std::move(user);
  if (!end(record, now)) return Error{RefreshRefusal::store_unavailable};
  return Error{RefreshRefusal::user_refused};
}

Result<Issued, RefreshRefusal> Manager::Impl::issue_to(const Record& record, Secret refresh_token,
                                                       UserSource& users, Time now) {
  MOAT_TRY(const User user, user_of(record, users, now));
  return issue(record, user, std::move(refresh_token), now);
}

// The live token comes in: its successor becomes the live one. Nullopt when another node was
// faster.
std::optional<Result<Issued, RefreshRefusal>> Manager::Impl::exchange(const Record& record,
                                                                      const RefreshToken& token,
                                                                      const Client& client,
                                                                      UserSource& users, Time now) {
  if (token.hash() != record.token_hash) return Error{RefreshRefusal::unknown};
  const auto user = user_of(record, users, now);
  if (!user) return Error{user.error()};
  const RefreshToken next = refresh.successor(token);
  Record after = record;
  after.generation = next.generation();
  after.token_hash = next.hash();
  // Two nodes' clocks differ; a session's times only go forward.
  after.rotated_at = std::max(now, record.rotated_at);
  after.expires_at = std::min(after.rotated_at + record.idle, record.ends_at);
  after.address = printable(client.address, 64);
  after.user_agent = printable(client.user_agent, 256);
  after.exchanges = internal::add_exchange(record.exchanges, record.generation, now, options.grace);
  const Rotation rotation{record.generation, after.token_hash, after.rotated_at, after.expires_at,
                          after.address,     after.user_agent, after.exchanges};
  const auto outcome = store.rotate(record.id, rotation);
  if (!outcome) return Error{RefreshRefusal::store_unavailable};
  if (*outcome != RotateOutcome::rotated) return std::nullopt;
  return issue(after, *user, next.text(), now);
}

bool Manager::Impl::is_reuse(const Record& record, std::uint32_t generation, Time now) const {
  // While its successor is unused, whoever comes back is most likely the owner, whom our answer
  // never reached.
  if (record.generation - generation < 2) return false;
  const std::optional<Time> exchanged = internal::exchanged_at(record.exchanges, generation);
  return !exchanged || now >= *exchanged + options.grace;
}

// An exchanged token comes in again: its holder gets the live one, to which the derivation leads.
Result<Issued, RefreshRefusal> Manager::Impl::replay(const Record& record,
                                                     const RefreshToken& token, UserSource& users,
                                                     Time now) {
  RefreshToken live = refresh.successor(token);
  // Short: what is further back than Record::exchanges reaches was called reuse.
  while (live.generation() != record.generation) live = refresh.successor(live);
  if (live.hash() != record.token_hash) return Error{RefreshRefusal::unknown};
  return issue_to(record, live.text(), users, now);
}

Result<Issued, RefreshRefusal> Manager::refresh(std::string_view refresh_token,
                                                const Client& client, UserSource& users, Time now) {
  return impl_->refreshed(Kind::browser, refresh_token, client, users, now);
}

Result<Issued, RefreshRefusal> Manager::refresh_api(std::string_view refresh_token,
                                                    const Client& client, UserSource& users,
                                                    Time now) {
  const auto token = without(bearer_refresh_prefix, refresh_token);
  if (!token) return Error{RefreshRefusal::unknown};
  return impl_->refreshed(Kind::api, *token, client, users, now);
}

Result<Issued, RefreshRefusal> Manager::Impl::refreshed(Kind kind, std::string_view refresh_token,
                                                        const Client& client, UserSource& users,
                                                        Time now) {
  const std::optional<RefreshToken> token = refresh.parse(refresh_token);
  if (!token) return Error{RefreshRefusal::unknown};
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    auto found = store.find(token->family());
    if (!found) return Error{RefreshRefusal::store_unavailable};
    if (!*found) return Error{RefreshRefusal::unknown};
    const Record& record = **found;
    // Before anything is judged: at the wrong door a token does no harm to its session either.
    if (record.kind != kind) return Error{RefreshRefusal::unknown};
    if (record.revoked_at) return Error{RefreshRefusal::revoked};
    if (now >= record.expires_at) return Error{RefreshRefusal::expired};
    // Begun while a clock was far ahead: it would outlive every session that is begun now.
    if (record.rotated_at > now + record.idle) return Error{RefreshRefusal::expired};
    // A token newer than its record: the store has lost something. Nothing to build on.
    if (token->generation() > record.generation) return Error{RefreshRefusal::unknown};
    if (token->generation() == record.generation) {
      auto exchanged = exchange(record, *token, client, users, now);
      if (exchanged) return *std::move(exchanged);
      continue;
    }
    if (!is_reuse(record, token->generation(), now)) {
      return replay(record, *token, users, now);
    }
    // RFC 9700 section 4.14.2: the thief and the owner cannot be told apart, so both are out.
    if (!end(record, now)) return Error{RefreshRefusal::store_unavailable};
    return Error{RefreshRefusal::reused};
  }
  return Error{RefreshRefusal::store_unavailable};
}

std::optional<std::string> Manager::session_of(std::string_view refresh_token) const {
  const std::optional<RefreshToken> token = impl_->refresh.parse(refresh_token);
  if (!token) return std::nullopt;
  return token->family();
}

Result<bool, StoreError> Manager::revoke(std::string_view session_id, std::string_view user_id,
                                         Time now) {
  MOAT_TRY(const bool revoked, impl_->store.revoke(session_id, user_id, now));
  if (revoked) impl_->revocations.revoke_session(session_id, now);
  return revoked;
}

Result<bool, StoreError> Manager::revoke_by_token(std::string_view refresh_token, Time now) {
  const std::optional<std::string> id = session_of(refresh_token);
  if (!id) return false;
  MOAT_TRY(const std::optional<Record> record, impl_->store.find(*id));
  if (!record) return false;
  return revoke(*id, record->user_id, now);
}

Result<bool, StoreError> Manager::revoke_api(std::string_view token, Time now) {
  if (const auto access = without(bearer_access_prefix, token)) {
    const std::optional<Identity> identity = impl_->bearer.parse(*access);
    if (!identity) return false;
    return revoke(identity->session_id, identity->user_id, now);
  }
  const auto refresh = without(bearer_refresh_prefix, token);
  const auto id = refresh ? session_of(*refresh) : std::nullopt;
  if (!id) return false;
  MOAT_TRY(const std::optional<Record> record, impl_->store.find(*id));
  if (!record || record->kind != Kind::api) return false;
  return revoke(*id, record->user_id, now);
}

Result<std::size_t, StoreError> Manager::revoke_all(std::string_view user_id, Time now) {
  // Before the store is asked, so that a session begun meanwhile is out as well.
  impl_->revocations.revoke_user(user_id, now);
  return revoke_others(user_id, {}, now);
}

Result<std::size_t, StoreError> Manager::revoke_others(std::string_view user_id,
                                                       std::string_view keep, Time now) {
  MOAT_TRY(const std::vector<std::string> ids, impl_->store.revoke_all(user_id, keep, now));
  for (const std::string& id : ids) impl_->revocations.revoke_session(id, now);
  return ids.size();
}

Result<std::vector<Session>, StoreError> Manager::list(std::string_view user_id, Time now) {
  MOAT_TRY(const std::vector<Record> records, impl_->store.list(user_id, now));
  std::vector<Session> out;
  out.reserve(records.size());
  for (const Record& record : records) out.push_back(view_of(record));
  return out;
}

Result<void, StoreError> Manager::sync_revocations(Time now) {
  const Time kept = now - impl_->revocations.keep();
  const Time synced(Time::duration(impl_->synced_to.load(std::memory_order_relaxed)));
  // Another node's clock, and the time a write takes to be seen: two skews back are read again.
  const Time since = synced == Time::min() ? kept : std::max(kept, synced - 2 * seconds(60));
  MOAT_TRY(const std::vector<Revocation> found, impl_->store.revocations_since(since));
  for (const Revocation& one : found) impl_->revocations.revoke_session(one.session_id, one.at);
  impl_->revocations.expire(now);
  impl_->synced_to.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  return {};
}

Result<std::size_t, StoreError> Manager::sweep(Time now) {
  impl_->revocations.expire(now);
  return impl_->store.delete_expired(now - std::chrono::hours(24));
}

}  // namespace moat::session
