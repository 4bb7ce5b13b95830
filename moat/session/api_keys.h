// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/session/key_store.h"
#include "moat/session/revocation_list.h"
#include "moat/session/session.h"

namespace moat::session {

// A personal API key as its owner may see it.
struct ApiKey {
  std::string id;
  std::string name;
  Scopes scopes;
  Time created_at{};
  Time expires_at{};
  std::optional<Time> last_used_at;  // to the minute or so
};

struct MadeKey {
  Secret key;  // to be shown once: nobody can find it out again
  ApiKey about;
};

enum class MakeKeyRefusal {
  invalid_name,  // not 1 to 64 bytes of UTF-8 without control characters
  invalid_life,  // not 1 s to Options::longest
  too_many,      // the user has Options::most_per_user
  store_unavailable
};
enum class KeyRefusal {
  unknown,  // no key of ours
  expired,
  revoked,
  user_refused,      // the user is gone or disabled
  store_unavailable  // nothing is known
};
std::string_view to_string(MakeKeyRefusal refusal);
std::string_view to_string(KeyRefusal refusal);

// ApiKeys makes, checks and revokes personal API keys: "moat_key_" and 48 bytes in base64url, which
// are an id of 12, a secret of 32 and a checksum of 4, the first of the SHA-256 over all that
// stands before it. So a search for leaked secrets can tell a key from what only looks like one.
//
// A key is its user's for as long as it lives: it survives logouts and changes of the password, and
// stops when it is revoked or its user disabled. Thread-safe when `random` is. All but is_genuine
// call the store, which may block.
class ApiKeys final {
 public:
  struct Options {
    std::chrono::seconds life = std::chrono::hours(24 * 90);
    std::chrono::seconds longest = std::chrono::hours(24 * 365);
    std::size_t most_per_user = 20;
    // How long the identity that verify() gives is good before the store must be asked again, so
    // that roles are fresh; revocation does not wait for it.
    std::chrono::seconds recheck{60};
  };
  // `revocations` keeps for `recheck` at least, or this throws std::invalid_argument. The
  // references must outlive it.
  ApiKeys(KeyStore& store, RevocationList& revocations, const Options& options, Random& random);

  // Whether the text is spelled as a key is, checksum and all.
  [[nodiscard]] static bool is_genuine(std::string_view text);

  // A new key of that user for `scopes` (from parse_scopes); it lives for Options::life if nothing
  // else is said.
  [[nodiscard]] Result<MadeKey, MakeKeyRefusal> make(std::string_view user_id,
                                                     std::string_view name, const Scopes& scopes,
                                                     std::optional<std::chrono::seconds> life,
                                                     Time now);
  // Who stands behind a key. Its `session_id` is the key's id; for its revocation see
  // Manager::still_good.
  [[nodiscard]] Result<Identity, KeyRefusal> verify(std::string_view text, UserSource& users,
                                                    Time now);

  Result<std::vector<ApiKey>, StoreError> list(std::string_view user_id, Time now);
  // Revokes a key; false when it is not one of this user's that lives. The effect on this node is
  // at once.
  Result<bool, StoreError> revoke(std::string_view id, std::string_view user_id, Time now);
  // Revokes the key of that text, whoever holds it (RFC 7009).
  Result<bool, StoreError> revoke_by_key(std::string_view text, Time now);

  // Loads what was revoked lately and writes down which keys were used: before the first verify,
  // and every second or so.
  Result<void, StoreError> sync(Time now);

 private:
  void note_use(const std::string& id, Time now);
  std::vector<KeyUse> take_uses();

  KeyStore& store_;
  RevocationList& revocations_;
  const Options options_;
  Random& random_;
  std::atomic<Time::rep> synced_to_{Time::min().time_since_epoch().count()};
  std::mutex mutex_;
  std::map<std::string, Time> uses_;  // not yet written
};

}  // namespace moat::session
