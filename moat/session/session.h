// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/jwt/key_ring.h"
#include "moat/session/revocation_list.h"
#include "moat/session/scopes.h"
#include "moat/session/store.h"

namespace moat::session {

// How long things live. A session ends when it idles or at its absolute end, whichever comes first;
// refreshing never moves the absolute end.
struct Lifetimes {
  std::chrono::seconds access = std::chrono::minutes(5);  // must be shorter than `idle`
  std::chrono::seconds idle = std::chrono::minutes(30);
  std::chrono::seconds absolute = std::chrono::hours(8);
  static Lifetimes standard() { return {}; }
  static Lifetimes long_lived() {  // "keep me logged in"; a program's session
    return {std::chrono::minutes(5), std::chrono::hours(24 * 7), std::chrono::hours(24 * 30)};
  }
  static Lifetimes high() {
    return {std::chrono::minutes(1), std::chrono::minutes(5), std::chrono::hours(4)};
  }
};

struct Options {
  Lifetimes lifetimes{};
  Lifetimes api_lifetimes = Lifetimes::long_lived();  // of programs' sessions; `access` is not used
  // How long after its exchange an old refresh token still gets the live one, though its successor
  // was used.
  std::chrono::seconds grace{30};
  std::chrono::seconds skew{30};  // at most 60 s
  // Of each kind; one login more ends the session that was idle longest.
  std::size_t max_sessions_per_user = 10;
};

// What goes into the access token. It is a cookie, so the roles are at most 1 KiB together and the
// id at most 128 bytes: more is a mistake in the program, and throws std::invalid_argument.
struct User {
  std::string id;
  std::string email;
  std::vector<std::string> roles;
};

struct Client {
  std::string_view address;
  std::string_view user_agent;
};

// UserSource gives the user's present data at a refresh, so that roles are fresh and a disabled
// user is out.
class UserSource {
 public:
  virtual ~UserSource() = default;
  // Nullopt when there is no such user or it may not log in.
  virtual Result<std::optional<User>, StoreError> find_active(std::string_view user_id) = 0;
};

// Who stands behind a request, by its access token.
struct Identity {
  std::string user_id;
  std::string session_id;
  std::string email;
  std::vector<std::string> roles;
  Time started_at{};  // of the session: the time of the login
  Time issued_at{};
  Time expires{};
  Kind kind = Kind::browser;
  Scopes scopes;   // of kinds api and key, which may do nothing that asks for another one
  Time ends_at{};  // of kind key: of the key itself

  // A person at a browser may do whatever the user may.
  [[nodiscard]] bool has_scope(std::string_view scope) const;
};

// A session as its owner may see it.
struct Session {
  Kind kind = Kind::browser;
  std::string id;
  std::string user_id;
  Time started_at{};
  Time last_seen_at{};
  Time expires_at{};
  Time ends_at{};
  std::string address;
  std::string user_agent;
  Scopes scopes;
};

struct Issued {
  Secret access_token;
  Secret refresh_token;
  Session session;
  // For the cookies' Max-Age, and expires_in: 0 to 400 days.
  std::chrono::seconds access_max_age{};
  std::chrono::seconds refresh_max_age{};
};

enum class AccessRefusal {
  malformed,  // no token of ours
  expired,    // refresh it
  revoked     // the session was ended
};
enum class RefreshRefusal {
  unknown,       // no refresh token of ours, or its session is no longer known
  expired,       // the session idled, reached its absolute end, or is of a time yet to come
  reused,        // an old token came back: the session was ended, for one of two holders stole it
  revoked,       // the session was ended before
  user_refused,  // the user is gone or disabled: the session was ended
  store_unavailable  // nothing is known; let the client try again and keep its cookies
};
std::string_view to_string(AccessRefusal refusal);
std::string_view to_string(RefreshRefusal refusal);

// Manager makes, checks, refreshes and ends sessions. Immutable: after a key rotation make a new
// one over the same store and list. Safe for concurrent use when `random` is. All but verify_access
// call the store, which may block.
class Manager final {
 public:
  // `keys` is a ring of hs256 keys; one that leaves it ends the sessions begun under it, so its
  // overlap is at least the longest `absolute`. `revocations` keeps for at least an access token's
  // life and the skew. Throws std::invalid_argument for options that contradict each other or
  // another kind of ring. The references must outlive the manager.
  Manager(Store& store, RevocationList& revocations, const jwt::KeyRing& keys,
          const Options& options, Random& random);
  ~Manager();
  Manager(const Manager&) = delete;  // holds prepared keys
  Manager& operator=(const Manager&) = delete;

