// SPDX-License-Identifier: Apache-2.0
#include "moat/session/api_keys.h"

#include <algorithm>
#include <stdexcept>

#include "moat/base/encoding.h"
#include "moat/base/hash.h"
#include "moat/session/credentials.h"

namespace moat::session {

namespace {

using std::chrono::seconds;

constexpr std::size_t id_bytes = 12;
constexpr std::size_t secret_bytes = 32;
constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t body_bytes = id_bytes + secret_bytes;
constexpr std::size_t id_characters = id_bytes / 3 * 4;
constexpr std::size_t text_characters = (body_bytes + checksum_bytes) / 3 * 4;
// Beyond it uses are not noted until the next sync: nobody's memory is a stranger's to fill.
constexpr std::size_t most_uses = 65536;

std::string checksum(std::string_view body) {
  std::string text(api_key_prefix);
  text += body;
  const Digest digest = sha256(text);
  wipe(text);
  return std::string(as_bytes(digest).substr(0, checksum_bytes));
}

// The id within a key's text; nullopt where it is no key's.
std::optional<std::string_view> id_of(std::string_view text) {
  if (text.size() != api_key_prefix.size() + text_characters ||
      text.substr(0, api_key_prefix.size()) != api_key_prefix) {
    return std::nullopt;
  }
  const std::string_view encoded = text.substr(api_key_prefix.size());
  std::optional<std::string> bytes = base64url_decode(encoded);
  if (!bytes) return std::nullopt;
  const bool fits = constant_time_equal(checksum(bytes->substr(0, body_bytes)),
                                        std::string_view(*bytes).substr(body_bytes));
  wipe(*bytes);
  if (!fits) return std::nullopt;
  return encoded.substr(0, id_characters);
}

bool is_good_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && is_valid_utf8(name) &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

ApiKey view_of(const KeyRecord& record) {
  return {record.id,         record.name,       parse_scopes(record.scopes).value_or(Scopes()),
          record.created_at, record.expires_at, record.last_used_at};
}

}  // namespace

std::string_view to_string(MakeKeyRefusal refusal) {
  switch (refusal) {
    case MakeKeyRefusal::invalid_name:
      return "invalid_name";
    case MakeKeyRefusal::invalid_life:
      return "invalid_life";
    case MakeKeyRefusal::too_many:
      return "too_many";
    case MakeKeyRefusal::store_unavailable:
      return "store_unavailable";
  }
  return {};
}

std::string_view to_string(KeyRefusal refusal) {
  switch (refusal) {
    case KeyRefusal::unknown:
      return "unknown";
    case KeyRefusal::expired:
      return "expired";
    case KeyRefusal::revoked:
      return "revoked";
    case KeyRefusal::user_refused:
      return "user_refused";
    case KeyRefusal::store_unavailable:
      return "store_unavailable";
  }
  return {};
}

ApiKeys::ApiKeys(KeyStore& store, RevocationList& revocations, const Options& options,
                 Random& random)
    : store_(store), revocations_(revocations), options_(options), random_(random) {
  if (options_.recheck <= seconds(0) || revocations_.keep() < options_.recheck + seconds(60)) {
    throw std::invalid_argument("session: revocations must be kept as long as keys are remembered");
  }
  if (options_.life <= seconds(0) || options_.life > options_.longest) {
    throw std::invalid_argument("session: keys' lives must be life <= longest");
  }
}

bool ApiKeys::is_genuine(std::string_view text) { return id_of(text).has_value(); }

Result<MadeKey, MakeKeyRefusal> ApiKeys::make(std::string_view user_id, std::string_view name,
                                              const Scopes& scopes, std::optional<seconds> life,
                                              Time now) {
  if (!is_good_name(name)) return Error{MakeKeyRefusal::invalid_name};
  const seconds lives = life.value_or(options_.life);
  if (lives <= seconds(0) || lives > options_.longest) return Error{MakeKeyRefusal::invalid_life};
  std::string bytes = random_.bytes(body_bytes);
  bytes += checksum(bytes);
  std::string text(api_key_prefix);
  text += base64url_encode(bytes);
  wipe(bytes);
  KeyRecord record;
  record.id = text.substr(api_key_prefix.size(), id_characters);
  record.user_id = user_id;
  record.key_hash = sha256(text);
  record.name = name;
  record.scopes = to_text(scopes);
  record.created_at = now;
  record.expires_at = now + lives;
  Secret key = Secret::take(text);
  const auto created = store_.create(record, options_.most_per_user, now);
  if (!created) return Error{MakeKeyRefusal::store_unavailable};
  if (!*created) return Error{MakeKeyRefusal::too_many};
  return MadeKey{std::move(key), view_of(record)};
}

Result<Identity, KeyRefusal> ApiKeys::verify(std::string_view text, UserSource& users, Time now) {
  const auto id = id_of(text);
  if (!id) return Error{KeyRefusal::unknown};
  const auto found = store_.find(*id);
  if (!found) return Error{KeyRefusal::store_unavailable};
  const Digest hash = sha256(text);
  if (!*found || !constant_time_equal(as_bytes(hash), as_bytes((*found)->key_hash))) {
    return Error{KeyRefusal::unknown};
  }
  const KeyRecord& record = **found;
  if (record.revoked_at) return Error{KeyRefusal::revoked};
  if (now >= record.expires_at) return Error{KeyRefusal::expired};
  auto user = users.find_active(record.user_id);
  if (!user) return Error{KeyRefusal::store_unavailable};
  if (!*user) return Error{KeyRefusal::user_refused};
  note_use(record.id, now);
  Identity out;
  out.kind = Kind::key;
  out.user_id = record.user_id;
  out.session_id = record.id;
  out.email = std::move((*user)->email);
  out.roles = std::move((*user)->roles);
  out.scopes = parse_scopes(record.scopes).value_or(Scopes());
  out.started_at = record.created_at;
  out.issued_at = now;
  out.expires = std::min(now + options_.recheck, record.expires_at);
  out.ends_at = record.expires_at;
  return out;
}

Result<std::vector<ApiKey>, StoreError> ApiKeys::list(std::string_view user_id, Time now) {
  MOAT_TRY(const std::vector<KeyRecord> records, store_.list(user_id, now));
  std::vector<ApiKey> out;
  out.reserve(records.size());
  for (const KeyRecord& record : records) out.push_back(view_of(record));
  return out;
}

Result<bool, StoreError> ApiKeys::revoke(std::string_view id, std::string_view user_id, Time now) {
  MOAT_TRY(const bool revoked, store_.revoke(id, user_id, now));
  if (revoked) revocations_.revoke_session(id, now);
  return revoked;
}

Result<bool, StoreError> ApiKeys::revoke_by_key(std::string_view text, Time now) {
  const auto id = id_of(text);
  if (!id) return false;
  MOAT_TRY(const std::optional<KeyRecord> record, store_.find(*id));
  const Digest hash = sha256(text);
  if (!record || !constant_time_equal(as_bytes(hash), as_bytes(record->key_hash))) return false;
  return revoke(*id, record->user_id, now);
}

void ApiKeys::note_use(const std::string& id, Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = uses_.find(id);
  if (found != uses_.end()) {
    found->second = std::max(found->second, now);
  } else if (uses_.size() < most_uses) {
    uses_.emplace(id, now);
  }
}

std::vector<KeyUse> ApiKeys::take_uses() {
  const std::lock_guard lock(mutex_);
  std::vector<KeyUse> out;
  out.reserve(uses_.size());
  for (const auto& [id, at] : uses_) out.push_back({id, at});
  uses_.clear();
  return out;
}

Result<void, StoreError> ApiKeys::sync(Time now) {
  const Time kept = now - revocations_.keep();
  const Time synced(Time::duration(synced_to_.load(std::memory_order_relaxed)));
  // As Manager::sync_revocations: other processes' clocks differ.
  const Time since = synced == Time::min() ? kept : std::max(kept, synced - 2 * seconds(60));
  MOAT_TRY(const std::vector<Revocation> found, store_.revocations_since(since));
  for (const Revocation& one : found) revocations_.revoke_session(one.session_id, one.at);
  synced_to_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  const std::vector<KeyUse> uses = take_uses();
  if (uses.empty()) return {};
  return store_.note_uses(uses);
}

}  // namespace moat::session
