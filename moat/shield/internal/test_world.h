// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "moat/jwt/key_ring.h"
#include "moat/session/cookies.h"
#include "moat/session/memory_store.h"
#include "moat/session/session.h"
#include "moat/shield/shield.h"

// What the tests of this room share: a shield over stores in memory, with a clock moved by hand.
namespace moat::shield::internal {

inline constexpr Time test_start{std::chrono::seconds(1'800'000'000)};
inline constexpr std::string_view own_origin = "https://localhost:8443";

// A session store that can be made to fail.
class FlakySessions final : public session::Store {
 public:
  using Error_ = session::StoreError;
  bool down = false;

  Result<void, Error_> create(const session::Record& record) override {
    if (down) return Error{Error_::unavailable};
    return store_.create(record);
  }
  Result<std::optional<session::Record>, Error_> find(std::string_view id) override {
    if (down) return Error{Error_::unavailable};
    return store_.find(id);
  }
  Result<session::RotateOutcome, Error_> rotate(std::string_view id,
                                                const session::Rotation& rotation) override {
    if (down) return Error{Error_::unavailable};
    return store_.rotate(id, rotation);
  }
  Result<bool, Error_> revoke(std::string_view id, std::string_view user_id, Time now) override {
    if (down) return Error{Error_::unavailable};
    return store_.revoke(id, user_id, now);
  }
  Result<bool, Error_> revoke_reused(std::string_view id, std::string_view user_id,
                                     Time now) override {
    if (down) return Error{Error_::unavailable};
    return store_.revoke_reused(id, user_id, now);
  }
  Result<std::vector<session::ReuseNotice>, Error_> notices(std::string_view user_id) override {
    if (down) return Error{Error_::unavailable};
    return store_.notices(user_id);
  }
  Result<bool, Error_> dismiss_notice(std::string_view session_id,
                                      std::string_view user_id) override {
    if (down) return Error{Error_::unavailable};
    return store_.dismiss_notice(session_id, user_id);
  }
  Result<bool, Error_> rename(std::string_view id, std::string_view user_id,
                              std::string_view name) override {
    if (down) return Error{Error_::unavailable};
    return store_.rename(id, user_id, name);
  }
  Result<std::vector<std::string>, Error_> revoke_all(std::string_view user_id,
                                                      std::string_view keep, Time now) override {
    if (down) return Error{Error_::unavailable};
    return store_.revoke_all(user_id, keep, now);
  }
  Result<std::vector<session::Record>, Error_> list(std::string_view user_id, Time now) override {
    if (down) return Error{Error_::unavailable};
    return store_.list(user_id, now);
  }
  Result<std::vector<session::Revocation>, Error_> revocations_since(Time since) override {
    if (down) return Error{Error_::unavailable};
    return store_.revocations_since(since);
  }
  Result<std::size_t, Error_> delete_expired(Time before) override {
    if (down) return Error{Error_::unavailable};
    return store_.delete_expired(before);
  }

 private:
  session::MemoryStore store_;
};

class Users final : public session::UserSource {
 public:
  std::map<std::string, session::User, std::less<>> known{
      {"ada", {"ada", "ada@example.com", {"user", "admin"}}},
      {"bob", {"bob", "bob@example.com", {"user"}}}};

  Result<std::optional<session::User>, session::StoreError> find_active(
      std::string_view id) override {
    const auto found = known.find(id);
    if (found == known.end()) return std::optional<session::User>();
    return std::optional<session::User>(found->second);
  }
};

// The value of the cookie that a list of Set-Cookie values sets; nothing where it sets none.
inline std::optional<std::string> cookie_in(const std::vector<std::string>& set_cookies,
                                            std::string_view name) {
  std::optional<std::string> out;  // the last one counts, as in a browser
  for (const std::string& line : set_cookies) {
    if (line.compare(0, name.size(), name) != 0 || line[name.size()] != '=') continue;
    const std::size_t begin = name.size() + 1;
    out = line.substr(begin, line.find(';') - begin);
  }
  return out;
}

// Whether the cookie is made to be forgotten.
inline bool forgets(const std::vector<std::string>& set_cookies, std::string_view name) {
  bool out = false;
  for (const std::string& line : set_cookies) {
    if (line.compare(0, name.size(), name) != 0 || line[name.size()] != '=') continue;
    out = line.find("; Max-Age=0") != std::string::npos;
  }
  return out;
}

inline std::string pair(std::string_view name, std::string_view value) {
  return std::string(name) + "=" + std::string(value);
}

inline IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }

}  // namespace moat::shield::internal