  // Loads what was revoked lately: before the first verify_access, and every second or so when
  // other nodes use the same store.
  Result<void, StoreError> sync_revocations(Time now);

  // A new session with a new id, at each login.
  Result<Issued, StoreError> start(const User& user, const Client& client, Time now);
  Result<Issued, StoreError> start(const User& user, const Client& client,
                                   const Lifetimes& lifetimes, Time now);
  // The same for a program: bearer tokens, which may be used for `scopes` (from parse_scopes).
  Result<Issued, StoreError> start_api(const User& user, const Client& client, const Scopes& scopes,
                                       Time now);

  // Memory only: signature, audience, times and the revocation list.
  [[nodiscard]] Result<Identity, AccessRefusal> verify_access(std::string_view access_token,
                                                              Time now) const;

  // The same for a bearer token. A cookie's is malformed here, and a bearer token there.
  [[nodiscard]] Result<Identity, AccessRefusal> verify_bearer(std::string_view access_token,
                                                              Time now) const;
  // Whether a bearer token is of Moat's making, whatever has become of it: it is no other
  // service's, and not to be passed on. API keys and tokens of the cookies are among them.
  [[nodiscard]] bool is_own(std::string_view token) const;

  // The times and the revocation list alone, for an identity that verify_access gave before: its
  // token's signature is as good as it was.
  [[nodiscard]] Result<void, AccessRefusal> still_good(const Identity& identity, Time now) const;
  // Whether that identity's session, or key, was revoked lately.
  [[nodiscard]] bool is_revoked(const Identity& identity) const;

  // Exchanges a refresh token. Whoever presents the same token, at whatever node, after whatever
  // crash, gets the same successor.
  Result<Issued, RefreshRefusal> refresh(std::string_view refresh_token, const Client& client,
                                         UserSource& users, Time now);
  // The same for a program's refresh token; a cookie's is unknown here, and this one there.
  Result<Issued, RefreshRefusal> refresh_api(std::string_view refresh_token, const Client& client,
                                             UserSource& users, Time now);
  // The session a refresh token belongs to, by its MAC alone: for a logout whose access token has
  // expired. Nullopt when the token is none of ours. Says nothing about whether the session lives.
  [[nodiscard]] std::optional<std::string> session_of(std::string_view refresh_token) const;

  // Ends one session; false when it is not one of this user's that lives. The effect on this node
  // is at once.
  Result<bool, StoreError> revoke(std::string_view session_id, std::string_view user_id, Time now);
  // Ends the session that a refresh token of ours belongs to; false when there is none.
  Result<bool, StoreError> revoke_by_token(std::string_view refresh_token, Time now);
  // Ends the session of a program's access or refresh token (RFC 7009), also of one that expired;
  // false when there is none.
  Result<bool, StoreError> revoke_api(std::string_view token, Time now);
  Result<std::size_t, StoreError> revoke_all(std::string_view user_id, Time now);
  Result<std::size_t, StoreError> revoke_others(std::string_view user_id, std::string_view keep,
                                                Time now);
  Result<std::vector<Session>, StoreError> list(std::string_view user_id, Time now);
  // Deletes what ended more than a day ago, and forgets old revocations.
  Result<std::size_t, StoreError> sweep(Time now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace moat::session
